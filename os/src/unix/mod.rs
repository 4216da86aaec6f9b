//! Unix alone: names in a directory of one's own, modes and owners of files, users by number, sockets that hand regions over, memory of devices, and waiting
//! for receivers and descriptors at once.

mod name;
mod pipe;
mod readable;
mod region;
mod window;

pub use name::RegionNameExt;
pub use pipe::{NamedSemaphoreExt, UserExt};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use readable::wait_by;
pub use readable::{ReadyOrReadable, wait_ready_or_readable};
pub(crate) use region::LOCK_ADVICE;
pub use region::RegionOptionsExt;
pub use window::{RegionWindow, WindowError};
