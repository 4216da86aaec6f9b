//! A lock that is held, with whole data.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::sync::in_order;
use crate::ground::sync::order::RELAXED;
use crate::protocol::mutex::{self, Lost};

use super::error::UnlockError;
use super::handle::{Mutex, NotSend};
use crate::endpoint::error::WrongSize;
use crate::endpoint::wait_policy::WakeCheck;

/// A lock that is held. Unlocks when it is dropped.
///
/// One that has changed the value and is dropped while its thread unwinds from a panic gives the lock up instead, as
/// [`give_up`](Self::give_up) does: each value is whole, but the panic may have come between two that belong together.
/// One that has changed nothing unlocks: what was whole before it still is. Code that runs while a thread unwinds, and
/// knows that what it guards is whole, calls [`unlock`](Self::unlock). One whose
/// [`edit_in_place`](Self::edit_in_place) panicked gives the lock up also if the panic was caught, unless a whole value
/// was [set](Self::set) since.
///
/// It is given back by the thread that took it, for that thread's [priority](Port::raise) was raised, and must fall:
///
/// ```compile_fail,E0277
/// fn moves<T: Send>() {}
/// fn guard<P: strait_core::port::Port + Send + 'static>() {
///     moves::<strait_core::Guard<'static, u32, P>>();
/// }
/// ```
///
/// It cannot be locked twice through one handle:
///
/// ```compile_fail,E0499
/// fn twice<P: strait_core::port::Port>(mutex: &mut strait_core::Mutex<u32, P>) {
///     let one = mutex.try_lock();
///     let two = mutex.try_lock();
///     drop((one, two));
/// }
/// ```
#[must_use = "a guard that is dropped unlocks"]
pub struct Guard<'m, T: Value + ?Sized, P: Port> {
    mutex: &'m mut Mutex<T, P>,
    /// The version; its last bit names the buffer that holds the value.
    version: u32,
    /// The value was changed, so the participants that wait for a change must be woken.
    changed: bool,
    /// An edit in place was begun, and neither ended nor replaced by a whole value.
    editing: bool,
    not_send: NotSend,
}

impl<'m, T: Value + ?Sized, P: Port> Guard<'m, T, P> {
    #[inline]
    pub(super) fn new(mutex: &'m mut Mutex<T, P>) -> Self {
        // ORDERING: Relaxed; under the lock.
        let version = mutex.version.load(RELAXED);
        Self { mutex, version, changed: false, editing: false, not_send: PhantomData }
    }

    /// The guard of an owner that took over from a dead one, which may have changed the value without
    /// waking anybody.
    pub(super) fn after_death(mutex: &'m mut Mutex<T, P>) -> Self {
        let mut guard = Self::new(mutex);
        guard.changed = true;
        guard
    }

    /// The value, as a copy that no peer can change.
    #[inline]
    #[must_use]
    pub fn get(&self) -> T
    where
        T: Message,
    {
        self.mutex.values.read(self.version)
    }

    /// Sets the value: writes it beside the old one, and commits it by one store. If this process dies,
    /// the next owner finds the old value or the new one, never a mixture.
    ///
    /// After an [edit in place](Self::edit_in_place) that panicked, the value is whole again.
    #[inline]
    pub fn set(&mut self, value: &T)
    where
        T: Message,
    {
        self.replace(value);
    }

    /// Copies the value into `value`.
    ///
    /// # Errors
    ///
    /// [`WrongSize`], only for `[u8]`.
    pub fn get_into(&self, value: &mut T) -> Result<(), WrongSize> {
        self.mutex.check_size(value)?;
        self.mutex.values.read_into(self.version, value);
        Ok(())
    }

    /// As [`set`](Self::set), also for `[u8]`.
    ///
    /// # Errors
    ///
    /// [`WrongSize`], only for `[u8]`.
    pub fn set_from(&mut self, value: &T) -> Result<(), WrongSize> {
        self.mutex.check_size(value)?;
        self.replace(value);
        Ok(())
    }

    /// Sets a value that has the type's size, and owes nothing to the one before.
    #[inline]
    fn replace(&mut self, value: &T) {
        self.put(value);
        if self.editing {
            self.end_in_place();
        }
    }

    /// Sets a value that has the type's size.
    #[inline]
    pub(super) fn put(&mut self, value: &T) {
        self.mutex.values.write(self.version.wrapping_add(1), value);
        in_order();
        self.commit(1);
    }

    /// Changes the value by `change`, as [`set`](Self::set) does. If `change` panics, nothing has
    /// changed. What is made of a value that was left half edited counts as half edited.
    #[inline]
    pub fn update<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R
    where
        T: Message,
    {
        let mut value = self.get();
        let answer = change(&mut value);
        self.put(&value);
        answer
    }

    /// Changes a large value in place, piece by piece: no copy, and no protection. If this process dies
    /// during the edit (or `edit` panics), the value is half old and half new, and the next owner must
    /// [repair](super::Recovery::repair) it; it cannot roll back. If the panic is caught and the guard
    /// used again, a value that is [set](Self::set) replaces the half-edited one; without one, the lock
    /// is given up.
    pub fn edit_in_place<R>(&mut self, edit: impl FnOnce(&mut InPlace<'_, T, P>) -> R) -> R {
        // ORDERING: Relaxed; under the lock.
        self.mutex.in_place.store(1, RELAXED);
        in_order();
        let was_left = core::mem::replace(&mut self.editing, true);
        let answer = edit(&mut InPlace { mutex: self.mutex, version: self.version });
        // The same buffer with another version, stored before the value counts as whole, so that no
        // change is missed.
        self.commit(2);
        if !was_left {
            self.end_in_place();
        }
        answer
    }

    pub(super) fn end_in_place(&mut self) {
        in_order();
        // ORDERING: Relaxed; under the lock.
        self.mutex.in_place.store(0, RELAXED);
        self.editing = false;
        in_order();
    }

    /// Marks the value of a lock that was given up as whole again.
    pub(super) fn is_whole(&self) -> Result<(), Lost> {
        mutex::repaired(&self.mutex.word(), self.mutex.me)
    }

    #[inline]
    fn commit(&mut self, steps: u32) {
        self.version = self.version.wrapping_add(steps);
        // ORDERING: Relaxed; under the lock. (A participant that waits for a change locks before it reads
        // the value.)
        self.mutex.version.store(self.version, RELAXED);
        in_order();
        self.changed = true;
    }

    /// The value's version: another one after each change, modulo 2^32.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How often the lock was taken over from a dead owner, or its value [set anew](Mutex::reinitialise):
    /// a fencing token. A service that acts for owners of this lock can refuse requests with a smaller
    /// one.
    #[must_use]
    pub fn takeovers(&self) -> u32 {
        self.mutex.takeovers.load(RELAXED) // ORDERING: Relaxed; under the lock.
    }

    /// Unlocks. One compare-and-swap and, if somebody sleeps, a wake.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]: the lock was not ours any more, and what was done under it may clash with its
    /// owner's doings; or `GivenUp`.
    #[inline]
    pub fn unlock(self) -> Result<(), UnlockError> {
        ManuallyDrop::new(self).release()
    }

    /// Gives the lock up: it is poisoned, for the caller knows that what it guards is not whole. Everybody who
    /// locks gets [`LockError::Poisoned`](super::LockError::Poisoned), until somebody sets the value
    /// [anew](Mutex::reinitialise). The same as dropping a [`Recovery`](super::Recovery), for an owner whose
    /// predecessor has not died.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]: the lock was not ours any more; never `GivenUp`.
    pub fn give_up(self) -> Result<(), UnlockError> {
        let mut this = ManuallyDrop::new(self);
        this.editing = true;
        match this.release() {
            Ok(()) | Err(UnlockError::GivenUp) => Ok(()),
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn release(&mut self) -> Result<(), UnlockError> {
        let released = self.give_back();
        self.mutex.lower();
        released
    }

    #[inline]
    fn give_back(&mut self) -> Result<(), UnlockError> {
        // The slow paths take the mutex and not the guard, which then stays in registers.
        let (mutex, changed) = (&*self.mutex, self.changed);
        if self.editing {
            return give_up_slow(mutex, changed);
        }
        let has_waiters = mutex::unlock(&mutex.word(), mutex.me)?;
        if has_waiters || changed && mutex.changed.is_some() {
            wake_slow(mutex, changed, has_waiters);
        }
        Ok(())
    }
}

/// Wakes the first sleeper for the lock, if there are any, and the participants that wait for a change.
#[cold]
fn wake_slow<T: Value + ?Sized, P: Port>(mutex: &Mutex<T, P>, changed: bool, has_waiters: bool) {
    if has_waiters {
        mutex.wake_next();
    }
    if changed && let Some(park_word) = &mutex.changed {
        park_word.wake_all(WakeCheck::Fenced, &mutex.port);
    }
}

/// Gives the lock up instead of back: all who sleep for it learn of that.
#[cold]
fn give_up_slow<T: Value + ?Sized, P: Port>(mutex: &Mutex<T, P>, changed: bool) -> Result<(), UnlockError> {
    let has_waiters = mutex::poison(&mutex.word(), mutex.me)?;
    if has_waiters {
        mutex.wake_waiters();
    }
    wake_slow(mutex, changed, false);
    Err(UnlockError::GivenUp)
}

impl<T: Value + ?Sized, P: Port> Drop for Guard<'_, T, P> {
    #[inline]
    fn drop(&mut self) {
        // What a panic broke off may be half done.
        if self.changed && self.mutex.port.is_unwinding() {
            self.editing = true;
        }
        // Callers that need the error call `unlock`.
        let _ = self.release();
    }
}

/// A value that is edited in place; see [`Guard::edit_in_place`].
pub struct InPlace<'g, T: Value + ?Sized, P: Port> {
    mutex: &'g Mutex<T, P>,
    version: u32,
}

impl<T: Value + ?Sized, P: Port> InPlace<'_, T, P> {
    /// Copies bytes of the value from `offset` on into `buffer`; returns how many were copied.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        self.mutex.values.read_part(self.version, offset, buffer)
    }

    /// Copies `bytes` over the value from `offset` on; bytes that would be outside are left out. Returns
    /// how many were copied.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> usize {
        self.mutex.values.write_part(self.version, offset, bytes)
    }
}
