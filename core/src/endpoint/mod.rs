//! Floor 2: protocols bound to memory; the safe interface.
//!
//! An endpoint is `Send` and not `Sync`, owns what it needs, and keeps whatever is its own outside
//! the region, where no peer can reach it.

mod attachment;
mod broadcast;
mod coherence;
mod consumer;
mod error;
mod frame_buf;
mod grant;
pub mod inspect;
mod latest;
mod local;
mod lock_word;
mod mutex;
mod options;
mod park_word;
pub mod participants;
mod peek;
mod permits;
#[cfg(feature = "embedded-io-07")]
mod pipe;
mod producer;
mod recv_half;
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
pub use consumer::{Consumer, Received};
pub use error::{ChannelError, RecvError, SendError, TryRecvError, TrySendError, WrongSize};
pub use frame_buf::FrameBuf;
pub use grant::Grant;
#[cfg(feature = "embedded-io-07")]
pub use grant::GrantWriter;
pub use latest::{LatestReader, LatestWriter, PublishError, READ_TRIES, Reading, ValueInfo};
pub use local::{LocalError, LocalPort, NoSystem, StaticRegion};
pub use mutex::{Guard, InPlace, Lock, LockError, Mutex, RecoverError, Recovered, Recovery, UnlockError};
pub use options::{ConsumerOptions, Delivery};
pub use peek::Peek;
pub use permits::{Permit, Permits};
#[cfg(feature = "embedded-io-07")]
pub use pipe::{RingPipe, RingPipeError, RingReader, RingWriter};
pub use producer::Producer;
pub use role::PeerStatus;
pub use semaphore::{Semaphore, SemaphoreError};
pub use static_queue::{StaticConsumer, StaticProducer, StaticQueue};
pub use typed::{TypedConsumer, TypedProducer};
pub use wait_any::{WaitAnyError, Waitable, wait_any};
pub use wait_policy::{Deadline, WaitPolicy, WakeCheck};
