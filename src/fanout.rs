//! Queues with one producer and several consumers, each of which gets every message.
//!
//! Such a queue is planned by [`Channel::consumers`](crate::Channel::consumers). The slowest consumer bounds the producer,
//! unless it is proven dead; where the producer must not wait, use a [`broadcast`](mod@crate::broadcast).
//!
//! # Examples
//!
//! ```
//! use strait::fanout::{FanoutConsumer, FanoutProducer};
//! use strait::{Channel, Plan, RegionName, RegionOptions, SystemPort};
//! const PLAN: Plan = Plan::new(&[Channel::slots::<u64>("log", 64).consumers(2).consumer_may_block()]);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-fanout-{}", std::process::id());
//! let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?; // All processes.
//!
//! let mut disk: FanoutConsumer<u64, SystemPort> = region.fanout_consumer("log", 0)?; // One consumer,
//! let mut screen: FanoutConsumer<u64, SystemPort> = region.fanout_consumer("log", 1)?; // and another.
//! let mut log: FanoutProducer<u64, SystemPort> = region.fanout_producer("log")?;
//! log.try_send(&7)?;
//! assert_eq!((disk.try_recv(), screen.try_recv()), (Ok(7), Ok(7)));
//! # RegionName::new(name)?.remove()?;
//! # Ok(())
//! # }
//! ```

pub use strait_core::{FanoutConsumer, FanoutProducer, SlowestConsumer};
