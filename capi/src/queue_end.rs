//! A queue as one of its ends sees it.

use strait_core::{Consumer, PeerStatus, Producer, TypedConsumer, TypedProducer};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::{arg, strait_status};

/// Nobody has the other role.
pub const STRAIT_PEER_ABSENT: u32 = 0;
/// The owner of the other role lives, or cannot be proven dead.
pub const STRAIT_PEER_PRESENT: u32 = 1;
/// The owner of the other role is proven dead, and nobody has taken over yet.
pub const STRAIT_PEER_DEAD: u32 = 2;

/// The number of a peer's state.
pub(crate) fn peer_code(peer: PeerStatus) -> u32 {
    match peer {
        PeerStatus::Absent => STRAIT_PEER_ABSENT,
        PeerStatus::Present => STRAIT_PEER_PRESENT,
        PeerStatus::Dead => STRAIT_PEER_DEAD,
    }
}

/// A queue as one of its ends sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_end_t {
    /// Messages that wait: at a producer an upper bound, in the unit of the capacity; at a consumer a lower
    /// bound, in messages.
    pub len: u32,
    /// Bytes of the ring, or slots.
    pub capacity: u32,
    /// The longest frame, or the size of the type, in bytes.
    pub max_len: u32,
    /// `STRAIT_PEER_...`: what is known of the other side.
    pub peer: u32,
    /// The dead participant that this role was taken over from; 0 if it was not.
    pub taken_over_from: u32,
    /// The violation that was latched, by its number in FORMAT.md; 0 for none.
    pub fault: u32,
}

/// An end of a queue, of any kind and either side.
pub(crate) trait End {
    fn describe(&mut self) -> strait_end_t;
}

/// The description of an end; all ends have these methods.
macro_rules! describe {
    ($end:expr, max_len: $max_len:expr) => {
        strait_end_t {
            len: $end.len(),
            capacity: $end.capacity(),
            max_len: $max_len,
            peer: peer_code($end.peer()),
            taken_over_from: $end.taken_over_from().map_or(0, |who| who.word()),
            fault: $end.fault().map_or(0, |fault| fault as u32),
        }
    };
}

impl End for Producer<CPort> {
    fn describe(&mut self) -> strait_end_t {
        describe!(self, max_len: self.max_len())
    }
}

impl End for Consumer<CPort> {
    fn describe(&mut self) -> strait_end_t {
        describe!(self, max_len: self.max_len())
    }
}

/// An end of a queue of values, and how many bytes a value has.
pub(crate) struct TypedEnd<E> {
    pub end: E,
    pub size: u32,
}

impl End for TypedEnd<TypedProducer<[u8], CPort>> {
    fn describe(&mut self) -> strait_end_t {
        describe!(self.end, max_len: self.size)
    }
}

impl End for TypedEnd<TypedConsumer<[u8], CPort>> {
    fn describe(&mut self) -> strait_end_t {
        describe!(self.end, max_len: self.size)
    }
}

/// Describes the open end in `*end`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
pub(crate) unsafe fn show<H: Handle<Object: End>>(handle: *mut H, end: *mut strait_end_t) -> strait_status {
    // SAFETY: the caller's promise.
    let tell = |object: &mut H::Object| unsafe { arg::answer(end, object.describe()) };
    // SAFETY: the caller's promise.
    unsafe { handle::with(handle, tell) }
}
