//! The handle.

use core::marker::PhantomData;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::path::PathBuf;
use std::time::Instant;

use strait_core::port::{Ident, Probe};

use super::error::{PiLockError, PiOpenError};
use super::guard::{PiGuard, PiLock, PiRecovery};
use super::words::{Hands, NOBODY, POISONED, PROBE, SUSPECT, Signature, THREAD, Taken, WAITERS};
use crate::name::{NameError, check_name};
use crate::region::ROUNDS;
use crate::sys::clock;
use crate::sys::pi::{self, Page, futex};
use crate::{CreateError, OpenError, RegionOptions};

/// A mutex between threads and processes whose owner inherits the priority of its waiters.
/// Linux only, from 5.14; within one PID namespace.
///
/// Each thread that locks has a handle of its own. The mutex guards whatever its users agree on, a region
/// for instance; unlike the region's own locks it holds no data and cannot roll back.
///
/// # Steps
///
/// Uncontended, locking and unlocking take one compare-and-swap each and no system call (but one, the
/// first time in each thread, to learn its id). Otherwise a wait is a system call for each
/// [`PROBE`](Self::PROBE) of it, with a question to the kernel whether the owner lives; and giving
/// the mutex back is one system call once anybody has waited. Between two such waits the waiter lends no
/// priority, for some microseconds.
///
/// # States
///
/// | state | next |
/// |---|---|
/// | free | held, by one compare-and-swap |
/// | held | free, by its owner, or the highest waiter's; `OwnerDied` for the next one, with the kernel's proof of death |
/// | `OwnerDied` | held, once marked consistent; poisoned, if the recovery is dropped; `OwnerDied` again if the repairer dies, poisoned if that is the fourth death in a row |
/// | poisoned | `OwnerDied`, by [`lock_poisoned_timeout`](Self::lock_poisoned_timeout) |
///
/// # If the owner dies
///
/// The next one gets [`PiLock::OwnerDied`]: a waiter at once, a later caller when it locks. Death is
/// the kernel's proof, and never inferred from a time that has passed: an owner that is stopped or slow keeps the
/// mutex. It also counts as the owner's death if the handle is dropped while its guard is forgotten, and
/// if the process becomes another program; others notice that after [`PROBE`](Self::PROBE). A thread
/// that ends while its handle is kept leaves the mutex [abandoned](PiLockError::Abandoned).
///
/// # If a peer misbehaves
///
/// A process that can write to the page can unlock, lock, and lend the waiters' priority to any thread; it cannot
/// make a call panic, or hang beyond its deadline. An owner that lost the mutex in this way gets `NotOwner`
/// when it unlocks.
///
/// # After a fork
///
/// A forked child is another thread and owns nothing: locking through a handle of its parent's is
/// refused as [`Forked`](PiLockError::Forked), unlocking through a guard as
/// [`NotOwner`](super::PiUnlockError::NotOwner), and dropping either changes nothing. The child opens the mutex
/// anew. This rests on `pthread_atfork`, as with [`SystemPort`](crate::SystemPort).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::RegionOptions;
/// use strait_os::linux::{PiLock, PiMutex};
///
/// # let name = &format!("doc-pi-{}", std::process::id());
/// let mut mutex = PiMutex::named(name, &RegionOptions::new())?;
/// let guard = match mutex.lock_timeout(Duration::from_millis(100))? {
///     PiLock::Held(guard) => guard,
///     PiLock::OwnerDied(recovery) => {
///         // Look what the dead owner left, and put it right; then:
///         recovery.mark_consistent()?
///     }
/// };
/// guard.unlock()?;
/// # PiMutex::remove(name)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PiMutex {
    page: Page,
    path: PathBuf,
    /// A handle is used by one thread at a time.
    not_sync: PhantomData<core::cell::Cell<()>>,
}

impl PiMutex {
    /// How long a waiter sleeps in the kernel at a time before it asks whether the owner lives. It matters
    /// only where the kernel cannot know of a death: where the owner's thread id was given to another
    /// thread, where its process became another program, or where its handle was dropped with the guard
    /// forgotten.
    pub const PROBE: Duration = PROBE;

    /// Opens the mutex of this name, or creates it if it is not there.
    ///
    /// # Errors
    ///
    /// [`PiOpenError`].
    pub fn named(name: &str, options: &RegionOptions) -> Result<Self, PiOpenError> {
        for _ in 0..ROUNDS {
            match Self::open(name, options) {
                Err(PiOpenError::NotFound) => {}
                other => return other,
            }
            match pi::create(&path_of(name)?, &options.sys).map_err(PiOpenError::from) {
                Ok(()) | Err(PiOpenError::Create(CreateError::AlreadyExists)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(PiOpenError::Contended)
    }

    /// Opens the mutex of this name if it is there.
    ///
    /// # Errors
    ///
    /// [`PiOpenError`].
    pub fn open(name: &str, options: &RegionOptions) -> Result<Self, PiOpenError> {
        let path = path_of(name)?;
        Ok(Self { page: Page::open(&path, &options.sys)?, path, not_sync: PhantomData })
    }

    /// Takes the mutex's name away, held or not. Handles that are open keep working; a later `open`
    /// finds nothing, or another mutex.
    ///
    /// # Errors
    ///
    /// [`PiOpenError::NotFound`], or why the file may not be removed.
    pub fn remove(name: &str) -> Result<(), PiOpenError> {
        Ok(pi::remove(&path_of(name)?).map_err(OpenError::from)?)
    }

    /// The file that holds the mutex.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// This handle's identity among the handles of the mutex.
    #[must_use]
    pub fn ident(&self) -> Ident {
        self.page.ident()
    }

    /// Locks, if nobody alive has the mutex. One compare-and-swap if it is free; a handful of system
    /// calls if not.
    ///
    /// # Errors
    ///
    /// [`PiLockError`], never `TimedOut` or `Abandoned`.
    #[inline]
    pub fn try_lock(&mut self) -> Result<PiLock<'_>, PiLockError> {
        self.lock(|| None, false)
    }

    /// Locks, waiting up to `timeout`. The owner inherits this thread's priority during the wait.
    ///
    /// # Errors
    ///
    /// [`PiLockError`], never `Busy`.
    #[inline]
    pub fn lock_timeout(&mut self, timeout: Duration) -> Result<PiLock<'_>, PiLockError> {
        self.lock(|| Some(after(timeout)), false)
    }

    /// Locks, waiting until the moment `deadline`. The clock is the monotonic one.
    ///
    /// # Errors
    ///
    /// [`PiLockError`], never `Busy`.
    pub fn lock_until(&mut self, deadline: Instant) -> Result<PiLock<'_>, PiLockError> {
        self.lock(|| Some(after(deadline.saturating_duration_since(Instant::now()))), false)
    }

    /// Locks as [`lock_timeout`](Self::lock_timeout) does, but takes a poisoned mutex too, and returns
    /// a recovery for it. For a program that can set the data anew.
    ///
    /// # Errors
    ///
    /// [`PiLockError`], never `Busy` or `Poisoned`.
    pub fn lock_poisoned_timeout(&mut self, timeout: Duration) -> Result<PiLock<'_>, PiLockError> {
        self.lock(|| Some(after(timeout)), true)
    }

    #[inline]
    fn lock(&mut self, until: impl FnOnce() -> Option<u64>, any: bool) -> Result<PiLock<'_>, PiLockError> {
        if self.page.left() {
            return Err(PiLockError::Forked);
        }
        let taken = self.hands(|hands| {
            // The clock is read only before a wait.
            let taken = if hands.grab() { hands.sign() } else { hands.lock_slow(until())? };
            hands.accept(taken, any)
        })?;
        Ok(match taken {
            Taken::Whole => PiLock::Held(PiGuard::new(self)),
            Taken::OwnerDied | Taken::Poisoned => PiLock::OwnerDied(PiRecovery::new(self)),
        })
    }

    /// The mutex's state now. A few loads, and one system call if it is locked.
    #[must_use]
    pub fn status(&self) -> PiStatus {
        let words = self.page.words();
        // ORDERING: Relaxed, all of them: a look, which may be out of date at once.
        let (word, owner) = (words.word.load(Relaxed), words.owner.load(Relaxed));
        let (takeovers, state) = (words.takeovers.load(Relaxed), words.state.load(Relaxed));
        let signed = Signature::read(owner);
        let thread = word & THREAD;
        let owner = signed.who.filter(|_| owner & SUSPECT == 0);
        PiStatus {
            thread: (thread != 0 && thread != NOBODY).then_some(thread),
            waiters: word & WAITERS != 0,
            owner,
            owner_is: owner.map_or(Probe::Unknown, |who| self.page.probe(who)),
            takeovers,
            poisoned: state == POISONED,
        }
    }

    #[inline]
    pub(super) fn hands<R>(&self, use_them: impl FnOnce(&Hands<'_>) -> R) -> R {
        let probe = |who| self.page.probe(who);
        let (words, me, thread) = (self.page.words(), self.page.ident(), futex::thread_id());
        use_them(&Hands { words, me, thread, probe: &probe })
    }

    /// Whether this is a forked child of the process that opened the handle.
    pub(super) fn left(&self) -> bool {
        self.page.left()
    }
}

/// A mutex's state; see [`PiMutex::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PiStatus {
    /// The id of the thread that holds it, or held it when it died.
    pub thread: Option<u32>,
    /// Whether somebody waits for it, or has waited since it was last free.
    pub waiters: bool,
    /// The owner, where it has signed.
    pub owner: Option<Ident>,
    /// Whether the owner is alive, as far as known.
    pub owner_is: Probe,
    /// How often it was taken over from a dead owner.
    pub takeovers: u32,
    /// Whether it was given up unrepaired.
    pub poisoned: bool,
}

/// Where the mutex of this name is.
fn path_of(name: &str) -> Result<PathBuf, PiOpenError> {
    check_name(name)?;
    Ok(pi::path_of(name).map_err(NameError::NoDirectory)?)
}

fn after(timeout: Duration) -> u64 {
    clock::now_ns().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
}
