//! A pool of blocks for large messages, which are handed over and not copied.

mod block;
mod error;
mod handle;

pub use block::{Block, RawBlock};
pub use error::PoolError;
pub use handle::{BlockId, Pool};
