//! Acting with the client's rights, so that the system judges what the client may.
//!
//! A check of a file's mode against the peer's user would have to know about every directory on the way,
//! access lists, and what changes in between. So the thread takes on the client's rights, and the system judges.

use crate::sys;

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
/// On Unix the rights are those that the client had when it connected. On Linux other rights than those on files
/// stay the server's.
///
/// Start no thread and no process while it lives: on Linux a new thread starts with its starter's rights, and
/// would keep them. A file that was opened stays open when the guard is dropped: read it without the client's
/// rights.
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
pub struct Impersonation<'pipe>(pub(crate) sys::pipe::Impersonation<'pipe>);

impl Impersonation<'_> {
    /// Gives the rights back, as dropping does.
    pub fn revert(self) {
        drop(self.0);
    }
}
