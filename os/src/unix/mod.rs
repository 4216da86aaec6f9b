//! Unix alone: modes and owners of files, users by number, and sockets that hand regions over.

mod pipe;
mod region;

pub use pipe::{NamedSemaphoreExt, UserExt};
pub use region::RegionOptionsExt;
