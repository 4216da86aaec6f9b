//! The serving side of a channel of calls.

use core::ffi::{c_char, c_void};
use core::time::Duration;

use strait_core::{CallServer, Interrupted, Reply, format::ValueType, port::Ident};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_call_server_t, strait_region_t, strait_status};

type Server = CallServer<[u8], [u8], CPort>;

impl Handle for strait_call_server_t {
    type Object = Server;
    const KIND: Kind = Kind::CallServer;
}

/// A request that a server has taken.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_request_t {
    /// The client's identity, or 0.
    pub caller: u32,
    /// The client wants no answer.
    pub is_post: bool,
    /// A server that died had taken it, so it may have run before.
    pub is_again: bool,
}

/// Claims the server's role of the channel of calls `name`, whose requests and answers have these types. With
/// `run_again`, a request that a dead server had taken comes again; otherwise its client is told that it may have run.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_server_open(
    server: *mut strait_call_server_t,
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
        // SAFETY: the caller's promise.
        let mut server =
            unsafe { attached(region, |region| Ok(region.call_server_of(name, request, answer)?))? };
        server.set_interrupted(if run_again { Interrupted::Again } else { Interrupted::Tell });
        Ok(server)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(server, make) }
}

/// Takes the next request, of `size` bytes; `taken` may be null. Answer or refuse it before the next: one that is
/// neither is refused with code 0 then. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_server_try_next(
    server: *mut strait_call_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next(server, request, size, taken, None) }
}

/// As `strait_call_server_try_next`, waiting up to `timeout_ns` for a request.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_server_next_timeout(
    server: *mut strait_call_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { next(server, request, size, taken, Some(arg::timeout(timeout_ns))) }
}

/// Takes the next request into a buffer from C, and keeps the reply.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn next(
    server: *mut strait_call_server_t,
    request: *mut c_void,
    size: usize,
    taken: *mut strait_request_t,
    timeout: Option<Duration>,
) -> strait_status {
    let take = |server: &mut Server| {
        arg::may_answer(taken)?;
        // SAFETY: the caller's promise.
        let request = unsafe { arg::buffer(request.cast(), size)? };
        let reply = match timeout {
            Some(timeout) => server.next_into_timeout(request, timeout)?,
            None => server.try_next_into(request)?,
        };
        let found = strait_request_t {
            caller: reply.caller().map_or(0, Ident::word),
            is_post: reply.is_post(),
            is_again: reply.is_again(),
        };
        reply.keep();
        // SAFETY: the caller's promise.
        unsafe { arg::answer(taken, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, take) }
}

/// The reply that the server owes.
fn owed(server: &mut Server) -> Result<Reply<'_, [u8], CPort>, strait_status> {
    server.reply().ok_or(strait_status::WrongState)
}

/// Answers the request that was taken last, with `size` bytes. Never waits. `STRAIT_STATUS_WRONG_STATE` if none is
/// taken.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_server_answer(
    server: *mut strait_call_server_t,
    answer: *const c_void,
    size: usize,
) -> strait_status {
    let reply = |server: &mut Server| {
        // SAFETY: the caller's promise.
        let answer = unsafe { arg::bytes(answer.cast(), size)? };
        owed(server)?.answer_from(answer).map_err(|_| strait_status::WrongSize)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, reply) }
}

/// Refuses the request that was taken last; its client gets `code`. `STRAIT_STATUS_WRONG_STATE` if none is taken.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_server_refuse(
    server: *mut strait_call_server_t,
    code: u16,
) -> strait_status {
    let refuse = |server: &mut Server| {
        owed(server)?.refuse(code);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(server, refuse) }
}

/// Gives the role back. A request that is taken and not answered is refused.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_server_close(server: *mut strait_call_server_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(server) }
}
