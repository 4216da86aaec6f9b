//! Queues, latest values and locks in a piece of shared memory, for real-time control: between interrupt and
//! thread, threads, and processes.
//!
//! This crate is `strait-core` together with this system's regions, waiting and liveness. It has a door for each
//! of three visitors:
//!
//! - **An application** needs the names at this root alone: a [`Plan`] lists channels, a [`RegionName`] or a
//!   [`RegionFile`] creates or opens the [`Region`] that is laid out by it, and the region opens endpoints.
//! - **The author of a port**, with memory, waiting or a clock of its own, implements the traits of
//!   [`port`](mod@port). A program that only uses regions of this system never needs it.
//! - **A tool** that lists channels, looks at them without a role, or checks a layout uses
//!   [`format`](mod@format).
//!
//! # Examples
//!
//! One process sends a typed message, another receives it. Both keep their endpoint in a struct of their own, whose
//! field names the port: [`SystemPort`], for every region of this system.
//!
//! ```
//! use std::time::Duration;
//! use strait::{Channel, ChannelError, Plan, Region, RegionName, RegionOptions};
//! use strait::{SystemPort, TypedConsumer, TypedProducer};
//!
//! strait::message! {
//!     pub struct Torque { pub axis: u32, pub newton_metres: f32 }
//! }
//! const PLAN: Plan = Plan::new(&[Channel::slots::<Torque>("torque", 64).consumer_may_block()]);
//!
//! struct Controller {
//!     torque: TypedProducer<Torque, SystemPort>,
//! }
//!
//! struct Drive {
//!     torque: TypedConsumer<Torque, SystemPort>,
//! }
//!
//! impl Controller {
//!     fn open(region: &Region) -> Result<Self, ChannelError> {
//!         Ok(Self { torque: region.typed_producer("torque")? })
//!     }
//! }
//!
//! impl Drive {
//!     fn open(region: &Region) -> Result<Self, ChannelError> {
//!         Ok(Self { torque: region.typed_consumer("torque")? })
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-{}", std::process::id());
//! // The sender's process:
//! let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
//! let mut controller = Controller::open(&region)?;
//! controller.torque.try_send(&Torque { axis: 2, newton_metres: 0.5 })?;
//!
//! // The receiver's process:
//! let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
//! let mut drive = Drive::open(&region)?;
//! let command = drive.torque.recv_timeout(Duration::from_millis(100))?;
//! assert_eq!(command.axis, 2);
//! # RegionName::new(name)?.remove()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Endpoints
//!
//! | channel | endpoints |
//! | --- | --- |
//! | [`Channel::frames`] | [`Producer`], [`Consumer`]: bytes of varying length, with a tag |
//! | [`Channel::slots`], [`Channel::compact`] | [`TypedProducer`], [`TypedConsumer`]: messages of one type |
//! | [`Channel::consumers`] | [`fanout`](mod@fanout): messages of one type, each to every consumer, none lost |
//! | [`Channel::latest`] | [`LatestWriter`], [`LatestReader`]: the newest value |
//! | [`Channel::broadcast`] | [`BroadcastWriter`], [`BroadcastReader`]: every value to every reader, or how many it lost |
//! | [`Channel::event`] | [`Notifier`], [`Listener`]: how often something happened |
//! | [`Channel::calls`] | [`CallClient`], [`CallServer`], of several clients [`LanesServer`](call::LanesServer): requests and their answers |
//! | [`Channel::streams`] | [`StreamClient`](call::StreamClient), [`StreamServer`](call::StreamServer), of several clients [`LanesStreamServer`](call::LanesStreamServer): requests with several answers each |
//! | [`Channel::mutex`] | [`Mutex`]: a value under a lock that survives its owner |
//! | [`Channel::semaphore`], [`Channel::permits`] | [`Semaphore`], [`Permits`]: counts |
//! | none, in a `static` | [`StaticQueue`] |
//! | none, for two threads | [`LocalQueue`]: of any capacity, in memory of the heap or lent |
//!
//! [`wait_any`] sleeps on receivers of several channels and regions at once, [`wait`](mod@wait) has the same for a task.
//!
//! # Modules
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`error`], [`options`], [`value`] | errors, options and types that a program rarely names |
//! | [`wait`](mod@wait) | waiting for several receivers until a deadline, for all that are ready, and in a task |
//! | [`broadcast`](mod@broadcast), [`call`](mod@call) | options, tickets, replies and errors of broadcasts and calls |
//! | [`fanout`](mod@fanout) | the ends of queues with several consumers |
//! | [`pool`](mod@pool) | blocks for large messages, which are handed over and not copied |
//! | [`contract`](mod@contract) | functions over messages, over a region or a stream, by [`contract!`](crate::contract!) |
//! | [`local`](mod@local) | the ends and chunks of a queue for two threads |
//! | [`region`](mod@region) | names of regions, whom they let in, and the errors of handing one over |
//! | [`semaphore`](mod@semaphore) | the system's semaphores, by name |
//! | [`port`](mod@port) | the traits of a port, and ports without a system |
//! | [`format`](mod@format) | a region's header, directory and types, and how to look at it without a role |
//! | `io` | with the feature `embedded-io-07`: `embedded_io`'s traits on queues of frames |
//! | [`observe`] | following a channel without a role in it, with a count of what was missed |
//! | [`formats`] | several formats of one latest value, side by side |
//! | [`stream`] | the same frames over a socket, a pipe or a serial line |
//! | [`pipe`] | the system's pipes, of bytes and of messages |
//! | [`rt`] | real-time scheduling of the calling thread |
//! | `linux` | on Linux: tasks that wait by eventfds, doorbells of virtual machines, proof of the end of those and of other cores' firmware, and a mutex with priority inheritance |
//! | `unix`, `windows` | options and functions of these systems alone |
//! | `model` | with `--cfg strait_loom`: the same endpoints under a model checker |
#![forbid(unsafe_code)]

pub mod broadcast;
pub mod call;
pub mod contract;
pub mod error;
pub mod fanout;
#[cfg(feature = "embedded-io-07")]
pub mod io;
pub mod local;
pub mod options;
pub mod pool;
pub mod region;
pub mod semaphore;
pub mod value;
pub mod wait;

#[cfg(strait_loom)]
pub use strait_core::model;
#[doc(hidden)]
pub use strait_core::{
    __contract, __contract_client, __contract_function, __contract_number, __contract_run, __contract_server,
    __help, __message, __noted,
};
pub use strait_core::{
    Attachment, BroadcastReader, BroadcastWriter, CallClient, CallServer, Channel, ChannelError, Consumer,
    Deadline, FrameBuf, Grant, Guard, Heartbeat, LanesConsumer, LatestReader, LatestWriter, Listener,
    LocalQueue, Lock, LockError, Message, Mutex, Notifier, Peek, PeerStatus, Permit, Permits, Plan, Producer,
    Reading, Received, Recovery, RecvError, Semaphore, SendError, StaticConsumer, StaticProducer,
    StaticQueue, StaticRegion, TryRecvError, TrySendError, TypedConsumer, TypedLanesConsumer, TypedProducer,
    Waitable, wait_any,
};
pub use strait_core::{describe, format, formats, observe, port, stream};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use strait_os::linux;
#[cfg(unix)]
pub use strait_os::unix;
#[cfg(windows)]
pub use strait_os::windows;
pub use strait_os::{
    CreateError, OpenError, OpenOrCreateError, OsError, Region, RegionFile, RegionName, RegionOptions,
    RegionPlace, SealedRegion, SystemPort,
};
pub use strait_os::{pipe, rt};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Names that the macros need; not part of the interface.
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

/// Makes a contract of a list of functions; see `strait_core::contract!`, which this is for users of this crate.
///
/// ```
/// strait::contract! {
///     /// What a lamp does.
///     pub contract Lamp: client LampClient, server LampServer {
///         /// Returns how bright it has become.
///         fn set_brightness(percent: u32) -> u32;
///         post blink(times: u32);
///     }
/// }
/// assert_eq!(<Lamp as strait::contract::Contract>::TEXT, "Lamp\nset_brightness(u32)->u32\nblink(u32)\n");
/// ```
#[macro_export]
macro_rules! contract {
    ($($contract:tt)*) => {
        $crate::__contract! { ($crate) $($contract)* }
    };
}
