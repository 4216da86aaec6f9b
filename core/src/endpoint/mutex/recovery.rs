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

/// A lock whose last owner died with it, held for repair. Dropping it without a repair poisons the lock.
///
/// A change that the dead owner [set](Guard::set) or [updated](Guard::update) is complete or not there at
/// all; only a value that it was [editing in place](Guard::edit_in_place) can be half written.
///
/// If the repairer dies too, the next owner gets a recovery again; the fourth death in a row (the owner
/// and three repairers) poisons the lock.
///
/// # Examples
///
/// ```
/// # use core::time::Duration;
/// # use strait_core::port::*;
/// # // A participant that holds everybody else to be dead.
/// # #[derive(Clone)]
/// # struct Survivor(LocalPort<'static, NoSystem>);
/// # impl Wait for Survivor {
/// #     fn wait(&self, _: WaitPoint<'_>, _: u32, _: Duration) {}
/// #     fn wake(&self, _: WaitPoint<'_>) {}
/// # }
/// # impl Clock for Survivor {
/// #     fn now_ns(&self) -> u64 { u64::MAX }
/// # }
/// # // SAFETY: in this example nobody else touches the region any more when it is asked.
/// # unsafe impl Liveness for Survivor {
/// #     unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
/// #         // SAFETY: the caller's promise.
/// #         unsafe { self.0.acquire(who) }
/// #     }
/// #     unsafe fn release(&self, who: Ident) {
/// #         // SAFETY: the caller's promise.
/// #         unsafe { self.0.release(who) }
/// #     }
/// #     fn probe(&self, _: Ident) -> Probe { Probe::Dead }
/// # }
/// # // SAFETY: as of the port inside.
/// # unsafe impl Port for Survivor {
/// #     fn mem(&self) -> &Mem { self.0.mem() }
/// #     fn ident(&self) -> Option<Ident> { self.0.ident() }
/// # }
/// use strait_core::{Attachment, Channel, Lock, Plan, StaticRegion};
/// const PLAN: Plan = Plan::new(&[Channel::mutex::<[f32; 2]>("gains")]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let mut first = REGION.create(&PLAN, 1, &NoSystem).unwrap().mutex::<[f32; 2]>("gains").unwrap();
/// let mut guard = first.try_lock().unwrap().or_roll_back().ok().unwrap();
/// guard.set(&[1.5, 0.1]);
/// // The first participant is killed here.
/// core::mem::forget(guard);
///
/// # let region = Attachment::attach(Survivor(REGION.attach(&NoSystem).unwrap().port().clone())).unwrap();
/// let mut mutex = region.mutex::<[f32; 2]>("gains").unwrap();
/// let guard = match mutex.try_lock().unwrap() {
///     Lock::Held(guard) => guard,
///     Lock::OwnerDied(recovery) => {
///         assert!(!recovery.was_in_place());
///         recovery.repair(|gains| gains[1] = 0.2).unwrap()
///     }
/// };
/// assert_eq!((guard.get(), guard.takeovers()), ([1.5, 0.2], 1));
/// ```
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

    /// The value as it is, perhaps half written.
    #[must_use]
    pub fn get(&self) -> T
    where
        T: Message,
    {
        self.mutex.as_ref().map_or_else(T::new_zeroed, |mutex| mutex.values.read(self.version))
    }

    /// Copies the value as it is, perhaps half written, into `value`.
    ///
    /// # Errors
    ///
    /// [`WrongSize`], only for `[u8]`.
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
    /// [`WrongSize`], only for `[u8]`.
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
        // A message always has the type's size.
        let _ = self.set_from(&value);
        self.finish().map_err(|(_, error)| error)
    }

    /// Goes on with the value as it is: the caller has made sure that it is whole.
    ///
    /// # Errors
    ///
    /// [`UnlockError`], if the lock is not ours any more.
    pub fn mark_consistent(self) -> Result<Guard<'m, T, P>, UnlockError> {
        if let Some(mutex) = &self.mutex
            && self.was_in_place
        {
            // The edit in place was a change. The same buffer, and another version.
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
            mutex.wake_waiters();
        }
        mutex.lower();
    }
}
