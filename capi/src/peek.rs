//! The next frame of a queue, looked at before it is received.

use core::ffi::c_void;

use strait_core::{Consumer, Peek};

use crate::handle;
use crate::port::CPort;
use crate::{arg, strait_consumer_t, strait_received_t, strait_status};

/// Shows the next frame to `look`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
unsafe fn peek(
    consumer: *mut strait_consumer_t,
    look: impl FnOnce(Peek<'_, CPort>) -> Result<(), strait_status>,
) -> strait_status {
    let peek = |consumer: &mut Consumer<CPort>| look(consumer.peek()?);
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, peek) }
}

/// Describes the next frame in `*received`, and leaves it where it is. What the last receive returned counts as done
/// with. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_peek(
    consumer: *mut strait_consumer_t,
    received: *mut strait_received_t,
) -> strait_status {
    let describe = |peek: Peek<'_, CPort>| {
        let info = peek.info();
        let received = arg::place(received)?;
        let told = strait_received_t { tag: info.tag, sequence: info.sequence, len: info.len };
        // SAFETY: not null, aligned, and the caller's.
        unsafe { received.write(told) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { peek(consumer, describe) }
}

/// Copies the next frame's payload from `offset` on into `buffer`, of `capacity` bytes, and leaves it where it is. How
/// many bytes there were is in `*copied`, which may be null: with 0 the payload ends before `offset`. So a frame of any
/// length is read part by part; `strait_consumer_skip` then takes it away.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_peek_at(
    consumer: *mut strait_consumer_t,
    offset: usize,
    buffer: *mut c_void,
    capacity: usize,
    copied: *mut usize,
) -> strait_status {
    let copy = |peek: Peek<'_, CPort>| {
        arg::may_answer(copied)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(buffer.cast(), capacity)? };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(copied, peek.copy_from(offset, buffer)) }
    };
    // SAFETY: the caller's promise.
    unsafe { peek(consumer, copy) }
}

/// Takes the next frame away unread, whatever its length.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_skip(consumer: *mut strait_consumer_t) -> strait_status {
    let skip = |peek: Peek<'_, CPort>| {
        peek.release();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { peek(consumer, skip) }
}
