//! Queues with several producers, each with a lane.

use core::ffi::{c_char, c_void};

use strait_core::{
    FromLane, LanesConsumer, LanesOptions, PeerStatus, Received, RecvLanesError, TryRecvLanesError,
    TypedLanesConsumer, Violation, format::ValueType,
};

use crate::consumer::consumer_options;
use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::queue_end::{TypedEnd, peer_code};
use crate::region::attached;
use crate::storage::Kind;
use crate::{
    arg, strait_consumer_options_t, strait_lanes_consumer_t, strait_producer_t, strait_received_t,
    strait_region_t, strait_status, strait_typed_lanes_consumer_t, strait_typed_producer_t,
};

/// The most lanes that a consumer opened in C has room for.
pub const STRAIT_MAX_LANES: usize = 16;
/// In place of a lane's number: any lane that can be claimed, and is not urgent.
pub const STRAIT_ANY_LANE: u32 = u32::MAX;

pub(crate) type Rx = LanesConsumer<CPort, STRAIT_MAX_LANES>;
pub(crate) type TypedRx = TypedEnd<TypedLanesConsumer<[u8], CPort, STRAIT_MAX_LANES>>;

impl Handle for strait_lanes_consumer_t {
    type Object = Rx;
    const KIND: Kind = Kind::LanesConsumer;
}

impl Handle for strait_typed_lanes_consumer_t {
    type Object = TypedRx;
    const KIND: Kind = Kind::TypedLanesConsumer;
}

/// How a consumer of lanes receives. All zeros, or a null pointer: as a consumer with such options, and up to 16
/// messages in a row from one lane.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_lanes_options_t {
    /// How it receives from each lane.
    pub each_lane: strait_consumer_options_t,
    /// How many messages come from one lane at most before the next gets its turn; 0 stands for 16.
    pub burst: u32,
}

/// A lane as the consumer of all lanes sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_lane_t {
    /// How many lanes there are.
    pub lanes: u32,
    /// Messages that wait in this one: a lower bound.
    pub len: u32,
    /// `STRAIT_PEER_...`: what is known of its producer; `STRAIT_PEER_ABSENT` if the lane is damaged.
    pub peer: u32,
    /// The dead participant that the consumer's role of the lane was taken over from; 0 if it was not.
    pub taken_over_from: u32,
    /// The violation that was found in the lane, by its number in FORMAT.md; 0 for none.
    pub fault: u32,
}

/// # Safety
///
/// `options` must be null, misaligned, or lead to options.
unsafe fn lanes_options(options: *const strait_lanes_options_t) -> Result<LanesOptions, strait_status> {
    let made = LanesOptions::new();
    if options.is_null() {
        return Ok(made);
    }
    // SAFETY: the caller's promise.
    let options = unsafe { arg::value(options)? };
    // SAFETY: a place of our own.
    let made = made.each_lane(unsafe { consumer_options(&raw const options.each_lane)? });
    Ok(if options.burst == 0 { made } else { made.burst(options.burst) })
}

/// Claims the producer's role of lane `lane`, from 0, of the queue of frames `name`, or of `STRAIT_ANY_LANE`.
/// `claimed`, which may be null, gets the lane's number. The producer is then used as any.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_producer_open_lane(
    producer: *mut strait_producer_t,
    region: *const strait_region_t,
    name: *const c_char,
    lane: u32,
    claimed: *mut u32,
) -> strait_status {
    let make = || {
        arg::may_answer(claimed)?;
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let (lane, end) = unsafe {
            attached(region, |region| {
                Ok(match lane {
                    STRAIT_ANY_LANE => region.free_lane_producer(name)?,
                    _ => (lane, region.lane_producer(name, lane)?),
                })
            })?
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(claimed, lane)? };
        Ok(end)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(producer, make) }
}

/// As `strait_producer_open_lane`, of a queue of values whose type has this hash and size.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_producer_open_lane(
    producer: *mut strait_typed_producer_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
    lane: u32,
    claimed: *mut u32,
) -> strait_status {
    let values = ValueType { hash: type_hash, size };
    let make = || {
        arg::may_answer(claimed)?;
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let (lane, end) = unsafe {
            attached(region, |region| {
                Ok(match lane {
                    STRAIT_ANY_LANE => region.typed_free_lane_producer_of(name, values)?,
                    _ => (lane, region.typed_lane_producer_of(name, values, lane)?),
                })
            })?
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(claimed, lane)? };
        Ok(TypedEnd { end, size })
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(producer, make) }
}

/// Claims the consumer's role of the queue of frames `name`, of up to `STRAIT_MAX_LANES` lanes. `options` may be
/// null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_open(
    consumer: *mut strait_lanes_consumer_t,
    region: *const strait_region_t,
    name: *const c_char,
    options: *const strait_lanes_options_t,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let options = unsafe { lanes_options(options)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.lanes_consumer_with(name, options)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(consumer, make) }
}

/// What an error says of a lane, and of the buffer.
pub(crate) trait Tells: Into<strait_status> + Copy {
    fn lane(self) -> Option<u32>;
    fn needs(self) -> Option<usize>;
}

/// Both errors have these variants.
macro_rules! tells {
    ($error:ident) => {
        impl Tells for $error {
            fn lane(self) -> Option<u32> {
                match self {
                    Self::TooSmall { lane, .. } | Self::Fault { lane, .. } => Some(lane),
                    _ => None,
                }
            }

            fn needs(self) -> Option<usize> {
                if let Self::TooSmall { needed, .. } = self { Some(needed) } else { None }
            }
        }
    };
}

tells!(TryRecvLanesError);
tells!(RecvLanesError);

/// Receives by `take` into a buffer from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
pub(crate) unsafe fn receive<E: Tells>(
    consumer: *mut strait_lanes_consumer_t,
    (buffer, capacity): (*mut c_void, usize),
    received_at: *mut strait_received_t,
    lane_at: *mut u32,
    take: impl FnOnce(&mut Rx, &mut [u8]) -> Result<FromLane<Received>, E>,
) -> strait_status {
    let receive = |consumer: &mut Rx| {
        arg::may_answer(received_at)?;
        arg::may_answer(lane_at)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(buffer.cast(), capacity)? };
        let (outcome, lane, received) = match take(consumer, buffer) {
            Ok(FromLane { lane, message: Received { tag, sequence, len } }) => {
                (Ok(()), Some(lane), Some(strait_received_t { tag, sequence, len }))
            }
            Err(error) => {
                let told = error.needs().map(|len| strait_received_t { len, ..Default::default() });
                (Err(error.into()), error.lane(), told)
            }
        };
        if let Some(lane) = lane {
            // SAFETY: the caller's promise.
            unsafe { arg::answer(lane_at, lane)? };
        }
        if let Some(received) = received {
            // SAFETY: the caller's promise.
            unsafe { arg::answer(received_at, received)? };
        }
        outcome
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, receive) }
}

/// Receives a frame from the lane whose turn it is into `buffer`, of `capacity` bytes. `received` and `lane` may
/// be null. Never waits. If it says `STRAIT_STATUS_TOO_SMALL`, the frame stays, and `received->len` is its length.
/// If it says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged and left out from now on, and the others go on.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_try_recv(
    consumer: *mut strait_lanes_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    lane: *mut u32,
) -> strait_status {
    let take = |consumer: &mut Rx, buffer: &mut [u8]| consumer.try_recv(buffer);
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, (buffer, capacity), received, lane, take) }
}

/// Receives a frame, waiting up to `timeout_ns` for one in any lane.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_recv_timeout(
    consumer: *mut strait_lanes_consumer_t,
    buffer: *mut c_void,
    capacity: usize,
    received: *mut strait_received_t,
    lane: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    let take = |consumer: &mut Rx, buffer: &mut [u8]| consumer.recv_timeout(buffer, arg::timeout(timeout_ns));
    // SAFETY: the caller's promise.
    unsafe { receive(consumer, (buffer, capacity), received, lane, take) }
}

/// A lane as a consumer sees it; both kinds of consumers have these methods.
macro_rules! describe {
    ($consumer:expr, $lane:expr) => {{
        let (consumer, lane) = (&$consumer, $lane);
        if lane >= consumer.lanes() {
            return Err(strait_status::NotFound);
        }
        strait_lane_t {
            lanes: consumer.lanes(),
            len: consumer.len(lane),
            peer: peer_code(consumer.peer(lane).unwrap_or(PeerStatus::Absent)),
            taken_over_from: consumer.taken_over_from(lane).map_or(0, |who| who.word()),
            fault: consumer.fault(lane).map_or(0, |fault: Violation| fault as u32),
        }
    }};
}

/// Shows lane `lane`, from 0, in `*shown`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_lane(
    consumer: *mut strait_lanes_consumer_t,
    lane: u32,
    shown: *mut strait_lane_t,
) -> strait_status {
    let show = |consumer: &mut Rx| {
        let found = describe!(*consumer, lane);
        // SAFETY: the caller's promise.
        unsafe { arg::answer(shown, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, show) }
}

/// Releases what the last receive returned, without waiting for the next call.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_release(
    consumer: *mut strait_lanes_consumer_t,
) -> strait_status {
    let release = |consumer: &mut Rx| {
        consumer.release();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, release) }
}

/// Releases all that was received, and gives the role back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_consumer_close(
    consumer: *mut strait_lanes_consumer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(consumer) }
}

/// As `strait_lanes_consumer_open`, of a queue of values whose type has this hash and size.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_open(
    consumer: *mut strait_typed_lanes_consumer_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
    options: *const strait_lanes_options_t,
) -> strait_status {
    let values = ValueType { hash: type_hash, size };
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let options = unsafe { lanes_options(options)? };
        // SAFETY: the caller's promise.
        let end =
            unsafe { attached(region, |region| Ok(region.typed_lanes_consumer_of(name, values, options)?))? };
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
pub(crate) unsafe fn receive_value<E: Tells>(
    consumer: *mut strait_typed_lanes_consumer_t,
    (value, size): (*mut c_void, usize),
    sequence_at: *mut u32,
    lane_at: *mut u32,
    take: impl FnOnce(&mut TypedRx, &mut [u8]) -> Result<u32, E>,
) -> strait_status {
    let receive = |consumer: &mut TypedRx| {
        consumer.check(size)?;
        arg::may_answer(sequence_at)?;
        arg::may_answer(lane_at)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::buffer(value.cast(), size)? };
        let taken = take(consumer, value);
        if let Some(lane) = taken.map_or_else(E::lane, Some) {
            // SAFETY: the caller's promise.
            unsafe { arg::answer(lane_at, lane)? };
        }
        taken.map_err(E::into)?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(sequence_at, consumer.end.sequence()) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, receive) }
}

/// Receives a value of `size` bytes from the lane whose turn it is, its number in that lane in `*sequence`, and
/// the lane in `*lane`; both may be null. Never waits. If it says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged
/// and left out from now on, and the others go on.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_try_recv(
    consumer: *mut strait_typed_lanes_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    lane: *mut u32,
) -> strait_status {
    let take = |consumer: &mut TypedRx, value: &mut [u8]| consumer.end.try_recv_into(value);
    // SAFETY: the caller's promise.
    unsafe { receive_value(consumer, (value, size), sequence, lane, take) }
}

/// Receives a value of `size` bytes, waiting up to `timeout_ns` for one in any lane.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_recv_timeout(
    consumer: *mut strait_typed_lanes_consumer_t,
    value: *mut c_void,
    size: usize,
    sequence: *mut u32,
    lane: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    let take = |consumer: &mut TypedRx, value: &mut [u8]| {
        consumer.end.recv_into_timeout(value, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { receive_value(consumer, (value, size), sequence, lane, take) }
}

/// Shows lane `lane`, from 0, in `*shown`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_lane(
    consumer: *mut strait_typed_lanes_consumer_t,
    lane: u32,
    shown: *mut strait_lane_t,
) -> strait_status {
    let show = |consumer: &mut TypedRx| {
        let found = describe!(consumer.end, lane);
        // SAFETY: the caller's promise.
        unsafe { arg::answer(shown, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, show) }
}

/// Releases what the last receive returned, without waiting for the next call.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_release(
    consumer: *mut strait_typed_lanes_consumer_t,
) -> strait_status {
    let release = |consumer: &mut TypedRx| {
        consumer.end.release();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(consumer, release) }
}

/// Releases all that was received, and gives the role back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_typed_lanes_consumer_close(
    consumer: *mut strait_typed_lanes_consumer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(consumer) }
}
