//! The step before each access to the region, at which a thread can be killed.

extern crate std;

use std::boxed::Box;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[derive(Clone, Copy)]
enum Life {
    /// Accesses left before death; `None` if the thread is not to die.
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
    /// How many of them are in [`run`]. The others never die, and most models have no such thread: their steps need
    /// not look their lives up, which loom does in a hash table.
    static MORTAL: Cell<u32> = const { Cell::new(0) };
}

/// The panic payload that unwinds a killed thread.
struct Killed;

/// Stands before each access; `false` if the thread is dead and the access must not happen.
pub(crate) fn step() -> bool {
    // The model has failed, the search is over, and what still runs drops endpoints on its way out.
    // (While a killed thread unwinds, others may run.)
    if std::thread::panicking() && DYING.get() == 0 {
        return false;
    }
    if MORTAL.get() == 0 {
        return true;
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

/// Runs `life`, which is killed before its access number `at` to the region, from 0, if there are that many;
/// `None` if it was.
pub(crate) fn run<R>(at: u32, life: impl FnOnce() -> R) -> Option<R> {
    LIFE.with(|state| state.set(Life::Alive(Some(at))));
    MORTAL.set(MORTAL.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(life));
    MORTAL.set(MORTAL.get() - 1);
    LIFE.with(|state| state.set(Life::Alive(None)));
    match result {
        Ok(result) => Some(result),
        Err(payload) if payload.is::<Killed>() => {
            DYING.set(DYING.get() - 1);
            None
        }
        Err(payload) => resume_unwind(payload),
    }
}
