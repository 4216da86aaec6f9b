//! The serving side of streams.

use core::ffi::c_void;
use core::time::Duration;

use strait_core::port::Ident;
use strait_core::{LanesStreamServer, Parts};

use super::super::lanes::failed;
use super::strait_stream_t;
use crate::handle::{self, Handle};
use crate::lanes::STRAIT_MAX_LANES;
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_region_t, strait_request_t, strait_status, strait_stream_server_t};

type Server = LanesStreamServer<[u8], [u8], CPort, STRAIT_MAX_LANES>;

impl Handle for strait_stream_server_t {
    type Object = Server;
    const KIND: Kind = Kind::StreamServer;
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
