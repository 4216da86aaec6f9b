//! A value under a lock: one owner at a time, no wake lost, no change lost.
//!
//! The value is two equal words, so that half of one shows; its cells are loom's, so that an owner that
//! does not see all that the last one did is a race. In a model region nobody wakes by time, unless the
//! model says so, so a lost wake shows as a deadlock.

use core::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{Attachment, Channel, Guard, Lock, LockError, Mutex, Plan, Recovery};

use crate::models;
use crate::search::{ALL, Search, up_to};

models! {
    "totals/2_threads_2_rounds" => totals::<2>(up_to(4), 2),
    "totals/3_threads_1_round" => totals::<3>(up_to(3), 1),
    "tries/2_threads_2_rounds" => tries::<2>(ALL, 2),
    "no_change_is_lost" => no_change_is_lost(),
    "no_change_in_place_is_lost" => no_change_in_place_is_lost(),
    "a_ping_is_ponged" => a_ping_is_ponged(up_to(3)),
    "two_wait_for_the_last_change" => two_wait_for_the_last_change(up_to(2)),
}

/// Longer than any model.
pub const LONG: Duration = Duration::from_secs(3600);

pub type Pair = [u32; 2];
pub type Table = Mutex<Pair, Port>;

pub const PLAN: Plan<'static> = Plan::new(&[Channel::mutex::<Pair>("m")]).line(4).participants(4);
pub const WATCHED: Plan<'static> =
    Plan::new(&[Channel::mutex::<Pair>("m").consumer_may_block()]).line(4).participants(4);

pub fn open(at: &Attachment<Port>) -> Table {
    at.mutex("m").expect("the plan has it")
}

/// The guard of a successful lock whose last owner lives.
pub fn held<'m>(lock: Result<Lock<'m, Pair, Port>, LockError>) -> Guard<'m, Pair, Port> {
    match lock.expect("the lock is free or its owner is dead") {
        Lock::Held(guard) => guard,
        Lock::OwnerDied(_) => panic!("nobody died with the lock"),
    }
}

/// The recovery of a successful lock whose last owner died holding it.
pub fn died<'m>(lock: Result<Lock<'m, Pair, Port>, LockError>) -> Recovery<'m, Pair, Port> {
    match lock.expect("the lock is free or its owner is dead") {
        Lock::Held(_) => panic!("its owner died"),
        Lock::OwnerDied(recovery) => recovery,
    }
}

/// The number that a value stands for.
pub fn whole(value: Pair) -> u32 {
    assert_eq!(value[0], value[1], "the value is torn");
    value[0]
}

pub fn count_up(guard: &mut Guard<'_, Pair, Port>) -> u32 {
    guard.update(|value| {
        *value = [whole(*value) + 1; 2];
        value[0]
    })
}

/// Several threads do the same at once, each with a handle of its own; afterwards the value is `total`.
fn all_at_once<const THREADS: usize>(total: u32, turn: impl Fn(&mut Table) + Clone + Send + 'static) {
    let region = Region::new(&PLAN);
    let mut mutex = open(&region.join());
    let others = [(); THREADS].map(|()| open(&region.join()));
    let mut others = others.into_iter();
    // This thread is one of them.
    let mut mine = others.next().expect("more than one");
    let threads: Vec<_> = others
        .map(|mut mutex| {
            let turn = turn.clone();
            thread::spawn(move || turn(&mut mutex))
        })
        .collect();
    turn(&mut mine);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let guard = held(mutex.try_lock());
    assert_eq!((whole(guard.get()), guard.version(), guard.takeovers()), (total, total, 0));
}

/// No update is lost, and no wake. Up to four preemptions with two threads, up to three with
/// three.
///
/// ```text
///   thread                                thread
///   word: 0 -> me                         word: 0 -> me? no, the other
///   value + 1, beside                     word: the other -> the other, WAITERS
///   version + 1                           sleep while it is that
///   word: me -> 0, else clear it, wake    word: 0 -> me, WAITERS
/// ```
fn totals<const THREADS: usize>(search: Search, rounds: u32) {
    search.check(move || {
        all_at_once::<THREADS>(THREADS as u32 * rounds, move |mutex| {
            for _ in 0..rounds {
                let mut guard = held(mutex.lock_timeout(LONG));
                count_up(&mut guard);
                guard.unlock().unwrap();
            }
        });
    });
}

/// Counts up, if nobody else has the lock.
fn tried(mutex: &mut Table) -> bool {
    match mutex.try_lock() {
        Ok(lock) => count_up(&mut held(Ok(lock))) > 0,
        Err(error) => {
            assert_eq!(error, LockError::Busy);
            false
        }
    }
}

/// The same without sleep: a thread that does not get the lock lets others run, and tries again.
///
/// ```text
///   thread                                thread
///   word: 0 -> me                         word: 0 -> me? no, the other
///   value + 1, beside                     again
///   version + 1
///   word: me -> 0                         word: 0 -> me
/// ```
fn tries<const THREADS: usize>(search: Search, rounds: u32) {
    search.check(move || {
        all_at_once::<THREADS>(THREADS as u32 * rounds, move |mutex| {
            for _ in 0..rounds {
                while !tried(mutex) {
                    thread::yield_now();
                }
            }
        });
    });
}

/// ```text
///   thread                                thread that waits
///   lock, version + 1, unlock             version: as before
///   fence                                 parked = 1
///   parked? then parked = 0, wake         fence
///                                         version: as before?
///                                         sleep while parked = 1
///                                         lock
/// ```
fn no_change_is_lost() {
    ALL.check(|| {
        let region = Region::new(&WATCHED);
        let (mut mutex, mut watch) = (open(&region.join()), open(&region.join()));
        let changer = thread::spawn(move || {
            let mut guard = held(mutex.lock_timeout(LONG));
            count_up(&mut guard);
        });
        let guard = held(watch.wait_for_change(0, LONG));
        assert_eq!((whole(guard.get()), guard.version()), (1, 1));
        drop(guard);
        changer.join().unwrap();
    });
}

/// ```text
///   thread                                thread that waits
///   lock, edit, version + 2, unlock       version: as before
///   fence                                 parked = 1, fence
///   parked? then parked = 0, wake         version: as before?
///                                         sleep while parked = 1
///                                         lock
/// ```
fn no_change_in_place_is_lost() {
    ALL.check(|| {
        let region = Region::new(&WATCHED);
        let (mut mutex, mut watch) = (open(&region.join()), open(&region.join()));
        let changer = thread::spawn(move || {
            held(mutex.lock_timeout(LONG)).edit_in_place(|edit| {
                edit.write(0, &7_u32.to_le_bytes());
                edit.write(4, &7_u32.to_le_bytes());
            });
        });
        let guard = held(watch.wait_for_change(0, LONG));
        assert_eq!((whole(guard.get()), guard.version()), (7, 2));
        drop(guard);
        changer.join().unwrap();
    });
}

/// Each waits for the other's change in turn, on the same word. Up to three preemptions.
///
/// ```text
///   thread                                thread
///                                         word: asleep, fence, version: as before?
///   change; word: a wake more, wake
///   word: asleep, fence, answered?        sleep while the word is as it was: it is not
/// ```
fn a_ping_is_ponged(search: Search) {
    search.check(|| {
        let region = Region::new(&WATCHED);
        let (mut ping, mut pong) = (open(&region.join()), open(&region.join()));
        let answer = thread::spawn(move || {
            let mut guard = held(pong.wait_for_change(0, LONG));
            assert_eq!(count_up(&mut guard), 2);
        });
        count_up(&mut held(ping.lock_timeout(LONG)));
        let guard = held(ping.wait_for_change(1, LONG));
        assert_eq!(whole(guard.get()), 2);
        drop(guard);
        answer.join().unwrap();
    });
}

/// Two wait for two changes, on the same word. Up to two preemptions.
///
/// ```text
///   thread                     thread that waits          thread that waits
///   change; wake               word: asleep, fence        word: asleep, fence
///   change; wake               version: as before?        version: as before?
///                              sleep                      sleep
/// ```
fn two_wait_for_the_last_change(search: Search) {
    search.check(|| {
        let region = Region::new(&WATCHED);
        let mut mutex = open(&region.join());
        let waiters = [(); 2].map(|()| {
            let mut watch = open(&region.join());
            thread::spawn(move || {
                let mut version = 0;
                while version < 2 {
                    version = held(watch.wait_for_change(version, LONG)).version();
                }
            })
        });
        for _ in 0..2 {
            count_up(&mut held(mutex.lock_timeout(LONG)));
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}
