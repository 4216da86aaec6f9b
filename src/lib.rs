//! Queues and latest-value slots in a piece of memory, for real-time control: between interrupt and
//! thread, threads, processes.
//!
//! This crate is `strait-core` with this system's regions, waiting and liveness.
//!
//! One process sends a typed frame, another receives it:
//!
//! ```
//! use std::time::Duration;
//! use strait::{Channel, Plan, RegionName, RegionOptions};
//!
//! strait::message! {
//!     pub struct Torque { pub axis: u32, pub newton_metres: f32 }
//! }
//! const PLAN: Plan = Plan::new(&[Channel::slots::<Torque>("torque", 64).consumer_may_block()]);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-{}", std::process::id());
//! // The sender's process:
//! let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
//! let mut torque = region.typed_producer::<Torque>("torque")?;
//! torque.try_send(&Torque { axis: 2, newton_metres: 0.5 })?;
//!
//! // The receiver's process:
//! let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
//! let mut torque = region.typed_consumer::<Torque>("torque")?;
//! let command = torque.recv_timeout(Duration::from_millis(100))?;
//! assert_eq!(command.axis, 2);
//! # RegionName::new(name)?.remove()?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

#[doc(hidden)]
pub use strait_core::__message;
pub use strait_core::format;
#[cfg(strait_loom)]
pub use strait_core::model;
pub use strait_core::{
    Attachment, Channel, ChannelError, Consumer, ConsumerOptions, Deadline, Delivery, FrameBuf, Grant, Guard,
    InPlace, LatestReader, LatestWriter, LocalError, Lock, LockError, Message, Mutex, Peek, PeerStatus,
    Permit, Permits, Plan, PlanError, Producer, PublishError, Reading, Received, Recovery, RecvError,
    Semaphore, SemaphoreError, SendError, StaticConsumer, StaticProducer, StaticQueue, StaticRegion,
    TryRecvError, TrySendError, TypedConsumer, TypedProducer, UnlockError, Value, ValueInfo, Violation,
    WaitAnyError, WaitPolicy, Waitable, WakeCheck, WrongSize, wait_any,
};
#[cfg(feature = "embedded-io-07")]
pub use strait_core::{GrantWriter, RingPipe, RingPipeError, RingReader, RingWriter};
pub use strait_core::{port, stream};

#[cfg(target_os = "linux")]
pub use strait_os::linux;
#[cfg(unix)]
pub use strait_os::unix;
#[cfg(windows)]
pub use strait_os::windows;
pub use strait_os::{
    CreateError, Exposure, NameError, NamedSemaphore, OpenError, OpenOrCreateError, OsError, ReceiveError,
    Region, RegionFile, RegionName, RegionOptions, RegionPlace, SealedRegion, SemAcquireError, SemOpenError,
    SemReleaseError, ShareError, SystemPort, check_name, pipe, rt,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What the macros need; not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use strait_core::__private::*;
}

/// Defines plain structs that can be sent through a typed channel; see `strait_core::message!`, which
/// this is for users of this crate.
///
/// ```
/// strait::message! {
///     pub struct Sample { pub time_ns: u64, pub value: [f32; 2] }
/// }
/// assert_eq!(<Sample as strait::Message>::SHAPE.to_string(), "{time_ns:u64@0;value:[2]f32@8;size=16}");
/// ```
#[macro_export]
macro_rules! message {
    ($($items:tt)*) => {
        $crate::__message! { ($crate, "strait::__private::zerocopy") $($items)* }
    };
}
