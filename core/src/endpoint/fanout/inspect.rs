//! Looking at the consumers of a queue with several, without a role in it.

use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::offset;
use crate::ground::sync::Mem;
use crate::ground::sync::order::RELAXED;

/// A consumer of a queue with several. The words are read one by one, so on a live region they may belong to
/// different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanoutState {
    /// Its number, from 0.
    pub consumer: u32,
    /// Whether somebody has joined here and not left, dead or alive.
    pub has_joined: bool,
    /// The participant; `None` if nobody has joined, or the word names nobody.
    pub who: Option<Ident>,
    /// How many messages it has not released; all the ring holds if its head is impossible.
    pub lag: u32,
    /// Whether it leaves the producer no space, unless that has proven it dead.
    pub holds_up: bool,
}

/// Reads the state of the consumer that `entry` describes; `None` of an entry that describes none. Three loads.
///
/// # Examples
///
/// ```
/// use strait_core::format::inspect::fanout_state;
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem, port::Port};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("log", 4).consumers(2)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.fanout_producer::<u32>("log").unwrap();
/// let _disk = region.fanout_consumer::<u32>("log", 1).unwrap();
/// while producer.try_send(&1).is_ok() {}
///
/// let states = region.channels().filter_map(|entry| fanout_state(region.port().mem(), &entry));
/// assert!(states.map(|state| (state.consumer, state.holds_up)).eq([(0, false), (1, true)]));
/// ```
#[must_use]
pub fn fanout_state(mem: &Mem, entry: &Entry) -> Option<FanoutState> {
    let consumer = entry.fanout.consumer()?;
    // ORDERING: Relaxed; a snapshot for display.
    let read = |at: u32| mem.word(at).map_or(0, |word| word.load(RELAXED));
    let joined = read(entry.block_c.saturating_add(offset::JOINED));
    let head = read(entry.block_b.saturating_add(offset::HEAD));
    let behind = read(entry.block_a.saturating_add(offset::MARK)).wrapping_sub(head);
    let has_joined = joined != 0;
    let lag = match behind {
        _ if !has_joined => 0,
        // The mark is behind while a batch is under way.
        ahead if ahead.wrapping_neg() <= entry.capacity => 0,
        behind => behind.min(entry.capacity),
    };
    let holds_up = has_joined && lag == entry.capacity;
    Some(FanoutState { consumer, has_joined, who: Ident::from_word(joined), lag, holds_up })
}
