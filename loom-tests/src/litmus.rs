//! The checker itself: small programs whose outcomes are known. It must find them all, and no
//! others.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use strait_core::ground::sync::order::{Order, RELAXED, park, publish};
use strait_core::ground::sync::{Word, fence};
use strait_core::model::loom::thread;

use crate::models;
use crate::search::ALL;

models! {
    "a_load_hides_no_other" => a_load_hides_no_other(),
    "nor_does_a_third_threads_load" => nor_does_a_third_threads_load(),
    "message_passing/relaxed" => message_passing(RELAXED, RELAXED, &[[0, 0], [0, 1], [1, 0], [1, 1]]),
    "message_passing/ordered" => message_passing(publish::STORE, publish::LOAD, &[[0, 0], [0, 1], [1, 1]]),
    "a_failed_exchange/relaxed" => a_failed_exchange(RELAXED, RELAXED, &[[0, 0], [0, 1], [1, 0], [1, 1]]),
    "a_failed_exchange/ordered" => a_failed_exchange(publish::STORE, publish::LOAD, &[[0, 0], [0, 1], [1, 1]]),
    "a_wrong_use_of_a_failed_exchange_is_found" => a_wrong_use_of_a_failed_exchange_is_found(),
    "store_buffering/relaxed" => store_buffering(false, &[[0, 0], [0, 1], [1, 0], [1, 1]]),
    "store_buffering/fenced" => store_buffering(true, &[[0, 1], [1, 0], [1, 1]]),
}

/// Runs a program of two words, both 0, in all its orders, and compares its outcomes.
fn outcomes(expected: &[[u32; 2]], program: impl Fn(Arc<[Word; 2]>) -> [u32; 2] + Send + Sync + 'static) {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let found = seen.clone();
    ALL.never_quick().check(move || {
        let outcome = program(Arc::new([Word::new(0), Word::new(0)]));
        found.lock().expect("nobody panics with it").insert(outcome);
    });
    let seen = seen.lock().expect("nobody panics with it");
    assert_eq!(*seen, expected.iter().copied().collect());
}

/// ```text
///   one                                   another
///   x?                                    x?
///                                         x = 1
/// ```
fn a_load_hides_no_other() {
    outcomes(&[[0, 0], [1, 0]], |words| {
        let there = words.clone();
        let other = thread::spawn(move || {
            let seen = there[0].load(RELAXED);
            there[0].store(1, RELAXED);
            seen
        });
        let seen = words[0].load(RELAXED);
        [seen, other.join().unwrap()]
    });
}

/// ```text
///   one                    another                a third
///   x?                     x?                     y?
///                          y = 1                  if y = 1: x = 1
/// ```
fn nor_does_a_third_threads_load() {
    outcomes(&[[0, 0], [1, 0]], |words| {
        let (second, third) = (words.clone(), words.clone());
        let second = thread::spawn(move || {
            let seen = second[0].load(RELAXED);
            second[1].store(1, RELAXED);
            seen
        });
        let third = thread::spawn(move || {
            if third[1].load(RELAXED) == 1 {
                third[0].store(1, RELAXED);
            }
        });
        let seen = words[0].load(RELAXED);
        third.join().unwrap();
        [seen, second.join().unwrap()]
    });
}

/// ```text
///   one                                   another
///   x = 1                                 y?
///   y = 1                                 x?
/// ```
fn message_passing(store: Order, load: Order, expected: &[[u32; 2]]) {
    outcomes(expected, move |words| {
        let there = words.clone();
        let other = thread::spawn(move || {
            there[0].store(1, RELAXED);
            there[1].store(1, store);
        });
        let y = words[1].load(load);
        let x = words[0].load(RELAXED);
        other.join().unwrap();
        [y, x]
    });
}

/// ```text
///   one                                   another
///   x = 1                                 y = 1
///   y?                                    x?
/// ```
fn store_buffering(fenced: bool, expected: &[[u32; 2]]) {
    outcomes(expected, move |words| {
        let there = words.clone();
        let other = thread::spawn(move || {
            there[0].store(1, RELAXED);
            if fenced {
                fence(park::SENDER_FENCE);
            }
            there[1].load(RELAXED)
        });
        words[1].store(1, RELAXED);
        if fenced {
            fence(park::SLEEPER_FENCE);
        }
        let x = words[0].load(RELAXED);
        [x, other.join().unwrap()]
    });
}

/// As [`message_passing`], but x is seen by an exchange that fails: a load like any other.
///
/// ```text
///   one                                   another
///   x = 1                                 y?
///   y = 1                                 x: 5 to 6? (it is 0 or 1)
/// ```
fn a_failed_exchange(store: Order, load: Order, expected: &[[u32; 2]]) {
    outcomes(expected, move |words| {
        let there = words.clone();
        let other = thread::spawn(move || {
            there[0].store(1, RELAXED);
            there[1].store(1, store);
        });
        let y = words[1].load(load);
        let x = words[0].compare_exchange(5, 6, RELAXED).unwrap_or_else(|seen| seen);
        other.join().unwrap();
        [y, x]
    });
}

/// A lock that is handed over by a flag, and a waiter who takes a failed exchange for the newest state: it sees
/// the flag, and concludes from the old owner's name in the lock that the owner has it still.
///
/// ```text
///   the owner                             a waiter
///   the lock: 0                           the flag?
///   the flag: 1 (relaxed: the bug)        if it is 1: the lock: 2, if it was 0
/// ```
fn a_wrong_use_of_a_failed_exchange_is_found() {
    const OWNER: u32 = 7;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let found = seen.clone();
    ALL.never_quick().check(move || {
        let words = Arc::new([Word::new(OWNER), Word::new(0)]);
        let there = words.clone();
        let owner = thread::spawn(move || {
            there[0].store(0, RELAXED);
            there[1].store(1, RELAXED);
        });
        if words[1].load(RELAXED) == 1 {
            let taken = words[0].compare_exchange(0, 2, RELAXED);
            found.lock().expect("nobody panics with it").insert(taken);
        }
        owner.join().unwrap();
    });
    let seen = seen.lock().expect("nobody panics with it");
    assert_eq!(
        *seen,
        BTreeSet::from([Ok(0), Err(OWNER)]),
        "the flag is there, and the owner seems to have it"
    );
}
