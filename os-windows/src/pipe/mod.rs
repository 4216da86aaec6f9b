//! Pipes: named ones between programs of one machine, anonymous ones between parent and child. The same
//! types and methods as on the other systems.
//!
//! | | here | on Unix |
//! | --- | --- | --- |
//! | [`Pipe`] | a named pipe in byte mode | a Unix socket (stream) |
//! | [`MessagePipe`] | a named pipe in message mode | a Unix socket (seqpacket) |
//! | [`ReadEnd`], [`WriteEnd`] | a pipe | a pipe |
//! | a name is | `\\.\pipe\<name>`, as other programs know it | a socket in a directory of its user |
//! | half close | no | yes |
//! | [`impersonate`](Pipe::impersonate) | if the client [allows](PipeOptions::may_impersonate) it | same user, or by root on Linux |
//!
//! # Guarantees
//!
//! - Every call waits for its time-out at the most, on the monotonic clock; `try_*` never waits.
//! - The peer's end is an error, [`PipeError::PeerEnded`], and comes after all that it had sent.
//! - `TimedOut`, `NotReady` and `Cancelled` mean that nothing was taken or handed out, so that trying again
//!   loses and repeats nothing. What was taken is on its way; [flush](Pipe::flush_timeout) before dropping a
//!   handle whose peer is slow.
//! - Only the server's user gets in, unless it serves the [public](PipeOptions::public), and none from another
//!   machine unless [asked for](PipeOptions::remote). The client looks who serves, and lets itself be identified
//!   but not impersonated unless it says so.
//! - A living server's name cannot be taken, for its first instance says that it has to be the first.
//!
//! # Under wine 8
//!
//! That flag of the first instance is ignored, a pipe's security descriptor is kept but not enforced, and
//! the level that a client sets is not heeded: there, two servers that start at the same time can both get a
//! name, any user can connect, and any client can be impersonated.
//!
//! # If a peer dies
//!
//! The other side receives what the dead one had sent, then `PeerEnded`.
//!
//! # If a peer lies
//!
//! Bytes are the application's to judge. A peer that is not strait and takes a message back that had been
//! read in part (it cancelled its write) is not noticed: the next message then follows. Who only connects
//! and sends nothing takes one of the server's [instances](PipeOptions::instances): give its reads a
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
//! # #[cfg(windows)]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use strait_os_windows::pipe::{Pipe, PipeListener, PipeName, PipeOptions};
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
//! # #[cfg(not(windows))] fn main() {}
//! ```

mod bytes;
mod cancel;
mod ends;
mod error;
mod event;
mod impersonate;
mod instance;
mod message;
mod options;
mod overlapped;
mod user;

pub use bytes::{Pipe, PipeListener};
pub use cancel::Canceller;
pub use ends::{ReadEnd, WriteEnd};
pub use error::BindError;
pub use impersonate::Impersonation;
pub use message::{MessageListener, MessagePipe};
pub use options::PipeOptions;
#[doc(inline)]
pub use strait_os_common::pipe::{
    ConnectError, ImpersonateError, MAX_MESSAGE, MAX_NAME, NameError, PipeError, PipeName, Received,
};
pub use user::{Peer, User};

#[cfg(feature = "embedded-io-07")]
strait_os_common::embedded_io_on_pipes! { Pipe, ReadEnd, WriteEnd }
