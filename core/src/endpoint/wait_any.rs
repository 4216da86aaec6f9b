//! Waiting for any of several channels in one receiver.

mod receivers;

use core::cell::Cell;
use core::fmt;
use core::time::Duration;

use crate::ground::port::Port;
use crate::ground::tasks::WaiterId;

use super::park_word::{ParkWord, Sleepers};
use super::peer_watch::Prospect;
use super::wait::{MOST_PLACES, Waiting, wait_at_any};
use super::wait_policy::{Deadline, WaitPolicy};

pub(in crate::endpoint) mod sealed {
    use super::{ParkWord, Prospect, Sleepers, WaiterId};

    /// Where a receiver sleeps.
    pub enum Place<'a> {
        /// At this word.
        Word(&'a ParkWord, Sleepers),
        /// Nowhere: it looks once a millisecond.
        Polled,
        /// Nowhere, for the plan does not let it.
        Refused,
    }

    pub trait Sealed {
        /// Whether it has something, or a fault that this has not returned `true` for.
        fn has_data(&mut self) -> bool;
        fn place(&self) -> Place<'_>;
        /// Names it as a waiter.
        fn who(&self) -> WaiterId;
        /// How many places a look looks at: the lanes of a queue, the calls that are out.
        fn looks(&self) -> u32 {
            1
        }
        /// Whether what a look does not find has to be [searched](Self::search) for now and then.
        fn searches(&self) -> bool {
            false
        }
        /// How to ask what can still come, as far as the region goes; `None` where no port is ever replaced. Asks nothing yet.
        fn prospect(&self) -> Option<Prospect<'_>>;
        /// As [`has_data`](Self::has_data), with a look whether the peer is dead. Dear: a system call or more.
        fn search(&mut self) -> bool {
            false
        }
    }
}

use sealed::Place;

/// A receiver that [`wait_any`] can wait for: the consumer of a queue, a reader of a latest value or a
/// broadcast, a listener to an event, a server of calls, or a client for its answers.
pub trait Waitable: sealed::Sealed {}

/// Where the consumer of a queue sleeps.
pub(super) fn place_of_consumer(word: Option<&ParkWord>) -> Place<'_> {
    word.map_or(Place::Refused, |word| Place::Word(word, Sleepers::One))
}

/// Error of [`wait_any`] and [`wait_ready`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitAnyError {
    /// Nothing came in time.
    TimedOut,
    /// A region of the receivers was [removed, or made anew](crate::port::Port::is_current), and the other side of none of its
    /// receivers is there: nobody can come to any of them. Open it again, or leave them out. Once a probe period, if
    /// no receiver has anything.
    Replaced {
        /// The first receiver of that region.
        index: usize,
    },
    /// The plan does not let the consumer of one of the queues sleep. Either call
    /// [`consumer_may_block`](crate::Channel::consumer_may_block) or [`doorbell`](crate::Channel::doorbell) on its
    /// channel in the plan, or wait with a policy that polls.
    NoDoorbell,
    /// There are more receivers than this, the most that [`wait_ready`] and [`ready`](crate::ready) take.
    TooMany {
        /// The most.
        most: usize,
    },
}

impl fmt::Display for WaitAnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("all of the receivers had nothing in the time allowed"),
            Self::Replaced { index } => write!(
                f,
                "the name of receiver {index}'s region leads to another one or to none, so nobody can come to its receivers; \
                 open it again, or wait without them"
            ),
            Self::NoDoorbell => f.write_str(
                "the channel of one of the receivers does not let its consumer sleep; give it a doorbell or consumer_may_block in the \
                 plan, or wait with a polling policy",
            ),
            Self::TooMany { most } => {
                write!(f, "there are more than {most} receivers; wait for fewer at once, or with wait_any")
            }
        }
    }
}

impl core::error::Error for WaitAnyError {}

/// The receivers that [`wait_ready`] found ready: their indices, in order.
///
/// # Examples
///
/// See [`wait_ready`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Bit `i % 32` of word `i / 32` is set while receiver `i` is still to be returned.
    bits: [u32; Self::MOST / 32],
}

impl Ready {
    /// The most receivers.
    pub const MOST: usize = 128;

    const NONE: Self = Self { bits: [0; Self::MOST / 32] };

    /// What is ready now; `None` if nothing is. One look at each receiver.
    fn of(receivers: &mut [&mut dyn Waitable]) -> Option<Self> {
        let mut bits = [0; Self::MOST / 32];
        for (i, receiver) in receivers.iter_mut().enumerate().take(Self::MOST) {
            bits[i / 32] |= u32::from(receiver.has_data()) << (i % 32);
        }
        bits.iter().any(|&word| word != 0).then_some(Self { bits })
    }

    /// Whether there is none to be returned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether receiver `index` is among those that are still to be returned.
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        self.bits.get(index / 32).is_some_and(|word| word >> (index % 32) & 1 != 0)
    }
}

/// A set of these indices; those that are [too large](Ready::MOST) are left out.
impl FromIterator<usize> for Ready {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let mut ready = Self::NONE;
        for index in indices {
            if let Some(word) = ready.bits.get_mut(index / 32) {
                *word |= 1 << (index % 32);
            }
        }
        ready
    }
}

impl Iterator for Ready {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (i, word) = self.bits.iter_mut().enumerate().find(|(_, word)| **word != 0)?;
        let bit = word.trailing_zeros();
        *word &= *word - 1;
        Some(32 * i + bit as usize)
    }
}

/// Waits up to `timeout` until one of `receivers` has something, and returns the index of the first one. One sleep
/// for all of them; each look costs one load a queue or a lane, and two a latest value.
///
/// Earlier receivers are looked at first: put the urgent ones in front. One that always has something keeps the rest
/// waiting; [`wait_ready`] returns all that are ready. A receiver that has latched a fault counts as ready once, so
/// that its error is seen and the others go on. Looking releases the message that a receiver returned last, as its
/// next call would.
///
/// A receiver whose waits [end with its peer](crate::Consumer::end_with_peer) also counts as ready when that peer is
/// found gone: once, until the peer is seen again. Its next receive that waits then returns `PeerGone`, or what was sent
/// last. This is asked once a [probe period](WaitPolicy::probe), and when the time is up.
///
/// If the region of a receiver was removed or made anew, and none of its receivers has its other side, the wait ends with
/// [`Replaced`](WaitAnyError::Replaced).
///
/// # Where it sleeps
///
/// On each receiver's word at once: they may belong to different channels and different regions. Channels that share
/// a [doorbell](crate::Channel::doorbell) share a word, which is the cheapest. Several words are what the port makes
/// of them ([`Wait::wait_any`](crate::port::Wait::wait_any)): one call on Linux from 5.16; a look once a millisecond
/// on a port that cannot, for words of several regions on Windows, for more than 32 words, and for a reader of a
/// latest value that may not sleep (a read-only region, another domain).
///
/// # Errors
///
/// [`WaitAnyError`].
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use strait_core::{Channel, Plan, StaticRegion, WaitAnyError, WaitPolicy, port::NoSystem, wait_any};
/// const PLAN: Plan = Plan::new(&[
///     Channel::slots::<u32>("stop", 4).doorbell(1),
///     Channel::frames("log", 256, 32).doorbell(1),
///     Channel::latest::<f64>("angle").consumer_may_block(),
/// ])
/// .participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut log_producer = region.producer("log").unwrap();
/// let mut stop = region.typed_consumer::<u32>("stop").unwrap();
/// let mut log = region.consumer("log").unwrap();
/// let mut angle = region.latest_reader::<f64>("angle").unwrap();
/// let mut wait = |timeout| {
///     wait_any(region.port(), &mut [&mut stop, &mut log, &mut angle], WaitPolicy::parking(), timeout)
/// };
/// assert_eq!(wait(Duration::ZERO), Err(WaitAnyError::TimedOut));
/// log_producer.try_send(7, b"motor on").unwrap();
/// assert_eq!(wait(Duration::from_millis(20)), Ok(1));
/// ```
pub fn wait_any<P: Port>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    policy: WaitPolicy,
    timeout: Duration,
) -> Result<usize, WaitAnyError> {
    wait_any_until(port, receivers, policy, Deadline::after(port, timeout))
}

/// As [`wait_any`], waiting until `deadline`.
///
/// # Errors
///
/// [`WaitAnyError`].
pub fn wait_any_until<P: Port>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    policy: WaitPolicy,
    deadline: Deadline,
) -> Result<usize, WaitAnyError> {
    wait_for(port, receivers, policy, deadline, first)
}

/// As [`wait_any`], but returns all receivers that are ready, so that none starves behind one that always is.
///
/// # Errors
///
/// [`WaitAnyError`].
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use strait_core::{Channel, Plan, StaticRegion, WaitPolicy, port::NoSystem, wait_ready};
/// const PLAN: Plan = Plan::new(&[
///     Channel::slots::<u32>("a", 4).doorbell(1),
///     Channel::slots::<u32>("b", 4).doorbell(1),
///     Channel::slots::<u32>("c", 4).doorbell(1),
/// ])
/// .participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut receivers = ["a", "b", "c"].map(|name| region.typed_consumer::<u32>(name).unwrap());
/// for name in ["a", "c"] {
///     region.typed_producer::<u32>(name).unwrap().try_send(&1).unwrap();
/// }
/// let [a, b, c] = &mut receivers;
/// let ready = wait_ready(region.port(), &mut [a, b, c], WaitPolicy::parking(), Duration::from_millis(20));
/// for index in ready.unwrap() {
///     assert_eq!(receivers[index].try_recv(), Ok(1));
///     assert_ne!(index, 1);
/// }
/// ```
pub fn wait_ready<P: Port>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    policy: WaitPolicy,
    timeout: Duration,
) -> Result<Ready, WaitAnyError> {
    check(receivers, policy)?;
    wait_for(port, receivers, policy, Deadline::after(port, timeout), look)
}

/// As [`wait_ready`](crate::wait_ready), for something else as well: the wait ends, with no receiver ready perhaps, when
/// `also` returns `true`. For a port that can sleep for more than the words of a region: its [`Wait`](crate::port::Wait)
/// must end a sleep then. `also` is called at each look, so it should cost as little as one.
///
/// # Errors
///
/// [`WaitAnyError`].
pub fn wait_ready_or<P: Port>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    policy: WaitPolicy,
    deadline: Deadline,
    mut also: impl FnMut() -> bool,
) -> Result<Ready, WaitAnyError> {
    check(receivers, policy)?;
    wait_for(port, receivers, policy, deadline, |receivers| {
        let ready = look(receivers);
        if also() { Some(ready.unwrap_or(Ready::NONE)) } else { ready }
    })
}

/// The first receiver that has something.
fn first(receivers: &mut [&mut dyn Waitable]) -> Option<usize> {
    receivers.iter_mut().position(|receiver| receiver.has_data())
}

/// Whether all of them can be waited for at once.
pub(super) fn check(receivers: &[&mut dyn Waitable], policy: WaitPolicy) -> Result<(), WaitAnyError> {
    if receivers.len() > Ready::MOST {
        return Err(WaitAnyError::TooMany { most: Ready::MOST });
    }
    let refused = |receiver: &&mut dyn Waitable| matches!(receiver.place(), Place::Refused);
    if policy.park && receivers.iter().any(refused) { Err(WaitAnyError::NoDoorbell) } else { Ok(()) }
}

/// Those that have something now, if any.
pub(super) fn look(receivers: &mut [&mut dyn Waitable]) -> Option<Ready> {
    Ready::of(receivers)
}

fn wait_for<P: Port, T>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    mut policy: WaitPolicy,
    deadline: Deadline,
    mut look: impl FnMut(&mut [&mut dyn Waitable]) -> Option<T>,
) -> Result<T, WaitAnyError> {
    let mut places = Places::default();
    let probe = policy.probe;
    if policy.park && !places.gather(receivers)? {
        policy.probe = policy.probe.min(POLL);
    }
    let looks = receivers.iter().fold(0_u32, |looks, receiver| looks.saturating_add(receiver.looks()));
    let waiting = &mut Waiting::new(policy).for_looks_of(looks);
    // A call that may not wait is no wait: it makes no system call.
    let asks = P::CAN_BE_REPLACED && !deadline.left(port).is_zero();
    places.with(|places| {
        if !receivers.iter().any(|receiver| receiver.searches()) {
            // Set once a probe period: the next look asks whether anything can come.
            let is_due = Cell::new(false);
            let mut look = || match look(receivers) {
                None if is_due.replace(false) => look_or_replaced(receivers, &mut look),
                found => found.map(Ok),
            };
            let search = || {
                is_due.set(true);
                None
            };
            let search = asks.then_some(search);
            let mut found = wait_at_any(port, places, waiting, deadline, probe, &mut look, search);
            if found.is_none() && is_due.get() {
                found = look();
            }
            return found.unwrap_or(Err(WaitAnyError::TimedOut));
        }
        loop {
            let turn = deadline.within(port, probe);
            let none = None::<fn() -> Option<_>>;
            if let Some(found) = wait_at_any(port, places, waiting, turn, probe, || look(receivers), none) {
                return Ok(found);
            }
            if search(receivers)
                && let Some(found) = look(receivers)
            {
                return Ok(found);
            }
            if asks && let Some(found) = look_or_replaced(receivers, &mut look) {
                return found;
            }
            if deadline.left(port).is_zero() {
                return Err(WaitAnyError::TimedOut);
            }
        }
    })
}

/// The end of a wait if nobody can come to the receivers of a region; what was published last comes first.
#[cold]
pub(super) fn look_or_replaced<T>(
    receivers: &mut [&mut dyn Waitable],
    look: &mut impl FnMut(&mut [&mut dyn Waitable]) -> Option<T>,
) -> Option<Result<T, WaitAnyError>> {
    let index = replaced(receivers)?;
    Some(look(receivers).ok_or(WaitAnyError::Replaced { index }))
}

/// The first receiver of a region that was replaced and has the other side of no receiver. One question a region, and where
/// nobody else is left in that one, a probe a receiver, a lane or so. Of more than [`MOST_PLACES`] regions, the rest is not
/// looked at.
fn replaced(receivers: &[&mut dyn Waitable]) -> Option<usize> {
    let prospects = || receivers.iter().map(|receiver| receiver.prospect());
    let mut asked = [0; MOST_PLACES];
    let mut count = 0;
    for (index, prospect) in prospects().enumerate() {
        // A port of another kind, which nobody replaces, keeps the others from nothing.
        let Some(Prospect { region, port, .. }) = prospect else { continue };
        if asked.iter().take(count).any(|&known| known == region) {
            continue;
        }
        *asked.get_mut(count)? = region;
        count += 1;
        let has_peer = |other: Prospect<'_>| other.region == region && other.receiver.has_peer();
        if port.is_deserted() && !prospects().flatten().any(has_peer) {
            return Some(index);
        }
    }
    None
}

/// Whether one of the receivers has something, after a look at each whether its peer is dead.
pub(super) fn search(receivers: &mut [&mut dyn Waitable]) -> bool {
    // All of them: one that finds something keeps the others from nothing.
    receivers.iter_mut().filter_map(|receiver| receiver.search().then_some(())).count() > 0
}

/// How long a wait sleeps at most while it has a receiver that does not sleep.
const POLL: Duration = Duration::from_millis(1);

/// The different words on which receivers sleep.
#[derive(Default)]
struct Places {
    /// The first `count` are set.
    words: [Option<(ParkWord, Sleepers)>; MOST_PLACES],
    count: usize,
}

impl Places {
    /// Gathers the words of these receivers; returns whether all of them have one, and it had room.
    fn gather(&mut self, receivers: &[&mut dyn Waitable]) -> Result<bool, WaitAnyError> {
        let mut all = true;
        for receiver in receivers {
            match receiver.place() {
                Place::Word(word, sleepers) => all &= self.add(word, sleepers),
                Place::Polled => all = false,
                Place::Refused => return Err(WaitAnyError::NoDoorbell),
            }
        }
        Ok(all)
    }

    fn add(&mut self, word: &ParkWord, sleepers: Sleepers) -> bool {
        if self.words.iter().take(self.count).flatten().any(|(own, _)| own.is(word)) {
            return true;
        }
        let Some(free) = self.words.get_mut(self.count) else { return false };
        *free = Some((word.clone(), sleepers));
        self.count += 1;
        true
    }

    fn with<R>(&self, act: impl FnOnce(&[(&ParkWord, Sleepers)]) -> R) -> R {
        let Some((first, sleepers)) = &self.words[0] else { return act(&[]) };
        let mut places = [(first, *sleepers); MOST_PLACES];
        for (place, (word, sleepers)) in places.iter_mut().zip(self.words.iter().flatten()) {
            *place = (word, *sleepers);
        }
        act(&places[..self.count])
    }
}
