//! Locking a mutex, and waiting for it.

use core::time::Duration;

use crate::endpoint::park_word::Sleepers;
use crate::endpoint::peer_watch::is_deserted;
use crate::endpoint::wait::{Round, lock_until, wait_and_search};
use crate::endpoint::wait_policy::Deadline;
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::sync::order::RELAXED;
use crate::protocol::Violation;
use crate::protocol::mutex::{self, Attempt};

use super::error::LockError;
use super::guard::Guard;
use super::handle::Mutex;
use super::recovery::Recovery;

/// Outcome of a successful lock.
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

impl<T: Value + ?Sized, P: Port> Mutex<T, P> {
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
        // The clock is read only if it has to wait.
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
        // ORDERING: Relaxed; a look whether an attempt can succeed.
        let look = || self.lock.word.load(RELAXED) == 0;
        let attempt = |slept| {
            let round = self.attempt(slept);
            if slept && matches!(round, Round::Done(Err(LockError::Poisoned))) {
                // K2: whoever gave it up may not have known of any sleeper.
                self.wake_waiters();
            }
            round
        };
        // Nothing to search for: whoever has the lock may live, and gives it back.
        let none = None::<fn() -> Option<_>>;
        let result = lock_until(&self.port, &self.lock, &mut waiting, deadline, look, attempt, none);
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
            Attempt::Impossible => Round::Done(Err(LockError::Fault(self.impossible()))),
        };
        self.port.lower(raised);
        round
    }

    /// The fault of a word that no honest owner leaves.
    #[cold]
    fn impossible(&self) -> Violation {
        if self.port.has_forked() { Violation::Forked } else { Violation::State }
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
    /// otherwise. If the participant that changed the value dies before it wakes this one, that costs a
    /// probe period; if it dies with the lock, the result is `OwnerDied`.
    ///
    /// # Errors
    ///
    /// [`LockError`]; `TimedOut` if there was no change, or no lock, in time.
    pub fn wait_for_change(&mut self, since: u32, timeout: Duration) -> Result<Lock<'_, T, P>, LockError> {
        let deadline = Deadline::after(&self.port, timeout);
        self.wait_for_change_until(since, deadline)
    }

    /// As [`wait_for_change`](Self::wait_for_change), waiting until `deadline`.
    ///
    /// # Errors
    ///
    /// [`LockError`]; `TimedOut` if there was no change, or no lock, in time.
    pub fn wait_for_change_until(
        &mut self,
        since: u32,
        deadline: Deadline,
    ) -> Result<Lock<'_, T, P>, LockError> {
        let mut waiting = self.waiting;
        // ORDERING: Relaxed; a look whether the value has changed; locking then synchronises.
        let look = || (self.version.load(RELAXED) != since).then_some(());
        let park_word = self.changed.as_ref();
        let look = || look().map(Ok);
        let gone = || is_deserted(&self.port).then_some(Err(LockError::Replaced));
        // A call that may not wait is no wait: it makes no system call.
        let gone = (P::CAN_BE_REPLACED && !deadline.left(&self.port).is_zero()).then_some(gone);
        let mut found =
            wait_and_search(&self.port, park_word, Sleepers::Many, &mut waiting, deadline, look, gone);
        self.waiting = waiting;
        if matches!(found, Some(Err(_))) {
            // The last participant may have changed the value between the look and its end.
            found = look().or(found);
        }
        match found {
            Some(Ok(())) => self.lock_until(deadline),
            Some(Err(error)) => Err(error),
            None => Err(LockError::TimedOut),
        }
    }

    /// Sets a poisoned lock's value anew and returns the guard. Returns `None` if the lock is not
    /// poisoned (any more), its hardware lock was unavailable, or the bytes are not of the type's size.
    /// The old value is lost, so the caller must know the right one. Counts
    /// [`takeovers`](Guard::takeovers) up.
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
        self.count_takeover();
        let mut guard = Guard::new(self);
        guard.put(value);
        guard.end_in_place();
        guard.is_whole().ok()?;
        Some(guard)
    }
}
