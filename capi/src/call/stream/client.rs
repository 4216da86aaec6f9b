//! The calling side of streams.

use core::ffi::c_void;
use core::time::Duration;

use strait_core::{Ran, StreamClient, Streamed};

use super::super::client::ended;
use super::{strait_stream_t, strait_streamed_t};
use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{STRAIT_ANY_LANE, arg, strait_region_t, strait_status, strait_stream_client_t};

type Client = StreamClient<[u8], [u8], CPort>;

impl Handle for strait_stream_client_t {
    type Object = Client;
    const KIND: Kind = Kind::StreamClient;
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
