//! Looking at a channel's state without a role in it.

pub use super::call::inspect::{CallStage, CallState, calls};
pub use super::fanout::inspect::{FanoutState, fanout_state};

use crate::ground::entry::Entry;
use crate::ground::geometry::GRANULE;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::sync::Mem;
use crate::ground::sync::order::{RELAXED, lock};
use crate::protocol::mutex::{self, State};
use crate::protocol::park::{PARKED, WAITERS};
use crate::protocol::pool;
use crate::protocol::release::between;
use crate::protocol::semaphore::Limits;

/// A snapshot of a channel. The words are read one by one, so on a live region they may belong to
/// different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Messages waiting; calls that are made and not done; of a latest value, 1 once something was published; of a
    /// broadcast, the values in its ring.
    pub len: u32,
    /// Upper bound of the fill level ever reached, in the unit of the capacity; 0 of calls and of what is no queue.
    pub high_water: u32,
    /// Messages sent (modulo 2^32), calls made, or values published (modulo 2^31): the number of the newest one.
    pub sent: u32,
    /// Sends refused because there was no space, or calls because there was no place.
    pub refused: u32,
    /// The producer, writer or client, if any; of a lock none, see [`lock_state`].
    pub producer: Option<Ident>,
    /// The consumer or server, if any.
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

/// Reads a channel's state. A fixed number of loads; the values are returned as found, clamped to what
/// the channel can hold.
///
/// # Examples
///
/// ```
/// use strait_core::format::inspect::channel_state;
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem, port::Port};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.typed_producer::<u32>("steps").unwrap();
/// producer.try_send_batch([1, 2]).unwrap();
///
/// let entry = region.channel("steps").unwrap();
/// let state = channel_state(region.port().mem(), region.header().line, &entry);
/// assert_eq!(state.producer, region.port().ident());
/// assert_eq!((state.len, state.consumer), (2, None));
/// ```
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
            let sent = a(offset::MARK_SEQUENCE);
            (sent, between(b(offset::HEAD_SEQUENCE), sent, entry.capacity / GRANULE))
        }
        Kind::Slots | Kind::Compact => {
            let sent = a(offset::MARK);
            (sent, between(b(offset::HEAD), sent, entry.capacity))
        }
        Kind::Calls => {
            let made = a(offset::MARK);
            (made, between(b(offset::HEAD), made, entry.capacity))
        }
        Kind::Mutex => (a(offset::VERSION), 0),
        Kind::Semaphore | Kind::Permits | Kind::Pool => (0, 0),
        Kind::Latest | Kind::Broadcast => {
            let sent = a(offset::NEWEST) >> 1;
            let header =
                if entry.split_payload { entry.block_a.saturating_add(offset::HEADERS) } else { entry.data };
            let wrapped = read(header.saturating_add(offset::LAP)) != 0;
            let most = if entry.kind == Kind::Latest { 1 } else { entry.capacity };
            (sent, if wrapped { most } else { sent.min(most) })
        }
    };
    let queue = entry.kind.is_queue();
    // A consumer's entry of a queue with several has no producer's role, and the ring's has no consumer's.
    let of_consumer = entry.fanout.consumer().is_some();
    let consumer = |at: u32| if entry.fanout.is_some() && !of_consumer { 0 } else { consumer(at) };
    let producer = |at: u32| if of_consumer { 0 } else { c(at) };
    ChannelState {
        len,
        high_water: if queue { a(offset::HIGH_WATER).min(entry.capacity) } else { 0 },
        sent,
        refused: if entry.kind.has_two_roles() { a(offset::REFUSED) } else { 0 },
        producer: if entry.kind.is_lock() { None } else { Ident::from_word(producer(offset::OWNER)) },
        consumer: Ident::from_word(consumer(offset::OWNER)),
        producer_takeovers: producer(offset::TAKEOVERS),
        consumer_takeovers: consumer(offset::TAKEOVERS),
        producer_fault: producer(offset::FAULT),
        consumer_fault: consumer(offset::FAULT),
    }
}

/// How much of a queue's capacity is taken, in its unit: bytes of the ring for frames, messages for others; 0 of what
/// is no queue. At most the capacity, whatever the words say. Two loads.
///
/// # Examples
///
/// ```
/// use strait_core::format::inspect::used;
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem, port::Port};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// region.producer("log").unwrap().try_send(7, b"ten bytes!").unwrap();
/// let entry = region.channel("log").unwrap();
/// assert_eq!(used(region.port().mem(), &entry), 32); // With the frame's header, in whole granules.
/// ```
#[must_use]
pub fn used(mem: &Mem, entry: &Entry) -> u32 {
    let read = |offset: u32| {
        // ORDERING: Relaxed; a snapshot for display.
        mem.word(offset).map_or(0, |word| word.load(RELAXED))
    };
    match entry.kind.is_queue() || entry.kind == Kind::Calls {
        true => between(
            read(entry.block_b.saturating_add(offset::HEAD)),
            read(entry.block_a.saturating_add(offset::MARK)),
            entry.capacity,
        ),
        false => 0,
    }
}

/// A snapshot of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// Of a mutex.
    Mutex {
        /// The state that its word stands for.
        state: State,
        /// Whether somebody sleeps for it.
        waiters: bool,
        /// How often it was taken over from a dead owner.
        takeovers: u32,
        /// How often its value was changed (modulo 2^32).
        version: u32,
        /// Whether its value is being edited in place: if the owner dies now, there is nothing to roll
        /// back to.
        in_place: bool,
    },
    /// Of a semaphore.
    Semaphore {
        /// Its count; `None` for a word that no honest peer writes.
        count: Option<u32>,
        /// The highest count.
        most: u32,
        /// Whether somebody sleeps for it.
        waiters: bool,
    },
    /// Of permits; [`permits`] gives them one by one.
    Permits {
        /// How many are free.
        free: u32,
        /// How many there are.
        count: u32,
        /// Whether somebody sleeps for one.
        waiters: bool,
    },
    /// Of a pool; [`permits`] gives the owners of its blocks one by one.
    Pool {
        /// How many blocks are free.
        free: u32,
        /// How many were sent and are not taken yet.
        sent: u32,
        /// How many there are.
        count: u32,
        /// Whether somebody sleeps for one.
        waiters: bool,
    },
}

/// Reads the state of a lock or a pool; `None` of what is neither. A fixed number of loads, and one or two a permit or block.
///
/// # Examples
///
/// ```
/// use strait_core::format::inspect::{LockState, lock_state};
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem, port::Port};
/// const PLAN: Plan = Plan::new(&[Channel::semaphore("ticks", 3, 10)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let entry = region.channel("ticks").unwrap();
/// let state = lock_state(region.port().mem(), region.header().line, &entry);
/// assert_eq!(state, Some(LockState::Semaphore { count: Some(3), most: 10, waiters: false }));
/// ```
#[must_use]
pub fn lock_state(mem: &Mem, line: u32, entry: &Entry) -> Option<LockState> {
    let read = |block: u32, at: u32| {
        // ORDERING: Relaxed; a snapshot for display.
        mem.word(block.saturating_add(at)).map_or(0, |word| word.load(RELAXED))
    };
    let word = read(entry.block_c, offset::OWNER);
    match entry.kind {
        Kind::Mutex => Some(LockState::Mutex {
            state: mutex::state(word),
            waiters: word & WAITERS != 0,
            takeovers: read(entry.block_c, offset::TAKEOVERS),
            version: read(entry.block_a, offset::VERSION),
            in_place: read(entry.block_a, offset::IN_PLACE) != 0,
        }),
        Kind::Semaphore => Some(LockState::Semaphore {
            count: Limits { initial: entry.max_len, max: entry.capacity }.count(word).ok(),
            most: entry.capacity,
            waiters: word & WAITERS != 0,
        }),
        Kind::Permits => Some(LockState::Permits {
            free: permits(mem, line, entry).filter(|&permit| permit == PermitState::Free).count() as u32,
            count: entry.capacity,
            waiters: entry.wait_b != 0 && read(entry.wait_b, 0) & PARKED != 0,
        }),
        Kind::Pool => {
            let (mut free, mut sent) = (0, 0);
            permits(mem, line, entry).for_each(|block| match block {
                PermitState::Free => free += 1,
                PermitState::Sent(_) => sent += 1,
                PermitState::Taken(_) | PermitState::Impossible => {}
            });
            let waiters = entry.wait_b != 0 && read(entry.wait_b, 0) & PARKED != 0;
            Some(LockState::Pool { free, sent, count: entry.capacity, waiters })
        }
        _ => None,
    }
}

/// The state of a permit, or of a pool's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitState {
    /// Nobody.
    Free,
    /// Its holder, or its owner.
    Taken(Ident),
    /// Of a block: sent by this participant, and not taken yet.
    Sent(Ident),
    /// Nobody that an honest peer names; it stays taken.
    Impossible,
}

/// Each permit of a channel of [`Kind::Permits`], or each block of a [`Kind::Pool`], in their order; none of another
/// kind. One load each, and one more of a block that was sent.
pub fn permits<'a>(mem: &'a Mem, line: u32, entry: &Entry) -> impl Iterator<Item = PermitState> + 'a {
    let (count, step) = match entry.kind {
        Kind::Permits => (entry.capacity, 4),
        Kind::Pool => (entry.capacity, offset::BLOCK_WORDS),
        _ => (0, 0),
    };
    let first = entry.block_c.saturating_add(entry.blocks(line).map_or(0, |blocks| blocks.permits));
    let is_pool = entry.kind == Kind::Pool;
    (0..count).filter_map(move |index| {
        let at = first.saturating_add(index.saturating_mul(step));
        // ORDERING(lock): a sender's name is stored before its block is seen as sent.
        let word = mem.word(at)?.load(lock::ACQUIRE);
        if is_pool && pool::sent_as(word).is_some() {
            // ORDERING: Relaxed; a snapshot for display.
            let sender = mem.word(at.saturating_add(offset::SENDER))?.load(RELAXED);
            return Some(Ident::from_word(sender).map_or(PermitState::Impossible, PermitState::Sent));
        }
        Some(match Ident::from_word(word) {
            _ if word == 0 => PermitState::Free,
            Some(holder) => PermitState::Taken(holder),
            None => PermitState::Impossible,
        })
    })
}
