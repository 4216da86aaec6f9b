//! Death before any access to the region.

extern crate std;

use std::boxed::Box;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::port::Port;

#[derive(Clone, Copy)]
enum Life {
    /// So many accesses left; `None` is no end in sight.
    Alive(Option<u32>),
    /// No access reaches the region any more: what still runs is the dying thread's unwinding,
    /// which a killed process does not do.
    Dead,
}

loom::thread_local! {
    static LIFE: Cell<Life> = Cell::new(Life::Alive(None));
}

std::thread_local! {
    /// How many of the model's threads, which are all one thread of the system's, are unwinding
    /// because they were killed.
    static DYING: Cell<u32> = const { Cell::new(0) };
}

/// What unwinds a thread that was killed.
struct Killed;

/// Stands before each access; `false` if the thread is dead and the access must not happen.
pub(super) fn step() -> bool {
    // The model has failed, the search is over, and what still runs drops endpoints on its way out.
    // (While a killed thread unwinds, others may run.)
    if std::thread::panicking() && DYING.get() == 0 {
        return false;
    }
    LIFE.with(|life| match life.get() {
        Life::Alive(None) => true,
        Life::Alive(Some(0)) => {
            life.set(Life::Dead);
            DYING.set(DYING.get() + 1);
            resume_unwind(Box::new(Killed));
        }
        Life::Alive(Some(left)) => {
            life.set(Life::Alive(Some(left - 1)));
            true
        }
        Life::Dead => false,
    })
}

/// The participant was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Died;

/// A death to come: the thread that [runs](Self::run) under it is killed before its n-th access.
#[derive(Clone)]
pub struct Death {
    at: u32,
    struck: Arc<AtomicBool>,
}

impl Death {
    /// A death before access number `at`, from 0, for models that [`each_death`] does not fit: with
    /// two deaths, or with a search of their own.
    #[must_use]
    pub fn before(at: u32) -> Self {
        Self { at, struck: Arc::default() }
    }

    /// Runs `life` as the participant `port`, which is killed before its n-th access to the region
    /// if there are that many. It is then proven dead: its liveness token is gone.
    ///
    /// # Errors
    ///
    /// [`Died`], if it was killed.
    pub fn run<R>(&self, port: &Port, life: impl FnOnce() -> R) -> Result<R, Died> {
        LIFE.with(|state| state.set(Life::Alive(Some(self.at))));
        let result = catch_unwind(AssertUnwindSafe(life));
        LIFE.with(|state| state.set(Life::Alive(None)));
        match result {
            Ok(result) => Ok(result),
            Err(payload) if payload.is::<Killed>() => {
                DYING.set(DYING.get() - 1);
                self.struck.store(true, Ordering::SeqCst);
                port.end();
                Err(Died)
            }
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Before which access death comes, from 0.
    #[must_use]
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Whether it has struck, in any order of steps so far.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }
}

/// Checks `model` once for each point at which a death can strike: before the first access of what
/// [`Death::run`] runs, before the second, and so on until it lives to its end in all orders.
/// Answers with the number of points.
pub fn each_death(model: impl Fn(Death) + Clone + Sync + Send + 'static) -> u32 {
    for at in 0.. {
        let death = Death::before(at);
        let (this, that) = (model.clone(), death.clone());
        loom::model(move || this(that.clone()));
        if !death.has_struck() {
            return at;
        }
    }
    u32::MAX
}
