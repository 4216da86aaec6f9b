//! A semaphore whose permits are recovered from dead holders.

use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::port::Port;
use crate::ground::sync::Span;
use crate::protocol::Violation;
use crate::protocol::cas_word::CasWord;
use crate::protocol::mutex::Lost;
use crate::protocol::permits::{self, Taken};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::lock_word::{CasMode, LockWord};
use super::mutex::UnlockError;
use super::park_word::{ParkWord, Sleepers};
use super::semaphore::SemaphoreError;
use super::spans::DAMAGED;
use super::wait::{Waiting, wait_and_search};
use super::wait_policy::{Deadline, WaitPolicy, WakeCheck};

impl<P: Port> permits::Permits for Permits<P> {
    fn count(&self) -> u32 {
        self.words.len() / 4
    }

    #[inline(always)]
    fn permit(&self, index: u32) -> impl CasWord {
        LockWord { word: self.words.header(4 * index), port: &self.port, means: self.means }
    }
}

/// A semaphore of N permits. Each is taken by a participant and given back by it; those of a participant
/// that is proven dead are taken over as soon as no other permit is free.
///
/// # States of a permit
///
/// | state | next |
/// |---|---|
/// | free | taken, by one compare-and-swap |
/// | taken | free, when it is dropped; taken by another, with proof of its holder's death |
///
/// # Order of waiters
///
/// Giving a permit back wakes the first sleeper, and no other. On Linux that is the one of the highest real-time priority,
/// and of equal ones the one that has slept longest. Where the system does not order them (Windows, polling), all are
/// woken and race.
///
/// A participant that is not asleep may be faster than one that was woken: one that comes fresh, one that spins, or a
/// sleeper that looks by itself at that moment, as each does once a [probe period](WaitPolicy::probe). The one that was
/// woken then sleeps again. A sleeper that dies when it was woken costs the next one a probe period at most.
///
/// # If a peer dies or misbehaves
///
/// A dead holder's permit is taken over exactly once, by a participant that tries to acquire or sleeps
/// for a permit: after the probe period at most. The caller must check whatever the permit guards:
/// [`Permit::from`] names the dead holder. A misbehaving peer can take and free permits as it likes.
///
/// How it works: the table of states and the invariants are in `core/src/protocol/permits.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, SemaphoreError, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::permits("buses", 1)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let mut one = REGION.create(&PLAN, 1, &NoSystem).unwrap().permits("buses").unwrap();
/// let mut other = REGION.attach(&NoSystem).unwrap().permits("buses").unwrap();
/// let permit = one.try_acquire().unwrap();
/// // A dead holder's permit would name the holder here.
/// assert_eq!((permit.index(), permit.from()), (0, None));
/// assert_eq!(other.try_acquire().err(), Some(SemaphoreError::Empty));
/// permit.release().unwrap();
/// assert!(other.try_acquire().is_ok());
/// ```
pub struct Permits<P: Port> {
    /// A word for each permit: 0, or its holder. All participants compare and swap them.
    words: Span,
    /// How the words are changed: by compare-and-swap, or under the hardware lock.
    means: CasMode,
    /// The word on which participants sleep for a permit, if the plan lets them.
    park_word: Option<ParkWord>,
    /// The first permit to look at: a different one for each participant, so that they seldom collide.
    start: u32,
    /// This participant, as the permits' words name it.
    me: Ident,
    /// How it waits, with the learnt number of looks before a sleep.
    waiting: Waiting,
    /// The port, which is asked whether a holder is dead.
    port: P,
}

impl<P: Port> Attachment<P> {
    /// Opens a handle on a semaphore whose permits are recovered from dead holders.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn permits(&self, name: &str) -> Result<Permits<P>, ChannelError> {
        Permits::open(self, &self.of_kind(name, Kind::Permits)?)
    }
}

impl<P: Port> Permits<P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let port = attachment.port().clone();
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        let means = CasMode::of(&port, entry)?;
        let blocks = entry.blocks(attachment.header().line).ok_or(DAMAGED)?;
        let len = entry.capacity.checked_mul(4).ok_or(DAMAGED)?;
        let words = port.mem().range(entry.block_c + blocks.permits, len).ok_or(DAMAGED)?;
        Ok(Self {
            words,
            means,
            park_word: ParkWord::of_lock(&port, entry.wait_b, attachment.header().instance, means),
            start: me.place(),
            me,
            waiting: Waiting::new(WaitPolicy::parking()).for_looks_of(entry.capacity),
            port,
        })
    }

    /// Takes a permit, if there is one that is free, or whose holder is proven dead. A scan of N words, a
    /// second one with at most N probes, and a compare-and-swap for each that looks free.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::Empty`].
    pub fn try_acquire(&mut self) -> Result<Permit<'_, P>, SemaphoreError> {
        match self.take() {
            Some(taken) => Ok(Permit { permits: self, taken }),
            None => Err(self.none(SemaphoreError::Empty)),
        }
    }

    /// Takes a permit, waiting up to `timeout` for one. A [`try_acquire`](Self::try_acquire) at once, once
    /// a probe period, and when the time is up; in between, scans of the N words for a free permit, without
    /// probes. The time-out may be exceeded by one `try_acquire`.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::TimedOut`].
    pub fn acquire_timeout(&mut self, timeout: Duration) -> Result<Permit<'_, P>, SemaphoreError> {
        self.acquire_until(Deadline::after(&self.port, timeout))
    }

    /// Takes a permit, waiting until `deadline` for one; as [`acquire_timeout`](Self::acquire_timeout).
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::TimedOut`].
    pub fn acquire_until(&mut self, deadline: Deadline) -> Result<Permit<'_, P>, SemaphoreError> {
        let found = match self.take() {
            Some(taken) => Some(taken),
            None if self.port.has_forked() => None,
            None => self.wait(deadline),
        };
        match found {
            Some(taken) => Ok(Permit { permits: self, taken }),
            None => Err(self.none(SemaphoreError::TimedOut)),
        }
    }

    /// The error where there is no permit.
    #[cold]
    fn none(&self, error: SemaphoreError) -> SemaphoreError {
        if self.port.has_forked() { SemaphoreError::Fault(Violation::Forked) } else { error }
    }

    fn take(&self) -> Option<Taken> {
        self.take_free().or_else(|| self.take_over())
    }

    fn take_free(&self) -> Option<Taken> {
        permits::take_free(self, self.me, self.start)
    }

    /// Never inlined: what it remembers of living holders would be cleared for a free permit as well.
    #[cold]
    #[inline(never)]
    fn take_over(&self) -> Option<Taken> {
        permits::take_over(self, self.me, self.start, |who| self.port.probe(who))
    }

    fn wait(&mut self, deadline: Deadline) -> Option<Taken> {
        let mut waiting = self.waiting;
        let found = wait_and_search(
            &self.port,
            self.park_word.as_ref(),
            Sleepers::Many,
            &mut waiting,
            deadline,
            || self.take_free(),
            Some(|| self.take_over()),
        );
        self.waiting = waiting;
        found
    }

    /// How many permits there are, free and taken.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        permits::Permits::count(self)
    }

    /// Sets how [`acquire_timeout`](Self::acquire_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy).for_looks_of(self.capacity());
    }
}

/// A permit; given back when it is dropped.
#[must_use = "a permit that is dropped is given back"]
pub struct Permit<'s, P: Port> {
    permits: &'s Permits<P>,
    taken: Taken,
}

impl<P: Port> Permit<'_, P> {
    /// Which permit, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.taken.index
    }

    /// The dead holder that it was taken over from, if it was.
    #[must_use]
    pub fn from(&self) -> Option<Ident> {
        self.taken.from
    }

    /// Gives the permit back, and wakes the first participant that sleeps for one. One compare-and-swap and
    /// a fence.
    ///
    /// # Errors
    ///
    /// [`UnlockError::NotOwner`] if another participant has taken it over, or `HardwareLock`.
    pub fn release(self) -> Result<(), UnlockError> {
        let given = self.give();
        core::mem::forget(self);
        Ok(given?)
    }

    fn give(&self) -> Result<(), Lost> {
        let word = permits::Permits::permit(self.permits, self.taken.index);
        let given = permits::give(&word, self.permits.me);
        if let Some(park_word) = &self.permits.park_word {
            park_word.wake_one(WakeCheck::Fenced, &self.permits.port);
        }
        given
    }
}

impl<P: Port> Drop for Permit<'_, P> {
    fn drop(&mut self) {
        // Callers that need the error call `release`.
        let _ = self.give();
    }
}
