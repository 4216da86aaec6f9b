//! The mutex with priority inheritance, when its owner dies. Numbers are those of the fault list.
#![cfg(target_os = "linux")]

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::common::pi::{
    LONG, NOBODY, Name, OWNER_DIED, Outcome, SUSPECT, WAITERS, Words, hold_pi, pass, thread_id,
};
use crate::common::{Helper, eventually, hear, role_for_a_while, say, stay};
use nix::sys::signal::Signal;
use strait_os::RegionOptions;
use strait_os::linux::{PiLock, PiLockError, PiMutex};

#[test]
fn fault_02_03_the_next_one_is_told_of_its_owners_death() {
    let name = Name::new("next");
    let mut ours = name.open();
    name.holder().kill();
    let Ok(PiLock::OwnerDied(recovery)) = ours.try_lock() else { panic!("its owner is dead") };
    assert_eq!(recovery.takeovers(), 1);
    let guard = recovery.mark_consistent().expect("ours");
    assert_eq!(guard.takeovers(), 1);
    drop(guard);
    assert_eq!(pass(ours.try_lock()), Outcome::Held, "whole again");
    name.holder().kill();
    assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Repaired);
    assert_eq!(ours.status().takeovers, 2);
}

#[test]
fn waiters_get_it_from_the_kernel_when_the_owner_dies() {
    let name = Name::new("parked");
    let ours = name.open();
    let words = Words::map(ours.path());
    let mut helper = name.holder();
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| pass(name.open().lock_timeout(LONG)))).collect();
        assert!(eventually(|| words.word().load(SeqCst) & WAITERS != 0));
        std::thread::sleep(Duration::from_millis(50));
        helper.kill();
        let outcomes: Vec<_> = waiting.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        let count = |wanted| outcomes.iter().filter(|&&outcome| outcome == wanted).count();
        assert_eq!((count(Outcome::Repaired), count(Outcome::Held)), (1, 2), "{outcomes:?}");
    });
    assert_eq!(ours.status().takeovers, 1);
}

#[test]
fn fault_04_05_repairers_die_and_the_fourth_death_poisons() {
    let name = Name::new("repairers");
    let mut ours = name.open();
    // The owner, and three repairers one after the other.
    for repairers in 0..=3 {
        name.holder().kill();
        assert_eq!((ours.status().takeovers, ours.status().poisoned), (repairers, false));
    }
    assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Refused(PiLockError::Poisoned));
    assert_eq!(pass(ours.try_lock()), Outcome::Refused(PiLockError::Poisoned), "for good");
    assert!(ours.status().poisoned);
    assert_eq!(pass(ours.lock_poisoned_timeout(LONG)), Outcome::Repaired);
    assert_eq!(pass(ours.try_lock()), Outcome::Held);
}

#[test]
fn a_recovery_that_is_dropped_poisons() {
    let name = Name::new("poison");
    let mut ours = name.open();
    name.holder().kill();
    drop(ours.try_lock().expect("a recovery"));
    assert_eq!(pass(ours.try_lock()), Outcome::Refused(PiLockError::Poisoned));
    assert_eq!(pass(name.open().lock_timeout(LONG)), Outcome::Refused(PiLockError::Poisoned));
    assert_eq!(pass(ours.lock_poisoned_timeout(LONG)), Outcome::Repaired);
    assert_eq!(pass(ours.try_lock()), Outcome::Held);
}

#[test]
fn fault_09_a_stopped_owner_keeps_it() {
    let name = Name::new("stopped");
    let mut ours = name.open();
    let mut helper = name.holder();
    helper.signal(Signal::SIGSTOP);
    let stopped = pass(ours.lock_timeout(Duration::from_millis(1500)));
    assert_eq!(stopped, Outcome::Refused(PiLockError::TimedOut));
    assert_eq!(pass(ours.try_lock()), Outcome::Refused(PiLockError::Busy));
    helper.signal(Signal::SIGCONT);
    helper.tell("unlock");
    assert_eq!(helper.hear(), "Ok(())");
    assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Held);
}

/// The values of the words when an owner, or a recoverer, dies between two of its steps: made by hand
/// in a process that is then killed.
#[test]
fn whoever_dies_between_two_words_is_succeeded() {
    for state in STATES {
        let name = Name::new(&format!("state-{state}"));
        let mut ours = name.open();
        let mut helper = Helper::start("leave", format!("{} {state}", name.0));
        assert_eq!(helper.hear(), "left");
        let before = pass(ours.try_lock());
        // An unsigned claim of somebody alive keeps others out; nobody's word has no owner to ask for.
        let expected =
            if state == "nobody-unclaimed" { Outcome::Repaired } else { Outcome::Refused(PiLockError::Busy) };
        assert_eq!(before, expected, "{state}, alive");
        helper.kill();
        if before != Outcome::Repaired {
            assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Repaired, "{state}, dead");
        }
        assert_eq!(pass(ours.try_lock()), Outcome::Held, "{state}, afterwards");
        assert_eq!(pass(name.open().lock_timeout(LONG)), Outcome::Held, "{state}, others");
        let words = Words::map(ours.path());
        assert_eq!((words.word().load(SeqCst), words.owner().load(SeqCst)), (0, 0), "{state}");
    }
}

const STATES: [&str; 9] = [
    "locked-unsigned",
    "locked-unsigned-waiters",
    "signed",
    "inherited-unsigned",
    "inherited-signed",
    "claimed",
    "suspected",
    "nobody-claimed",
    "nobody-unclaimed",
];

fn leave_role(argument: &str) {
    let (name, state) = argument.split_once(' ').expect("two words");
    let mutex = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    let words = Words::map(mutex.path());
    let (thread, me) = (thread_id(), mutex.ident().word());
    let dead = PiMutex::named(name, &RegionOptions::new()).expect("a mutex").ident().word();
    // A thread that has ended: this process's own, which no try of the test can tell from others.
    let ended = std::thread::spawn(thread_id).join().expect("an id");
    let (word, owner) = match state {
        "locked-unsigned" => (thread, 0),
        "locked-unsigned-waiters" => (thread | WAITERS, 0),
        "signed" => (thread, me),
        "inherited-unsigned" => (thread | OWNER_DIED, dead),
        "inherited-signed" => (thread | OWNER_DIED | WAITERS, me),
        "claimed" => (ended, me),
        "suspected" => (ended | WAITERS, me | SUSPECT),
        "nobody-claimed" => (NOBODY | WAITERS, me | SUSPECT),
        "nobody-unclaimed" => (NOBODY, 0),
        other => panic!("no state {other}"),
    };
    words.owner().store(owner, SeqCst);
    words.word().store(word, SeqCst);
    say("left");
    stay()
}

#[test]
fn fault_14_a_thread_that_ends_leaves_it_abandoned_until_its_handle_goes() {
    let name = Name::new("thread");
    let mut ours = name.open();
    let mut theirs = name.open();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| std::mem::forget(theirs.lock_timeout(LONG).expect("free")));
        thread.join().expect("no panic");
    });
    assert_eq!(pass(ours.try_lock()), Outcome::Refused(PiLockError::Busy));
    let timed = pass(ours.lock_timeout(Duration::from_millis(100)));
    assert_eq!(timed, Outcome::Refused(PiLockError::Abandoned));
    drop(theirs);
    assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Repaired);
}

#[test]
fn fault_07_a_waiter_that_is_killed_does_not_stand_in_the_way() {
    let name = Name::new("waiter");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    let guard = ours.try_lock().expect("free");
    let mut first = Helper::start("wait-pi", &name.0);
    let mut second = Helper::start("wait-pi", &name.0);
    assert_eq!((first.hear(), second.hear()), ("waiting".into(), "waiting".into()));
    assert!(eventually(|| words.word().load(SeqCst) & WAITERS != 0));
    first.kill();
    drop(guard);
    assert_eq!(second.hear(), "Held");
    assert_eq!(pass(ours.lock_timeout(LONG)), Outcome::Held);
}

/// Processes that lock all the time and are killed at any instruction. What they guard is two words that
/// are equal whenever the mutex is free.
#[test]
fn killed_at_random_they_never_share_it_or_lose_it() {
    const PROCESSES: usize = 3;
    const KILLS: usize = 60;
    let name = Name::new("random");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    let start = || Helper::start("churn", &name.0);
    let mut helpers: Vec<_> = (0..PROCESSES).map(|_| start()).collect();
    let mut random = 0x9E37_79B9_u32;
    for round in 0..KILLS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let victim = round % PROCESSES;
        assert_eq!(helpers[victim].hear(), "churning");
        std::thread::sleep(Duration::from_micros(u64::from(random >> 18)));
        helpers[victim].kill();
        helpers[victim] = start();
        assert!(matches!(check(&mut ours, &words), Outcome::Held | Outcome::Repaired), "round {round}");
    }
    drop(helpers);
    check(&mut ours, &words);
    assert_eq!(words.data(2).load(SeqCst), 0, "two were inside at once");
    println!("{KILLS} kills, {} takeovers, {} rounds", ours.status().takeovers, words.data(0).load(SeqCst));
}

/// Locks and looks at the data.
fn check(mutex: &mut PiMutex, words: &Words) -> Outcome {
    let error = match mutex.lock_timeout(LONG) {
        Ok(PiLock::Held(_guard)) => {
            assert_eq!(words.data(0).load(SeqCst), words.data(1).load(SeqCst), "whole");
            return Outcome::Held;
        }
        Ok(PiLock::OwnerDied(recovery)) => {
            repair(words);
            drop(recovery.mark_consistent().expect("ours"));
            return Outcome::Repaired;
        }
        Err(error) => error,
    };
    // Four deaths in a row: possible where all are killed all the time.
    assert_eq!(error, PiLockError::Poisoned);
    match mutex.lock_poisoned_timeout(LONG) {
        Ok(PiLock::OwnerDied(recovery)) => {
            repair(words);
            drop(recovery.mark_consistent().expect("ours"));
            Outcome::Repaired
        }
        other => panic!("{other:?}"),
    }
}

/// Makes the data whole, and nobody inside.
fn repair(words: &Words) {
    words.data(1).store(words.data(0).load(SeqCst), SeqCst);
    words.data(3).store(0, SeqCst);
}

fn churn_role(name: &str) {
    let mut mutex = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    let words = Words::map(mutex.path());
    let me = std::process::id();
    say("churning");
    loop {
        let guard = match mutex.lock_timeout(LONG) {
            Ok(PiLock::Held(guard)) => guard,
            Ok(PiLock::OwnerDied(recovery)) => {
                repair(&words);
                recovery.mark_consistent().expect("ours")
            }
            Err(PiLockError::Poisoned) => continue,
            Err(error) => panic!("{error}"),
        };
        let (one, two) = (words.data(0).load(SeqCst), words.data(1).load(SeqCst));
        if one != two || words.data(3).swap(me, SeqCst) != 0 {
            words.data(2).store(1, SeqCst);
        }
        words.data(0).store(one.wrapping_add(1), SeqCst);
        words.data(1).store(one.wrapping_add(1), SeqCst);
        words.data(3).store(0, SeqCst);
        guard.unlock().expect("ours");
    }
}

#[test]
fn helper() {
    let Some((role, argument)) = role_for_a_while() else { return };
    match role.as_str() {
        "hold-pi" => hold_pi(&argument, |_| ()),
        "leave" => leave_role(&argument),
        "churn" => churn_role(&argument),
        "wait-pi" => {
            let mut mutex = PiMutex::named(&argument, &RegionOptions::new()).expect("a mutex");
            say("waiting");
            say(&format!("{:?}", pass(mutex.lock_timeout(LONG))));
            hear();
        }
        other => panic!("no role {other}"),
    }
}
