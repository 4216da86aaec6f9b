//! Instances of named pipes: served, accepted, connected.

use core::ptr::{null, null_mut};
use std::os::windows::io::OwnedHandle;
use std::sync::{Arc, Mutex, PoisonError};

use strait_os_base::OsError;
use strait_os_base::pipe::{BindFailure, ConnectFailure, ImpersonateFailure, IoFailure};
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

use super::cancel::Wait;
use super::event::{Event, wait_for};
use super::impersonate::{self, Impersonation};
use super::options::{CLIENT_RIGHTS, Options};
use super::overlapped::Channel;
use super::user;
use crate::error::FromCall as _;
use crate::error::FromOs as _;
use crate::security::Sid;
use crate::security::own;
use crate::wide::wide;

/// The system's buffer for bytes that one side has written and the other has not read.
pub(super) const BUFFER: u32 = 64 * 1024;

/// The kind of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes: a pipe in byte mode.
    Bytes,
    /// Messages: a pipe in message mode.
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

/// How a client connects: unless it allows more, the server can identify it, but not act as it.
fn client_flags(may_impersonate: bool) -> u32 {
    let level = if may_impersonate { SECURITY_IMPERSONATION } else { SECURITY_IDENTIFICATION };
    FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | level
}

fn path(name: &str) -> Vec<u16> {
    wide(format!(r"\\.\pipe\{name}"))
}

/// A server's instances.
#[derive(Debug)]
pub struct Listener(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: Vec<u16>,
    kind: Kind,
    options: Options,
    /// Set while nobody waits for a client. One at a time does, and on one instance: a client that found
    /// another one would wait in vain.
    turn: Event,
    /// The instance that the next client finds. Only looked at by whose turn it is.
    waiting: Mutex<Option<Channel>>,
}

impl Listener {
    /// Starts to serve.
    pub fn bind(name: &str, kind: Kind, options: &Options) -> Result<Self, BindFailure> {
        let path = path(name);
        // Early, and for wine, which ignores the flag of the first; the flag is what makes sure.
        if is_served(&path) {
            return Err(BindFailure::AlreadyExists);
        }
        let first = create(&path, kind, options, true).map_err(BindFailure::from_os)?;
        let first = Channel::new(first).map_err(BindFailure::Os)?;
        let turn = Event::new(false).map_err(BindFailure::Os)?;
        turn.set();
        let waiting = Mutex::new(Some(first));
        Ok(Self(Arc::new(Shared { path, kind, options: options.clone(), turn, waiting })))
    }

    /// Another handle.
    pub fn try_clone(&self) -> Result<Self, OsError> {
        Ok(Self(self.0.clone()))
    }

    /// Waits for the turn to accept.
    pub fn turn(&self, wait: Wait<'_>) -> Result<Turn<'_>, IoFailure> {
        wait_for(&self.0.turn, wait)?;
        Ok(Turn(&self.0))
    }
}

impl Shared {
    fn further(&self) -> Result<Channel, IoFailure> {
        let further = create(&self.path, self.kind, &self.options, false).map_err(IoFailure::Os)?;
        Channel::new(further).map_err(IoFailure::Os)
    }
}

/// The turn to wait for a client; passed on when it is dropped.
#[derive(Debug)]
pub struct Turn<'a>(&'a Shared);

impl Turn<'_> {
    /// The next client, once there is one.
    pub fn accept(&self, wait: Wait<'_>) -> Result<Connection, IoFailure> {
        let shared = self.0;
        // Nobody panics while it is held, and what is in it would be right even so.
        let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut channel = match waiting.take() {
            Some(channel) => channel,
            None => shared.further()?,
        };
        if let Err(error) = channel.connect(wait) {
            *waiting = Some(channel);
            return Err(error);
        }
        // Now, and not at the next call: while the name has an instance, it is ours. If there is none,
        // this client holds the name, and the next call tries again.
        *waiting = shared.further().ok();
        Ok(Connection { channel, server: true })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turn.set();
    }
}

/// Makes an instance.
fn create(path: &[u16], kind: Kind, options: &Options, first: bool) -> Result<OwnedHandle, OsError> {
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

/// One end of a connection.
#[derive(Debug)]
pub struct Connection {
    pub(super) channel: Channel,
    server: bool,
}

impl Connection {
    /// Connects if `server` serves and has room, and looks that it is that user. Does not wait.
    pub fn connect(name: &str, kind: Kind, server: Sid, options: &Options) -> Result<Self, ConnectFailure> {
        let path = path(name);
        let (at, rights, flags) = (path.as_ptr(), CLIENT_RIGHTS, client_flags(options.may_impersonate));
        // SAFETY: the path ends in a zero; neither attributes nor a template are given.
        let handle = unsafe { CreateFileW(at, rights, 0, null(), OPEN_EXISTING, flags, null_mut()) };
        if handle == INVALID_HANDLE_VALUE {
            return Err(ConnectFailure::from_os(OsError::last("CreateFile")));
        }
        // SAFETY: the call made the handle, and nobody else knows it.
        let handle = unsafe { own(handle) };
        let channel = Channel::new(handle).map_err(ConnectFailure::Os)?;
        let connection = Self { channel, server: false };
        if connection.kind().map_err(ConnectFailure::Os)? != kind {
            return Err(ConnectFailure::WrongKind);
        }
        let (_, found) = connection.peer().map_err(ConnectFailure::Os)?;
        if found != Some(server) {
            return Err(ConnectFailure::WrongUser);
        }
        if kind == Kind::Messages {
            connection.read_messages().map_err(ConnectFailure::Os)?;
        }
        Ok(connection)
    }

    fn kind(&self) -> Result<Kind, OsError> {
        let mut flags = 0;
        let none = null_mut();
        // SAFETY: the handle is open, and the pointer a local's; nothing else is asked for.
        if unsafe { GetNamedPipeInfo(self.channel.raw(), &raw mut flags, none, none, none) } == 0 {
            return Err(OsError::last("GetNamedPipeInfo"));
        }
        Ok(if flags & PIPE_TYPE_MESSAGE != 0 { Kind::Messages } else { Kind::Bytes })
    }

    /// A client's end reads bytes until it is set to messages.
    fn read_messages(&self) -> Result<(), OsError> {
        let mode = PIPE_READMODE_MESSAGE;
        // SAFETY: the handle is open, and the pointer a local's; nothing else is set.
        let set = unsafe { SetNamedPipeHandleState(self.channel.raw(), &raw const mode, null(), null()) };
        if set == 0 { Err(OsError::last("SetNamedPipeHandleState")) } else { Ok(()) }
    }

    /// Another handle on the same end.
    pub fn try_clone(&self) -> Result<Self, OsError> {
        let handle =
            self.channel.handle.try_clone().map_err(|error| OsError::io("DuplicateHandle", &error))?;
        Ok(Self { channel: Channel::new(handle)?, server: self.server })
    }

    /// The process and user at the other end, as far as known.
    pub fn peer(&self) -> Result<(Option<u32>, Option<Sid>), OsError> {
        let mut pid = 0;
        let (pipe, at) = (self.channel.raw(), &raw mut pid);
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
        Ok((Some(pid), user::of_process(pid)))
    }

    /// Takes on the client's rights.
    pub fn impersonate(&self) -> Result<Impersonation, ImpersonateFailure> {
        impersonate::begin(self)
    }

    /// There is no half close.
    pub fn end_sending(&mut self) -> Result<(), IoFailure> {
        Err(IoFailure::Unsupported)
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
