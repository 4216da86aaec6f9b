//! Token descriptors, which a handler closes in every forked child.
//!
//! # Invariants
//!
//! - F1. A token's descriptor is opened, entered in [`TOKENS`], taken out and closed with the gate
//!   shut. `fork` shuts the gate for its own duration, so a child finds every inherited token in
//!   the table, and none half-way.
//! - F2. An entry belongs to the one [`Token`] that names it, as long as that was made in this
//!   generation. A child's handler empties the table and then starts a new generation.
//!
//! `_Fork` and a bare `clone` run no handlers: a child made so keeps its parent's tokens until it
//! ends or executes a program.

use core::ffi::c_int;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use nix::libc;

use crate::error::OsError;

/// Mappings with a token that one process can have.
const MAX_TOKENS: usize = 1024;
const FREE: RawFd = -1;

static TOKENS: [AtomicI32; MAX_TOKENS] = [const { AtomicI32::new(FREE) }; MAX_TOKENS];
static GENERATION: AtomicU32 = AtomicU32::new(0);
static SHUT: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<c_int> = OnceLock::new();

fn shut_gate() {
    while SHUT.swap(true, Ordering::Acquire) {
        // Held for a system call or two. Sleeping, not yielding: the holder may have a lower
        // real-time priority on this very core.
        std::thread::sleep(Duration::from_micros(20));
    }
}

fn open_gate() {
    SHUT.store(false, Ordering::Release);
}

/// The gate, shut until this is dropped.
struct Gate;

impl Gate {
    fn shut() -> Self {
        shut_gate();
        Self
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        open_gate();
    }
}

extern "C" fn before_fork() {
    shut_gate();
}

extern "C" fn in_parent() {
    open_gate();
}

/// Only what a signal handler may do: atomics and `close`.
extern "C" fn in_child() {
    for entry in &TOKENS {
        let fd = entry.swap(FREE, Ordering::Relaxed);
        if fd != FREE {
            // SAFETY: an entry is an open descriptor of this process (F1, F2), which nobody else
            // uses: the other threads do not exist here, and this one is inside `fork`.
            unsafe { libc::close(fd) };
        }
    }
    GENERATION.fetch_add(1, Ordering::Relaxed);
    open_gate();
}

fn install() -> Result<(), OsError> {
    let code = *INSTALLED.get_or_init(|| {
        // SAFETY: the handlers are `extern "C"` functions that live as long as the program, touch
        // statics only, and do in the child what is allowed there.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) }
    });
    if code == 0 { Ok(()) } else { Err(OsError::new("pthread_atfork", code)) }
}

/// The process in which something was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(u32);

impl Origin {
    /// This process.
    pub(crate) fn here() -> Result<Self, OsError> {
        install()?;
        Ok(Self(GENERATION.load(Ordering::Relaxed)))
    }

    /// Whether this is a forked child of that process.
    pub(crate) fn left(self) -> bool {
        self.0 != GENERATION.load(Ordering::Relaxed)
    }
}

/// A descriptor that exists in the process that opened it and in no forked child.
#[derive(Debug)]
pub(crate) struct Token {
    entry: usize,
    origin: Origin,
}

impl Token {
    /// Opens the descriptor, which must be marked close-on-exec.
    pub(crate) fn open(open: impl FnOnce() -> Result<OwnedFd, OsError>) -> Result<Self, OsError> {
        let origin = Origin::here()?;
        let _gate = Gate::shut();
        let free = TOKENS.iter().position(|entry| entry.load(Ordering::Relaxed) == FREE);
        let entry = free.ok_or(OsError::new("open a liveness token", libc::EMFILE))?;
        TOKENS[entry].store(open()?.into_raw_fd(), Ordering::Relaxed);
        Ok(Self { entry, origin })
    }

    /// Whether this is a forked child of the process that opened it.
    pub(crate) fn left_behind(&self) -> bool {
        self.origin.left()
    }

    /// Uses the descriptor; `None` in a forked child.
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(BorrowedFd<'_>) -> R) -> Option<R> {
        if self.left_behind() {
            return None;
        }
        let fd = TOKENS[self.entry].load(Ordering::Relaxed);
        // SAFETY: the entry is ours (F2), so the descriptor stays open until `self` is dropped,
        // which the borrow of `self` prevents. A fork cannot begin in this thread meanwhile.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        Some(use_it(fd))
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let _gate = Gate::shut();
        if self.origin.left() {
            return; // The handler has closed it, and the entry may be somebody else's by now.
        }
        let fd = TOKENS[self.entry].swap(FREE, Ordering::Relaxed);
        // SAFETY: the entry was ours (F2) and held an open descriptor, which is closed here once.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, AsRawFd};

    use super::Token;

    #[test]
    fn a_token_is_open_until_it_is_dropped() {
        let open = || Ok(std::fs::File::open("/dev/null").expect("open").into());
        let token = Token::open(open).expect("a token");
        let fd = token.with(|fd| fd.as_fd().as_raw_fd()).expect("not forked");
        assert!(std::fs::metadata(format!("/proc/self/fd/{fd}")).is_ok());
        let other = Token::open(open).expect("another");
        assert_ne!(other.with(|fd| fd.as_raw_fd()), Some(fd));
    }
}
