//! The receiving side of a queue of frames.

use core::ffi::{c_char, c_void};

use strait_core::{Consumer, ConsumerOptions, Delivery, Received, RecvError, TryRecvError};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, queue_end, strait_consumer_t, strait_end_t, strait_region_t, strait_status};

impl Handle for strait_consumer_t {
    type Object = Consumer<CPort>;
    const KIND: Kind = Kind::Consumer;
}

/// How a consumer receives. All zeros, or a null pointer: at least once, and a successor may see up to 64
/// released messages again.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_consumer_options_t {
    /// A message counts as done with before the receive returns, not with the next call.
    pub at_most_once: bool,
    /// Publishes the released position at least once in this many releases; 0 stands for 64.
    pub release_every: u32,
}

/// A frame that was received.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_received_t {
    /// The sender's tag.
    pub tag: u32,
    /// The frame's number, counting up by one a frame, modulo 2^32.
    pub sequence: u32,
    /// Its length in bytes.
    pub len: usize,
}

impl strait_received_t {
    /// What is known of a frame that did not fit.
    pub(crate) fn of_len(len: usize) -> Self {
        Self { len, ..Self::default() }
    }
}

/// # Safety
///
/// `options` must be null, misaligned, or lead to options.
pub(crate) unsafe fn consumer_options(
    options: *const strait_consumer_options_t,
) -> Result<ConsumerOptions, strait_status> {
    let made = ConsumerOptions::new();
    if options.is_null() {
        return Ok(made);
    }
    // SAFETY: the caller's promise.
    let options = unsafe { arg::value(options)? };
    let made = if options.release_every == 0 { made } else { made.release_every(options.release_every) };
    Ok(if options.at_most_once { made.delivery(Delivery::AtMostOnce) } else { made })
}

/// Claims the consumer's role of the queue of frames `name`. `options` may be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_open(
    consumer: *mut strait_consumer_t,
    region: *const strait_region_t,
    name: *const c_char,
    options: *const strait_consumer_options_t,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let options = unsafe { consumer_options(options)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.consumer_with(name, options)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(consumer, make) }
}

/// An error that may say how long the buffer must be.
pub(crate) trait Needs {
    fn needs(&self) -> Option<usize>;
}

impl Needs for TryRecvError {
    fn needs(&self) -> Option<usize> {
        if let Self::TooSmall { needed } = self { Some(*needed) } else { None }
    }
}

impl Needs for RecvError {
    fn needs(&self) -> Option<usize> {
        if let Self::TooSmall { needed } = self { Some(*needed) } else { None }
    }
}

/// Receives by `take` into a buffer from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
pub(crate) unsafe fn receive<E: Into<strait_status> + Needs>(
    consumer: *mut strait_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received_at: *mut strait_received_t,
    take: impl FnOnce(&mut Consumer<CPort>, &mut [u8]) -> Result<Received, E>,
) -> strait_status {
    let receive = |consumer: &mut Consumer<CPort>| {
        arg::may_answer(received_at)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(buffer.cast(), capacity)? };
        let Received { tag, sequence, len } = match take(consumer, buffer) {
            Ok(taken) => taken,
            Err(error) => {
                if let Some(len) = error.needs() {
                    // SAFETY: the caller's promise.
                    unsafe { arg::answer(received_at, strait_received_t::of_len(len))? };
                }
                return Err(error.into());
            }
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(received_at, strait_received_t { tag, sequence, len }) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, receive) }
}

/// Receives a frame into `buffer`, of `capacity` bytes. `received` may be null. Never waits. If it says
/// `STRAIT_STATUS_TOO_SMALL`, the frame stays, and `received->len` is its length: `strait_consumer_skip`
/// gets past it, and `strait_consumer_peek_at` reads it in parts.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_try_recv(
    consumer: *mut strait_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, buffer, capacity, received, |consumer, buffer| consumer.try_recv(buffer)) }
}

/// Receives a frame, waiting up to `timeout_ns` for it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_recv_timeout(
    consumer: *mut strait_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    timeout_ns: u64,
) -> strait_status {
    let take = |consumer: &mut Consumer<CPort>, buffer: &mut [u8]| {
        consumer.recv_timeout(buffer, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, buffer, capacity, received, take) }
}

/// Releases what the last receive returned, without waiting for the next call.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_release(consumer: *mut strait_consumer_t) -> strait_status {
    let release = |consumer: &mut Consumer<CPort>| {
        consumer.release();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, release) }
}

/// Releases, and tells the region so: after it, a successor would see nothing again.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_flush(consumer: *mut strait_consumer_t) -> strait_status {
    let flush = |consumer: &mut Consumer<CPort>| {
        consumer.flush();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, flush) }
}

/// Shows the queue as this end sees it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_end(
    consumer: *mut strait_consumer_t,
    end: *mut strait_end_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { queue_end::show(consumer, end) }
}

/// Releases all that was received, and gives the role back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_close(consumer: *mut strait_consumer_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(consumer) }
}
