//! Waits that end when the other side is gone, instead of at their deadline.

use strait_core::{Consumer, LatestReader, Producer};

use crate::handle;
use crate::port::CPort;
use crate::queue_end::peer_code;
use crate::{
    arg, strait_consumer_t, strait_latest_reader_t, strait_producer_t, strait_status,
    strait_typed_consumer_t, strait_typed_producer_t,
};

/// Sets whether sends that wait end with `STRAIT_STATUS_PEER_GONE` when the consumer is gone: when it is proven dead, or
/// was there and has left. One that has not come yet is waited for. Off unless set. Asked once a probe period, 20 ms,
/// and when the time is up.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_end_with_peer(
    producer: *mut strait_producer_t,
    on: bool,
) -> strait_status {
    let set = |producer: &mut Producer<CPort>| {
        producer.end_with_peer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, set) }
}

/// Sets whether receives that wait end with `STRAIT_STATUS_PEER_GONE` when the producer is gone: when it is proven dead,
/// or was there and has left, and all that it sent was received. Otherwise as `strait_producer_end_with_peer`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_end_with_peer(
    consumer: *mut strait_consumer_t,
    on: bool,
) -> strait_status {
    let set = |consumer: &mut Consumer<CPort>| {
        consumer.end_with_peer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, set) }
}

/// As `strait_producer_end_with_peer`, for a queue of values.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_end_with_peer(
    producer: *mut strait_typed_producer_t,
    on: bool,
) -> strait_status {
    let set = |producer: &mut <strait_typed_producer_t as handle::Handle>::Object| {
        producer.end.end_with_peer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, set) }
}

/// As `strait_consumer_end_with_peer`, for a queue of values.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_end_with_peer(
    consumer: *mut strait_typed_consumer_t,
    on: bool,
) -> strait_status {
    let set = |consumer: &mut <strait_typed_consumer_t as handle::Handle>::Object| {
        consumer.end.end_with_peer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, set) }
}

/// Sets whether `strait_latest_wait_for_change` ends when the writer is gone, as if the time were up: when it is proven
/// dead, or was there and has left. `strait_latest_reader_writer` says whether it was that. Otherwise as
/// `strait_producer_end_with_peer`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_reader_end_with_writer(
    reader: *mut strait_latest_reader_t,
    on: bool,
) -> strait_status {
    let set = |reader: &mut LatestReader<[u8], CPort>| {
        reader.end_with_writer(on);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(reader, set) }
}

/// What is known of the writer, `STRAIT_PEER_...`, in `*writer`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_reader_writer(
    reader: *mut strait_latest_reader_t,
    writer: *mut u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    let tell =
        |reader: &mut LatestReader<[u8], CPort>| unsafe { arg::answer(writer, peer_code(reader.writer())) };
    // SAFETY: the caller's promise.
    unsafe { handle::with(reader, tell) }
}
