//! A lock that was taken over from a dead owner.

use core::marker::PhantomData;

use crate::ground::ident::Ident;
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::sync::in_order;
use crate::ground::sync::order::RELAXED;
use crate::protocol::mutex;

use super::error::UnlockError;
use super::guard::Guard;
use super::handle::{Mutex, NotSend};
use crate::endpoint::error::WrongSize;

/// A lock whose last owner died with it, held for repair. Dropped without one, it poisons the lock.
///
/// What the dead owner had [set](Guard::set) or [updated](Guard::update) is there whole or not at all;
/// only a value that it was [editing in place](Guard::edit_in_place) can be half written.
///
/// If the repairer dies too, the next owner gets a recovery again; the fourth death in a row (the owner
/// and three repairers) poisons the lock.
#[must_use = "a recovery that is dropped gives the lock up"]
pub struct Recovery<'m, T: Value + ?Sized, P: Port> {
    /// `None` once it has become a guard.
    mutex: Option<&'m mut Mutex<T, P>>,
    from: Ident,
    version: u32,
    was_in_place: bool,
    not_send: NotSend,
}

impl<'m, T: Value + ?Sized, P: Port> Recovery<'m, T, P> {
    #[cold]
    pub(super) fn new(mutex: &'m mut Mutex<T, P>, from: Ident) -> Self {
        mutex.count_takeover();
        // ORDERING: Relaxed; under the lock.
        let (version, in_place) = (mutex.version.load(RELAXED), mutex.in_place.load(RELAXED));
        Self { mutex: Some(mutex), from, version, was_in_place: in_place != 0, not_send: PhantomData }
    }

    /// The dead owner.
    #[must_use]
    pub fn from(&self) -> Ident {
        self.from
    }

    /// Whether it died while it was editing the value in place: then the value may be half written.
    #[must_use]
    pub fn was_in_place(&self) -> bool {
        self.was_in_place
    }

    /// The value as it lies.
    #[must_use]
    pub fn get(&self) -> T
    where
        T: Message,
    {
        self.mutex.as_ref().map_or_else(T::new_zeroed, |mutex| mutex.values.read(self.version))
    }

    /// Copies the value as it lies into `value`.
    ///
    /// # Errors
    ///
    /// [`WrongSize`], for bytes alone.
    pub fn get_into(&self, value: &mut T) -> Result<(), WrongSize> {
        let Some(mutex) = &self.mutex else { return Ok(()) };
        mutex.check_size(value)?;
        mutex.values.read_into(self.version, value);
        Ok(())
    }

    /// Commits a repaired value by one store, as [`Guard::set`] does. It counts as whole with
    /// [`mark_consistent`](Self::mark_consistent).
    ///
    /// # Errors
    ///
    /// [`WrongSize`], for bytes alone.
    pub fn set_from(&mut self, value: &T) -> Result<(), WrongSize> {
        let Some(mutex) = &self.mutex else { return Ok(()) };
        mutex.check_size(value)?;
        self.version = self.version.wrapping_add(1);
        mutex.values.write(self.version, value);
        in_order();
        // ORDERING: Relaxed; under the lock.
        mutex.version.store(self.version, RELAXED);
        in_order();
        Ok(())
    }

    /// Goes on with the value last committed.
    ///
    /// # Errors
    ///
    /// The recovery again, if the dead owner was editing in place (there is nothing to go back to), or if
    /// the lock is not ours any more.
    pub fn roll_back(self) -> Result<Guard<'m, T, P>, Self> {
        if self.was_in_place { Err(self) } else { self.finish().map_err(|(this, _)| this) }
    }

    /// Repairs the value by `repair`, and goes on with it. The repair is committed by one store, as
    /// [`Guard::update`] does.
    ///
    /// # Errors
    ///
    /// [`UnlockError`], if the lock is not ours any more.
    pub fn repair(mut self, repair: impl FnOnce(&mut T)) -> Result<Guard<'m, T, P>, UnlockError>
    where
        T: Message,
    {
        let mut value = self.get();
        repair(&mut value);
        // A frame is never of another size.
        let _ = self.set_from(&value);
        self.finish().map_err(|(_, error)| error)
    }

    /// Goes on with the value as it lies: the caller has seen to it that it is whole.
    ///
    /// # Errors
    ///
    /// [`UnlockError`], if the lock is not ours any more.
    pub fn mark_consistent(self) -> Result<Guard<'m, T, P>, UnlockError> {
        if let Some(mutex) = &self.mutex
            && self.was_in_place
        {
            // What was written in place was a change. The same buffer, and another version.
            mutex.version.store(self.version.wrapping_add(2), RELAXED); // ORDERING: Relaxed; under the lock.
            in_order();
        }
        self.finish().map_err(|(_, error)| error)
    }

    fn finish(mut self) -> Result<Guard<'m, T, P>, (Self, UnlockError)> {
        let Some(mutex) = self.mutex.take() else { return Err((self, UnlockError::NotOwner)) };
        // ORDERING: Relaxed; under the lock.
        mutex.in_place.store(0, RELAXED);
        in_order();
        match mutex::repaired(&mutex.word(), mutex.me) {
            Ok(()) => Ok(Guard::after_death(mutex)),
            Err(lost) => {
                self.mutex = Some(mutex);
                Err((self, lost.into()))
            }
        }
    }
}

impl<T: Value + ?Sized, P: Port> Drop for Recovery<'_, T, P> {
    fn drop(&mut self) {
        let Some(mutex) = &self.mutex else { return };
        if mutex::poison(&mutex.word(), mutex.me) == Ok(true) {
            mutex.wake();
        }
        mutex.lower();
    }
}
