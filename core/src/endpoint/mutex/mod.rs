//! A value under a lock that survives its owner.

mod guard;
mod recover;
mod recovery;

pub use guard::{Guard, InPlace};
pub use recover::{RecoverError, Recovered};
pub use recovery::Recovery;

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use crate::ground::entry::{Entry, at};
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::ground::sync::ring::{Slots, Value};
use crate::protocol::Violation;
use crate::protocol::mutex::{self, Attempt, Lost, State};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::role::{DAMAGED, NotSync, Spans};
use super::shared_word::{Means, SharedWord};
use super::wait::{Bell, Deadline, Round, Sleepers, WaitPolicy, Waiting, lock_until, wait_until};

/// Why a lock was not had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody has it who lives, or cannot be proven dead.
    Busy,
    /// Somebody had it for the time allowed.
    TimedOut,
    /// This participant has it already, through this handle or another one. Threads that lock need an
    /// attachment each.
    Deadlock,
    /// It was given up with its data unrepaired; [`Mutex::reinitialise`] sets them anew.
    Poisoned,
    /// A peer wrote what no honest peer writes.
    Fault(Violation),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("somebody else has the lock"),
            Self::TimedOut => f.write_str("somebody else had the lock for the time allowed"),
            Self::Deadlock => f.write_str("this participant has the lock already; attach once a thread"),
            Self::Poisoned => f.write_str("the lock was given up unrepaired; re-initialise it"),
            Self::Fault(violation) => write!(f, "a peer broke the protocol: {violation}"),
        }
    }
}

impl core::error::Error for LockError {}

/// Why a lock could not be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnlockError {
    /// It is not this participant's (any more). Nothing was changed.
    NotOwner,
    /// A peer kept changing the word. Nothing was changed.
    Fault(Violation),
    /// The [hardware lock](Port::hardware_lock), under which two domains change the word, was not to be
    /// had. Nothing was changed: the lock is this participant's until its end.
    HardwareLock,
}

impl From<Lost> for UnlockError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::NotOwner => Self::NotOwner,
            Lost::Impossible => Self::Fault(Violation::State),
            Lost::Stuck => Self::HardwareLock,
        }
    }
}

impl fmt::Display for UnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwner => f.write_str("the lock belongs to somebody else, or to nobody"),
            Self::HardwareLock => f.write_str(
                "the hardware lock was not to be had, so the lock stays taken; free it in the port",
            ),
            Self::Fault(violation) => write!(f, "a peer broke the protocol: {violation}"),
        }
    }
}

impl core::error::Error for UnlockError {}

/// Bytes that are not as many as the type of the mutex has. Nothing was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSize {
    /// How many the type has.
    pub needed: u32,
}

impl fmt::Display for WrongSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mutex guards a value of {} bytes; give as many", self.needed)
    }
}

impl core::error::Error for WrongSize {}

/// A lock that was had.
#[must_use = "what is dropped is unlocked, and a recovery that is dropped gives the lock up"]
pub enum Lock<'m, T: Value + ?Sized, P: Port> {
    /// The data are whole.
    Held(Guard<'m, T, P>),
    /// The last owner died with the lock.
    OwnerDied(Recovery<'m, T, P>),
}

impl<'m, T: Value + ?Sized, P: Port> Lock<'m, T, P> {
    /// The guard, by [rolling back](Recovery::roll_back) if the last owner died.
    ///
    /// # Errors
    ///
    /// The recovery, if that is impossible: the dead owner was writing in place, or the lock is lost.
    pub fn or_roll_back(self) -> Result<Guard<'m, T, P>, Recovery<'m, T, P>> {
        match self {
            Self::Held(guard) => Ok(guard),
            Self::OwnerDied(recovery) => recovery.roll_back(),
        }
    }
}

/// A value of type `T` under a lock (a [`Frame`](crate::Frame), or `[u8]` where the type is known at run time
/// alone). As many handles as there are participants; each is used by one thread at a time.
///
/// # States
///
/// | state | next |
/// |---|---|
/// | free | held, by one compare-and-swap |
/// | held | free, by its owner's one compare-and-swap; `OwnerDied` for the next one, with proof of death |
/// | `OwnerDied` | held, once [repaired](Recovery); poisoned, if the recovery is dropped; `OwnerDied` again if the repairer dies, poisoned if that is the fourth death in a row |
/// | poisoned | held, by [`reinitialise`](Self::reinitialise); poisoned again if that one dies before the new value is whole |
///
/// # Two domains
///
/// They share no compare-and-swap, so the channel is refused ([`NoCommonAtomics`](ChannelError)) unless
/// the port has a [hardware lock](Port::hardware_lock). With one, each compare-and-swap named here is a
/// load and a store under it; an attempt that does not get it counts as one that found the lock held.
///
/// # If the owner dies
///
/// With proof of it (see [`Port`]) the next one to lock gets the lock and is told; one who sleeps for it,
/// after the [probe period](WaitPolicy::probe) at most. An owner that is stopped, slow, or cannot be
/// proven dead keeps its lock for ever. What it did with [`Guard::set`] or [`Guard::update`] is there
/// whole or not at all.
///
/// # If a peer lies
///
/// Who can write to the region can unlock, lock and change as it likes; it cannot make a call panic,
/// hang beyond its deadline, or touch anything outside. An owner that was dispossessed so gets
/// `NotOwner` when it unlocks, and [`takeovers`](Guard::takeovers) lets those it talks to tell old owners
/// from new ones.
pub struct Mutex<T: Value + ?Sized, P: Port> {
    lock: Bell,
    takeovers: WordRef,
    version: WordRef,
    in_place: WordRef,
    changed: Option<Bell>,
    values: Slots<T>,
    me: Ident,
    waiting: Waiting,
    /// What the port answered when it raised the priority, for as long as the lock is held.
    raised: Cell<u32>,
    port: P,
    not_sync: NotSync,
}

impl<T: Value + ?Sized, P: Port> Mutex<T, P> {
    pub(crate) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let port = attachment.port().clone();
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        let means = Means::of(&port, entry)?;
        let spans = Spans::of(attachment, entry)?;
        let instance = attachment.header().instance;
        let word = |offset| port.mem().word(entry.block_c + offset).ok_or(DAMAGED);
        Ok(Self {
            lock: Bell::of_lock(&port, entry.block_c + at::OWNER, instance, means).ok_or(DAMAGED)?,
            takeovers: word(at::TAKEOVERS)?,
            version: spans.a.word(at::VERSION).ok_or(DAMAGED)?,
            in_place: spans.a.word(at::IN_PLACE).ok_or(DAMAGED)?,
            changed: Bell::of_lock(&port, entry.wait_b, instance, means),
            values: Slots::new(spans.data.clone(), entry.capacity, entry.stride, entry.max_frame)
                .ok_or(DAMAGED)?,
            me,
            waiting: Waiting::new(WaitPolicy::parking()),
            raised: Cell::new(0),
            port,
            not_sync: PhantomData,
        })
    }

    /// Locks, if nobody alive has the lock. One compare-and-swap if it is free; one probe and another
    /// one if not.
    ///
    /// # Errors
    ///
    /// [`LockError`], never `TimedOut`.
    #[inline]
    pub fn try_lock(&mut self) -> Result<Lock<'_, T, P>, LockError> {
        match self.attempt(false) {
            Round::Done(result) => self.locked(result),
            Round::Held(_) | Round::Again => Err(LockError::Busy),
        }
    }

    /// Locks, waiting up to `timeout` for the lock.
    ///
    /// # Errors
    ///
    /// [`LockError`], never `Busy`.
    pub fn lock_timeout(&mut self, timeout: Duration) -> Result<Lock<'_, T, P>, LockError> {
        // The clock is asked only if it comes to waiting.
        if let Round::Done(result) = self.attempt(false) {
            return self.locked(result);
        }
        self.lock_until(Deadline::after(&self.port, timeout))
    }

    /// Locks, waiting until `deadline` for the lock. An attempt (as [`try_lock`](Self::try_lock)) before
    /// each sleep, which lasts one probe period at most; looks in between.
    ///
    /// # Errors
    ///
    /// [`LockError`], never `Busy`.
    pub fn lock_until(&mut self, deadline: Deadline) -> Result<Lock<'_, T, P>, LockError> {
        let mut waiting = self.waiting;
        // ORDERING: Relaxed; a look whether trying is worth it.
        let look = || self.lock.word.load(RELAXED) == 0;
        let result =
            lock_until(&self.port, &self.lock, &mut waiting, deadline, look, |slept| self.attempt(slept));
        self.waiting = waiting;
        self.locked(result.unwrap_or(Err(LockError::TimedOut)))
    }

    #[inline(always)]
    fn attempt(&self, slept: bool) -> Round<Result<Option<Ident>, LockError>> {
        let raised = self.port.raise();
        let round = match mutex::attempt(&self.word(), self.me, slept, |who| self.port.probe(who)) {
            Attempt::Locked => {
                self.raised.set(raised);
                return Round::Done(Ok(None));
            }
            Attempt::OwnerDied { from } => {
                self.raised.set(raised);
                return Round::Done(Ok(Some(from)));
            }
            Attempt::Held(seen) => Round::Held(seen),
            Attempt::Again => Round::Again,
            Attempt::Deadlock => Round::Done(Err(LockError::Deadlock)),
            Attempt::Poisoned => Round::Done(Err(LockError::Poisoned)),
            Attempt::Impossible => Round::Done(Err(LockError::Fault(Violation::State))),
        };
        self.port.lower(raised);
        round
    }

    #[inline(always)]
    fn locked(&mut self, result: Result<Option<Ident>, LockError>) -> Result<Lock<'_, T, P>, LockError> {
        match result? {
            None => Ok(Lock::Held(Guard::new(self))),
            Some(from) => Ok(Lock::OwnerDied(Recovery::new(self, from))),
        }
    }

    /// Waits up to `timeout` until the value's version is another than `since`, then locks.
    ///
    /// Sleeps where the plan lets the channel's consumers block, and looks once a millisecond
    /// otherwise. If whoever changed the value dies before it wakes this one, that costs a probe
    /// period; if it dies with the lock, the answer is `OwnerDied`.
    ///
    /// # Errors
    ///
    /// [`LockError`]; `TimedOut` if there was no change, or no lock, in time.
    pub fn wait_for_change(&mut self, since: u32, timeout: Duration) -> Result<Lock<'_, T, P>, LockError> {
        let deadline = Deadline::after(&self.port, timeout);
        let mut waiting = self.waiting;
        // ORDERING: Relaxed; a look whether locking is worth it, which then synchronises.
        let look = || (self.version.load(RELAXED) != since).then_some(());
        let bell = self.changed.as_ref();
        let found = wait_until(&self.port, bell, Sleepers::Many, &mut waiting, deadline, look);
        self.waiting = waiting;
        match found {
            Some(()) => self.lock_until(deadline),
            None => Err(LockError::TimedOut),
        }
    }

    /// Sets a poisoned lock's value anew and answers with the guard; `None` if the lock is not poisoned
    /// (any more), or its hardware lock was not to be had, or for bytes that are not as many as the type has.
    /// What was there is gone: this is for somebody who knows what it should be.
    pub fn reinitialise(&mut self, value: &T) -> Option<Guard<'_, T, P>> {
        if !self.values.takes(value) {
            return None;
        }
        let raised = self.port.raise();
        if !mutex::revive(&self.word(), self.me) {
            self.port.lower(raised);
            return None;
        }
        self.raised.set(raised);
        let mut guard = Guard::new(self);
        guard.put(value);
        guard.end_in_place();
        guard.is_whole().ok()?;
        Some(guard)
    }

    /// Sets how the waiting methods wait.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }

    /// What the lock's word says now. One load.
    #[must_use]
    pub fn state(&self) -> State {
        mutex::state(self.lock.word.load(RELAXED)) // ORDERING: Relaxed; a snapshot.
    }

    fn check_size(&self, value: &T) -> Result<(), WrongSize> {
        if self.values.takes(value) { Ok(()) } else { Err(WrongSize { needed: self.values.size() }) }
    }

    /// The lock was given back: so is the priority.
    #[inline(always)]
    fn lower(&self) {
        self.port.lower(self.raised.get());
    }

    /// The lock's word, as it is changed.
    #[inline(always)]
    fn word(&self) -> SharedWord<'_, P> {
        self.lock.shared(&self.port)
    }

    /// Wakes whoever sleeps for the lock.
    #[cold]
    fn wake(&self) {
        self.lock.wake_all(&self.port);
    }
}
