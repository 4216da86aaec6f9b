//! Unix alone: modes and owners of files, users by number, and sockets that hand regions over.

mod pipe;
mod region;

pub use pipe::{NamedSemaphoreExt, UserExt};
pub(crate) use region::LOCK_ADVICE;
pub use region::RegionOptionsExt;
