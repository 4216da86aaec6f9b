//! The system calls of `strait_os::pipe`: named pipes are the system's, anonymous ones named ones that nobody
//! finds.
//!
//! Every error is the system's, sorted by what `strait_os` makes of it.

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

pub use cancel::{Canceller, Wait, nap};
pub use ends::End;
pub use error::{BindFailure, ConnectFailure, ImpersonateFailure, IoFailure};
pub use impersonate::Impersonation;
pub use instance::{Connection, Kind, Listener, Turn};
pub use message::Messages;
pub use options::Options;
pub use user::User;
