//! The four words, and what an owner does with them. See the module above for states and invariants.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::fence;
use core::time::Duration;

use strait_core::port::{Ident, Probe};

use super::error::{PiLockError, PiUnlockError};
use crate::sys::pi::{Words, futex};

/// How long a waiter sleeps in the kernel at a time before it asks whether the owner's process lives.
/// It matters only where the kernel cannot know of a death: where the thread's id was given away, or
/// the process became another program.
pub(super) const PROBE: Duration = Duration::from_millis(20);

/// The thread id in the word.
pub(super) const THREAD: u32 = futex::TID_MASK;
/// In the word: somebody waits in the kernel, or did.
pub(super) const WAITERS: u32 = futex::WAITERS;
/// In the word: the kernel handed it over, for its owner has ended.
pub(super) const OWNER_DIED: u32 = futex::OWNER_DIED;
/// A thread id that cannot be: Linux has none above 2^22.
pub(super) const NOBODY: u32 = THREAD;

/// In `owner`: a claim on suspicion, which proves nothing (I2).
pub(super) const SUSPECT: u32 = 1 << 31;

/// In `state`: the data are whole.
pub(super) const WHOLE: u32 = 0;
/// In `state`: this many owners died in a row, the most that are reported.
const MOST_DEATHS: u32 = 3;
/// In `state`: given up.
pub(super) const POISONED: u32 = u32::MAX;

/// Outcome of a successful lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The data are whole.
    Whole,
    /// They may not be: the last owner died with it.
    OwnerDied,
    /// They were given up.
    Poisoned,
}

/// One participant's access to the words: its identity, its thread, and its proof of others' deaths.
pub(super) struct Hands<'a> {
    pub(super) words: &'a Words,
    pub(super) me: Ident,
    pub(super) thread: u32,
    pub(super) probe: &'a dyn Fn(Ident) -> Probe,
}

/// The content of `owner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) who: Option<Ident>,
    pub(super) suspect: bool,
}

impl Signature {
    pub(super) fn read(word: u32) -> Self {
        Self { who: Ident::from_word(word & !SUSPECT), suspect: word & SUSPECT != 0 }
    }
}

impl Hands<'_> {
    /// Takes the word if it is 0: one compare-and-swap.
    #[inline]
    pub(super) fn grab(&self) -> bool {
        // ORDERING: Acquire; the last owner's stores precede its release.
        self.words.word.compare_exchange(0, self.thread, Acquire, Relaxed).is_ok()
    }

    /// Signs the word that has become ours, and returns the state of the data (I1).
    #[inline]
    pub(super) fn sign(&self) -> Taken {
        // ORDERING: Acquire, for words that the kernel has given us.
        let word = self.words.word.load(Acquire);
        // ORDERING: Relaxed; its readers compare and swap before they act on it.
        self.words.owner.store(self.me.word(), Relaxed);
        // ORDERING: Relaxed; the state is its owner's, and the word was acquired.
        let state = self.words.state.load(Relaxed);
        if word & OWNER_DIED == 0 && state == WHOLE {
            return Taken::Whole;
        }
        self.sign_slow(word & OWNER_DIED != 0, state)
    }

    #[cold]
    fn sign_slow(&self, inherited: bool, state: u32) -> Taken {
        if inherited || state != POISONED {
            let taken = self.note_death();
            // ORDERING: Release; the signature and the note are there before the mark goes (I1). The
            // kernel keeps the other bits, and we the mark.
            self.words.word.fetch_and(!OWNER_DIED, Release);
            return taken;
        }
        Taken::Poisoned
    }

    /// Counts a death. The word is ours, and signed.
    pub(super) fn note_death(&self) -> Taken {
        // ORDERING: Relaxed, all of them: they are the owner's.
        let deaths = self.words.state.load(Relaxed);
        let (next, taken) = match deaths {
            POISONED => (POISONED, Taken::Poisoned),
            deaths if deaths >= MOST_DEATHS => (POISONED, Taken::Poisoned),
            deaths => (deaths + 1, Taken::OwnerDied),
        };
        self.words.state.store(next, Relaxed);
        self.words.takeovers.store(self.words.takeovers.load(Relaxed).wrapping_add(1), Relaxed);
        taken
    }

    /// Whether the word is ours.
    pub(super) fn is_owner(&self) -> bool {
        // ORDERING: Relaxed; what we wrote ourselves, or a misbehaving peer's store.
        let (word, owner) = (self.words.word.load(Relaxed), self.words.owner.load(Relaxed));
        word & THREAD == self.thread && owner == self.me.word()
    }

    /// Gives the word back: one compare-and-swap, or one system call where somebody waits or did.
    #[inline]
    pub(super) fn unlock(&self) -> Result<(), PiUnlockError> {
        if !self.is_owner() {
            return Err(PiUnlockError::NotOwner);
        }
        // ORDERING: Relaxed; the release below comes after it (I1).
        self.words.owner.store(0, Relaxed);
        // ORDERING: Release; our stores precede it.
        match self.words.word.compare_exchange(self.thread, 0, Release, Relaxed) {
            Ok(_) => Ok(()),
            Err(_) => self.unlock_slow(),
        }
    }

    #[cold]
    fn unlock_slow(&self) -> Result<(), PiUnlockError> {
        // ORDERING: our stores precede whatever the kernel does with the word.
        fence(Release);
        match futex::unlock(&self.words.word) {
            Ok(true) => Ok(()),
            Ok(false) => Err(PiUnlockError::NotOwner),
            Err(error) => Err(PiUnlockError::Os(error)),
        }
    }

    /// Outcome of a lock, for a caller that takes poisoned mutexes too (`any`) or does not.
    pub(super) fn accept(&self, taken: Taken, any: bool) -> Result<Taken, PiLockError> {
        if taken == Taken::Poisoned && !any {
            // If that fails, the mutex has been taken from us.
            let _ = self.unlock();
            return Err(PiLockError::Poisoned);
        }
        Ok(taken)
    }
}
