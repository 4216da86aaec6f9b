//! Three tasks of one priority add to one number under a mutex, and let each other run while they hold it.

use core::cell::Cell;

use critical_section::Mutex;
use strait_core::Lock;

use crate::{KERNEL, LONG, POLICY, await_all, count, done, join, kernel};

const TASKS: u32 = 3;
const ROUNDS: u32 = 400;

static DONE: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

fn add() {
    let mut total = join(0).mutex::<u32>("total").expect("anybody may lock it");
    total.set_wait_policy(POLICY);
    for round in 0..ROUNDS {
        let Ok(Lock::Held(mut guard)) = total.lock_timeout(LONG) else { panic!("nobody dies here") };
        let before = guard.get();
        if round % 8 == 0 {
            // The others run, and find it locked.
            kernel::delay(1);
        }
        guard.set(&(before + 1));
        guard.unlock().expect("it is still ours");
    }
    count(&DONE);
    done();
}

/// Answers with how often it was locked, and how often somebody slept for that.
pub fn run() -> (u32, u32) {
    let before = KERNEL.sleeps();
    for _ in 0..TASKS {
        kernel::spawn(2, add);
    }
    await_all(&DONE, TASKS);
    let contended = KERNEL.sleeps() - before;
    assert!(contended > ROUNDS / 8, "there was hardly any contention: {contended}");
    let mut total = join(0).mutex::<u32>("total").expect("anybody may lock it");
    let Ok(Lock::Held(guard)) = total.try_lock() else { panic!("all have given it back") };
    assert_eq!(guard.get(), TASKS * ROUNDS, "an addition was lost");
    (TASKS * ROUNDS, contended)
}
