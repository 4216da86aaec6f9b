//! The `no_std` core of strait: region format, protocols and endpoints over a piece of memory.
//!
//! Nothing here allocates, blocks without a bound, or trusts what a peer wrote.
//!
//! Messages need loads and stores alone. Claims and locks compare and swap; on a target without that, they
//! enter the critical section that the program supplies by the crate `critical-section`, once each time.
#![cfg_attr(not(test), no_std)]

pub mod contract;
#[doc(hidden)]
pub mod endpoint;
pub mod formats;
#[doc(hidden)]
pub mod ground;
#[cfg(strait_loom)]
pub mod model;
#[doc(hidden)]
pub mod protocol;
pub mod stream;

pub use endpoint::{
    Attachment, BroadcastReader, BroadcastRecvError, BroadcastStart, BroadcastTryRecvError, BroadcastWriter,
    CallClient, CallError, CallServer, ChangeError, ChannelError, Consumer, ConsumerOptions, Deadline,
    Delivery, FanoutConsumer, FanoutProducer, FrameBuf, FromLane, Grant, Guard, Heartbeat, InPlace,
    Interrupted, LanesConsumer, LanesOptions, LanesServer, LanesStreamServer, Late, LatestReader,
    LatestWriter, Listener, LocalError, Lock, LockError, Mutex, Notified, Notifier, PartError, PartType,
    Parts, Peek, PeerStatus, Permit, Permits, Producer, PublishError, Ran, Reading, Ready, Received,
    Recovery, RecvError, RecvLanesError, Reply, Semaphore, SemaphoreError, SendError, ServeError,
    ServeLanesError, SlowestConsumer, Stamp, StaticConsumer, StaticProducer, StaticQueue, StaticRegion,
    StreamClient, StreamServer, Streamed, Ticket, TimeOrder, TryCallError, TryRecvError, TryRecvLanesError,
    TrySendError, TypedConsumer, TypedLanesConsumer, TypedProducer, UnlockError, ValueInfo, WaitAnyError,
    WaitPolicy, Waitable, WakeCheck, WrongSize, ready, wait_any, wait_any_until, wait_ready,
};
#[cfg(feature = "embedded-io-07")]
pub use endpoint::{GrantWriter, RingPipe, RingPipeError, RingReader, RingWriter};
pub use endpoint::{LocalConsumer, LocalProducer, LocalQueue, ReadChunk, WriteChunk};
pub use ground::message::Message;
pub use ground::plan::{Channel, Plan, PlanError};
pub use ground::ring::Value;
pub use protocol::Violation;

/// For authors of ports: the traits to implement, and the types of their arguments.
///
/// A port supplies memory, waiting, proof of death and a clock; see [`Port`](port::Port).
pub mod port {
    pub use crate::endpoint::{LocalPort, NoSystem, disown, wait_ready_or};
    pub use crate::ground::ident::Ident;
    pub use crate::ground::port::{Cache, Clock, Liveness, Port, Probe, TokenRefused, Wait, WaitPoint};
    pub use crate::ground::sync::Mem;
    pub use crate::ground::sync::order::RELAXED;
    pub use crate::ground::tasks::{AsyncWait, WaiterId, Wakers};
}

/// Pools of blocks for large messages, which are handed over and not copied.
pub mod pool {
    pub use crate::endpoint::pool::{Block, BlockId, Pool, PoolError, RawBlock};
}

/// For tools: the region's header and directory, its types, and functions that inspect it without a role.
pub mod format {
    pub use crate::endpoint::{READ_TRIES, RecoverError, Recovered, ResetError, inspect, participants};
    pub use crate::ground::describe;
    pub use crate::ground::entry::{ENTRY_LEN, Entry};
    pub use crate::ground::fanout::Fanout;
    pub use crate::ground::format::{Contents, FormatError, initialise};
    pub use crate::ground::header::{AttachError, HEADER_LEN, Header, MAGIC};
    pub use crate::ground::kind::Kind;
    pub use crate::ground::lane::Lane;
    pub use crate::ground::message::{About, Field, Shape, ValueType};
    pub use crate::protocol::mutex::State as MutexState;
}

/// Following channels without a role in them: for recorders, plots and other tools that look on.
pub mod observe {
    pub use crate::endpoint::observe::{Begin, FOLLOW_TRIES, Follower, Observed};
}

/// Names that the macros expand to; not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::ground::message::plain_name;
    pub use zerocopy;
}

// `message!` names this crate from outside; inside, it needs the same name.
extern crate self as strait_core;
