//! Calls with several answers, of one client or several: each client has a lane.

use core::ffi::{CStr, c_char, c_void};
use core::time::Duration;

use strait_core::format::ValueType;
use strait_core::port::Ident;
use strait_core::{LanesStreamServer, PartError, PartType, Parts, Ran, StreamClient, Streamed, Violation};

use super::client::ended;
use super::lanes::failed;
use crate::handle::{self, Handle};
use crate::lanes::STRAIT_MAX_LANES;
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{
    STRAIT_ANY_LANE, arg, strait_region_t, strait_request_t, strait_status, strait_stream_client_t,
    strait_stream_server_t,
};

type Client = StreamClient<[u8], [u8], CPort>;
type Server = LanesStreamServer<[u8], [u8], CPort, STRAIT_MAX_LANES>;

impl Handle for strait_stream_client_t {
    type Object = Client;
    const KIND: Kind = Kind::StreamClient;
}

impl Handle for strait_stream_server_t {
    type Object = Server;
    const KIND: Kind = Kind::StreamServer;
}

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

/// Claims the client's role of lane `lane`, from 0, of streams, or of `STRAIT_ANY_LANE`; with one client, that is lane 0.
/// `claimed`, which may be null, gets the lane's number.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_client_open(
    client: *mut strait_stream_client_t,
    region: *const strait_region_t,
    stream: *const strait_stream_t,
    lane: u32,
    claimed: *mut u32,
) -> strait_status {
    let make = || {
        arg::may_answer(claimed)?;
        // SAFETY: the caller's promise.
        let stream = unsafe { arg::value(stream)? };
        // SAFETY: the caller's promise.
        let calls = unsafe { arg::name(stream.calls)? };
        // SAFETY: the caller's promise.
        let parts = unsafe { arg::name(stream.parts)? };
        let (request, part) = (stream.request(), stream.part());
        // SAFETY: the caller's promise.
        let (lane, end) = unsafe {
            attached(region, |region| {
                Ok(match lane {
                    STRAIT_ANY_LANE => region.free_lane_stream_client_of(calls, parts, request, part)?,
                    _ => (lane, region.lane_stream_client_of(calls, parts, request, part, lane)?),
                })
            })?
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(claimed, lane)? };
        Ok(end)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(client, make) }
}

/// Makes a call with a request of `size` bytes: `STRAIT_STATUS_FULL` also if one is out. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_client_start(
    client: *mut strait_stream_client_t,
    request: *const c_void,
    size: usize,
) -> strait_status {
    let start = |client: &mut Client| {
        // SAFETY: the caller's promise.
        let request = unsafe { arg::bytes(request.cast(), size)? };
        Ok(client.start(request)?)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, start) }
}

/// Takes the next part of the call that is out, of `size` bytes, or its end, which `*found` tells apart:
/// `STRAIT_STATUS_EMPTY` if neither has come. After `STRAIT_STATUS_DID_NOT_RUN`, `MAY_HAVE_RUN` and `REFUSED` the call is
/// over; a refusal's code is then in `*code`, which may be null. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_client_try_next(
    client: *mut strait_stream_client_t,
    part: *mut c_void,
    size: usize,
    found: *mut strait_streamed_t,
    code: *mut u16,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next_part(client, (part, size), found, code, None) }
}

/// As `strait_stream_client_try_next`, waiting up to `timeout_ns`. After `STRAIT_STATUS_TIMED_OUT` the call is still out.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_client_next_timeout(
    client: *mut strait_stream_client_t,
    part: *mut c_void,
    size: usize,
    found: *mut strait_streamed_t,
    code: *mut u16,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next_part(client, (part, size), found, code, Some(arg::timeout(timeout_ns))) }
}

/// Takes the next part into a buffer from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn next_part(
    client: *mut strait_stream_client_t,
    (part, size): (*mut c_void, usize),
    found: *mut strait_streamed_t,
    code: *mut u16,
    timeout: Option<Duration>,
) -> strait_status {
    let next = |client: &mut Client| {
        arg::may_answer(code)?;
        // A part and an end are told apart by it, so the caller must get it.
        let place = arg::place(found)?;
        // SAFETY: the caller's promise.
        let part = unsafe { arg::buffer(part.cast(), size)? };
        let next = match timeout {
            Some(timeout) => client.next_into_timeout(part, timeout).map(Some),
            None => client.try_next_into(part),
        };
        // SAFETY: the caller's promise.
        let next = next.map_err(|error| unsafe { ended(error, code) })?;
        let told = match next.ok_or(strait_status::Empty)? {
            Streamed::Part(()) => strait_streamed_t::default(),
            Streamed::End { parts } => strait_streamed_t { is_end: true, parts },
        };
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(told) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, next) }
}

/// Gives the call that is out up; parts that have come are dropped. Answers in `*may_have_run`, which may be null, whether a
/// server had taken it. `STRAIT_STATUS_UNKNOWN_TICKET` if none is out.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_client_cancel(
    client: *mut strait_stream_client_t,
    may_have_run: *mut bool,
) -> strait_status {
    let cancel = |client: &mut Client| {
        arg::may_answer(may_have_run)?;
        let ran = client.cancel()?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(may_have_run, ran == Ran::Maybe) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, cancel) }
}

/// Gives the role back. A call that is out is cancelled.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_client_close(client: *mut strait_stream_client_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(client) }
}

/// Claims the server's role of streams of up to `STRAIT_MAX_LANES` clients, which take turns call by call. What a dead
/// server had taken is not run again.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_open(
    server: *mut strait_stream_server_t,
    region: *const strait_region_t,
    stream: *const strait_stream_t,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let stream = unsafe { arg::value(stream)? };
        // SAFETY: the caller's promise.
        let calls = unsafe { arg::name(stream.calls)? };
        // SAFETY: the caller's promise.
        let parts = unsafe { arg::name(stream.parts)? };
        let (request, part) = (stream.request(), stream.part());
        // SAFETY: the caller's promise.
        let server: Server = unsafe {
            attached(region, |region| Ok(region.lanes_stream_server_of(calls, parts, request, part)?))?
        };
        Ok(server)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(server, make) }
}

/// Takes the next request, of `size` bytes, of the lane whose turn it is, which `*lane` tells; `taken` may be null. Send its
/// parts, and end or refuse it, by its lane: until then, the lane's further requests wait, and the other lanes go on. Never
/// waits. If it says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged and left out from now on, and the others go on.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_try_next(
    server: *mut strait_stream_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
    lane: *mut u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next_request(server, (request, size), taken, lane, None) }
}

/// As `strait_stream_server_try_next`, waiting up to `timeout_ns` for a request in any lane.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_next_timeout(
    server: *mut strait_stream_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
    lane: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next_request(server, (request, size), taken, lane, Some(arg::timeout(timeout_ns))) }
}

/// Takes the next request into a buffer from C, and keeps the reply.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn next_request(
    server: *mut strait_stream_server_t,
    (request, size): (*mut c_void, usize),
    taken: *mut strait_request_t,
    lane_at: *mut u32,
    timeout: Option<Duration>,
) -> strait_status {
    let take = |server: &mut Server| {
        arg::may_answer(taken)?;
        // The reply is given by the lane, so the caller must get it.
        let place = arg::place(lane_at)?;
        // SAFETY: the caller's promise.
        let request = unsafe { arg::buffer(request.cast(), size)? };
        let next = match timeout {
            Some(timeout) => server.next_into_timeout(request, timeout),
            None => server.try_next_into(request),
        };
        // SAFETY: the caller's promise.
        let (lane, mut parts) = next.map_err(|error| unsafe { failed(error, lane_at) })?;
        let caller = parts.caller().map_or(0, Ident::word);
        let found = strait_request_t { caller, is_post: parts.is_cancelled(), is_again: false };
        parts.keep();
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(lane) };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(taken, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, take) }
}

/// The reply that the server owes in a lane.
fn owed(server: &mut Server, lane: u32) -> Result<Parts<'_, [u8], [u8], CPort>, strait_status> {
    server.parts(lane).ok_or(strait_status::WrongState)
}

/// Sends a part, of `size` bytes, of the answer to the request that was taken last in `lane`: `STRAIT_STATUS_FULL` if its
/// client has not read so many that there is no room, `STRAIT_STATUS_CANCELLED` if it wants no more. Never waits.
/// `STRAIT_STATUS_WRONG_STATE` if none is taken there.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_send(
    server: *mut strait_stream_server_t,
    lane: u32,
    part: *const c_void,
    size: usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { send(server, lane, (part, size), None) }
}

/// As `strait_stream_server_send`, waiting up to `timeout_ns` for room. The other lanes wait meanwhile.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_send_timeout(
    server: *mut strait_stream_server_t,
    lane: u32,
    part: *const c_void,
    size: usize,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { send(server, lane, (part, size), Some(arg::timeout(timeout_ns))) }
}

/// Sends a part from a buffer from C, and keeps the reply.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn send(
    server: *mut strait_stream_server_t,
    lane: u32,
    (part, size): (*const c_void, usize),
    timeout: Option<Duration>,
) -> strait_status {
    let send = |server: &mut Server| {
        // SAFETY: the caller's promise.
        let part = unsafe { arg::bytes(part.cast(), size)? };
        let mut parts = owed(server, lane)?;
        let sent = match timeout {
            Some(timeout) => parts.send_timeout(part, timeout),
            None => parts.send(part),
        };
        parts.keep();
        Ok(sent?)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, send) }
}

/// Ends the answer to the request that was taken last in `lane`. `STRAIT_STATUS_WRONG_STATE` if none is taken there.
/// Never waits.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_end(
    server: *mut strait_stream_server_t,
    lane: u32,
) -> strait_status {
    let end = |server: &mut Server| {
        owed(server, lane)?.end();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, end) }
}

/// Refuses the request that was taken last in `lane`, or the rest of its parts; its client gets `code` behind those that
/// were sent. `STRAIT_STATUS_WRONG_STATE` if none is taken there.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_refuse(
    server: *mut strait_stream_server_t,
    lane: u32,
    code: u16,
) -> strait_status {
    let refuse = |server: &mut Server| owed(server, lane).map(|parts| parts.refuse(code));
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, refuse) }
}

/// Gives the role back. Requests that are taken and not ended are refused.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_stream_server_close(server: *mut strait_stream_server_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(server) }
}
