//! Calls: requests of a client, and the answers of a server.

use core::ffi::{c_char, c_void};
use core::time::Duration;

use strait_core::{
    CallClient, CallError, CallServer, Interrupted, Ran, Reply, ServeError, Ticket, TryCallError,
    format::ValueType, port::Ident,
};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_call_client_t, strait_call_server_t, strait_region_t, strait_status};

type Client = CallClient<[u8], [u8], CPort>;
type Server = CallServer<[u8], [u8], CPort>;

impl Handle for strait_call_client_t {
    type Object = Client;
    const KIND: Kind = Kind::CallClient;
}

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

/// The status of a call's end, with the code of a refusal in `*code`, which may be null.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
unsafe fn ended(error: CallError, code: *mut u16) -> strait_status {
    if let CallError::Refused { code: found } = error {
        // SAFETY: the caller's promise.
        if let Err(status) = unsafe { arg::answer(code, found) } {
            return status;
        }
    }
    error.into()
}

/// Claims the client's role of the channel of calls `name`, whose requests and answers have these types.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_open(
    client: *mut strait_call_client_t,
    region: *const strait_region_t,
    name: *const c_char,
    request_hash: u64,
    request_size: u32,
    answer_hash: u64,
    answer_size: u32,
) -> strait_status {
    let request = ValueType { hash: request_hash, size: request_size };
    let answer = ValueType { hash: answer_hash, size: answer_size };
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.call_client_of(name, request, answer)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(client, make) }
}

/// Makes a call with a request of `size` bytes. Answers in `*ticket` what the other functions ask for. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_try_call(
    client: *mut strait_call_client_t,
    request: *const c_void,
    size: usize,
    ticket: *mut u32,
) -> strait_status {
    let call = |client: &mut Client| {
        let place = arg::place(ticket)?;
        // SAFETY: the caller's promise.
        let request = unsafe { arg::bytes(request.cast(), size)? };
        let made = client.try_call(request)?;
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(made.to_bits()) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, call) }
}

/// Sends a request of `size` bytes to which no answer is wanted. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_post(
    client: *mut strait_call_client_t,
    request: *const c_void,
    size: usize,
) -> strait_status {
    let post = |client: &mut Client| {
        // SAFETY: the caller's promise.
        let request = unsafe { arg::bytes(request.cast(), size)? };
        Ok(client.post(request)?)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, post) }
}

/// Takes the answer of a call, of `size` bytes: `STRAIT_STATUS_EMPTY` if it has not come. After
/// `STRAIT_STATUS_DID_NOT_RUN`, `MAY_HAVE_RUN` and `REFUSED`, too, the ticket is used up; a refusal's code is
/// then in `*code`, which may be null. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_poll(
    client: *mut strait_call_client_t,
    ticket: u32,
    answer: *mut c_void,
    size: usize,
    code: *mut u16,
) -> strait_status {
    let poll =
        |client: &mut Client, answer: &mut [u8]| match client.poll_into(Ticket::from_bits(ticket), answer) {
            Ok(true) => Ok(()),
            Ok(false) => Err(strait_status::Empty),
            // SAFETY: the caller's promise.
            Err(error) => Err(unsafe { ended(error, code) }),
        };
    // SAFETY: the caller's promise.
    unsafe { answering(client, answer, size, code, poll) }
}

/// Waits up to `timeout_ns` for the answer of a call; as `strait_call_client_poll`, but with
/// `STRAIT_STATUS_TIMED_OUT`, which leaves the call out and its ticket as it is.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_wait_timeout(
    client: *mut strait_call_client_t,
    ticket: u32,
    answer: *mut c_void,
    size: usize,
    code: *mut u16,
    timeout_ns: u64,
) -> strait_status {
    let wait = |client: &mut Client, answer: &mut [u8]| {
        let waited = client.wait_into_timeout(Ticket::from_bits(ticket), answer, arg::timeout(timeout_ns));
        // SAFETY: the caller's promise.
        waited.map_err(|error| unsafe { ended(error, code) })
    };
    // SAFETY: the caller's promise.
    unsafe { answering(client, answer, size, code, wait) }
}

/// Makes a call and waits up to `timeout_ns`, first for a place and then for the answer. After
/// `STRAIT_STATUS_TIMED_OUT` the call is out, and `*ticket` is its ticket: wait again, or cancel it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_call_timeout(
    client: *mut strait_call_client_t,
    request: *const c_void,
    request_size: usize,
    answer: *mut c_void,
    answer_size: usize,
    ticket: *mut u32,
    code: *mut u16,
    timeout_ns: u64,
) -> strait_status {
    let call = |client: &mut Client, answer: &mut [u8]| {
        let place = arg::place(ticket)?;
        // SAFETY: the caller's promise.
        let request = unsafe { arg::bytes(request.cast(), request_size)? };
        let called = client.call_into_timeout(request, answer, arg::timeout(timeout_ns));
        if let Err(CallError::TimedOut { ticket }) = called {
            // SAFETY: not null, aligned, and the caller's.
            unsafe { place.write(ticket.to_bits()) };
        }
        // SAFETY: the caller's promise.
        called.map_err(|error| unsafe { ended(error, code) })
    };
    // SAFETY: the caller's promise.
    unsafe { answering(client, answer, answer_size, code, call) }
}

/// Uses a client that puts an answer into a buffer from C.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn answering(
    client: *mut strait_call_client_t,
    answer: *mut c_void,
    size: usize,
    code: *mut u16,
    using: impl FnOnce(&mut Client, &mut [u8]) -> Result<(), strait_status>,
) -> strait_status {
    let using = |client: &mut Client| {
        arg::may_answer(code)?;
        // SAFETY: the caller's promise.
        let answer = unsafe { arg::buffer(answer.cast(), size)? };
        using(client, answer)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, using) }
}

/// Gives a call up. Answers in `*may_have_run`, which may be null, whether a server had taken it; if not, none ever
/// acts on it.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_cancel(
    client: *mut strait_call_client_t,
    ticket: u32,
    may_have_run: *mut bool,
) -> strait_status {
    let cancel = |client: &mut Client| {
        arg::may_answer(may_have_run)?;
        let ran = client.cancel(Ticket::from_bits(ticket))?;
        // SAFETY: the caller's promise.
        unsafe { arg::answer(may_have_run, ran == Ran::Maybe) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(client, cancel) }
}

/// Gives the role back. Calls that are out are served, and their answers go nowhere.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_call_client_close(client: *mut strait_call_client_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(client) }
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

impl From<TryCallError> for strait_status {
    fn from(error: TryCallError) -> Self {
        CallError::from(error).into()
    }
}

impl From<CallError> for strait_status {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Full => Self::Full,
            CallError::WrongSize => Self::WrongSize,
            CallError::TimedOut { .. } => Self::TimedOut,
            CallError::PeerDied { ran: Ran::No } => Self::DidNotRun,
            CallError::PeerDied { ran: Ran::Maybe } => Self::MayHaveRun,
            CallError::Refused { .. } => Self::Refused,
            CallError::UnknownTicket => Self::UnknownTicket,
            _ => Self::Fault,
        }
    }
}

impl From<ServeError> for strait_status {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Empty => Self::Empty,
            ServeError::TimedOut => Self::TimedOut,
            ServeError::WrongSize => Self::WrongSize,
            _ => Self::Fault,
        }
    }
}
