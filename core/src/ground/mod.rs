//! Floor 0: the sync shim, the region's layout and the traits of a port.

pub mod crc;
pub mod entry;
pub mod frame;
pub mod header;
pub mod ident;
pub mod plan;
pub mod port;
pub mod sync;
pub mod tasks;
