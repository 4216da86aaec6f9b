//! Floor 0: the sync shim, the region's layout, rings in its memory, and the traits of a port.

pub mod call;
pub mod crc;
pub mod describe;
pub mod entry;
pub mod fanout;
pub mod format;
pub mod geometry;
pub mod header;
pub mod ident;
pub mod kind;
pub mod lane;
pub mod message;
pub mod offset;
pub mod plan;
pub mod port;
pub(crate) mod ring;
pub mod sync;
pub mod tasks;
