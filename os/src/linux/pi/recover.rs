//! Waiting for the word, and taking it over from a dead owner.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::fence;
use core::time::Duration;

use strait_core::port::Probe;

use super::error::PiLockError;
use super::words::{Hands, NOBODY, OWNER_DIED, PROBE, SUSPECT, Signature, THREAD, Taken, WAITERS};
use crate::sys::clock;
use crate::sys::pi::futex::{self, Answer};

/// Between looks at a word that somebody recovers, or whose owner is just ending.
const NAP: Duration = Duration::from_millis(1);
/// Tries of a compare-and-swap that others keep spoiling by setting `WAITERS`, which they do once each.
const TRIES: u32 = 64;

/// Outcome of an attempt to succeed a dead owner.
enum Succession {
    /// The word is ours, and signed.
    Ours(Taken),
    /// The holder lives, or somebody else was faster, or somebody still waits in the kernel.
    No,
    /// The thread that locked has ended, but its owner's token is held.
    Abandoned,
}

impl Hands<'_> {
    /// Locks what could not be grabbed: until the moment `until`, or in one round if there is none.
    #[cold]
    pub(super) fn lock_slow(&self, until: Option<u64>) -> Result<Taken, PiLockError> {
        loop {
            let answer = self.ask(until)?;
            let succession = match answer {
                Answer::Yours => return Ok(self.taken_from_kernel()),
                Answer::Failed(error) => return Err(PiLockError::Os(error)),
                _ => self.succeed(answer, until),
            };
            if let Succession::Ours(taken) = succession {
                return Ok(taken);
            }
            if answer == Answer::Deadlock {
                return Err(PiLockError::Deadlock);
            }
            let Some(until) = until else { return Err(PiLockError::Busy) };
            if clock::now_ns() >= until {
                return Err(match (succession, answer) {
                    (Succession::Abandoned, _) => PiLockError::Abandoned,
                    (_, Answer::Odd) if !self.is_nobodys() => PiLockError::Fault,
                    _ => PiLockError::TimedOut,
                });
            }
            if answer != Answer::Busy {
                std::thread::sleep(NAP);
            }
        }
    }

    /// Asks the kernel for the word, waiting for up to [`PROBE`].
    fn ask(&self, until: Option<u64>) -> Result<Answer, PiLockError> {
        // ORDERING: Acquire, the owner after the word: if the word is ours by its number, so is what
        // stands beside it.
        let word = self.words.word.load(Acquire);
        let signed = Signature::read(self.words.owner.load(Acquire));
        let held = !signed.suspect && word & THREAD != NOBODY && word & THREAD != 0;
        if held && signed.who == Some(self.me) {
            return Err(PiLockError::Deadlock);
        }
        if word & THREAD == self.thread {
            // Ours through another handle; or a dead thread's, whose id we were given.
            let lives = signed.who.is_some_and(|who| (self.probe)(who) != Probe::Dead);
            return if lives && !signed.suspect { Err(PiLockError::Deadlock) } else { Ok(Answer::Gone) };
        }
        Ok(match until {
            None => futex::try_lock(&self.words.word),
            Some(until) => {
                let slice = clock::now_ns().saturating_add(PROBE.as_nanos() as u64);
                futex::lock(&self.words.word, until.min(slice))
            }
        })
    }

    /// Whether somebody is about to recover the word, or has left off.
    pub(super) fn is_nobodys(&self) -> bool {
        // ORDERING: Relaxed; only a hint of the state, and of the next step.
        self.words.word.load(Relaxed) & THREAD == NOBODY
    }

    fn taken_from_kernel(&self) -> Taken {
        // ORDERING: the last owner's stores precede what the kernel did with the word.
        fence(Acquire);
        self.sign()
    }

    /// Takes the word over if its holder is proven dead.
    fn succeed(&self, answer: Answer, until: Option<u64>) -> Succession {
        // ORDERING: Acquire, both; all that follows is compared and swapped.
        let found = self.words.owner.load(Acquire);
        let word = self.words.word.load(Acquire);
        let signed = Signature::read(found);
        if let Some(who) = signed.who
            && (self.probe)(who) != Probe::Dead
        {
            let abandoned = answer == Answer::Gone && !signed.suspect && word & OWNER_DIED == 0;
            return if abandoned { Succession::Abandoned } else { Succession::No };
        }
        let proven = signed.who.is_some() && !signed.suspect && word & OWNER_DIED == 0; // D1
        let suspected = answer == Answer::Gone || word & THREAD == NOBODY; // D2, to be asked again
        if word & THREAD == 0 || !(proven || suspected) {
            return Succession::No;
        }
        let claim = self.me.word() | if proven { 0 } else { SUSPECT };
        // I2, I3. ORDERING: AcqRel; the claim is there before the word changes.
        if self.words.owner.compare_exchange(found, claim, AcqRel, Relaxed).is_err() {
            return Succession::No;
        }
        let result = self.dispossess(proven.then_some(word & THREAD), until);
        if matches!(result, Succession::No) {
            // If this fails, an owner that holds the word has signed over the claim.
            // ORDERING: Relaxed; it takes back what nobody has acted upon.
            let _ = self.words.owner.compare_exchange(claim, 0, Relaxed, Relaxed);
        }
        result
    }

    /// From *claimed* to *nobody's*, and on. `dead` is the thread id whose owner is proven dead.
    fn dispossess(&self, dead: Option<u32>, until: Option<u64>) -> Succession {
        for _ in 0..TRIES {
            // ORDERING: Acquire, here and below; what is acted upon is compared and swapped.
            let mut word = self.words.word.load(Acquire);
            if word & THREAD == NOBODY {
                return self.inherit(until);
            }
            let gone = match dead {
                Some(thread) => word & (THREAD | OWNER_DIED) == thread,
                None => match futex::try_lock(&self.words.word) {
                    Answer::Yours => return Succession::Ours(self.taken_from_kernel()),
                    Answer::Gone => true,
                    // By our own number, though we have not locked.
                    Answer::Deadlock => word & THREAD == self.thread,
                    _ => false,
                },
            };
            if !gone {
                return Succession::No;
            }
            if dead.is_none() {
                word = self.words.word.load(Acquire); // The kernel has set `WAITERS`.
            }
            let nobody = NOBODY | word & WAITERS;
            // ORDERING: AcqRel; the claim precedes it, and so do the dead owner's stores.
            let _ = self.words.word.compare_exchange(word, nobody, AcqRel, Relaxed);
        }
        Succession::No
    }

    /// From *nobody's* to *held*, when no waiter is left in the kernel (I4).
    fn inherit(&self, until: Option<u64>) -> Succession {
        loop {
            if !futex::has_waiters(&self.words.word) && self.replace_nobody() {
                // ORDERING: Relaxed, as in `sign`.
                self.words.owner.store(self.me.word(), Relaxed);
                return Succession::Ours(self.note_death());
            }
            if !self.is_nobodys() || until.is_none_or(|until| clock::now_ns() >= until) {
                return Succession::No;
            }
            std::thread::sleep(NAP);
        }
    }

    fn replace_nobody(&self) -> bool {
        for _ in 0..TRIES {
            // ORDERING: Relaxed; compared and swapped below.
            let word = self.words.word.load(Relaxed);
            if word & THREAD != NOBODY {
                return false;
            }
            // ORDERING: Acquire; the one before may have died after more than its claim.
            if self.words.word.compare_exchange(word, self.thread, Acquire, Relaxed).is_ok() {
                return true;
            }
        }
        false
    }
}
