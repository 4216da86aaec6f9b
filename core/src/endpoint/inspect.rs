//! Looking at a channel's state without a role in it.

use crate::ground::entry::{Entry, GRANULE, Kind, at};
use crate::ground::ident::Ident;
use crate::ground::sync::Mem;
use crate::ground::sync::order::RELAXED;
use crate::protocol::release::between;

/// A snapshot of a channel. The words are read one by one, so on a live region they may belong to
/// different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Messages waiting; of a latest value, 1 once something was published.
    pub len: u32,
    /// Upper bound of the fill level ever reached, in the unit of the capacity; 0 of a latest value.
    pub high_water: u32,
    /// Messages sent (modulo 2^32), or values published.
    pub sent: u32,
    /// Sends refused for want of space.
    pub refused: u32,
    /// The producer or writer, if any.
    pub producer: Option<Ident>,
    /// The consumer, if any.
    pub consumer: Option<Ident>,
    /// How often the producer's role was taken over from a dead owner.
    pub producer_takeovers: u32,
    /// How often the consumer's role was taken over from a dead owner.
    pub consumer_takeovers: u32,
    /// The violation that the producer has latched, by its number; 0 is none.
    pub producer_fault: u32,
    /// The violation that the consumer has latched, by its number; 0 is none.
    pub consumer_fault: u32,
}

/// Reads a channel's state. A fixed number of loads; whatever they find is given as found, cut to
/// what the channel can hold.
#[must_use]
pub fn channel_state(mem: &Mem, line: u32, entry: &Entry) -> ChannelState {
    let read = |offset: u32| {
        // ORDERING: Relaxed; a snapshot for display.
        mem.word(offset).map_or(0, |word| word.load(RELAXED))
    };
    let a = |at: u32| read(entry.block_a.saturating_add(at));
    let b = |at: u32| read(entry.block_b.saturating_add(at));
    let c = |at: u32| read(entry.block_c.saturating_add(at));
    let role_b = entry.blocks(line).map_or(0, |blocks| blocks.role_b);
    let consumer = |at: u32| if role_b == 0 { 0 } else { c(role_b + at) };
    let (sent, len) = match entry.kind {
        Kind::Frames => {
            let sent = a(at::MARK_SEQUENCE);
            (sent, between(b(at::HEAD_SEQUENCE), sent, entry.capacity / GRANULE))
        }
        Kind::Slots | Kind::Compact => {
            let sent = a(at::MARK);
            (sent, between(b(at::HEAD), sent, entry.capacity))
        }
        Kind::Mutex => (a(at::VERSION), 0),
        Kind::Semaphore | Kind::Permits => (0, 0),
        Kind::Latest => {
            let sent = a(at::NEWEST) >> 1;
            let wrapped = read(entry.data.saturating_add(at::LAP)) != 0;
            (sent, u32::from(sent != 0 || wrapped))
        }
    };
    let queue = entry.kind.is_queue();
    ChannelState {
        len,
        high_water: if queue { a(at::HIGH_WATER).min(entry.capacity) } else { 0 },
        sent,
        refused: if queue { a(at::REFUSED) } else { 0 },
        producer: Ident::from_word(c(at::OWNER)),
        consumer: Ident::from_word(consumer(at::OWNER)),
        producer_takeovers: c(at::TAKEOVERS),
        consumer_takeovers: consumer(at::TAKEOVERS),
        producer_fault: c(at::FAULT),
        consumer_fault: consumer(at::FAULT),
    }
}
