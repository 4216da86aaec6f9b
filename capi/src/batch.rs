//! Several messages by one call.

use core::ffi::c_void;
use core::slice;

use strait_core::{Consumer, Producer};

use crate::consumer::Needs as _;
use crate::handle;
use crate::port::CPort;
use crate::typed::{Rx, Tx};
use crate::{
    arg, strait_consumer_t, strait_producer_t, strait_received_t, strait_status, strait_typed_consumer_t,
    strait_typed_producer_t,
};

/// A frame that is to be sent.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_frame_t {
    /// The payload; may be null if it is empty.
    pub payload: *const c_void,
    /// Its length in bytes.
    pub len: usize,
    /// The tag.
    pub tag: u32,
}

/// `count` elements at `start`; if there are none, `start` may be anything.
///
/// # Safety
///
/// As for [`arg::bytes`], of this many elements.
unsafe fn elements<'a, T>(start: *const T, count: usize) -> Result<&'a [T], strait_status> {
    if count == 0 {
        return Ok(&[]);
    }
    let place = arg::place(start.cast_mut())?;
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(strait_status::BadArgument);
    }
    // SAFETY: not null, aligned, not longer than a slice may be, and valid by the caller's promise.
    Ok(unsafe { slice::from_raw_parts(place.as_ptr(), count) })
}

/// Counts what `one` does for each index below `count` until it fails. An error of the very first is the result's.
fn each(
    count: usize,
    mut one: impl FnMut(usize) -> Result<(), strait_status>,
) -> Result<usize, strait_status> {
    for i in 0..count {
        match one(i) {
            Ok(()) => {}
            Err(error) if i == 0 => return Err(error),
            Err(_) => return Ok(i),
        }
    }
    Ok(count)
}

/// Sends `count` frames in order until one is refused, and wakes the consumer once. Each becomes visible by itself.
/// How many were sent is in `*sent`, which may be null. Fails only if the first is refused, or, before any is sent,
/// if a payload is null. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_try_send_batch(
    producer: *mut strait_producer_t,
    frames: *const strait_frame_t,
    count: usize,
    sent: *mut usize,
) -> strait_status {
    let send = |producer: &mut Producer<CPort>| {
        arg::may_answer(sent)?;
        // SAFETY: the caller's promise.
        let frames = unsafe { elements(frames, count)? };
        // SAFETY: the caller's promise.
        let payload = |frame: &strait_frame_t| unsafe { arg::bytes(frame.payload.cast(), frame.len) };
        // All are looked at before any is sent, so none is wrong in the second pass.
        frames.iter().try_for_each(|frame| payload(frame).map(drop))?;
        let parts = frames.iter().map_while(|frame| Some((frame.tag, payload(frame).ok()?)));
        let done = if count == 0 { 0 } else { producer.try_send_batch(parts)? };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(sent, done) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Receives up to `max` frames into `buffer`, of `capacity` bytes, one behind the other without gaps, and describes
/// each in `received`, which has `max` elements. Stops at the first that does not fit any more. How many came is in
/// `*count`. Fails only if there is not even one: `STRAIT_STATUS_TOO_SMALL` tells its length in `received[0]`. As by
/// that many calls of `strait_consumer_try_recv`, so all but the last count as done with. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_recv_batch(
    consumer: *mut strait_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    max: usize,
    count: *mut usize,
) -> strait_status {
    let receive = |consumer: &mut Consumer<CPort>| {
        let described = arg::place(received)?;
        let count = arg::place(count)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(buffer.cast(), capacity)? };
        let mut at = 0;
        let came = each(max, |i| {
            let taken = consumer.try_recv(buffer.get_mut(at..).unwrap_or_default());
            let told = match &taken {
                Ok(frame) => {
                    Some(strait_received_t { tag: frame.tag, sequence: frame.sequence, len: frame.len })
                }
                Err(error) => error.needs().filter(|_| i == 0).map(strait_received_t::of_len),
            };
            if let Some(told) = told {
                // SAFETY: there are `max` of them, by the caller's promise.
                let place = unsafe { described.add(i) };
                // SAFETY: as above.
                unsafe { place.write(told) };
            }
            at += taken?.len;
            Ok(())
        })?;
        // SAFETY: not null, aligned, and the caller's.
        unsafe { count.write(came) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, receive) }
}

/// Sends `count` values of `size` bytes, which lie one behind the other, in order until one is refused. How many were
/// sent is in `*sent`, which may be null. Fails only if the first is refused. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_try_send_batch(
    producer: *mut strait_typed_producer_t,
    values: *const c_void,
    size: usize,
    count: usize,
    sent: *mut usize,
) -> strait_status {
    let send = |producer: &mut Tx| {
        arg::may_answer(sent)?;
        producer.check(size)?;
        let len = size.checked_mul(count).ok_or(strait_status::BadArgument)?;
        // SAFETY: the caller's promise.
        let values = unsafe { arg::bytes(values.cast::<u8>(), len)? };
        let mut values = values.chunks_exact(size.max(1));
        let done = each(count, |_| {
            let value = values.next().ok_or(strait_status::WrongSize)?;
            Ok(producer.end.try_send(value)?)
        })?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(sent, done) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Receives up to `max` values of `size` bytes into `values`, one behind the other; how many came is in `*count`. Fails
/// only if there is not even one. As by that many calls of `strait_typed_consumer_try_recv`, so all but the last count
/// as done with. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_recv_batch(
    consumer: *mut strait_typed_consumer_t,
    values: *mut c_void,
    size: usize,
    max: usize,
    count: *mut usize,
) -> strait_status {
    let receive = |consumer: &mut Rx| {
        let count = arg::place(count)?;
        consumer.check(size)?;
        let len = size.checked_mul(max).ok_or(strait_status::BadArgument)?;
        // SAFETY: the caller's promise.
        let values = unsafe { arg::buffer(values.cast::<u8>(), len)? };
        let mut values = values.chunks_exact_mut(size.max(1));
        let came = each(max, |_| {
            let value = values.next().ok_or(strait_status::WrongSize)?;
            Ok(consumer.end.try_recv_into(value)?)
        })?;
        // SAFETY: not null, aligned, and the caller's.
        unsafe { count.write(came) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, receive) }
}
