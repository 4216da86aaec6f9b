//! The mutex with priority inheritance, when its owner's thread id lives on without the owner: given to another
//! thread by the kernel, or kept by a thread that has dropped its handle or become another program.
#![cfg(target_os = "linux")]

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, Instant};

use crate::common::pi::{LONG, Name, Outcome, WAITERS, Words, hold_pi, pass, thread_id};
use crate::common::{Helper, eventually, role_for_a_while, stay};
use strait_os::linux::{PiLock, PiLockError};

#[test]
fn fault_12_a_thread_id_that_was_given_away_keeps_nobody_alive() {
    let name = Name::new("reused");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    let stranger = Helper::start("hold-nothing", &name.0);
    for (timeout, own) in [(None, false), (Some(LONG), false), (None, true), (Some(LONG), true)] {
        name.holder().kill();
        // As if the kernel had given the dead thread's id to a stranger, or to ourselves.
        let id = if own { thread_id() } else { stranger.pid().as_raw() as u32 };
        words.word().store(id, SeqCst);
        let outcome = match timeout {
            None => pass(ours.try_lock()),
            Some(timeout) => pass(ours.lock_timeout(timeout)),
        };
        assert_eq!(outcome, Outcome::Repaired, "{timeout:?}, {own}");
        assert_eq!(pass(name.open().lock_timeout(LONG)), Outcome::Held);
    }
}

#[test]
fn fault_12_an_id_that_was_really_given_away_keeps_nobody_alive() {
    let test = "fault_12_an_id_that_was_really_given_away_keeps_nobody_alive";
    let name = Name::new("recycled");
    let mut ours = name.open();
    let mut helper = name.holder();
    let id = ours.status().thread.expect("its owner's");
    helper.kill();
    for _ in 0..200 {
        if let Err(error) = std::fs::write("/proc/sys/kernel/ns_last_pid", (id - 1).to_string()) {
            return crate::common::skip(test, &format!("the kernel's next thread id cannot be set: {error}"));
        }
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let stranger = std::thread::spawn(move || {
            tell.send(thread_id()).expect("the test listens");
            let _ = ended.recv();
        });
        let got = told.recv().expect("an id");
        if got == id {
            assert_eq!(pass(ours.try_lock()), Outcome::Repaired);
            drop(end);
            return stranger.join().expect("no panic");
        }
        drop(end);
        stranger.join().expect("no panic");
    }
    crate::common::skip(test, "others were faster to get that thread id, 200 times");
}

/// The owner is gone and its thread lives on, and so the kernel holds the waiters back; then the thread
/// ends, at any moment of the recovery.
#[test]
fn waiters_behind_a_stranger_leave_and_one_of_them_succeeds() {
    let name = Name::new("stranger");
    let inside = AtomicBool::new(false);
    for round in 0..25_u64 {
        let told = AtomicU32::new(0);
        let locked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut owner = name.open();
                std::mem::forget(owner.lock_timeout(LONG).expect("free"));
                locked.store(true, SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                drop(owner);
                std::thread::sleep(Duration::from_millis(2 * round));
            });
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut mutex = name.open();
                    while !locked.load(SeqCst) {
                        std::thread::yield_now();
                    }
                    for _ in 0..20 {
                        let guard = match mutex.lock_timeout(LONG).expect("in time") {
                            PiLock::Held(guard) => guard,
                            PiLock::OwnerDied(recovery) => {
                                told.fetch_add(1, SeqCst);
                                recovery.mark_consistent().expect("ours")
                            }
                        };
                        assert!(!inside.swap(true, SeqCst), "alone");
                        std::thread::yield_now();
                        inside.store(false, SeqCst);
                        guard.unlock().expect("ours");
                    }
                });
            }
        });
        assert_eq!(told.load(SeqCst), 1, "round {round}: told once");
    }
}

/// A waiter queued behind a stranger would be handed the word by the kernel when the stranger ends, whoever
/// has it by then. So nobody may have it before that waiter has left.
#[test]
fn who_succeeds_is_not_robbed_when_the_stranger_ends() {
    let name = Name::new("robbed");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    for round in 0..20 {
        let (drop_it, dropped) = (AtomicBool::new(false), AtomicBool::new(false));
        let end = AtomicBool::new(false);
        let wait_for = |flag: &AtomicBool| {
            while !flag.load(SeqCst) {
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            let stranger = scope.spawn(|| {
                let mut owner = name.open();
                std::mem::forget(owner.lock_timeout(LONG).expect("free"));
                wait_for(&drop_it);
                drop(owner);
                dropped.store(true, SeqCst);
                wait_for(&end);
            });
            assert!(eventually(|| words.word().load(SeqCst) != 0 && words.owner().load(SeqCst) != 0));
            let waiter = scope.spawn(|| pass(name.open().lock_timeout(LONG)));
            assert!(eventually(|| words.word().load(SeqCst) & WAITERS != 0));
            drop_it.store(true, SeqCst);
            wait_for(&dropped);
            let start = Instant::now();
            let lock = loop {
                // Short tries, to come between the waiter's.
                match ours.try_lock() {
                    Ok(lock) => break Some(lock),
                    Err(_) if start.elapsed() > LONG => break None,
                    Err(_) => {}
                }
            };
            end.store(true, SeqCst);
            stranger.join().expect("no panic");
            std::thread::sleep(Duration::from_millis(30));
            let unlocked = match lock {
                Some(PiLock::Held(guard)) => guard.unlock(),
                Some(PiLock::OwnerDied(recovery)) => {
                    recovery.mark_consistent().and_then(|guard| guard.unlock())
                }
                None => panic!("round {round}: not in time"),
            };
            assert_eq!(unlocked, Ok(()), "round {round}: nobody else has got it");
            assert!(matches!(waiter.join().expect("no panic"), Outcome::Held | Outcome::Repaired));
        });
    }
}

#[test]
fn a_process_that_becomes_another_program_has_died() {
    let name = Name::new("exec");
    let mut ours = name.open();
    let mut helper = Helper::start("hold-and-become-sleep", &name.0);
    assert_eq!(helper.hear(), "held");
    assert_eq!(pass(ours.try_lock()), Outcome::Refused(PiLockError::Busy));
    helper.tell("go");
    assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Repaired);
    assert!(nix::sys::signal::kill(helper.pid(), None).is_ok(), "the process is still there");
}

#[test]
fn helper() {
    let Some((role, argument)) = role_for_a_while() else { return };
    match role.as_str() {
        "hold-pi" => hold_pi(&argument, |_| ()),
        "hold-and-become-sleep" => hold_pi(&argument, |_| {
            panic!("{}", Command::new("sleep").arg("60").exec());
        }),
        "hold-nothing" => stay(),
        other => panic!("no role {other}"),
    }
}
