//! Helpers of the tests of the priority-inheritance mutex: names, holders, and the mutex's words, seen and
//! changed as a peer without manners could.
#![allow(dead_code, missing_docs)]

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use strait_os::RegionOptions;
use strait_os::linux::{PiLock, PiLockError, PiMutex};

use super::{Helper, hear, say};

/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(30);

pub const NOBODY: u32 = 0x3FFF_FFFF;
pub const OWNER_DIED: u32 = 1 << 30;
pub const WAITERS: u32 = 1 << 31;
pub const SUSPECT: u32 = 1 << 31;

/// The page of a mutex, mapped once more and never unmapped.
pub struct Words(NonNull<AtomicU32>);

// SAFETY: atomics are for all threads, and the mapping stays.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    pub fn map(path: &std::path::Path) -> Self {
        let file = std::fs::File::options().read(true).write(true).open(path).expect("the page");
        let len = NonZeroUsize::new(4096).expect("not zero");
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses a place that is free.
        let base = unsafe { mmap(None, len, access, MapFlags::MAP_SHARED, &file, 0) }.expect("mapped");
        Self(base.cast())
    }

    fn at(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset < 4096);
        // SAFETY: within the page.
        let word = unsafe { self.0.byte_add(offset) };
        // SAFETY: mapped for ever, aligned, and used as atomics alone.
        unsafe { word.as_ref() }
    }

    pub fn word(&self) -> &AtomicU32 {
        self.at(64)
    }

    pub fn owner(&self) -> &AtomicU32 {
        self.at(68)
    }

    pub fn takeovers(&self) -> &AtomicU32 {
        self.at(72)
    }

    pub fn state(&self) -> &AtomicU32 {
        self.at(76)
    }

    /// Data for the mutex to guard, which the page has room for.
    pub fn data(&self, index: usize) -> &AtomicU32 {
        self.at(2048 + 4 * index)
    }
}

pub fn thread_id() -> u32 {
    nix::unistd::gettid().as_raw() as u32
}

/// A name of a mutex that nobody else uses; removed in the end.
pub struct Name(pub String);

impl Name {
    pub fn new(test: &str) -> Self {
        Self(format!("test-{}-{test}", std::process::id()))
    }

    pub fn open(&self) -> PiMutex {
        PiMutex::named(&self.0, &RegionOptions::new()).expect("a mutex")
    }

    /// A process that plays `hold` and holds the mutex.
    #[track_caller]
    pub fn holder(&self) -> Helper {
        let mut helper = Helper::start("hold-pi", &self.0);
        assert_eq!(helper.hear(), "held");
        helper
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = PiMutex::remove(&self.0);
    }
}

/// In a helper: holds the mutex until it gets a line, and prints the outcome of the unlock.
pub fn hold_pi(name: &str, then: impl FnOnce(&str)) {
    let mut mutex = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    let lock = mutex.lock_timeout(LONG).expect("free, or its owner dead");
    say("held");
    then(&hear());
    let unlocked = match lock {
        PiLock::Held(guard) => guard.unlock(),
        PiLock::OwnerDied(recovery) => recovery.mark_consistent().and_then(|guard| guard.unlock()),
    };
    say(&format!("{unlocked:?}"));
    hear();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Held,
    Repaired,
    Refused(PiLockError),
}

/// Locks, repairs where that is needed, and unlocks.
pub fn pass(attempt: Result<PiLock<'_>, PiLockError>) -> Outcome {
    match attempt {
        Ok(PiLock::Held(guard)) => {
            guard.unlock().expect("ours");
            Outcome::Held
        }
        Ok(PiLock::OwnerDied(recovery)) => {
            recovery.mark_consistent().and_then(|guard| guard.unlock()).expect("ours");
            Outcome::Repaired
        }
        Err(error) => Outcome::Refused(error),
    }
}
