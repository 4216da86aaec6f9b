//! The system calls of `strait_os::pipe`: named pipes are the system's, anonymous ones named ones that nobody
//! finds.

mod cancel;
mod ends;
mod error;
mod event;
mod impersonate;
mod instance;
mod message;
mod options;
mod overlapped;
mod stream;
pub mod user;

pub use cancel::{Canceller, Wait, nap};
pub use ends::End;
pub use impersonate::Impersonation;
pub use instance::{Connection, Kind, Listener, Turn};
pub use message::Messages;
pub use options::Options;
