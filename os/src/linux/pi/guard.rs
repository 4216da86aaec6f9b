//! A locked mutex: whole, or to be repaired.

use core::marker::PhantomData;
use core::sync::atomic::Ordering::Relaxed;

use super::error::PiUnlockError;
use super::mutex::PiMutex;
use super::words::{POISONED, WHOLE};

/// Outcome of a successful lock.
#[must_use = "what is dropped is unlocked, and a recovery that is dropped gives the mutex up"]
#[derive(Debug)]
pub enum PiLock<'m> {
    /// The data are whole.
    Held(PiGuard<'m>),
    /// The last owner died with the mutex, or it was poisoned and taken all the same.
    OwnerDied(PiRecovery<'m>),
}

/// A thread's hold on the handle, which ends with an unlock. Not `Send`: the kernel knows the thread.
#[derive(Debug)]
struct Hold<'m> {
    /// `None` once it has been given back or passed on.
    mutex: Option<&'m mut PiMutex>,
    not_send: PhantomData<*const ()>,
}

impl<'m> Hold<'m> {
    fn new(mutex: &'m mut PiMutex) -> Self {
        Self { mutex: Some(mutex), not_send: PhantomData }
    }

    /// The handle, if the mutex is still this thread's.
    fn owned(&self) -> Option<&PiMutex> {
        let mutex = self.mutex.as_deref()?;
        (!mutex.left() && mutex.hands(|hands| hands.is_owner())).then_some(mutex)
    }

    /// Sets the state, if the mutex is still this thread's.
    fn set_state(&self, state: u32) -> Result<(), PiUnlockError> {
        let mutex = self.owned().ok_or(PiUnlockError::NotOwner)?;
        // ORDERING: Relaxed; the state is its owner's, and passes on with the word.
        mutex.hands(|hands| hands.words.state.store(state, Relaxed));
        Ok(())
    }

    fn takeovers(&self) -> u32 {
        // ORDERING: Relaxed; written by owners alone.
        self.mutex.as_deref().map_or(0, |mutex| mutex.hands(|hands| hands.words.takeovers.load(Relaxed)))
    }

    #[inline]
    fn unlock(&mut self) -> Result<(), PiUnlockError> {
        match self.mutex.take() {
            Some(mutex) if !mutex.left() => mutex.hands(|hands| hands.unlock()),
            _ => Err(PiUnlockError::NotOwner),
        }
    }
}

/// A mutex that is held. Dropped, also by a panic that unwinds, it unlocks.
#[must_use = "a guard that is dropped unlocks"]
#[derive(Debug)]
pub struct PiGuard<'m>(Hold<'m>);

impl<'m> PiGuard<'m> {
    pub(super) fn new(mutex: &'m mut PiMutex) -> Self {
        Self(Hold::new(mutex))
    }

    /// How often the mutex was taken over from a dead owner: a fencing token. A device that gets commands sent
    /// under this mutex can refuse those with a smaller one.
    #[must_use]
    pub fn takeovers(&self) -> u32 {
        self.0.takeovers()
    }

    /// Unlocks, and returns an error if the mutex was no longer this thread's. One compare-and-swap, or one system
    /// call if somebody waits.
    ///
    /// # Errors
    ///
    /// [`PiUnlockError`]: it was not, and what was done under it may conflict with its owner's changes.
    #[inline]
    pub fn unlock(mut self) -> Result<(), PiUnlockError> {
        self.0.unlock()
    }
}

impl Drop for PiGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A caller that needs the result calls `unlock`.
        let _ = self.0.unlock();
    }
}

/// A mutex whose last owner died with it, held for repair. Dropped without a repair it is poisoned.
#[must_use = "a recovery that is dropped gives the mutex up"]
#[derive(Debug)]
pub struct PiRecovery<'m>(Hold<'m>);

impl<'m> PiRecovery<'m> {
    pub(super) fn new(mutex: &'m mut PiMutex) -> Self {
        Self(Hold::new(mutex))
    }

    /// How often the mutex was taken over from a dead owner, this time included.
    #[must_use]
    pub fn takeovers(&self) -> u32 {
        self.0.takeovers()
    }

    /// Goes on as an ordinary owner: the caller has seen to it that the data are whole.
    ///
    /// # Errors
    ///
    /// [`PiUnlockError::NotOwner`], if the mutex is not this thread's any more.
    pub fn mark_consistent(mut self) -> Result<PiGuard<'m>, PiUnlockError> {
        self.0.set_state(WHOLE)?;
        self.0.mutex.take().map(PiGuard::new).ok_or(PiUnlockError::NotOwner)
    }
}

impl Drop for PiRecovery<'_> {
    fn drop(&mut self) {
        // Nothing is left to do if the mutex has been taken from us, or passed on to a guard.
        if self.0.set_state(POISONED).is_ok() {
            let _ = self.0.unlock();
        }
    }
}
