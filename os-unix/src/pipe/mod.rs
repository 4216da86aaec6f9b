//! The system calls of `strait_os::pipe`: named pipes are Unix sockets in a directory of their user, anonymous
//! ones the system's.

mod cancel;
mod ends;
pub(crate) mod error;
mod impersonate;
mod message;
mod os;
mod place;
mod socket;
pub mod user;
mod wait;

pub use cancel::{Canceller, Wait};
pub use ends::End;
pub use impersonate::Impersonation;
pub use message::Messages;
pub use socket::{Connection, Listener, Turn};
pub use wait::nap;

/// The kind of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes: a stream socket.
    Bytes,
    /// Messages: a packet socket.
    Messages,
}

/// The part of the options that the system needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server lets every user in.
    pub public: bool,
    /// Without effect: Unix sockets do not reach other machines.
    pub remote: bool,
    /// Without effect: the system alone decides which user may act as another.
    pub may_impersonate: bool,
}

impl Options {
    /// The default: this user alone.
    #[must_use]
    pub const fn new() -> Self {
        Self { public: false, remote: false, may_impersonate: false }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
