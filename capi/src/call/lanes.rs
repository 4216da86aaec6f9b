//! Calls of several clients to one server: each client has a lane.

use core::ffi::{c_char, c_void};
use core::time::Duration;

use strait_core::{
    Interrupted, LanesOptions, LanesServer, Reply, ServeLanesError, Violation, format::ValueType, port::Ident,
};

use crate::handle::{self, Handle};
use crate::lanes::STRAIT_MAX_LANES;
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{
    STRAIT_ANY_LANE, arg, strait_call_client_t, strait_lanes_server_t, strait_region_t, strait_request_t,
    strait_status,
};

type Server = LanesServer<[u8], [u8], CPort, STRAIT_MAX_LANES>;

impl Handle for strait_lanes_server_t {
    type Object = Server;
    const KIND: Kind = Kind::LanesServer;
}

/// The status of a failed attempt, with the lane at fault in `*lane`, which may be null.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
pub(in crate::call) unsafe fn failed(error: ServeLanesError, lane_at: *mut u32) -> strait_status {
    match error {
        ServeLanesError::Empty => strait_status::Empty,
        ServeLanesError::TimedOut => strait_status::TimedOut,
        ServeLanesError::WrongSize => strait_status::WrongSize,
        ServeLanesError::Fault { lane, violation } => {
            // SAFETY: the caller's promise.
            match unsafe { arg::answer(lane_at, lane) } {
                Ok(()) if violation == Violation::Forked => strait_status::Forked,
                Ok(()) => strait_status::Fault,
                Err(status) => status,
            }
        }
        _ => strait_status::Fault,
    }
}

/// Claims the client's role of lane `lane`, from 0, of the channel of calls `name`, or of `STRAIT_ANY_LANE`. `claimed`,
/// which may be null, gets the lane's number. The client is then used as any.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_open_lane(
    client: *mut strait_call_client_t,
    region: *const strait_region_t,
    name: *const c_char,
    request_hash: u64,
    request_size: u32,
    answer_hash: u64,
    answer_size: u32,
    lane: u32,
    claimed: *mut u32,
) -> strait_status {
    let request = ValueType { hash: request_hash, size: request_size };
    let answer = ValueType { hash: answer_hash, size: answer_size };
    let make = || {
        arg::may_answer(claimed)?;
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let (lane, end) = unsafe {
            attached(region, |region| {
                Ok(match lane {
                    STRAIT_ANY_LANE => region.free_lane_call_client_of(name, request, answer)?,
                    _ => (lane, region.lane_call_client_of(name, request, answer, lane)?),
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

/// Claims the server's role of the channel of calls `name`, of up to `STRAIT_MAX_LANES` clients, which take turns call by
/// call. With `run_again`, what a dead server had taken comes again; otherwise its client is told that it may have run.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_server_open(
    server: *mut strait_lanes_server_t,
    region: *const strait_region_t,
    name: *const c_char,
    request_hash: u64,
    request_size: u32,
    answer_hash: u64,
    answer_size: u32,
    run_again: bool,
) -> strait_status {
    let request = ValueType { hash: request_hash, size: request_size };
    let answer = ValueType { hash: answer_hash, size: answer_size };
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        let options = LanesOptions::new().burst(1);
        // SAFETY: the caller's promise.
        let mut server: Server = unsafe {
            attached(region, |region| Ok(region.lanes_call_server_of(name, request, answer, options)?))?
        };
        server.set_interrupted(if run_again { Interrupted::Again } else { Interrupted::Tell });
        Ok(server)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(server, make) }
}

/// Takes the next request, of `size` bytes, of the lane whose turn it is, which `*lane` tells; `taken` may be null. Answer
/// or refuse it by its lane: until then, the lane's further requests wait, and the other lanes go on. Never waits. If it
/// says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged and left out from now on, and the others go on.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_server_try_next(
    server: *mut strait_lanes_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
    lane: *mut u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next(server, (request, size), taken, lane, None) }
}

/// As `strait_lanes_server_try_next`, waiting up to `timeout_ns` for a request in any lane.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_server_next_timeout(
    server: *mut strait_lanes_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
    lane: *mut u32,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next(server, (request, size), taken, lane, Some(arg::timeout(timeout_ns))) }
}

/// Takes the next request into a buffer from C, and keeps the reply.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn next(
    server: *mut strait_lanes_server_t,
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
        let (lane, reply) = next.map_err(|error| unsafe { failed(error, lane_at) })?;
        let found = strait_request_t {
            caller: reply.caller().map_or(0, Ident::word),
            is_post: reply.is_post(),
            is_again: reply.is_again(),
        };
        reply.keep();
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(lane) };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(taken, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, take) }
}

/// The reply that the server owes in a lane.
fn owed(server: &mut Server, lane: u32) -> Result<Reply<'_, [u8], CPort>, strait_status> {
    server.reply(lane).ok_or(strait_status::WrongState)
}

/// Answers the request that was taken last in `lane`, with `size` bytes. Never waits. `STRAIT_STATUS_WRONG_STATE` if none
/// is taken there.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_server_answer(
    server: *mut strait_lanes_server_t,
    lane: u32,
    answer: *const c_void,
    size: usize,
) -> strait_status {
    let reply = |server: &mut Server| {
        // SAFETY: the caller's promise.
        let answer = unsafe { arg::bytes(answer.cast(), size)? };
        owed(server, lane)?.answer_from(answer).map_err(|_| strait_status::WrongSize)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, reply) }
}

/// Refuses the request that was taken last in `lane`; its client gets `code`. `STRAIT_STATUS_WRONG_STATE` if none is taken
/// there.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_server_refuse(
    server: *mut strait_lanes_server_t,
    lane: u32,
    code: u16,
) -> strait_status {
    let refuse = |server: &mut Server| {
        owed(server, lane)?.refuse(code);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, refuse) }
}

/// Gives the role back. Requests that are taken and not answered are refused.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lanes_server_close(server: *mut strait_lanes_server_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(server) }
}
