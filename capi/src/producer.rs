//! The sending side of a queue of frames.

use core::ffi::{c_char, c_void};

use strait_core::{Peer, Producer, SendError, TrySendError};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::{arg, strait_region_t, strait_status};

/// Storage for the sending side of a queue of frames. One at a time in a region.
#[repr(C)]
pub struct strait_producer_t {
    first: u64,
    rest: [usize; 62],
}

impl Handle for strait_producer_t {
    type Object = Producer<CPort>;
    const KIND: usize = 2;
}

/// Nobody has the other role.
pub const STRAIT_PEER_ABSENT: u32 = 0;
/// The owner of the other role lives, or cannot be proven dead.
pub const STRAIT_PEER_PRESENT: u32 = 1;
/// The owner of the other role is proven dead, and nobody has taken over yet.
pub const STRAIT_PEER_DEAD: u32 = 2;

/// The number of a peer's state.
pub(crate) fn peer_code(peer: Peer) -> u32 {
    match peer {
        Peer::Absent => STRAIT_PEER_ABSENT,
        Peer::Present => STRAIT_PEER_PRESENT,
        Peer::Dead => STRAIT_PEER_DEAD,
    }
}

/// What a queue shows of itself to one of its ends.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_end_t {
    /// What is waiting: at a producer an upper bound, in the unit of the capacity; at a consumer a lower
    /// bound, in messages.
    pub len: u32,
    /// Bytes of the ring, or slots.
    pub capacity: u32,
    /// The longest frame, or the size of the type, in bytes.
    pub max_frame: u32,
    /// `STRAIT_PEER_...`: what is known of the other side.
    pub peer: u32,
    /// The dead participant that this role was taken over from; 0 if it was not.
    pub taken_over_from: u32,
    /// The violation that was latched, by its number in FORMAT.md; 0 for none.
    pub fault: u32,
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
    let tell = |producer: &mut Producer<CPort>| {
        let found = strait_end_t {
            len: producer.len(),
            capacity: producer.capacity(),
            max_frame: producer.max_frame(),
            peer: peer_code(producer.peer()),
            taken_over_from: producer.taken_over_from().map_or(0, |who| who.word()),
            fault: producer.fault().map_or(0, |fault| fault as u32),
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(end, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, tell) }
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
