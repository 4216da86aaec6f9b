//! Pipes: named ones between programs of one machine, anonymous ones between parent and child. The same
//! types and methods as on the other systems.
//!
//! | | here | on Windows |
//! | --- | --- | --- |
//! | [`Pipe`] | a Unix socket (stream) | a named pipe in byte mode |
//! | [`MessagePipe`] | a Unix socket (seqpacket); not on macOS | a named pipe in message mode |
//! | [`ReadEnd`], [`WriteEnd`] | a pipe | a pipe |
//! | a name is | a socket in `strait-pipes-<uid>`, in `/dev/shm` or `/tmp` | `\\.\pipe\<name>` |
//! | half close | yes | no |
//! | [`impersonate`](Pipe::impersonate) | same user, or by root on Linux | if the client allows it |
//!
//! A name belongs to its user, so two users serve the same name without meeting; a client says
//! [whose](PipeOptions::served_by) it wants.
//!
//! # Guarantees
//!
//! - Every call waits for its time-out at the most, on the monotonic clock; `try_*` never waits.
//! - The peer's end is an error, [`PipeError::PeerEnded`], and comes after all that it had sent.
//! - `TimedOut`, `NotReady` and `Cancelled` mean that nothing was taken or handed out, so that trying again
//!   loses and repeats nothing. For messages longer than 32 KiB see
//!   [`send_timeout`](MessagePipe::send_timeout).
//! - Only the server's user gets in, unless it serves the [public](PipeOptions::public). The directory is
//!   refused if another user could have put something there, and the client looks who serves.
//! - A living server's name cannot be taken; a dead one's is free at once.
//!
//! # If a peer dies
//!
//! The other side receives what the dead one had sent, then `PeerEnded`.
//!
//! # If a peer lies
//!
//! Bytes are the application's to judge. Packets that [`MessagePipe`] would never send are a `Fault`, for ever.
//! Memory is bounded: a message goes through one chunk of 32 KiB, whatever its length. Who only connects and
//! sends nothing takes one of the server's [instances](PipeOptions::instances): give its reads a time-out.
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
//! use strait_os_unix::pipe::{Pipe, PipeListener, PipeName, PipeOptions};
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
mod message;
mod options;
mod os;
mod place;
mod socket;
mod user;
mod wait;

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
