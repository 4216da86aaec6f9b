//! Waits for several producers, or for the writer of a broadcast, that end when they are gone.

use strait_core::BroadcastReader;

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::{
    strait_broadcast_reader_t, strait_lanes_consumer_t, strait_status, strait_typed_lanes_consumer_t,
};

/// Sets whether receives that wait end with `STRAIT_STATUS_PEER_GONE` when all producers are gone: when none is left, and
/// one is proven dead or was there and has left, and all that they sent was received. As long as none has come, they are
/// waited for. Otherwise as `strait_producer_end_with_peer`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_end_with_peer(
    consumer: *mut strait_lanes_consumer_t,
    on: bool,
) -> strait_status {
    let set = |consumer: &mut <strait_lanes_consumer_t as Handle>::Object| {
        consumer.end_with_peer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, set) }
}

/// As `strait_lanes_consumer_end_with_peer`, for a queue of values.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_end_with_peer(
    consumer: *mut strait_typed_lanes_consumer_t,
    on: bool,
) -> strait_status {
    let set = |consumer: &mut <strait_typed_lanes_consumer_t as Handle>::Object| {
        consumer.end.end_with_peer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, set) }
}

/// Sets whether `strait_broadcast_recv_timeout` ends with `STRAIT_STATUS_PEER_GONE` when the writer is gone: when it is
/// proven dead, or was there and has left, and all that it published was received. Otherwise as
/// `strait_producer_end_with_peer`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_reader_end_with_writer(
    reader: *mut strait_broadcast_reader_t,
    on: bool,
) -> strait_status {
    let set = |reader: &mut BroadcastReader<[u8], CPort>| {
        reader.end_with_writer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(reader, set) }
}
