//! Locks: strait's, the standard library's, and the C library's.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use nix::libc;
use strait::{Channel, Plan, Semaphore, SystemPort};

use super::region::{options, region};
use crate::drive::lock::Lock;
use crate::error::Result;

const PLAN: Plan = Plan::new(&[Channel::mutex::<u64>("mutex"), Channel::semaphore("semaphore", 0, 8)]);

fn open<T>(end: impl FnOnce(&strait::Region) -> std::result::Result<T, strait::ChannelError>) -> Result<T> {
    let place = region(0)?;
    let attachment = place.create(&PLAN, &options()).map_err(|error| error.to_string())?;
    place.remove().map_err(|error| error.to_string())?;
    end(&attachment).map_err(|error| error.to_string())
}

/// Strait's mutex, recovering and between processes.
pub struct Recovering(strait::Mutex<u64, SystemPort>);

impl Lock for Recovering {
    fn lay() -> Result<Self> {
        open(|region| region.mutex("mutex")).map(Self)
    }

    #[inline(always)]
    fn both(&mut self) {
        match self.0.try_lock() {
            Ok(strait::Lock::Held(guard)) => guard.unlock().expect("it is ours"),
            _ => panic!("nobody else has it"),
        }
    }
}

/// Strait's counting semaphore.
pub struct Counting(Semaphore<SystemPort>);

impl Lock for Counting {
    fn lay() -> Result<Self> {
        open(|region| region.semaphore("semaphore")).map(Self)
    }

    #[inline(always)]
    fn both(&mut self) {
        self.0.release(1).expect("there is room");
        self.0.try_acquire().expect("there is one");
    }
}

/// The standard library's: neither shared between processes nor recovering.
pub struct Std(Mutex<u64>);

impl Lock for Std {
    fn lay() -> Result<Self> {
        Ok(Self(Mutex::new(0)))
    }

    #[inline(always)]
    fn both(&mut self) {
        // `Mutex::get_mut` would be no lock.
        let lock: &Mutex<u64> = &self.0;
        drop(lock.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The C library's, between processes; robust or not.
pub struct Pthread<const ROBUST: bool>(Box<UnsafeCell<libc::pthread_mutex_t>>);

impl<const ROBUST: bool> Lock for Pthread<ROBUST> {
    fn lay() -> Result<Self> {
        let lock = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialises the attributes.
        let mut failed = unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) };
        // SAFETY: they are initialised.
        failed |= unsafe {
            libc::pthread_mutexattr_setpshared(attributes.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED)
        };
        if ROBUST {
            // SAFETY: as above.
            failed |= unsafe {
                libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST)
            };
        }
        // SAFETY: the lock is where it will stay, and nobody has used it.
        failed |= unsafe { libc::pthread_mutex_init(lock.get(), attributes.as_ptr()) };
        if failed == 0 { Ok(Self(lock)) } else { Err("the C library makes no such mutex".into()) }
    }

    #[inline(always)]
    fn both(&mut self) {
        // SAFETY: it is initialised.
        let mut failed = unsafe { libc::pthread_mutex_lock(self.0.get()) };
        // SAFETY: as above, and locked.
        failed |= unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        assert_eq!(failed, 0);
    }
}

/// The C library's semaphore, between processes.
pub struct Posix(Box<UnsafeCell<libc::sem_t>>);

impl Lock for Posix {
    fn lay() -> Result<Self> {
        let place: Box<UnsafeCell<MaybeUninit<libc::sem_t>>> =
            Box::new(UnsafeCell::new(MaybeUninit::zeroed()));
        // SAFETY: a `MaybeUninit` is laid out as what it may hold, which is initialised below.
        let place: Box<UnsafeCell<libc::sem_t>> = unsafe { Box::from_raw(Box::into_raw(place).cast()) };
        // SAFETY: it is where it will stay, and nobody has used it.
        match unsafe { libc::sem_init(place.get(), 1, 0) } {
            0 => Ok(Self(place)),
            _ => Err("the C library makes no such semaphore".into()),
        }
    }

    #[inline(always)]
    fn both(&mut self) {
        // SAFETY: it is initialised.
        let mut failed = unsafe { libc::sem_post(self.0.get()) };
        // SAFETY: as above.
        failed |= unsafe { libc::sem_trywait(self.0.get()) };
        assert_eq!(failed, 0);
    }
}
