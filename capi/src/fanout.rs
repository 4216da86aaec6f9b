//! Queues of values with several consumers, each of which gets every value.

use core::ffi::{c_char, c_void};

use strait_core::{
    FanoutConsumer, FanoutProducer, RecvError, SendError, SlowestConsumer, TryRecvError, TrySendError,
    format::ValueType,
};

use crate::consumer::consumer_options;
use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::queue_end::{TypedEnd, peer_code};
use crate::region::attached;
use crate::storage::Kind;
use crate::{
    arg, strait_consumer_options_t, strait_fanout_consumer_t, strait_fanout_producer_t, strait_region_t,
    strait_status,
};

/// In place of a consumer's number: any whose place is free, or else one that is proven dead.
pub const STRAIT_ANY_CONSUMER: u32 = u32::MAX;

type Tx = TypedEnd<FanoutProducer<[u8], CPort>>;
type Rx = TypedEnd<FanoutConsumer<[u8], CPort>>;

impl Handle for strait_fanout_producer_t {
    type Object = Tx;
    const KIND: Kind = Kind::FanoutProducer;
}

impl Handle for strait_fanout_consumer_t {
    type Object = Rx;
    const KIND: Kind = Kind::FanoutConsumer;
}

/// The consumer that bounds the producer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_slowest_t {
    /// Its number, from 0.
    pub consumer: u32,
    /// The participant; 0 of a word that names nobody.
    pub who: u32,
    /// How many values it has not released.
    pub lag: u32,
}

/// A queue as one of several consumers sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_fanout_end_t {
    /// Its number, from 0.
    pub consumer: u32,
    /// Values that wait for it: a lower bound.
    pub lag: u32,
    /// Slots.
    pub capacity: u32,
    /// The number of the value that it got first, or will.
    pub first: u32,
    /// How many values, at most, were lost between the dead consumer before it and this one.
    pub missed: u32,
    /// `STRAIT_PEER_...`: what is known of the producer.
    pub peer: u32,
    /// The dead participant that this place was taken over from; 0 if it was not.
    pub taken_over_from: u32,
    /// The violation that was latched, by its number in FORMAT.md; 0 for none.
    pub fault: u32,
}

/// Claims the producer's role of the queue `name` with several consumers, whose type has this hash and size.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_producer_open(
    producer: *mut strait_fanout_producer_t,
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
        let end = unsafe { attached(region, |region| Ok(region.fanout_producer_of(name, values)?))? };
        Ok(TypedEnd { end, size })
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(producer, make) }
}

/// Sends a value of `size` bytes to each consumer that has joined. Never waits. `STRAIT_STATUS_FULL` if one of them has
/// not released enough.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_try_send(
    producer: *mut strait_fanout_producer_t,
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
pub unsafe extern "C" fn strait_fanout_send_timeout(
    producer: *mut strait_fanout_producer_t,
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

/// Shows the consumer that is furthest behind; `STRAIT_STATUS_NOT_FOUND` if nobody has joined.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_slowest(
    producer: *mut strait_fanout_producer_t,
    slowest: *mut strait_slowest_t,
) -> strait_status {
    let show = |producer: &mut Tx| {
        let SlowestConsumer { consumer, who, lag } = producer.end.slowest().ok_or(strait_status::NotFound)?;
        let found = strait_slowest_t { consumer, who: who.map_or(0, |who| who.word()), lag };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(slowest, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(producer, show) }
}

/// Gives the role back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_producer_close(
    producer: *mut strait_fanout_producer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(producer) }
}

/// Joins as consumer `consumer`, from 0, of the queue `name`, or as `STRAIT_ANY_CONSUMER`. `options` and `joined`, which
/// gets the consumer's number, may be null; with `STRAIT_ANY_CONSUMER` the options are not used.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_consumer_open(
    consumer: *mut strait_fanout_consumer_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
    number: u32,
    options: *const strait_consumer_options_t,
    joined: *mut u32,
) -> strait_status {
    let values = ValueType { hash: type_hash, size };
    let make = || {
        arg::may_answer(joined)?;
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let options = unsafe { consumer_options(options)? };
        // SAFETY: the caller's promise.
        let (number, end) = unsafe {
            attached(region, |region| {
                Ok(match number {
                    STRAIT_ANY_CONSUMER => region.free_fanout_consumer_of(name, values)?,
                    _ => (number, region.fanout_consumer_of(name, values, number, options)?),
                })
            })?
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(joined, number)? };
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
unsafe fn receive<E: Into<strait_status>>(
    consumer: *mut strait_fanout_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    take: impl FnOnce(&mut FanoutConsumer<[u8], CPort>, &mut [u8]) -> Result<(), E>,
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
pub unsafe extern "C" fn strait_fanout_try_recv(
    consumer: *mut strait_fanout_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
) -> strait_status {
    let take = |rx: &mut FanoutConsumer<[u8], CPort>, value: &mut [u8]| -> Result<(), TryRecvError> {
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
pub unsafe extern "C" fn strait_fanout_recv_timeout(
    consumer: *mut strait_fanout_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    let take = |rx: &mut FanoutConsumer<[u8], CPort>, value: &mut [u8]| -> Result<(), RecvError> {
        rx.recv_into_timeout(value, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, value, size, sequence, take) }
}

/// Releases, and tells the region so: after it, a successor would see nothing again, and the producer may go on.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_consumer_flush(
    consumer: *mut strait_fanout_consumer_t,
) -> strait_status {
    let flush = |consumer: &mut Rx| {
        consumer.end.flush();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, flush) }
}

/// Shows the queue as this consumer sees it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_consumer_end(
    consumer: *mut strait_fanout_consumer_t,
    end: *mut strait_fanout_end_t,
) -> strait_status {
    let show = |consumer: &mut Rx| {
        let rx = &consumer.end;
        let found = strait_fanout_end_t {
            consumer: rx.index(),
            lag: rx.lag(),
            capacity: rx.capacity(),
            first: rx.first_sequence(),
            missed: rx.missed(),
            peer: peer_code(rx.peer()),
            taken_over_from: rx.taken_over_from().map_or(0, |who| who.word()),
            fault: rx.fault().map_or(0, |fault| fault as u32),
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(end, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, show) }
}

/// Leaves: the consumer no longer bounds the producer, and gives its place back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_fanout_consumer_close(
    consumer: *mut strait_fanout_consumer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(consumer) }
}
