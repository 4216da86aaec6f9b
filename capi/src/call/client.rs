//! The calling side of a channel of calls.

use core::ffi::{c_char, c_void};

use strait_core::{CallClient, CallError, Ran, Ticket, format::ValueType};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_call_client_t, strait_region_t, strait_status};

type Client = CallClient<[u8], [u8], CPort>;

impl Handle for strait_call_client_t {
    type Object = Client;
    const KIND: Kind = Kind::CallClient;
}

/// The status of a call's end, with the code of a refusal in `*code`, which may be null.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
pub(in crate::call) unsafe fn ended(error: CallError, code: *mut u16) -> strait_status {
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
