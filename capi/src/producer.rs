//! The sending side of a queue of frames.

use core::ffi::{c_char, c_void};

use strait_core::{Producer, SendError, TrySendError};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, queue_end, strait_end_t, strait_producer_t, strait_region_t, strait_status};

impl Handle for strait_producer_t {
    type Object = Producer<CPort>;
    const KIND: Kind = Kind::Producer;
}

/// Claims the producer's role of the queue of frames `name`. If its last owner is proven dead, the role is
/// taken over with every committed frame in place.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_open(
    producer: *mut strait_producer_t,
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.producer(name)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(producer, make) }
}

/// Sends a frame: copies `len` bytes in and publishes them. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_try_send(
    producer: *mut strait_producer_t,
    tag: u32,
    payload: *const c_void,
    len: usize,
) -> strait_status {
    let send = |producer: &mut Producer<CPort>| {
        // SAFETY: the caller's promise.
        let payload = unsafe { arg::bytes(payload.cast(), len)? };
        producer.try_send(tag, payload).map_err(TrySendError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Sends a frame, waiting up to `timeout_ns` for space.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_send_timeout(
    producer: *mut strait_producer_t,
    tag: u32,
    payload: *const c_void,
    len: usize,
    timeout_ns: u64,
) -> strait_status {
    let send = |producer: &mut Producer<CPort>| {
        // SAFETY: the caller's promise.
        let payload = unsafe { arg::bytes(payload.cast(), len)? };
        producer.send_timeout(tag, payload, arg::timeout(timeout_ns)).map_err(SendError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// The sequence number that the next frame will have, in `*sequence`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_next_sequence(
    producer: *mut strait_producer_t,
    sequence: *mut u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    let tell = |producer: &mut Producer<CPort>| unsafe { arg::answer(sequence, producer.next_sequence()) };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, tell) }
}

/// Shows the queue as this end sees it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_end(
    producer: *mut strait_producer_t,
    end: *mut strait_end_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { queue_end::show(producer, end) }
}

/// Gives the role back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_close(producer: *mut strait_producer_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(producer) }
}
