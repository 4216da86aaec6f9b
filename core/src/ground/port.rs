//! The traits of a port: memory, waiting, liveness and a clock.
//!
//! A port is one participant's view of one region. The endpoints hold a clone of it, so a clone
//! must be cheap (a reference or a counted pointer) and must keep the mapping and the participant's
//! liveness token alive.

use core::time::Duration;

use super::ident::Ident;
use super::sync::order::RELAXED;
use super::sync::{Mem, Word};

/// Whether a participant lives, as far as the port knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It lives, or at least its end has not been proven.
    Alive,
    /// Its end is proven, and everything it wrote is visible to the caller.
    Dead,
    /// The port cannot tell. Counts as alive everywhere.
    Unknown,
}

/// A place to sleep at: a word of the region and an identity that every process agrees on.
#[derive(Clone, Copy)]
pub struct WaitPoint<'a> {
    /// The word that is slept on.
    pub word: &'a Word,
    /// The region's instance id, for ports that need a named object.
    pub instance: u64,
    /// The word's offset in the region.
    pub offset: u32,
}

/// Sleeping until a word changes.
pub trait Wait {
    /// Sleeps while the word at `point` equals `expected`, for at most `timeout`. May return early for
    /// any reason; the caller looks again. Never sleeps if the word differs already.
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration);

    /// Sleeps while the word at each of `points` equals the value beside it, for at most `timeout`: for a receiver
    /// that waits for several channels, or several regions. Never sleeps if one of the words differs already. May
    /// return early for any reason; the caller looks again.
    ///
    /// A port that cannot sleep on several words looks at them once a millisecond, which is what this does unless it
    /// is overridden.
    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        // ORDERING: Relaxed; the caller looks again at what it waits for, with its own ordering.
        if points.iter().all(|(point, expected)| point.word.load(RELAXED) == *expected) {
            self.pause(timeout.min(Duration::from_millis(1)));
        }
    }

    /// Wakes every sleeper at `point`.
    fn wake(&self, point: WaitPoint<'_>);

    /// Wakes `most` of the threads that sleep at `point`, or all of them if there are fewer: those of the highest
    /// priority, and of equal ones those that have slept longest. Called where no more than so many can take what was
    /// given back, as one can take a lock. Returns whether others may be asleep there still, of those that this port
    /// can wake.
    ///
    /// A port that cannot choose wakes all, which is what this does unless it is overridden.
    fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        let _ = most;
        self.wake(point);
        false
    }

    /// Sleeps for about `how_long`, for callers without a word to sleep on. May return early.
    fn pause(&self, how_long: Duration) {
        let _ = how_long;
        super::sync::spin_loop();
    }
}

/// Proof of life and death.
///
/// # Safety
///
/// [`probe`](Self::probe) may answer [`Probe::Dead`] only with proof that the incarnation will
/// never again touch the region, and all that it wrote must be visible to the caller by then. A
/// wrong `Dead` gives one role to two owners.
///
/// Safe code can ask, and not take or give back: whoever gives back the token of one that lives makes a wrong
/// `Dead`. So this is refused, with the port of an attachment too:
///
/// ```compile_fail,E0133
/// use strait_core::{Attachment, port::{Ident, Liveness, Port}};
/// fn give_away<P: Port>(attachment: &Attachment<P>, who: Ident) {
///     attachment.port().release(who);
/// }
/// ```
pub unsafe trait Liveness {
    /// Takes the token that proves `who` alive, before `who` is published.
    ///
    /// # Errors
    ///
    /// [`TokenRefused`] if anybody holds it, this participant included, or the port cannot take it now.
    ///
    /// # Safety
    ///
    /// The caller publishes `who` in the participant table next, or [releases](Self::release) the token; as
    /// [`participants::join`](crate::format::participants::join) does.
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused>;

    /// Gives the token of `who` back; from then on it probes as dead. Nothing happens if it is not held here.
    ///
    /// # Safety
    ///
    /// As `who`, nothing is done in the region any more: no endpoint that was opened as `who` is used again, not
    /// even dropped.
    unsafe fn release(&self, who: Ident);

    /// Asks whether `who` lives.
    fn probe(&self, who: Ident) -> Probe;
}

/// A liveness token could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRefused;

/// A monotonic clock.
pub trait Clock {
    /// Nanoseconds since some fixed point; never goes back, and is not the wall clock.
    fn now_ns(&self) -> u64;
}

/// A cache between a port and the region's payload that nobody keeps coherent with other domains.
///
/// Control words must not be cached then: the plan [splits the payload off](crate::Plan::split_payload),
/// and the port maps everything before it as uncached memory. Only
/// [`Compact`](crate::format::Kind::Compact) queues and latest values can be laid out so; frames and
/// slots are published in the payload itself, and a value under a lock of two such domains would have to
/// be cleaned and invalidated as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Bytes of a cache line, a power of two. The plan's line must be as long at least.
    pub line: u32,
    /// The offset in the region from which on the memory is cached.
    pub from: u32,
}

/// Everything that an endpoint needs from its environment.
///
/// # Safety
///
/// [`mem`](Self::mem) must stay mapped, at the same address, for as long as any clone of the port
/// lives, and must always return the same memory. [`ident`](Self::ident) must not change once it is
/// `Some`, and its token must be held for as long as any clone lives; except that in a process that is no
/// longer the participant (a forked child) it becomes `None`, and the memory there may turn into a
/// private copy. [`CAN_FORK`](Self::CAN_FORK) must not be `false` then.
///
/// [`hardware_lock`](Self::hardware_lock) may answer `true` to one participant of the region at a time,
/// until its [`hardware_unlock`](Self::hardware_unlock), or until it is dead for certain; and what the last
/// holder did before its unlocking, or its death, must be visible to the next one.
pub unsafe trait Port: Wait + Liveness + Clock + Clone {
    /// The region's memory.
    fn mem(&self) -> &Mem;

    /// The port's identity in the region, or `None` if it only looks (a read-only mapping, a tool).
    fn ident(&self) -> Option<Ident>;

    /// Whether [`is_current`](Self::is_current) can ever be `Some(false)`. Where not, waits do not ask.
    const CAN_BE_REPLACED: bool = false;

    /// Whether the name under which peers find the region still leads to this one, as far as the port knows. `Some(false)`
    /// if the region was removed, or made anew, while this port goes on in the old memory: then nobody can join it any
    /// more. Waits ask once a [probe period](crate::WaitPolicy::probe), and when the time is up. They end as replaced if this
    /// participant does not have the other side, and no other one is left that may live, whatever it has open: it could
    /// open the other side later. `None` where there is no name, or no telling.
    #[inline]
    fn is_current(&self) -> Option<bool> {
        None
    }

    /// Whether a process with this port can be forked. Set it to `false` only where nothing forks, or where a child cannot
    /// use the port: then nothing asks in it whether [`ident`](Self::ident) is still the one that claimed a role.
    const CAN_FORK: bool = true;

    /// Whether this process is a forked child of the one whose port this is, with the memory as a private copy in
    /// which [`disown`](crate::port::disown) marked every channel. Then [`ident`](Self::ident) is `None`, and endpoints
    /// return [`Violation::Forked`](crate::Violation::Forked). Asked on slow paths alone. `false` where nothing forks.
    #[inline]
    fn has_forked(&self) -> bool {
        false
    }

    /// Raises the calling thread's priority to the ceiling of all users of the region's locks, and returns
    /// whatever [`lower`](Self::lower) needs to undo it. Called before each attempt to take a mutex: on one
    /// core, no user of the mutex then runs before it is given back, and nothing between is in the
    /// way (the immediate ceiling protocol). Ports without priorities leave both as they are.
    ///
    /// A thread may hold several mutexes, and give them back in any order. So a port counts the raises of each
    /// thread: the priority is what it was before the first of them only when as many were undone. (A port that
    /// restores what it found at the raise lowers a thread that still holds another mutex.) Each raise is undone
    /// by the thread that it raised, for a [`Guard`](crate::Guard) does not move to another one.
    #[inline(always)]
    fn raise(&self) -> u32 {
        0
    }

    /// Undoes one [`raise`](Self::raise) of the calling thread, not always its last: after an attempt that failed, and
    /// when the mutex was given back.
    #[inline(always)]
    fn lower(&self, raised: u32) {
        let _ = raised;
    }

    /// Whether the calling thread is unwinding from a panic. The frame that a consumer peeked at last then
    /// counts as received when the consumer is dropped: it may be what the consumer panicked over, and would
    /// come again for ever. The guard of a lock that has changed the value gives the lock up. `false` where a panic does not unwind.
    #[inline(always)]
    fn is_unwinding(&self) -> bool {
        false
    }

    /// The domain within which this port may use compare-and-swap: one core, or one cluster whose bus
    /// really does it between its members; 0 where there is only one. It never changes.
    #[inline(always)]
    fn domain(&self) -> u32 {
        0
    }

    /// The cache that this port's domain has between itself and the payload, if other domains do not see
    /// through it; `None` where memory is coherent. It never changes. A region is attached only if it is
    /// laid out for that, and only if all of the control words are in uncached memory.
    ///
    /// Before a domain's first participant attaches, its cache holds nothing of the payload: the port
    /// cleans and invalidates it, or starts with an empty one.
    #[inline(always)]
    fn cache(&self) -> Option<Cache> {
        None
    }

    /// Writes the cached lines that hold these bytes of the region back to memory, and returns when they
    /// are there: what is stored after that may be seen after them. Called by a producer or writer between
    /// its last store to a payload and the store that publishes it, if the other side is in another
    /// domain. The range is the payload's, and never empty; the port rounds it out to whole lines.
    #[inline(always)]
    fn clean(&self, offset: u32, len: u32) {
        let _ = (offset, len);
    }

    /// Drops the cached lines that hold these bytes of the region: what is loaded after that is no older
    /// than what was loaded before. Called by a consumer or reader between the load that shows it a
    /// payload and its first load of that, if the payload comes from another domain. The range is not
    /// empty; no line of it, rounded out, is ever written by this domain.
    #[inline(always)]
    fn invalidate(&self, offset: u32, len: u32) {
        let _ = (offset, len);
    }

    /// Whether compare-and-swap works on the region's memory. It never changes, and all ports of a domain agree on it.
    ///
    /// `false` where the memory is a device's, mapped so that the processor need not do it: Device memory on ARM, or
    /// I/O memory on RISC-V. Locks are then refused as [`NoCommonAtomics`](crate::ChannelError::NoCommonAtomics),
    /// unless there is a [hardware lock](Self::hardware_lock) under which they change their words.
    #[inline(always)]
    fn has_compare_and_swap(&self) -> bool {
        true
    }

    /// Whether there is a [hardware lock](Self::hardware_lock). It never changes.
    #[inline(always)]
    fn has_hardware_lock(&self) -> bool {
        false
    }

    /// Takes the hardware lock, in a bounded number of tries; returns whether it succeeded.
    ///
    /// That is a lock outside the region which needs no compare-and-swap of its users: a hardware
    /// semaphore, a test-and-set register. With it, two domains can share a mutex, a semaphore or
    /// permits: every change of their words is a load and a store between `hardware_lock` and
    /// [`hardware_unlock`](Self::hardware_unlock), three accesses in all. Mask interrupts in between if
    /// their handlers use such locks too. All participants of a region use the same one.
    ///
    /// A core may die with it. No word is half changed then, so giving it back is all there is to do; but
    /// no other participant can do that, so it is the port's duty. Hardware that names the holder makes
    /// it easy: a core that starts frees what it held before it joins the region again, and a core that
    /// fails to take it may free it for a holder whose boot counter has moved since. A lock that stays
    /// taken makes every operation of those mutexes and semaphores fail, as busy, contended or timed out,
    /// and nothing else; an owner that cannot unlock gets an error.
    #[inline(always)]
    fn hardware_lock(&self) -> bool {
        false
    }

    /// Gives the hardware lock back.
    #[inline(always)]
    fn hardware_unlock(&self) {}
}
