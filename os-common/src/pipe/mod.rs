//! What pipes are on every system: their errors, names, limits and seats. The pipes themselves are the
//! adapters'.

mod error;
#[cfg(feature = "embedded-io-07")]
mod io;
mod limit;
mod name;
mod retry;
mod seats;

use core::time::Duration;

pub use error::{ConnectError, ImpersonateError, PipeError};
pub use limit::Limit;
pub use name::{MAX_NAME, NameError, PipeName};
pub use retry::connect_by;
pub use seats::{Seat, Seats};

/// Bytes of the longest message.
pub const MAX_MESSAGE: usize = 16 << 20;

/// How long the calls of embedded-io's traits wait unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a call received of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes that were put into the buffer.
    pub len: usize,
    /// The message goes on: the next call receives more of it.
    pub more: bool,
}
