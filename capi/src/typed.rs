//! Queues of values of one type, which here is its hash and its size.

use core::ffi::{c_char, c_void};

use strait_core::{
    RecvError, SendError, TryRecvError, TrySendError, TypedConsumer, TypedProducer, format::ValueType,
};

use crate::consumer::consumer_options;
use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::queue_end::TypedEnd;
use crate::region::attached;
use crate::storage::Kind;
use crate::{
    arg, queue_end, strait_consumer_options_t, strait_end_t, strait_region_t, strait_status,
    strait_typed_consumer_t, strait_typed_producer_t,
};

pub(crate) type Tx = TypedEnd<TypedProducer<[u8], CPort>>;
pub(crate) type Rx = TypedEnd<TypedConsumer<[u8], CPort>>;

impl Handle for strait_typed_producer_t {
    type Object = Tx;
    const KIND: Kind = Kind::TypedProducer;
}

impl Handle for strait_typed_consumer_t {
    type Object = Rx;
    const KIND: Kind = Kind::TypedConsumer;
}

impl<E> TypedEnd<E> {
    pub fn check(&self, size: usize) -> Result<(), strait_status> {
        if size == self.size as usize { Ok(()) } else { Err(strait_status::WrongSize) }
    }
}

/// Claims the producer's role of the queue of values `name`, whose type has this hash and size.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_open(
    producer: *mut strait_typed_producer_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
) -> strait_status {
    let values = ValueType { hash: type_hash, size };
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let end = unsafe { attached(region, |region| Ok(region.typed_producer_of(name, values)?))? };
        Ok(TypedEnd { end, size })
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(producer, make) }
}

/// Sends a value of `size` bytes. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_try_send(
    producer: *mut strait_typed_producer_t,
    value: *const c_void,
    size: usize,
) -> strait_status {
    let send = |producer: &mut Tx| {
        producer.check(size)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), size)? };
        producer.end.try_send(value).map_err(TrySendError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Sends a value of `size` bytes, waiting up to `timeout_ns` for space.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_send_timeout(
    producer: *mut strait_typed_producer_t,
    value: *const c_void,
    size: usize,
    timeout_ns: u64,
) -> strait_status {
    let send = |producer: &mut Tx| {
        producer.check(size)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), size)? };
        producer.end.send_timeout(value, arg::timeout(timeout_ns)).map_err(SendError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, send) }
}

/// Shows the queue as this end sees it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_end(
    producer: *mut strait_typed_producer_t,
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
pub unsafe extern "C" fn strait_typed_producer_close(
    producer: *mut strait_typed_producer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(producer) }
}

/// Claims the consumer's role of the queue of values `name`, whose type has this hash and size. `options` may
/// be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_open(
    consumer: *mut strait_typed_consumer_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
    options: *const strait_consumer_options_t,
) -> strait_status {
    let values = ValueType { hash: type_hash, size };
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let options = unsafe { consumer_options(options)? };
        // SAFETY: the caller's promise.
        let end = unsafe { attached(region, |region| Ok(region.typed_consumer_of(name, values, options)?))? };
        Ok(TypedEnd { end, size })
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(consumer, make) }
}

/// Receives by `take` into a value from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
pub(crate) unsafe fn receive<E: Into<strait_status>>(
    consumer: *mut strait_typed_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    take: impl FnOnce(&mut TypedConsumer<[u8], CPort>, &mut [u8]) -> Result<(), E>,
) -> strait_status {
    let receive = |consumer: &mut Rx| {
        consumer.check(size)?;
        arg::may_answer(sequence)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::buffer(value.cast(), size)? };
        take(&mut consumer.end, value).map_err(E::into)?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(sequence, consumer.end.sequence()) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, receive) }
}

/// Receives a value of `size` bytes, and its number in `*sequence`, which may be null. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_try_recv(
    consumer: *mut strait_typed_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
) -> strait_status {
    let take = |rx: &mut TypedConsumer<[u8], CPort>, value: &mut [u8]| -> Result<(), TryRecvError> {
        rx.try_recv_into(value)
    };
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, value, size, sequence, take) }
}

/// Receives a value of `size` bytes, waiting up to `timeout_ns` for it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_recv_timeout(
    consumer: *mut strait_typed_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    let take = |rx: &mut TypedConsumer<[u8], CPort>, value: &mut [u8]| -> Result<(), RecvError> {
        rx.recv_into_timeout(value, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, value, size, sequence, take) }
}

/// Releases what the last receive returned, without waiting for the next call.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_consumer_release(
    consumer: *mut strait_typed_consumer_t,
) -> strait_status {
    let release = |consumer: &mut Rx| {
        consumer.end.release();
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
pub unsafe extern "C" fn strait_typed_consumer_flush(
    consumer: *mut strait_typed_consumer_t,
) -> strait_status {
    let flush = |consumer: &mut Rx| {
        consumer.end.flush();
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
pub unsafe extern "C" fn strait_typed_consumer_end(
    consumer: *mut strait_typed_consumer_t,
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
pub unsafe extern "C" fn strait_typed_consumer_close(
    consumer: *mut strait_typed_consumer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(consumer) }
}
