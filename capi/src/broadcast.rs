//! One writer that never waits, and readers that each get every value, or the number of those they lost.

use core::ffi::{c_char, c_void};

use strait_core::{
    BroadcastReader, BroadcastRecvError, BroadcastStart, BroadcastTryRecvError, BroadcastWriter, ValueInfo,
    Violation, format::ValueType,
};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{
    arg, strait_broadcast_reader_t, strait_broadcast_writer_t, strait_region_t, strait_status, strait_value_t,
};

/// A reader starts, and goes on when it was overtaken, at the newest value.
pub const STRAIT_BROADCAST_NEWEST: u32 = 0;
/// A reader starts, and goes on when it was overtaken, three quarters of the ring behind the newest value.
pub const STRAIT_BROADCAST_OLDEST: u32 = 1;

impl Handle for strait_broadcast_writer_t {
    type Object = BroadcastWriter<[u8], CPort>;
    const KIND: Kind = Kind::BroadcastWriter;
}

impl Handle for strait_broadcast_reader_t {
    type Object = BroadcastReader<[u8], CPort>;
    const KIND: Kind = Kind::BroadcastReader;
}

fn start(number: u32) -> Result<BroadcastStart, strait_status> {
    match number {
        STRAIT_BROADCAST_NEWEST => Ok(BroadcastStart::Newest),
        STRAIT_BROADCAST_OLDEST => Ok(BroadcastStart::Oldest),
        _ => Err(strait_status::BadArgument),
    }
}

/// Claims the writer's role of the broadcast `name`, whose type has this hash and size; of one of bytes, both
/// are 0.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_writer_open(
    writer: *mut strait_broadcast_writer_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        let open = |region: &strait_core::Attachment<CPort>| {
            if type_hash == 0 && size == 0 {
                return Ok(region.broadcast_writer::<[u8]>(name)?);
            }
            let values = ValueType { hash: type_hash, size };
            Ok(region.broadcast_writer_of(name, values)?)
        };
        // SAFETY: the caller's promise.
        unsafe { attached(region, open) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(writer, make) }
}

/// Publishes a value of `len` bytes with a format tag. Never waits. Stores in `*number`, which may be null, the
/// number of the value, from 1.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_publish(
    writer: *mut strait_broadcast_writer_t,
    tag: u32,
    value: *const c_void,
    len: usize,
    number: *mut u64,
) -> strait_status {
    let publish = |writer: &mut BroadcastWriter<[u8], CPort>| {
        arg::may_answer(number)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), len)? };
        let published = writer.publish_from(tag, value)?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(number, published) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(writer, publish) }
}

/// Gives the role back.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_writer_close(
    writer: *mut strait_broadcast_writer_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(writer) }
}

/// Opens a reader of the broadcast `name`, whatever its type. Claims nothing, and stores nothing. It starts where
/// `start` says, `STRAIT_BROADCAST_...`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_reader_open(
    reader: *mut strait_broadcast_reader_t,
    region: *const strait_region_t,
    name: *const c_char,
    start: u32,
) -> strait_status {
    let make = || {
        let start = self::start(start)?;
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.broadcast_reader::<[u8]>(name, start)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(reader, make) }
}

/// Receives by `receive` into a buffer from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn receiving(
    reader: *mut strait_broadcast_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
    lost: *mut u64,
    receive: impl FnOnce(
        &mut BroadcastReader<[u8], CPort>,
        &mut [u8],
    ) -> Result<ValueInfo, (strait_status, Option<u64>)>,
) -> strait_status {
    let receive = |reader: &mut BroadcastReader<[u8], CPort>| {
        arg::may_answer(value)?;
        arg::may_answer(lost)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(buffer.cast(), capacity)? };
        let ValueInfo { tag, len, number } = match receive(reader, buffer) {
            Ok(info) => info,
            Err((status, count)) => {
                if let Some(count) = count {
                    // SAFETY: the caller's promise.
                    unsafe { arg::answer(lost, count)? };
                }
                return Err(status);
            }
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(value, strait_value_t { number, tag, len })? };
        if len > capacity { Err(strait_status::TooSmall) } else { Ok(()) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(reader, receive) }
}

/// Receives the next value into `buffer`, of `capacity` bytes, if it is there: `STRAIT_STATUS_OK`, `EMPTY`;
/// `LAGGED`, if the reader was overtaken: then `*lost` is the number of values that it has lost. `TOO_SMALL`: the
/// value was received, and the buffer holds its beginning. `CONTENDED`; `FAULT`, after which the reader goes on
/// behind the newest value. `value` and `lost` may be null. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_try_recv(
    reader: *mut strait_broadcast_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
    lost: *mut u64,
) -> strait_status {
    let receive = |reader: &mut BroadcastReader<[u8], CPort>, buffer: &mut [u8]| {
        reader.try_recv_into(buffer).map_err(|error| match error {
            BroadcastTryRecvError::Empty => (strait_status::Empty, None),
            BroadcastTryRecvError::Lagged { lost } => (strait_status::Lagged, Some(lost)),
            BroadcastTryRecvError::Contended => (strait_status::Contended, None),
            BroadcastTryRecvError::Fault(Violation::Forked) => (strait_status::Forked, None),
            _ => (strait_status::Fault, None),
        })
    };
    // SAFETY: the caller's promise.
    unsafe { receiving(reader, buffer, capacity, value, lost, receive) }
}

/// As `strait_broadcast_try_recv`, but waits up to `timeout_ns` for the next value: `TIMED_OUT` in place of
/// `EMPTY` and `CONTENDED`, and `PEER_GONE` if `strait_broadcast_reader_end_with_writer` is set.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_recv_timeout(
    reader: *mut strait_broadcast_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
    lost: *mut u64,
    timeout_ns: u64,
) -> strait_status {
    let receive = |reader: &mut BroadcastReader<[u8], CPort>, buffer: &mut [u8]| {
        reader.recv_timeout_into(buffer, arg::timeout(timeout_ns)).map_err(|error| match error {
            BroadcastRecvError::TimedOut => (strait_status::TimedOut, None),
            BroadcastRecvError::PeerGone => (strait_status::PeerGone, None),
            BroadcastRecvError::Replaced => (strait_status::Replaced, None),
            BroadcastRecvError::Lagged { lost } => (strait_status::Lagged, Some(lost)),
            BroadcastRecvError::Fault(Violation::Forked) => (strait_status::Forked, None),
            _ => (strait_status::Fault, None),
        })
    };
    // SAFETY: the caller's promise.
    unsafe { receiving(reader, buffer, capacity, value, lost, receive) }
}

/// Sets where the reader goes on when it was overtaken: `STRAIT_BROADCAST_...`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_set_start(
    reader: *mut strait_broadcast_reader_t,
    start: u32,
) -> strait_status {
    let set = |reader: &mut BroadcastReader<[u8], CPort>| {
        reader.set_start(self::start(start)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(reader, set) }
}

/// Closes a reader.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_broadcast_reader_close(
    reader: *mut strait_broadcast_reader_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(reader) }
}
