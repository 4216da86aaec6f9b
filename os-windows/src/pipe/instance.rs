//! Instances of named pipes: served, accepted, connected.

use core::ptr::{null, null_mut};
use core::time::Duration;
use std::os::windows::io::OwnedHandle;
use std::sync::{Arc, Mutex, PoisonError};

use strait_os_common::pipe::{ConnectError, Limit, PipeError, PipeName, Seat, Seats, connect_by};
use windows_sys::Win32::Foundation::{ERROR_SEM_TIMEOUT, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, PIPE_ACCESS_DUPLEX,
    SECURITY_IDENTIFICATION, SECURITY_IMPERSONATION, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, GetNamedPipeClientProcessId, GetNamedPipeInfo, GetNamedPipeServerProcessId,
    PIPE_READMODE_BYTE, PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_TYPE_MESSAGE,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT, SetNamedPipeHandleState, WaitNamedPipeW,
};

use super::cancel::Canceller;
use super::error::{BindError, connect_error};
use super::event::{Event, wait};
use super::options::{CLIENT_RIGHTS, MOST_INSTANCES, PipeOptions};
use super::overlapped::End;
use super::user::{Peer, User};
use crate::error::{FromCall as _, OsError};
use crate::security::own;
use crate::wide::wide;

/// What the system keeps of what one side has written and the other has not read, in bytes.
pub(super) const BUFFER: u32 = 64 * 1024;

/// What a pipe passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bytes,
    Messages,
}

/// How an instance is opened. Only the first may be the first, which is how the system says that somebody
/// else serves the name.
fn open_mode(first: bool) -> u32 {
    let first = if first { FILE_FLAG_FIRST_PIPE_INSTANCE } else { 0 };
    PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first
}

fn pipe_mode(kind: Kind, remote: bool) -> u32 {
    let kind = match kind {
        Kind::Bytes => PIPE_TYPE_BYTE | PIPE_READMODE_BYTE,
        Kind::Messages => PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE,
    };
    PIPE_WAIT | kind | if remote { 0 } else { PIPE_REJECT_REMOTE_CLIENTS }
}

/// How a client connects: unless it allows more, the server can see who it is, but not act as it.
fn client_flags(may_impersonate: bool) -> u32 {
    let level = if may_impersonate { SECURITY_IMPERSONATION } else { SECURITY_IDENTIFICATION };
    FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | level
}

fn path(name: &PipeName) -> Vec<u16> {
    wide(format!(r"\\.\pipe\{name}"))
}

/// A server. Clones share all of it but the canceller.
#[derive(Debug)]
pub(super) struct Listener {
    shared: Arc<Shared>,
    pub(super) cancel: Option<Canceller>,
}

#[derive(Debug)]
struct Shared {
    path: Vec<u16>,
    kind: Kind,
    options: PipeOptions,
    /// Set while nobody waits for a client. One at a time does, and on one instance: a client that found
    /// another one would wait in vain.
    turn: Event,
    /// The instance that the next client finds. Only looked at by whose turn it is.
    waiting: Mutex<Option<End>>,
    seats: Seats,
}

impl Listener {
    pub(super) fn bind(name: &PipeName, kind: Kind, options: &PipeOptions) -> Result<Self, BindError> {
        let asked = options.instances;
        if asked == 0 || asked > MOST_INSTANCES {
            return Err(BindError::Instances { asked });
        }
        let path = path(name);
        // Early, and for wine, which ignores the flag of the first; the flag is what makes sure.
        if is_served(&path) {
            return Err(BindError::AlreadyExists);
        }
        let first = create(&path, kind, options, true).map_err(BindError::first)?;
        let first = End::new(first, None).map_err(BindError::Os)?;
        let turn = Event::new(false).map_err(BindError::Os)?;
        turn.set();
        let (waiting, seats) = (Mutex::new(Some(first)), Seats::new(asked));
        let shared = Arc::new(Shared { path, kind, options: options.clone(), turn, waiting, seats });
        Ok(Self { shared, cancel: options.canceller.clone() })
    }

    pub(super) fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), cancel: self.cancel.clone() }
    }

    /// The next client, once there is one and there is room for it.
    pub(super) fn accept(&self, limit: Limit) -> Result<Connection, PipeError> {
        let shared = &*self.shared;
        let cancel = self.cancel.as_ref();
        wait(&shared.turn, cancel, limit)?;
        let _turn = Turn(&shared.turn);
        let seat = shared.seats.take_until(limit, |how_long| nap(how_long, cancel))?;
        // Nobody panics while it is held, and what lies in it would be right even so.
        let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut end = match waiting.take() {
            Some(end) => end,
            None => shared.further()?,
        };
        end.cancel = self.cancel.clone();
        let connected = end.connect(limit);
        end.cancel = None;
        if let Err(error) = connected {
            *waiting = Some(end);
            return Err(error);
        }
        // Now, and not at the next call: while the name has an instance, it is ours. If there is none to be
        // had, this client holds the name, and the next call tries again.
        *waiting = shared.further().ok();
        Ok(Connection { end, server: true, seat: Some(Arc::new(seat)) })
    }
}

impl Shared {
    fn further(&self) -> Result<End, PipeError> {
        let further = create(&self.path, self.kind, &self.options, false).map_err(PipeError::Os)?;
        End::new(further, None).map_err(PipeError::Os)
    }
}

/// The turn to wait for a client; passed on when it is dropped.
struct Turn<'a>(&'a Event);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Makes an instance.
fn create(path: &[u16], kind: Kind, options: &PipeOptions, first: bool) -> Result<OwnedHandle, OsError> {
    let descriptor = options.descriptor()?;
    let attributes = descriptor.attributes();
    let (open_mode, pipe_mode) = (open_mode(first), pipe_mode(kind, options.remote));
    // SAFETY: the path ends in a zero, and the attributes live until the call is over.
    let handle = unsafe {
        CreateNamedPipeW(
            path.as_ptr(),
            open_mode,
            pipe_mode,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER,
            BUFFER,
            0,
            &raw const attributes,
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(OsError::last("CreateNamedPipe"));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok(unsafe { own(handle) })
}

/// Whether there is an instance of that name.
fn is_served(path: &[u16]) -> bool {
    // SAFETY: the path ends in a zero.
    let free = unsafe { WaitNamedPipeW(path.as_ptr(), 1) };
    free != 0 || OsError::last("WaitNamedPipe").is(ERROR_SEM_TIMEOUT)
}

/// Sleeps for `how_long`, or until it is cancelled: then true.
fn nap(how_long: Duration, cancel: Option<&Canceller>) -> bool {
    match cancel {
        Some(cancel) => cancel.take_within(how_long.as_millis().max(1) as u32),
        None => {
            std::thread::sleep(how_long);
            false
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) end: End,
    server: bool,
    /// A server's end takes one of its seats, until its last handle is dropped.
    seat: Option<Arc<Seat>>,
}

impl Connection {
    /// Connects, and looks who serves. Tries again for `timeout` if nobody does, or there is no room.
    pub(super) fn connect(
        name: &PipeName,
        kind: Kind,
        options: &PipeOptions,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let path = path(name);
        let nap = |how_long| nap(how_long, options.canceller.as_ref());
        connect_by(timeout, nap, || Self::try_connect(&path, kind, options))
    }

    fn try_connect(path: &[u16], kind: Kind, options: &PipeOptions) -> Result<Self, ConnectError> {
        let (at, rights, flags) = (path.as_ptr(), CLIENT_RIGHTS, client_flags(options.may_impersonate));
        // SAFETY: the path ends in a zero; neither attributes nor a template are given.
        let handle = unsafe { CreateFileW(at, rights, 0, null(), OPEN_EXISTING, flags, null_mut()) };
        if handle == INVALID_HANDLE_VALUE {
            return Err(connect_error(OsError::last("CreateFile")));
        }
        // SAFETY: the call made the handle, and nobody else knows it.
        let handle = unsafe { own(handle) };
        let end = End::new(handle, options.canceller.clone()).map_err(ConnectError::Os)?;
        let connection = Self { end, server: false, seat: None };
        if connection.kind().map_err(ConnectError::Os)? != kind {
            return Err(ConnectError::WrongKind);
        }
        if connection.peer().map_err(ConnectError::Os)?.user != Some(options.server()) {
            return Err(ConnectError::WrongUser);
        }
        if kind == Kind::Messages {
            connection.read_messages().map_err(ConnectError::Os)?;
        }
        Ok(connection)
    }

    fn kind(&self) -> Result<Kind, OsError> {
        let mut flags = 0;
        let none = null_mut();
        // SAFETY: the handle is open, and the pointer a local's; nothing else is asked for.
        if unsafe { GetNamedPipeInfo(self.end.raw(), &raw mut flags, none, none, none) } == 0 {
            return Err(OsError::last("GetNamedPipeInfo"));
        }
        Ok(if flags & PIPE_TYPE_MESSAGE != 0 { Kind::Messages } else { Kind::Bytes })
    }

    /// A client's end reads bytes until it is told otherwise.
    fn read_messages(&self) -> Result<(), OsError> {
        let mode = PIPE_READMODE_MESSAGE;
        // SAFETY: the handle is open, and the pointer a local's; nothing else is set.
        let set = unsafe { SetNamedPipeHandleState(self.end.raw(), &raw const mode, null(), null()) };
        if set == 0 { Err(OsError::last("SetNamedPipeHandleState")) } else { Ok(()) }
    }

    /// Another handle on the same end.
    pub(super) fn try_clone(&self) -> Result<Self, OsError> {
        let handle = self.end.handle.try_clone().map_err(|error| OsError::io("DuplicateHandle", &error))?;
        let end = End::new(handle, self.end.cancel.clone())?;
        Ok(Self { end, server: self.server, seat: self.seat.clone() })
    }

    pub(super) fn peer(&self) -> Result<Peer, OsError> {
        let mut pid = 0;
        let (pipe, at) = (self.end.raw(), &raw mut pid);
        let known = if self.server {
            // SAFETY: the handle is open, and the pointer a local's.
            unsafe { GetNamedPipeClientProcessId(pipe, at) }
        } else {
            // SAFETY: as above.
            unsafe { GetNamedPipeServerProcessId(pipe, at) }
        };
        if known == 0 {
            return Err(OsError::last("GetNamedPipe(Client|Server)ProcessId"));
        }
        Ok(Peer { pid: Some(pid), user: User::of_process(pid) })
    }

    /// Whether this is the server's end.
    pub(super) fn is_server(&self) -> bool {
        self.server
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, client_flags, open_mode, pipe_mode};

    // From the system's own documents. Wine ignores the first, so no test of what it does would tell.
    const FIRST_PIPE_INSTANCE: u32 = 0x0008_0000;
    const REJECT_REMOTE_CLIENTS: u32 = 8;
    const SQOS_PRESENT: u32 = 0x0010_0000;
    const IDENTIFICATION: u32 = 0x0001_0000;
    const IMPERSONATION: u32 = 0x0002_0000;

    #[test]
    fn only_the_first_instance_says_that_it_is() {
        assert_eq!(open_mode(true) & FIRST_PIPE_INSTANCE, FIRST_PIPE_INSTANCE);
        assert_eq!(open_mode(false), open_mode(true) & !FIRST_PIPE_INSTANCE);
    }

    #[test]
    fn remote_clients_are_refused_unless_asked_for() {
        for kind in [Kind::Bytes, Kind::Messages] {
            assert_eq!(pipe_mode(kind, false), pipe_mode(kind, true) | REJECT_REMOTE_CLIENTS);
            assert_eq!(pipe_mode(kind, true) & REJECT_REMOTE_CLIENTS, 0);
        }
    }

    #[test]
    fn a_client_lets_itself_be_identified_and_no_more_unless_it_opts_in() {
        let level = SQOS_PRESENT | IDENTIFICATION | IMPERSONATION;
        assert_eq!(client_flags(false) & level, SQOS_PRESENT | IDENTIFICATION);
        assert_eq!(client_flags(true) & level, SQOS_PRESENT | IMPERSONATION);
    }
}
