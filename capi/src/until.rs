//! Waits until a moment of the region's clock: one deadline bounds several waits together, and a periodic loop does
//! not drift.

use core::ffi::c_void;

use strait_core::port::Clock as _;
use strait_core::{
    Consumer, Deadline, LatestReader, LockError, Producer, RecvError, Semaphore, SemaphoreError, SendError,
    TypedConsumer,
};

use crate::handle;
use crate::port::CPort;
use crate::region::attached;
use crate::typed::Tx;
use crate::{
    arg, consumer, latest, mutex, strait_consumer_t, strait_latest_reader_t, strait_mutex_t,
    strait_producer_t, strait_received_t, strait_region_t, strait_semaphore_t, strait_status,
    strait_typed_consumer_t, strait_typed_producer_t, strait_value_t, typed,
};

/// What the region's clock shows, in `*now_ns`: the clock of all functions `..._until`. It is monotonic, and one for
/// all processes of a system. `UINT64_MAX`, as now and as a deadline, never comes: a region without a clock shows it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_now_ns(region: *const strait_region_t, now_ns: *mut u64) -> strait_status {
    let told = arg::place(now_ns).and_then(|place| {
        // SAFETY: the caller's promise.
        let now = unsafe { attached(region, |region| Ok(region.port().now_ns()))? };
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(now) };
        Ok(())
    });
    crate::status::status(told)
}

/// Sends a frame, waiting until `deadline_ns` for space.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_send_until(
    producer: *mut strait_producer_t,
    tag: u32,
    payload: *const c_void,
    len: usize,
    deadline_ns: u64,
) -> strait_status {
    let send = |producer: &mut Producer<CPort>| {
        // SAFETY: the caller's promise.
        let payload = unsafe { arg::bytes(payload.cast(), len)? };
        producer.send_until(tag, payload, Deadline::at_ns(deadline_ns)).map_err(SendError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Receives a frame, waiting until `deadline_ns` for it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_consumer_recv_until(
    consumer: *mut strait_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    deadline_ns: u64,
) -> strait_status {
    let take = |consumer: &mut Consumer<CPort>, buffer: &mut [u8]| {
        consumer.recv_until(buffer, Deadline::at_ns(deadline_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { consumer::receive(consumer, buffer, capacity, received, take) }
}

/// Sends a value of `size` bytes, waiting until `deadline_ns` for space.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_send_until(
    producer: *mut strait_typed_producer_t,
    value: *const c_void,
    size: usize,
    deadline_ns: u64,
) -> strait_status {
    let send = |producer: &mut Tx| {
        producer.check(size)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), size)? };
        producer.end.send_until(value, Deadline::at_ns(deadline_ns)).map_err(SendError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Receives a value of `size` bytes, waiting until `deadline_ns` for it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_recv_until(
    consumer: *mut strait_typed_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    deadline_ns: u64,
) -> strait_status {
    let take = |rx: &mut TypedConsumer<[u8], CPort>, value: &mut [u8]| -> Result<(), RecvError> {
        rx.recv_into_until(value, Deadline::at_ns(deadline_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { typed::receive(consumer, value, size, sequence, take) }
}

/// Waits until `deadline_ns` for a value that this reader has not seen; then returns as
/// `strait_latest_wait_for_change`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_wait_until(
    reader: *mut strait_latest_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
    deadline_ns: u64,
) -> strait_status {
    let read = |reader: &mut LatestReader<[u8], CPort>, buffer: &mut [u8]| {
        reader.wait_for_change_into_until(buffer, Deadline::at_ns(deadline_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { latest::reading(reader, buffer, capacity, value, true, read) }
}

/// Locks, waiting until `deadline_ns` for the lock; otherwise as `strait_mutex_try_lock`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_lock_until(
    mutex: *mut strait_mutex_t,
    deadline_ns: u64,
) -> strait_status {
    let locking = |mutex: &'static mut mutex::Bytes| {
        mutex.lock_until(Deadline::at_ns(deadline_ns)).map_err(LockError::into)
    };
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { mutex::lock_by(mutex, locking) })
}

/// Takes one, waiting until `deadline_ns` for it.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_acquire_until(
    semaphore: *mut strait_semaphore_t,
    deadline_ns: u64,
) -> strait_status {
    let acquire = |semaphore: &mut Semaphore<CPort>| {
        semaphore.acquire_until(Deadline::at_ns(deadline_ns)).map_err(SemaphoreError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(semaphore, acquire) }
}
