//! Calls with several answers, of one client or several: each client has a lane.

mod client;
mod server;

pub use client::*;
pub use server::*;

use core::ffi::{CStr, c_char};

use strait_core::format::ValueType;
use strait_core::{PartError, PartType, Violation};

use crate::strait_status;

/// The two channels of streams, and their types. In the plan, the calls are of `STRAIT_KIND_CALLS`, with `end_hash` and 4 as
/// hash and size of their answer, and the parts of `STRAIT_KIND_FRAMES`, with `STRAIT_PRODUCER_MAY_BLOCK`, `part_size` as
/// their size, and `strait_parts_capacity` as their capacity. With several clients, `producers` is their number in both;
/// with one, the parts have `STRAIT_CONSUMER_MAY_BLOCK`, too.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_stream_t {
    /// The name of the channel of calls.
    pub calls: *const c_char,
    /// The name of the channel of parts.
    pub parts: *const c_char,
    /// The hash of the requests' type.
    pub request_hash: u64,
    /// The hash of the end's type: `strait_stream_end_hash` of the parts' descriptor.
    pub end_hash: u64,
    /// The size of a request.
    pub request_size: u32,
    /// The size of a part.
    pub part_size: u32,
}

impl strait_stream_t {
    fn request(&self) -> ValueType {
        ValueType { hash: self.request_hash, size: self.request_size }
    }

    fn part(&self) -> PartType {
        PartType {
            end: ValueType { hash: self.end_hash, size: size_of::<u32>() as u32 },
            len: self.part_size,
        }
    }
}

/// What a client of streams finds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_streamed_t {
    /// There are no more parts, and the call is over; otherwise the next part was copied.
    pub is_end: bool,
    /// At the end: how many parts there were, all of which have come.
    pub parts: u32,
}

impl From<PartError> for strait_status {
    fn from(error: PartError) -> Self {
        match error {
            PartError::Full => Self::Full,
            PartError::TimedOut => Self::TimedOut,
            PartError::Cancelled => Self::Cancelled,
            PartError::WrongSize => Self::WrongSize,
            PartError::Fault(Violation::Forked) => Self::Forked,
            _ => Self::Fault,
        }
    }
}

/// The hash of the end of streams whose parts have this canonical descriptor (see `strait_type_hash`); 0 if it is null, or
/// not UTF-8.
///
/// # Safety
///
/// `descriptor` must be null or lead to a text that ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_end_hash(descriptor: *const c_char) -> u64 {
    if descriptor.is_null() {
        return 0;
    }
    // SAFETY: a text that ends with a NUL, by the caller's promise.
    let text = unsafe { CStr::from_ptr(descriptor) };
    text.to_str().map_or(0, |text| PartType::described(text, 0).end.hash)
}

/// Returns the capacity of a channel of frames that takes at least `parts` parts of `part_size` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn strait_parts_capacity(parts: u32, part_size: u32) -> u32 {
    PartType { end: ValueType::NONE, len: part_size }.capacity(parts)
}
