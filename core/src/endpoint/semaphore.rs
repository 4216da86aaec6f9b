//! A counting semaphore, for signals.

use core::fmt;
use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::sync::order::RELAXED;
use crate::protocol::Violation;
use crate::protocol::semaphore::{self, Last, Limits, Refused};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::lock_word::CasMode;
use super::park_word::ParkWord;
use super::peer_watch::is_deserted;
use super::spans::DAMAGED;
use super::wait::{Round, Waiting, lock_until};
use super::wait_policy::{Deadline, WaitPolicy};

/// Error of an acquire or a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SemaphoreError {
    /// The count is 0, or every permit is taken by a holder that is not proven dead.
    Empty,
    /// Nothing could be acquired in the time allowed.
    TimedOut,
    /// The region was [removed, or made anew](Port::is_current), and no other participant is left in it that may live, so
    /// nobody can come to release. Once a probe period, of waits alone; threads that share this participant do not
    /// count. Never of permits: each of those that are taken has a holder that may live.
    Replaced,
    /// The count would pass its maximum; nothing was released.
    Overflow,
    /// Others changed the count in each of 64 tries, or the [hardware lock](Port::hardware_lock) of a
    /// semaphore of two domains was unavailable. Try again.
    Contended,
    /// A peer wrote what no honest peer writes.
    Fault(Violation),
}

impl fmt::Display for SemaphoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the semaphore has nothing to acquire now; try again later"),
            Self::TimedOut => f.write_str("the semaphore had nothing to acquire in the time allowed"),
            Self::Replaced => f.write_str(
                "the name of the semaphore's region leads to another one or to none, and nobody else is left in it to \
                 release; open it again",
            ),
            Self::Overflow => {
                f.write_str("the semaphore's count would pass its maximum; release no more than was acquired")
            }
            Self::Contended => f.write_str("others changed the semaphore in every try; try again"),
            Self::Fault(violation) => write!(
                f,
                "a peer broke the semaphore's protocol: {violation}; check that peer, and make the region anew"
            ),
        }
    }
}

impl core::error::Error for SemaphoreError {}

impl From<Refused> for SemaphoreError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Empty(_) => Self::Empty,
            Refused::Overflow => Self::Overflow,
            Refused::Contended => Self::Contended,
            Refused::Violation(violation) => Self::Fault(violation),
        }
    }
}

/// A counting semaphore, for signals: the participant that releases need not be the one that acquired.
///
/// # States
///
/// | count | next |
/// |---|---|
/// | 0 | more, by a release, which wakes as many sleepers |
/// | 1 to the maximum | one less, by an acquire; more, by a release, up to the maximum |
///
/// # Order of waiters
///
/// A release of n wakes the first n sleepers, and no other. On Linux those are the ones of the highest real-time priority,
/// and of equal ones those that have slept longest. Where the system does not order them (Windows, polling), all are
/// woken and race.
///
/// A participant that is not asleep may be faster than one that was woken: one that comes fresh, one that spins, or a
/// sleeper that looks by itself at that moment, as each does once a [probe period](WaitPolicy::probe). The one that was
/// woken then sleeps again. A sleeper that dies when it was woken costs the next one a probe period at most.
///
/// # If a peer dies or misbehaves
///
/// Nobody owns the count, so what a peer has acquired is lost if it dies; use [`Permits`](super::Permits)
/// where it must be recovered. A releaser that dies before it wakes costs the sleepers a probe period. A
/// count beyond the maximum is a fault; any other count is accepted.
///
/// How it works: the invariants are in `core/src/protocol/semaphore.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, SemaphoreError, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::semaphore("ticks", 0, 10)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let mut timer = REGION.create(&PLAN, 1, &NoSystem).unwrap().semaphore("ticks").unwrap();
/// let mut control = REGION.attach(&NoSystem).unwrap().semaphore("ticks").unwrap();
/// assert_eq!(control.try_acquire(), Err(SemaphoreError::Empty));
/// timer.release(2).unwrap();
/// control.try_acquire().unwrap();
/// assert_eq!(control.count(), 1);
/// assert_eq!(timer.release(10), Err(SemaphoreError::Overflow));
/// ```
pub struct Semaphore<P: Port> {
    /// The count's word: the count less its initial value, and a bit for sleepers. All participants compare
    /// and swap it.
    count: ParkWord,
    /// The initial count and the highest; from the plan.
    limits: Limits,
    /// The count's word as this handle saw or left it, so that the next change need not load it first.
    last: Last,
    /// How it waits, with the learnt number of looks before a sleep.
    waiting: Waiting,
    /// The port, through which a semaphore of two domains is changed as well.
    port: P,
}

impl<P: Port> Attachment<P> {
    /// Opens a handle on a counting semaphore.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn semaphore(&self, name: &str) -> Result<Semaphore<P>, ChannelError> {
        Semaphore::open(self, &self.of_kind(name, Kind::Semaphore)?)
    }
}

impl<P: Port> Semaphore<P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let port = attachment.port().clone();
        port.ident().ok_or(ChannelError::ReadOnly)?;
        let means = CasMode::of(&port, entry)?;
        let instance = attachment.header().instance;
        Ok(Self {
            count: ParkWord::of_lock(&port, entry.block_c + offset::OWNER, instance, means).ok_or(DAMAGED)?,
            limits: Limits { initial: entry.max_len, max: entry.capacity },
            last: Last::default(),
            waiting: Waiting::new(WaitPolicy::parking()),
            port,
        })
    }

    /// Takes one. One compare-and-swap, up to 65 while others are faster.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::Empty`], `Contended` or `Fault`.
    #[inline]
    pub fn try_acquire(&mut self) -> Result<(), SemaphoreError> {
        Ok(semaphore::acquire(&self.count.shared(&self.port), &self.limits, &mut self.last)?)
    }

    /// Takes one, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::TimedOut`], `Replaced` or `Fault`.
    pub fn acquire_timeout(&mut self, timeout: Duration) -> Result<(), SemaphoreError> {
        let mut last = self.last;
        if let Round::Done(result) = self.attempt(&mut last) {
            self.last = last;
            return result;
        }
        self.acquire_until(Deadline::after(&self.port, timeout))
    }

    /// Takes one, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::TimedOut`], `Replaced` or `Fault`.
    pub fn acquire_until(&mut self, deadline: Deadline) -> Result<(), SemaphoreError> {
        let (mut waiting, mut last) = (self.waiting, self.last);
        let look = || self.count() != 0;
        let gone = || is_deserted(&self.port).then_some(Err(SemaphoreError::Replaced));
        let gone = P::CAN_BE_REPLACED.then_some(gone);
        let attempt = |_| self.attempt(&mut last);
        let mut result = lock_until(&self.port, &self.count, &mut waiting, deadline, look, attempt, gone);
        if matches!(result, Some(Err(SemaphoreError::Replaced)))
            && let Round::Done(done) = self.attempt(&mut last)
        {
            // The last participant may have released between the attempt and its end.
            result = Some(done);
        }
        (self.waiting, self.last) = (waiting, last);
        result.unwrap_or(Err(SemaphoreError::TimedOut))
    }

    #[inline]
    fn attempt(&self, last: &mut Last) -> Round<Result<(), SemaphoreError>> {
        match semaphore::acquire(&self.count.shared(&self.port), &self.limits, last) {
            Ok(()) => Round::Done(Ok(())),
            Err(Refused::Empty(seen)) => Round::Held(seen),
            Err(Refused::Contended) => Round::Again,
            Err(refused) => Round::Done(Err(refused.into())),
        }
    }

    /// Gives `count` back, and wakes as many sleepers. One compare-and-swap, up to 65 while others are
    /// faster; a system call only if somebody sleeps, or has slept since the last release.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::Overflow`], `Contended` or `Fault`; nothing was released then.
    #[inline]
    pub fn release(&mut self, count: u32) -> Result<(), SemaphoreError> {
        if semaphore::release(&self.count.shared(&self.port), &self.limits, count, &mut self.last)? {
            self.count.wake_released(count, &self.port);
        }
        Ok(())
    }

    /// The count now, or 0 if it is beyond its maximum. One load.
    #[must_use]
    pub fn count(&self) -> u32 {
        // ORDERING: Relaxed; a snapshot.
        self.limits.count(self.count.word.load(RELAXED)).unwrap_or(0)
    }

    /// Sets how the waiting methods wait.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }
}
