//! Floor 2: protocols bound to memory; the safe interface.
//!
//! An endpoint is `Send` and not `Sync`, owns what it needs, and keeps whatever is its own outside
//! the region, where no peer can reach it.

mod attachment;
mod broadcast;
mod call;
mod coherence;
mod consumer;
mod disown;
mod error;
mod event;
mod fanout;
mod frame_buf;
mod grant;
mod heartbeat;
pub mod inspect;
mod lanes;
mod latest;
mod local;
mod local_queue;
mod lock_word;
mod mutex;
mod names;
pub mod observe;
mod options;
mod park_word;
pub mod participants;
mod peek;
mod peer_watch;
mod permits;
#[cfg(feature = "embedded-io-07")]
mod pipe;
pub mod pool;
mod producer;
mod recv_half;
mod reset;
mod role;
mod semaphore;
mod send_half;
mod spans;
mod static_asserts;
mod static_queue;
mod tasks;
mod typed;
mod wait;
mod wait_any;
mod wait_policy;

pub use attachment::Attachment;
pub use broadcast::{
    BroadcastReader, BroadcastRecvError, BroadcastStart, BroadcastTryRecvError, BroadcastWriter,
};
pub use call::{
    CallClient, CallError, CallServer, Interrupted, LanesServer, LanesStreamServer, PartError, PartType,
    Parts, Ran, Reply, ServeError, ServeLanesError, StreamClient, StreamServer, Streamed, Ticket,
    TryCallError,
};
pub use consumer::{Consumer, Received};
pub use disown::disown;
pub use error::{ChannelError, RecvError, SendError, TryRecvError, TrySendError, WrongSize};
pub use event::{Listener, Notified, Notifier};
pub use fanout::{FanoutConsumer, FanoutProducer, SlowestConsumer};
pub use frame_buf::FrameBuf;
pub use grant::Grant;
#[cfg(feature = "embedded-io-07")]
pub use grant::GrantWriter;
pub use heartbeat::{Heartbeat, Late};
pub use lanes::{
    FromLane, LanesConsumer, LanesOptions, RecvLanesError, Stamp, TimeOrder, TryRecvLanesError,
    TypedLanesConsumer,
};
pub use latest::{ChangeError, LatestReader, LatestWriter, PublishError, READ_TRIES, Reading, ValueInfo};
pub use local::{LocalError, LocalPort, NoSystem, StaticRegion};
pub use local_queue::{LocalConsumer, LocalProducer, LocalQueue, ReadChunk, WriteChunk};
pub use mutex::{Guard, InPlace, Lock, LockError, Mutex, RecoverError, Recovered, Recovery, UnlockError};
pub use options::{ConsumerOptions, Delivery};
pub use peek::Peek;
pub use permits::{Permit, Permits};
#[cfg(feature = "embedded-io-07")]
pub use pipe::{RingPipe, RingPipeError, RingReader, RingWriter};
pub use producer::Producer;
pub use reset::ResetError;
pub use role::PeerStatus;
pub use semaphore::{Semaphore, SemaphoreError};
pub use static_queue::{StaticConsumer, StaticProducer, StaticQueue};
pub use tasks::ready;
pub use typed::{TypedConsumer, TypedProducer};
pub use wait_any::{Ready, WaitAnyError, Waitable, wait_any, wait_any_until, wait_ready, wait_ready_or};
pub use wait_policy::{Deadline, WaitPolicy, WakeCheck};
