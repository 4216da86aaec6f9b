//! The system calls of `strait_os::pipe`: named pipes are the system's, anonymous ones named ones that nobody
//! finds.
//!
//! A wait goes on until an instant; `None` means not to wait. What cannot be cancelled has no canceller.

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

pub use cancel::{Canceller, nap};
pub use ends::End;
pub use error::{BindFailure, ConnectFailure, ImpersonateFailure, IoFailure};
pub use impersonate::Impersonation;
pub use instance::{Connection, Kind, Listener, Turn};
pub use message::Messages;
pub use options::Options;
pub use user::User;
