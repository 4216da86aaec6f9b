//! The latest of a stream of values: one writer, any number of readers.

use core::ffi::{c_char, c_void};

use strait_core::{LatestReader, LatestWriter, Reading, ValueInfo, format::ValueType};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_latest_reader_t, strait_latest_writer_t, strait_region_t, strait_status};

impl Handle for strait_latest_writer_t {
    type Object = LatestWriter<[u8], CPort>;
    const KIND: Kind = Kind::LatestWriter;
}

impl Handle for strait_latest_reader_t {
    type Object = LatestReader<[u8], CPort>;
    const KIND: Kind = Kind::LatestReader;
}

/// A latest value that was read.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_value_t {
    /// How many values were published up to and including this one.
    pub number: u64,
    /// The writer's format tag.
    pub tag: u32,
    /// The value's length in bytes.
    pub len: usize,
}

/// Claims the writer's role of the latest value `name`, whose type has this hash and size; of a value of
/// bytes, both are 0.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_writer_open(
    writer: *mut strait_latest_writer_t,
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
                return Ok(region.latest_writer::<[u8]>(name)?);
            }
            let values = ValueType { hash: type_hash, size };
            Ok(region.latest_writer_of(name, values)?)
        };
        // SAFETY: the caller's promise.
        unsafe { attached(region, open) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(writer, make) }
}

/// Publishes a value of `len` bytes with a format tag. Never waits. Answers in `*number`, which may be null,
/// how many values have been published.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_publish(
    writer: *mut strait_latest_writer_t,
    tag: u32,
    value: *const c_void,
    len: usize,
    number: *mut u64,
) -> strait_status {
    let publish = |writer: &mut LatestWriter<[u8], CPort>| {
        arg::may_answer(number)?;
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), len)? };
        let version = writer.publish_from(tag, value)?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(number, version.number()) }
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
pub unsafe extern "C" fn strait_latest_writer_close(writer: *mut strait_latest_writer_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(writer) }
}

/// Opens a reader of the latest value `name`, whatever its type. Claims nothing, and stores nothing.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_reader_open(
    reader: *mut strait_latest_reader_t,
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.latest_reader::<[u8]>(name)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(reader, make) }
}

/// Reads by `read` into a buffer from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
pub(crate) unsafe fn reading(
    reader: *mut strait_latest_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
    waits: bool,
    read: impl FnOnce(&mut LatestReader<[u8], CPort>, &mut [u8]) -> Reading<ValueInfo>,
) -> strait_status {
    let read = |reader: &mut LatestReader<[u8], CPort>| {
        arg::may_answer(value)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(buffer.cast(), capacity)? };
        let found = read(reader, buffer);
        if waits && !matches!(found, Reading::Fresh(_)) && reader.is_replaced() {
            return Err(strait_status::Replaced);
        }
        let (info, status) = match found {
            Reading::Fresh(info) => (info, Ok(())),
            Reading::Stale(info) => (info, Err(strait_status::Stale)),
            Reading::Empty => return Err(strait_status::Empty),
            Reading::Contended => return Err(strait_status::Contended),
        };
        let ValueInfo { tag, len, number } = info;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(value, strait_value_t { number, tag, len })? };
        if len > capacity { Err(strait_status::TooSmall) } else { status }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(reader, read) }
}

/// Reads the newest value into `buffer`, of `capacity` bytes: `STRAIT_STATUS_OK`, or `STRAIT_STATUS_STALE` if
/// it is the one read last, which is copied as well; `EMPTY`, `CONTENDED`. `value` may be null. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_read(
    reader: *mut strait_latest_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { reading(reader, buffer, capacity, value, false, |reader, buffer| reader.read_into(buffer)) }
}

/// Waits up to `timeout_ns` for a value that this reader has not seen; then answers as `strait_latest_read`, or with
/// `STRAIT_STATUS_REPLACED` if no writer can come, and nothing is copied.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_wait_for_change(
    reader: *mut strait_latest_reader_t,
    buffer: *mut c_void,
    capacity: usize,
    value: *mut strait_value_t,
    timeout_ns: u64,
) -> strait_status {
    let read = |reader: &mut LatestReader<[u8], CPort>, buffer: &mut [u8]| {
        reader.wait_for_change_into(buffer, arg::timeout(timeout_ns))
    };
    // SAFETY: the caller's promise.
    unsafe { reading(reader, buffer, capacity, value, timeout_ns != 0, read) }
}

/// Closes a reader.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_latest_reader_close(reader: *mut strait_latest_reader_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(reader) }
}
