//! A mutex whose owner lives, and whose edit in place was broken off by a panic that was caught: what is done under
//! the lock after that is kept, or its loss is told. And the fencing token, when a lost value is set anew.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::common::{Region, TestPort};
use strait_core::protocol::mutex::State;
use strait_core::{Channel, Guard, Lock, LockError, Mutex, Plan, UnlockError};

const PLAN: Plan = Plan::new(&[Channel::mutex::<u32>("m")]);

type M = Mutex<u32, TestPort>;

fn held(mutex: &mut M) -> Guard<'_, u32, TestPort> {
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("free and whole") };
    guard
}

/// Writes half of the value, and panics.
fn break_off(guard: &mut Guard<'_, u32, TestPort>) {
    let edit = || {
        guard.edit_in_place(|value| {
            value.write(0, &[9]);
            std::panic::resume_unwind(Box::new(()));
        })
    };
    catch_unwind(AssertUnwindSafe(edit)).expect_err("it panics");
}

/// A value that is set whole is whole, whatever was half written before.
#[test]
fn a_value_that_is_set_after_it_is_kept() {
    for by_bytes in [false, true] {
        let region = Region::new(&PLAN);
        let (a, b) = (region.join(), region.join());
        let (mut m, mut n) = (a.mutex::<u32>("m").unwrap(), b.mutex::<u32>("m").unwrap());
        let mut guard = held(&mut m);
        break_off(&mut guard);
        if by_bytes {
            guard.set_from(&42).unwrap()
        } else {
            guard.set(&42)
        }
        assert_eq!(guard.unlock(), Ok(()));
        assert_eq!(m.state(), State::Free);
        assert_eq!(held(&mut n).get(), 42);
    }
}

/// Without a whole value the lock is given up, and who unlocks is told so.
#[test]
fn a_lock_that_is_given_up_for_it_says_so() {
    type Act = fn(&mut Guard<'_, u32, TestPort>);
    let nothing: Act = |_| ();
    // What is made of half a value is no whole one.
    let update: Act = |guard| guard.update(|value| *value += 1);
    let edit: Act = |guard| guard.edit_in_place(|value| assert_eq!(value.write(1, &[1]), 1));
    for act in [nothing, update, edit] {
        let region = Region::new(&PLAN);
        let (a, b) = (region.join(), region.join());
        let (mut m, mut n) = (a.mutex::<u32>("m").unwrap(), b.mutex::<u32>("m").unwrap());
        let mut guard = held(&mut m);
        break_off(&mut guard);
        act(&mut guard);
        assert_eq!(guard.unlock(), Err(UnlockError::GivenUp));
        assert_eq!(m.state(), State::Poisoned);
        assert_eq!(n.try_lock().err(), Some(LockError::Poisoned));
        assert_eq!(region.counts.raised.load(std::sync::atomic::Ordering::Relaxed), 0);
    }
}

#[test]
fn a_guard_that_is_dropped_after_it_gives_the_lock_up() {
    let region = Region::new(&PLAN);
    let a = region.join();
    let mut m = a.mutex::<u32>("m").unwrap();
    let mut guard = held(&mut m);
    break_off(&mut guard);
    drop(guard);
    assert_eq!(m.state(), State::Poisoned);
}

/// Nobody has the token of another: neither who re-initialises that of one who gave up, nor the next one.
#[test]
fn each_owner_since_a_loss_has_a_token_of_its_own() {
    let region = Region::new(&PLAN);
    let (a, b, c) = (region.join(), region.join(), region.join());
    let mut tokens = Vec::new();
    let mut m = a.mutex::<u32>("m").unwrap();
    tokens.push(held(&mut m).takeovers());
    let mut doomed = b.mutex::<u32>("m").unwrap();
    let guard = held(&mut doomed);
    tokens.push(guard.takeovers());
    assert_eq!(tokens[0], tokens[1], "nothing was lost yet");
    std::mem::forget(guard);
    b.die(doomed);
    let Ok(Lock::OwnerDied(recovery)) = m.try_lock() else { panic!("its owner is dead") };
    let gave_up = region.peek(region.entry("m").block_c + strait_core::ground::entry::at::TAKEOVERS);
    drop(recovery);
    let mut n = c.mutex::<u32>("m").unwrap();
    let guard = n.reinitialise(&7).expect("it was given up");
    assert!(guard.takeovers() > gave_up && gave_up > tokens[1], "{gave_up}, {}", guard.takeovers());
    let token = guard.takeovers();
    guard.unlock().unwrap();
    assert_eq!(held(&mut m).takeovers(), token);
    assert!(m.reinitialise(&8).is_none(), "nothing is lost");
    assert_eq!(held(&mut m).takeovers(), token, "so nothing is counted");
}
