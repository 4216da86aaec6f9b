//! Acting with the client's rights, so that the system judges what the client may.
//!
//! A check of a file's mode against the peer's user would have to know about every directory on the way,
//! access lists, and what changes in between. So the thread takes on the client's rights, and the system judges.

use core::cell::Cell;
use core::marker::PhantomData;

use strait_os_base::pipe::ImpersonateFailure;

use super::ImpersonateError;
use crate::sys;

thread_local! {
    /// Whether this thread acts for a client.
    #[allow(clippy::missing_const_for_thread_local, reason = "it is const; for Windows clippy 1.96 does not see that")]
    static ACTING: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, this thread acts with the rights of the client at the other end of the pipe; other threads
/// are not touched. Dropping it always gives the thread its own rights back. If that fails, the process is
/// aborted, because going on with the wrong rights would be worse.
///
/// | | whom | what |
/// | --- | --- | --- |
/// | Linux | the same user; any, if the server is root | opening files |
/// | macOS, FreeBSD | the same user | nothing changes |
/// | Windows | a client that [allows](super::PipeOptions::may_impersonate) it | everything |
///
/// On Unix the rights are those that the client had when it connected. On Linux the thread also goes without
/// its capabilities, unless the client is root: else it could still reach what is closed to the client, through
/// another process's directories in `/proc` for example. Other rights than those on files stay the server's, and
/// `/proc/self` and `/proc/thread-self` are the server's too: refuse paths that lead there. A client that is root
/// counts as having all of root's power, even if it runs without some capabilities.
///
/// A thread acts for one client at a time: [`ImpersonateError::Nested`] while it has such a guard already, from
/// this pipe or another.
///
/// Start no thread and no process while it lives: on Linux a new thread starts with its starter's rights, and
/// would keep them. A file that was opened stays open when the guard is dropped: read it without the client's
/// rights. Opening can wait, for a FIFO's other end or a file system that does not answer: do not let a client
/// choose what a server waits for.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{Pipe, PipeListener, PipeName, PipeOptions};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// # let name = &format!("doc-impersonate-{}", std::process::id());
/// let name = PipeName::new(name)?;
/// let mut listener = PipeListener::bind(&name, &PipeOptions::new())?;
/// let client = std::thread::spawn(move || {
///     let allowed = PipeOptions::new().may_impersonate(true);
///     let mut pipe = Pipe::connect_timeout(&name, &allowed, LIMIT).expect("a server");
///     pipe.write_timeout(b"r", LIMIT).expect("written");
///     pipe
/// });
/// let mut pipe = listener.accept_timeout(LIMIT)?;
/// pipe.read_timeout(&mut [0; 1], LIMIT)?; // Windows knows the client's rights after the first read.
/// let as_client = pipe.impersonate()?;
/// // Files that this thread opens here are opened with the client's rights.
/// assert!(std::env::current_dir().is_ok());
/// as_client.revert();
/// # client.join().unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the client's rights are given back when this is dropped"]
pub struct Impersonation<'pipe> {
    /// Dropped first: while the flag is set, no other guard of this thread can end what this one began.
    pub(crate) system: sys::pipe::Impersonation,
    _acting: Acting,
    /// The rights are those of one thread.
    _thread: PhantomData<(&'pipe (), *const ())>,
}

impl Impersonation<'_> {
    /// Begins, unless this thread acts for a client already.
    pub(super) fn begin(
        begin: impl FnOnce() -> Result<sys::pipe::Impersonation, ImpersonateFailure>,
    ) -> Result<Self, ImpersonateError> {
        let acting = Acting::begin().ok_or(ImpersonateError::Nested)?;
        Ok(Self { system: begin()?, _acting: acting, _thread: PhantomData })
    }

    /// Gives the rights back, as dropping does.
    pub fn revert(self) {
        drop(self.system);
    }
}

/// The one guard of a thread, which stays in that thread because [`Impersonation`] does.
#[derive(Debug)]
struct Acting(());

impl Acting {
    fn begin() -> Option<Self> {
        if ACTING.replace(true) { None } else { Some(Self(())) }
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        ACTING.set(false);
    }
}
