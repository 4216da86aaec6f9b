//! Pools of blocks for large messages: images, clouds of points, buffers of samples.
//!
//! A message is written into a block once and read there; what goes through a queue is its [`BlockId`] of 8 bytes.
//! Planned by [`Channel::pool`](crate::Channel::pool). For messages of a few kilobytes a queue of frames, which copies them,
//! is as fast.
//!
//! # Examples
//!
//! ```
//! use strait::pool::{BlockId, Pool};
//! use strait::{Channel, Plan, RegionName, RegionOptions, SystemPort};
//! const PLAN: Plan = Plan::new(&[
//!     Channel::pool("images", 4, 640 * 480),
//!     Channel::slots::<BlockId>("shown", 4).consumer_may_block(),
//! ]);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-pool-{}", std::process::id());
//! let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?; // Both processes.
//! let images: Pool<SystemPort> = region.pool("images")?;
//!
//! let mut image = images.try_claim()?; // The camera.
//! image.write(0, &[7; 640]);
//! region.typed_producer("shown")?.try_send(&image.send(640)?)?;
//!
//! let id: BlockId = region.typed_consumer("shown")?.try_recv()?; // The viewer.
//! let image = images.take(id)?;
//! let mut line = [0; 640];
//! assert_eq!((image.len(), image.read(0, &mut line), line[9]), (640, 640, 7));
//! image.release()?;
//! # RegionName::new(name)?.remove()?;
//! # Ok(())
//! # }
//! ```

pub use strait_core::pool::{Block, BlockId, Pool, PoolError, RawBlock};
