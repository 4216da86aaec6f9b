//! A value under a lock that survives its owner.

mod error;
mod guard;
mod handle;
mod lock;
mod recover;
mod recovery;

pub use error::{LockError, UnlockError};
pub use guard::{Guard, InPlace};
pub use handle::Mutex;
pub use lock::Lock;
pub use recover::{RecoverError, Recovered};
pub use recovery::Recovery;
