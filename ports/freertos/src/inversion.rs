//! A priority inversion, by counts: how far a middle task gets while an urgent one waits for a lock that
//! a low one holds.
//!
//! ```text
//!   low, holding the lock        urgent                    middle
//!   wakes the urgent one         asks for the lock
//!   wakes the middle one                                   counts its steps: all of them, unless the ceiling
//!   gives the lock back          has it; how many steps?   keeps the low one above it
//! ```

use core::cell::Cell;

use critical_section::{Mutex, with};
use strait_core::Lock;

use crate::kernel::{Task, delay, notify, spawn, take_notice};
use crate::{APPLICATION, LONG, POLICY, await_all, count, done, join};

/// The urgent task's priority, and so the lock's ceiling.
pub const HIGH: u32 = 4;
const MIDDLE: u32 = 3;
const LOW: u32 = 2;
/// The middle task's work.
pub const STEPS: u32 = 1000;

static CEILING: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static STEPPED: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static DELAYED_BY: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static DONE: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
/// The urgent task and the middle one.
static WOKEN: Mutex<Cell<Option<[Task; 2]>>> = Mutex::new(Cell::new(None));

fn get<T: Copy>(cell: &Mutex<Cell<T>>) -> T {
    with(|section| cell.borrow(section).get())
}

fn set<T>(cell: &Mutex<Cell<T>>, value: T) {
    with(|section| cell.borrow(section).set(value));
}

fn low() {
    let mut plant = join(get(&CEILING)).mutex::<u32>("plant").expect("anybody may lock it");
    plant.set_wait_policy(POLICY);
    let Ok(Lock::Held(mut guard)) = plant.lock_timeout(LONG) else { panic!("nobody dies here") };
    for task in get(&WOKEN).expect("they were started before") {
        notify(task, APPLICATION);
    }
    guard.update(|value| *value += 1);
    guard.unlock().expect("it is still ours");
    count(&DONE);
    done();
}

fn middle() {
    take_notice(APPLICATION, u32::MAX - 1);
    for _ in 0..STEPS {
        count(&STEPPED);
    }
    count(&DONE);
    done();
}

fn urgent() {
    let mut plant = join(get(&CEILING)).mutex::<u32>("plant").expect("anybody may lock it");
    plant.set_wait_policy(POLICY);
    take_notice(APPLICATION, u32::MAX - 1);
    let before = get(&STEPPED);
    let Ok(Lock::Held(guard)) = plant.lock_timeout(LONG) else { panic!("nobody dies here") };
    set(&DELAYED_BY, get(&STEPPED) - before);
    guard.unlock().expect("it is still ours");
    count(&DONE);
    done();
}

/// Answers with the middle task's steps while the urgent one waited.
pub fn run(ceiling: u32) -> u32 {
    set(&CEILING, ceiling);
    set(&DONE, 0);
    let woken = [spawn(HIGH, urgent), spawn(MIDDLE, middle)];
    set(&WOKEN, Some(woken));
    // Both get to where they wait before the low one starts.
    delay(10);
    spawn(LOW, low);
    await_all(&DONE, 3);
    get(&DELAYED_BY)
}
