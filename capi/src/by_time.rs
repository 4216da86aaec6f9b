//! Receiving from lanes in the order of time stamps.

use core::ffi::c_void;

use strait_core::{FromLane, Received, Stamp, TimeOrder};

use crate::handle::{self, Handle};
use crate::lanes::{Rx, STRAIT_MAX_LANES, Tells, TypedRx, receive, receive_value};
use crate::storage::Kind;
use crate::{
    arg, strait_lanes_consumer_t, strait_received_t, strait_status, strait_time_order_t,
    strait_typed_lanes_consumer_t,
};

type Order = TimeOrder<STRAIT_MAX_LANES>;

impl Handle for strait_time_order_t {
    type Object = Order;
    const KIND: Kind = Kind::TimeOrder;
}

/// Makes the order of the stamps at offset `stamp` of each message: a little-endian number of 64 bits, in any unit, of a
/// clock that all producers share. A frame that ends before it counts as stamped 0. An order belongs to one consumer.
///
/// A message waits until each empty lane has sent its stamp or a later one, but no longer than `hold_ns` after it was
/// seen: 0 holds nothing, nor does a region without a clock. Once it was seen, `passes` others may come before it, and one more of each other lane, whatever
/// their stamps; 0 stands for as many as the lanes take together.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_time_order_open(
    order: *mut strait_time_order_t,
    stamp: u32,
    hold_ns: u64,
    passes: u32,
) -> strait_status {
    let made = Order::new(Stamp::at(stamp)).hold(arg::timeout(hold_ns));
    let made = if passes == 0 { made } else { made.passes(passes) };
    // SAFETY: the caller's promise.
    unsafe { handle::open(order, || Ok(made)) }
}

/// Forgets the order.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_time_order_close(order: *mut strait_time_order_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(order) }
}

/// Uses the order for `receive`, which uses the consumer.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
unsafe fn by(
    order: *mut strait_time_order_t,
    receive: impl FnOnce(&mut Order) -> strait_status,
) -> strait_status {
    match handle::place(order) {
        // SAFETY: an order is there, and the caller's alone.
        Ok(mut order) => receive(unsafe { order.as_mut() }),
        Err(status) => status,
    }
}

/// Receives a frame by `take`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn frame<E: Tells>(
    consumer: *mut strait_lanes_consumer_t,
    order: *mut strait_time_order_t,
    buffer: (*mut c_void, usize),
    received: *mut strait_received_t,
    lane: *mut u32,
    take: impl FnOnce(&mut Rx, &mut Order, &mut [u8]) -> Result<FromLane<Received>, E>,
) -> strait_status {
    let receive = |order: &mut Order| {
        // SAFETY: the caller's promise.
        unsafe { receive(consumer, buffer, received, lane, |rx, buffer| take(rx, order, buffer)) }
    };
    // SAFETY: the caller's promise.
    unsafe { by(order, receive) }
}

/// As `strait_lanes_consumer_try_recv`, in the order of time; `STRAIT_STATUS_EMPTY` also if what is there is held.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_try_recv_by_time(
    consumer: *mut strait_lanes_consumer_t,
    order: *mut strait_time_order_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    lane: *mut u32,
) -> strait_status {
    let take = |rx: &mut Rx, order: &mut Order, buffer: &mut [u8]| rx.try_recv_by_time(order, buffer);
    // SAFETY: the caller's promise.
    unsafe { frame(consumer, order, (buffer, capacity), received, lane, take) }
}

/// As `strait_lanes_consumer_recv_timeout`, in the order of time.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_recv_by_time_timeout(
    consumer: *mut strait_lanes_consumer_t,
    order: *mut strait_time_order_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    lane: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    let take = |rx: &mut Rx, order: &mut Order, buffer: &mut [u8]| {
        rx.recv_by_time_timeout(order, buffer, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { frame(consumer, order, (buffer, capacity), received, lane, take) }
}

/// Receives a value by `take`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn value<E: Tells>(
    consumer: *mut strait_typed_lanes_consumer_t,
    order: *mut strait_time_order_t,
    value: (*mut c_void, usize),
    sequence: *mut u32,
    lane: *mut u32,
    take: impl FnOnce(&mut TypedRx, &mut Order, &mut [u8]) -> Result<u32, E>,
) -> strait_status {
    let receive = |order: &mut Order| {
        // SAFETY: the caller's promise.
        unsafe { receive_value(consumer, value, sequence, lane, |rx, value| take(rx, order, value)) }
    };
    // SAFETY: the caller's promise.
    unsafe { by(order, receive) }
}

/// As `strait_typed_lanes_consumer_try_recv`, in the order of time; `STRAIT_STATUS_EMPTY` also if what is there is held.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_try_recv_by_time(
    consumer: *mut strait_typed_lanes_consumer_t,
    order: *mut strait_time_order_t,
    into: *mut c_void,
    size: usize,
    sequence: *mut u32,
    lane: *mut u32,
) -> strait_status {
    let take =
        |rx: &mut TypedRx, order: &mut Order, value: &mut [u8]| rx.end.try_recv_into_by_time(order, value);
    // SAFETY: the caller's promise.
    unsafe { value(consumer, order, (into, size), sequence, lane, take) }
}

/// As `strait_typed_lanes_consumer_recv_timeout`, in the order of time.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_recv_by_time_timeout(
    consumer: *mut strait_typed_lanes_consumer_t,
    order: *mut strait_time_order_t,
    into: *mut c_void,
    size: usize,
    sequence: *mut u32,
    lane: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    let take = |rx: &mut TypedRx, order: &mut Order, value: &mut [u8]| {
        rx.end.recv_into_by_time_timeout(order, value, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { value(consumer, order, (into, size), sequence, lane, take) }
}
