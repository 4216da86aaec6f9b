//! Unix alone: modes and owners of files, users by number, sockets that hand regions over, and memory of devices.

mod pipe;
mod region;
mod window;

pub use pipe::{NamedSemaphoreExt, UserExt};
pub(crate) use region::LOCK_ADVICE;
pub use region::RegionOptionsExt;
pub use window::{RegionWindow, WindowError};
