//! The machine that all participants of a region share: its memory, which participants live, where they
//! sleep, and what a test makes happen there.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use strait_core::port::{Cache, Ident, Mem, Wakers};

use super::guarded::Guarded;
use super::hardware_lock::HardwareLock;

/// The machine.
pub struct World {
    memory: Guarded,
    pub(super) mem: Mem,
    /// The participants that were ever alive here; `false` once dead. One that is not in it holds no
    /// token, so it is dead too.
    pub(super) tokens: Mutex<HashMap<u32, bool>>,
    pub(super) sleepers: Sleepers,
    pub(super) started: Instant,
    pub faults: Faults,
    pub hooks: Hooks,
    pub counts: Counts,
    pub hardware: HardwareLock,
    /// Where ports say that they have a cache; the memory is coherent all the same.
    pub cache: OnceLock<Cache>,
}

/// Where threads and tasks sleep.
#[derive(Default)]
pub(super) struct Sleepers {
    /// Held between the look at a word and the sleep, and for a moment before each wake.
    pub gate: Mutex<()>,
    pub bell: Condvar,
    pub wakers: Mutex<Wakers<4>>,
}

/// What goes wrong from now on.
#[derive(Default)]
pub struct Faults {
    /// Wakes are lost.
    pub deaf: AtomicBool,
    /// Nobody sleeps any more: every wait returns at once, as under a storm of wakes.
    pub storm: AtomicBool,
    /// Parked words are cleared as soon as somebody sleeps on them, without a wake.
    pub thief: AtomicBool,
}

/// Something that happens once.
pub type Hook = Box<dyn FnOnce() + Send>;

/// What happens at a call of the port's.
#[derive(Default)]
pub struct Hooks {
    /// When somebody looks at the clock, the first of it at the first look.
    pub on_clock: Mutex<VecDeque<Option<Hook>>>,
    /// When somebody wakes others, before they are woken.
    pub on_wake: Mutex<Option<Hook>>,
    /// When somebody asks for its domain, as each claim of a role does.
    pub on_domain: Mutex<VecDeque<Option<Hook>>>,
    /// When a task's waker is about to be kept.
    pub on_keep: Mutex<Option<Hook>>,
}

/// What was asked of the port.
pub struct Counts {
    pub wakes: AtomicU32,
    pub sleeps: AtomicU32,
    pub probes: AtomicU32,
    /// How often the priority is raised now.
    pub raised: AtomicU32,
    /// How long tasks were to sleep, and whether at a word.
    pub naps: Mutex<Vec<(bool, Duration)>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// With memory of zeros.
    pub(super) fn new(len: u32) -> Self {
        let memory = Guarded::new(len);
        // Room for the naps is made here, since tests that count allocations sleep too.
        let naps = Mutex::new(Vec::with_capacity(8));
        Self {
            mem: memory.mem(),
            memory,
            tokens: Mutex::default(),
            sleepers: Sleepers::default(),
            started: Instant::now(),
            faults: Faults::default(),
            hooks: Hooks::default(),
            counts: Counts { wakes: 0.into(), sleeps: 0.into(), probes: 0.into(), raised: 0.into(), naps },
            hardware: HardwareLock::default(),
            cache: OnceLock::new(),
        }
    }

    pub fn mem(&self) -> &Mem {
        &self.mem
    }

    /// Whether the memory before and after the region is as it was.
    pub fn is_intact(&self) -> bool {
        self.memory.is_intact()
    }

    /// How many tasks' wakers are kept.
    pub fn tasks(&self) -> usize {
        lock(&self.sleepers.wakers).len()
    }

    pub(super) fn declare_dead(&self, who: Ident) {
        lock(&self.tokens).insert(who.word(), false);
    }
}
