//! A mutex with priority inheritance, for Linux: its owner runs with the priority of the
//! highest thread that waits for it.
//!
//! It is in a page of its own, under a name, and guards whatever its users agree on. Locking and
//! unlocking take one compare-and-swap each and no system call while nobody else wants it.
//!
//! # Memory
//!
//! ```text
//!  0 magic  4 version  8 device and 16 inode of the PID namespace  24 next identity   (written once, but the last)
//! 64 word   68 owner   72 takeovers   76 state
//! ```
//!
//! | word | values | written by |
//! |---|---|---|
//! | word | thread id, `OWNER_DIED` (bit 30), `WAITERS` (bit 31): the kernel's own format | owners, the kernel, a recoverer |
//! | owner | the owner's identity, from just after locking to just before unlocking; bit 31: it is recovered by that identity, on suspicion; else 0 | the owner; a recoverer |
//! | takeovers | how often an owner's death was found; wraps | the owner |
//! | state | 0: whole; 1 to 3: the number of owners that died in a row; all ones: poisoned | the owner |
//!
//! # States
//!
//! | state | word | owner | next |
//! |---|---|---|---|
//! | free | 0 | 0 | *unsigned*, by one compare-and-swap |
//! | unsigned | T | 0 | *held*: its holder has only to store its identity |
//! | held | T, perhaps `WAITERS` | A | *unsigned*, then *free*, by the owner; or *handed*, by the kernel |
//! | handed | T, perhaps `WAITERS` | 0 | *held*. The kernel has woken the highest waiter as the holder |
//! | inherited | T and `OWNER_DIED` | anything | *held*, for repair: the holder ended while others waited, and the kernel has woken the highest one |
//! | left | T of a thread that ended | A, or 0 | *claimed*, with proof (below) |
//! | claimed | as before | B, perhaps bit 31 | *nobody's*; as before, if the proof does not hold; *left*, if B dies |
//! | nobody's | a thread id that cannot be, perhaps `WAITERS` | B, perhaps bit 31; or 0 | *held*, for repair, once no waiter is left in the kernel; *claimed* by another one if B dies or gives up |
//!
//! # Proof of death
//!
//! The kernel keeps no list of what a thread has locked (that list belongs to the C library). So the
//! word goes on naming a thread that has ended, and the number may be given to another thread. Two
//! things prove that the holder is gone, and both are the kernel's word:
//!
//! - D1. `owner` names A, `OWNER_DIED` is clear, and A's token is free: A's process has ended, has
//!   become another program, or has dropped the handle. Whose the thread id is now does not matter.
//! - D2. Nobody has signed (`owner` is 0, or marked, or left from before an inheritance), and the
//!   kernel answers `ESRCH`: no thread has that id. Or it is the caller's own id, and the
//!   caller knows that it has not locked.
//!
//! A thread that ends in a process that lives, with its handle kept, is not proven dead: the kernel
//! returns `ESRCH`, but the token is held. That is [`PiLockError::Abandoned`].
//!
//! # Invariants
//!
//! - I1. An owner stores its identity after it has got the word, and clears it before it lets the word
//!   go. While `OWNER_DIED` is set, the identity may be that of an owner before. So an identity without
//!   mark beside a word without `OWNER_DIED` means: no other living thread has the word.
//! - I2. No identity is ever used twice, so a compare-and-swap that replaces a dead one succeeds once.
//!   From 0 there is no such certainty; therefore that claim is marked, proves nothing to others, and
//!   asks the kernel again before it goes on.
//! - I3. While somebody alive stands in `owner`, nobody else claims. With the holder gone then only
//!   the kernel may still change the word: by handing it to a waiter, with `OWNER_DIED`.
//! - I4. With a thread id that cannot be in the word the kernel lets nobody queue any more (`ESRCH`,
//!   or `EINVAL` while others are queued), and those who are leave within `PROBE`. The word goes from
//!   there to its new owner only with the queue empty, so the kernel never has another owner in mind
//!   than the word.
//! - I5. All deaths lead through *inherited* or *nobody's*, whose next owner is notified.
//!
//! # Memory ordering
//!
//! The compare-and-swaps that take and release the word are Acquire and Release; the kernel's ways to
//! do so are full barriers, with fences on our side. These words are not in the model checker: half of
//! their protocol is the kernel's. What stands in for it are kills at each of these states.
//!
//! # If a peer dies
//!
//! The next one to lock gets [`PiLock::OwnerDied`]; waiters in the kernel at once, others as they come.
//! Two narrow gaps remain, a few instructions after locking and before unlocking, where the owner has
//! not signed: if it dies there, *and* its thread id is given to another thread before anyone looks, the
//! mutex stays taken until that thread ends.
//!
//! # If a peer misbehaves
//!
//! It can take the mutex from its owner, keep it for ever, or lend the waiters' priority to any thread of
//! the machine. It cannot make a call panic or last beyond its deadline.

mod error;
mod guard;
mod mutex;
mod recover;
mod words;

pub use error::{PiLockError, PiOpenError, PiUnlockError};
pub use guard::{PiGuard, PiLock, PiRecovery};
pub use mutex::{PiMutex, PiStatus};
