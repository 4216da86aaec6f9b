//! Pipes: named ones between programs of one machine, anonymous ones between parent and child. The same types and
//! methods on every system.
//!
//! | | Unix | Windows |
//! | --- | --- | --- |
//! | [`Pipe`] | a Unix socket (stream) | a named pipe in byte mode |
//! | [`MessagePipe`] | a Unix socket (seqpacket); not on macOS | a named pipe in message mode |
//! | [`ReadEnd`], [`WriteEnd`] | a pipe | a pipe |
//! | a name is | a socket in `strait-pipes-<uid>`, in `/dev/shm` or `/tmp` | `\\.\pipe\<name>`, as other programs know it |
//! | a name is shared by | one user's programs | the whole machine |
//! | half close | yes | no |
//! | [`impersonate`](Pipe::impersonate) | same user, or by root on Linux | if the client [allows](PipeOptions::may_impersonate) it |
//!
//! On Unix a name belongs to its user, so two users serve the same name without conflict; a client names the
//! [user](PipeOptions::served_by) whose pipe it wants.
//!
//! # Guarantees
//!
//! - Every call waits for its time-out at the most, on the monotonic clock; `try_*` never waits.
//! - The peer's end is an error, [`PipeError::PeerEnded`], and comes after all that it sent.
//! - `TimedOut`, `NotReady` and `Cancelled` mean that nothing was taken or handed out, so that trying again
//!   loses and repeats nothing. For messages longer than 32 KiB on Unix see
//!   [`send_timeout`](MessagePipe::send_timeout).
//! - What was taken is on its way. On Windows [flush](Pipe::flush_timeout) before dropping a handle whose peer is
//!   slow.
//! - Only the server's user gets in, unless it serves the [public](PipeOptions::public), and none from another
//!   machine unless [asked for](PipeOptions::remote). The client checks which user serves. On Unix the directory is
//!   refused if another user could have put something there. On Windows the client lets itself be identified
//!   but not impersonated unless it says so.
//! - A living server's name cannot be taken. A dead one's is free at once; on Windows when the last of its clients'
//!   pipes is closed too.
//!
//! # After a fork
//!
//! A name is the process's that bound it. On Linux the listener is closed in a forked child, so that a server's
//! children do not keep its name, nor take clients that nobody serves; on other Unix systems the child's copy refuses
//! to accept, but keeps the name until the child ends. A server of several processes accepts in one of them and hands
//! the work on. Pipes are not closed: a forked child may serve the client that its parent accepted. Such a pipe ends
//! for the peer when the last copy of it is closed.
//!
//! # Under wine 8
//!
//! The flag that only the first instance of a name may carry is ignored, a pipe's security descriptor is kept but
//! not enforced, and the level that a client sets is ignored: there, two servers that start at the same time can
//! both get a name, any user can connect, and any client can be impersonated.
//!
//! # If a peer dies
//!
//! The other side receives what the dead one sent, then `PeerEnded`.
//!
//! # If a peer misbehaves
//!
//! Bytes are the application's to judge. On Unix packets that [`MessagePipe`] would never send are a `Fault`, for
//! ever. On Windows a peer that is not strait and takes a message back that was read in part (it cancelled its
//! write) is not noticed: the next message then follows. Memory is bounded: see [`MessagePipe`]. A client that only
//! connects and sends nothing takes one of the server's [instances](PipeOptions::instances): give its reads a
//! time-out.
//!
//! # When not to use it
//!
//! For real-time control: each call is a system call with copies in the kernel. Use a region.
//!
//! # Examples
//!
//! An echo server and its client:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use strait_os::pipe::{Pipe, PipeListener, PipeName, PipeOptions};
//!
//! const LIMIT: Duration = Duration::from_secs(10);
//! # let name = &format!("doc-{}", std::process::id());
//! let name = PipeName::new(name)?;
//! let mut listener = PipeListener::bind(&name, &PipeOptions::new())?;
//! let client = std::thread::spawn(move || {
//!     let mut pipe = Pipe::connect_timeout(&name, &PipeOptions::new(), LIMIT).unwrap();
//!     pipe.write_timeout(b"hello", LIMIT).unwrap();
//!     let mut answer = [0; 16];
//!     let len = pipe.read_timeout(&mut answer, LIMIT).unwrap();
//!     assert_eq!(&answer[..len], b"hello");
//! });
//! let mut pipe = listener.accept_timeout(LIMIT)?;
//! let mut buf = [0; 1024];
//! let len = pipe.read_timeout(&mut buf, LIMIT)?;
//! pipe.write_timeout(&buf[..len], LIMIT)?;
//! # client.join().unwrap();
//! # Ok(())
//! # }
//! ```

mod bytes;
mod cancel;
mod ends;
mod error;
mod impersonate;
#[cfg(feature = "embedded-io-07")]
mod io;
mod limit;
mod listener;
mod message;
mod name;
mod options;
mod retry;
mod seats;
mod user;

pub use bytes::{Pipe, PipeListener};
pub use cancel::Canceller;
pub use ends::{ReadEnd, WriteEnd};
pub use error::{BindError, ConnectError, ImpersonateError, PipeError};
pub use impersonate::Impersonation;
pub use message::{MAX_MESSAGE, MessageListener, MessagePart, MessagePipe};
pub use name::{MAX_PIPE_NAME, PipeName, PipeNameError};
pub use options::PipeOptions;
pub use user::{PeerIdentity, User};
