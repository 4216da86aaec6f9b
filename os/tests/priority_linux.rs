//! Who of several sleepers gets what is given back: the thread of the highest real-time priority, whoever slept first;
//! and nobody is woken who could not take it.
#![cfg(target_os = "linux")]

mod common;

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex as Lock};
use std::thread;
use std::time::{Duration, Instant};

use common::{skip, unique};
use nix::unistd::gettid;
use strait_core::{Channel, Mutex, Permits, Plan, Semaphore, WaitPolicy};
use strait_os::rt::{RtError, set_fifo};
use strait_os::{NamedSemaphore, Region, RegionName, RegionOptions, SystemPort};

const LONG: Duration = Duration::from_secs(60);
/// One that looks by time, for some microseconds of each probe period, has no place among those that sleep.
const PATIENT: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };
const ROUNDS: usize = 100;

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<u32>("mutex"),
    Channel::permits("permits", 2),
    Channel::permits("permit", 1),
    Channel::semaphore("semaphore", 0, 3),
])
.participants(6);

/// What three threads want, one of which can have it at a time.
trait Wanted {
    /// Waits until it is there, calls `with_it`, and gives it back.
    fn take(&mut self, with_it: &mut dyn FnMut());
}

impl Wanted for Mutex<u32, SystemPort> {
    fn take(&mut self, with_it: &mut dyn FnMut()) {
        self.set_wait_policy(PATIENT);
        let guard = self.lock_timeout(LONG).expect("in time").or_roll_back().ok().expect("nobody died");
        with_it();
        guard.unlock().expect("ours");
    }
}

impl Wanted for Permits<SystemPort> {
    fn take(&mut self, with_it: &mut dyn FnMut()) {
        self.set_wait_policy(PATIENT);
        let permit = self.acquire_timeout(LONG).expect("in time");
        with_it();
        permit.release().expect("ours");
    }
}

impl Wanted for Semaphore<SystemPort> {
    fn take(&mut self, with_it: &mut dyn FnMut()) {
        self.set_wait_policy(PATIENT);
        self.acquire_timeout(LONG).expect("in time");
        with_it();
        self.release(1).expect("room");
    }
}

impl Wanted for NamedSemaphore {
    fn take(&mut self, with_it: &mut dyn FnMut()) {
        self.acquire_timeout(LONG).expect("in time");
        with_it();
        self.release(1).expect("room");
    }
}

/// A region under a name of its own; removed in the end.
struct Place(RegionName);

impl Place {
    fn new() -> (Self, Region) {
        let name = RegionName::new(&unique()).expect("a name");
        let region = name.create(&PLAN, &RegionOptions::new()).expect("a region");
        (Self(name), region)
    }

    /// A participant of its own.
    fn join(&self) -> Region {
        self.0.open(&RegionOptions::new()).expect("it is there")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

/// A line of what the system says of one of our threads.
fn status(tid: i32, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).expect("it lives");
    let line = text.lines().find(|line| line.starts_with(name)).expect("the system says so");
    line.rsplit('\t').next().expect("a value").into()
}

/// Waits until the thread that puts its number there sleeps.
fn until_asleep(tid: &AtomicI32) -> i32 {
    let start = Instant::now();
    loop {
        let tid = tid.load(Ordering::SeqCst);
        if tid != 0 && status(tid, "State:").starts_with('S') {
            return tid;
        }
        assert!(start.elapsed() < LONG, "the thread does not go to sleep");
        thread::sleep(Duration::from_micros(100));
    }
}

/// Starts a thread for each of these priorities, once the one before sleeps for what it wants; then gives it to them.
/// Returns the order in which they got it.
fn order<W: Wanted + Send>(starts: [i32; 3], wanted: impl Fn() -> W, give: impl FnOnce()) -> Vec<i32> {
    let (got, got_by) = (Lock::new(Vec::new()), [const { AtomicI32::new(0) }; 3]);
    thread::scope(|scope| {
        for (priority, tid) in starts.into_iter().zip(&got_by) {
            let (mut mine, got) = (wanted(), &got);
            scope.spawn(move || {
                set_fifo(priority).expect("as before");
                tid.store(gettid().as_raw(), Ordering::SeqCst);
                mine.take(&mut || got.lock().expect("no panic").push(priority));
            });
            until_asleep(tid);
        }
        give();
    });
    got.into_inner().expect("no panic")
}

/// Checks the order in each of so many rounds.
fn the_highest_is_first(test: &str, mut round: impl FnMut([i32; 3]) -> Vec<i32>) {
    if thread::spawn(|| set_fifo(30)).join().expect("no panic") == Err(RtError::NotPermitted) {
        return skip(test, &RtError::NotPermitted.to_string());
    }
    for number in 0..ROUNDS {
        let starts = [[10, 20, 30], [10, 30, 20], [20, 10, 30]][number % 3];
        assert_eq!(round(starts), [30, 20, 10], "round {number}, started as {starts:?}");
    }
}

#[test]
fn fault_89_a_mutex_is_locked_by_the_highest_first() {
    let (place, region) = Place::new();
    let wanted = || place.join().mutex::<u32>("mutex").expect("the plan has it");
    let mut mine = region.mutex::<u32>("mutex").expect("the plan has it");
    the_highest_is_first("a_mutex_is_locked_by_the_highest_first", |starts| {
        let guard = mine.try_lock().expect("free").or_roll_back().ok().expect("nobody died");
        order(starts, wanted, move || guard.unlock().expect("ours"))
    });
}

#[test]
fn fault_89_a_permit_is_taken_by_the_highest_first() {
    let (place, region) = Place::new();
    let wanted = || place.join().permits("permit").expect("the plan has it");
    let mut mine = region.permits("permit").expect("the plan has it");
    the_highest_is_first("a_permit_is_taken_by_the_highest_first", |starts| {
        let permit = mine.try_acquire().expect("free");
        order(starts, wanted, move || permit.release().expect("ours"))
    });
}

#[test]
fn fault_89_a_count_is_acquired_by_the_highest_first() {
    let (place, region) = Place::new();
    let wanted = || place.join().semaphore("semaphore").expect("the plan has it");
    let mut mine = region.semaphore("semaphore").expect("the plan has it");
    the_highest_is_first("a_count_is_acquired_by_the_highest_first", |starts| {
        let got = order(starts, wanted, || mine.release(1).expect("room"));
        mine.try_acquire().expect("it was given back");
        got
    });
}

#[test]
fn fault_89_the_systems_semaphore_is_acquired_by_the_highest_first() {
    if cfg!(target_pointer_width = "32") {
        return skip("the_systems_semaphore_is_acquired_by_the_highest_first", "it is polled for on 32 bits");
    }
    let name = &unique();
    let mine = NamedSemaphore::create(name, 0).expect("a semaphore");
    let wanted = || NamedSemaphore::open(name).expect("it is there");
    the_highest_is_first("the_systems_semaphore_is_acquired_by_the_highest_first", |starts| {
        let got = order(starts, wanted, || mine.release(1).expect("room"));
        mine.try_acquire().expect("it was given back");
        got
    });
    NamedSemaphore::remove(name).expect("ours");
}

/// What a thread that sleeps for something does when it has it: it says so, and keeps it until it is told.
struct Sleeper {
    tid: i32,
    got: Receiver<()>,
    _give_back: Sender<()>,
}

/// How often the thread has gone to sleep.
fn sleeps(sleeper: &Sleeper) -> u64 {
    status(sleeper.tid, "voluntary_ctxt_switches:").parse().expect("a number")
}

/// Three threads that sleep for the same, without real-time priorities.
fn sleepers<'s, W: Wanted + Send + 's>(
    scope: &'s thread::Scope<'s, '_>,
    wanted: impl Fn() -> W,
) -> [Sleeper; 3] {
    [(); 3].map(|()| {
        let (mut mine, tid) = (wanted(), Arc::new(AtomicI32::new(0)));
        let ((say, got), (_give_back, told)) = (channel(), channel::<()>());
        let its = tid.clone();
        scope.spawn(move || {
            its.store(gettid().as_raw(), Ordering::SeqCst);
            mine.take(&mut || {
                say.send(()).expect("this test");
                // Until the other end is dropped.
                let _ = told.recv();
            });
        });
        Sleeper { tid: until_asleep(&tid), got, _give_back }
    })
}

/// What is given to the first of three sleepers wakes nobody else; and each of the others gets it in turn.
fn one_wakes<W: Wanted + Send>(wanted: impl Fn() -> W, give: impl FnOnce()) {
    thread::scope(|scope| {
        let mut left = Vec::from(sleepers(scope, wanted));
        give();
        while !left.is_empty() {
            let before: Vec<_> = left.iter().map(sleeps).collect();
            let start = Instant::now();
            let first = loop {
                if let Some(first) = left.iter().position(|sleeper| sleeper.got.try_recv().is_ok()) {
                    break first;
                }
                assert!(start.elapsed() < LONG, "nobody gets it");
                thread::sleep(Duration::from_micros(100));
            };
            // Time enough for another that was woken as well.
            thread::sleep(Duration::from_millis(20));
            for (i, sleeper) in left.iter().enumerate().filter(|(i, _)| *i != first) {
                assert_eq!(sleeps(sleeper), before[i], "another was woken");
            }
            drop(left.remove(first));
        }
    });
}

#[test]
fn fault_89_who_cannot_have_it_is_not_woken() {
    let (place, region) = Place::new();
    let wanted = || place.join().mutex::<u32>("mutex").expect("the plan has it");
    let mut mine = region.mutex::<u32>("mutex").expect("the plan has it");
    let guard = mine.try_lock().expect("free").or_roll_back().ok().expect("nobody died");
    one_wakes(wanted, move || guard.unlock().expect("ours"));
    let wanted = || place.join().permits("permit").expect("the plan has it");
    let mut mine = region.permits("permit").expect("the plan has it");
    let permit = mine.try_acquire().expect("free");
    one_wakes(wanted, move || permit.release().expect("ours"));
    let wanted = || place.join().semaphore("semaphore").expect("the plan has it");
    let mut mine = region.semaphore("semaphore").expect("the plan has it");
    one_wakes(wanted, || mine.release(1).expect("room"));
}

/// Gives two, one after the other and before the first one woken can have run, and checks who has them.
fn two_get_two<W: Wanted + Send>(wanted: impl Fn() -> W, give: impl FnOnce()) {
    thread::scope(|scope| {
        let [one, other, third] = sleepers(scope, wanted);
        give();
        // The first two to go to sleep: all are equal.
        for sleeper in [&one, &other] {
            sleeper.got.recv_timeout(LONG).expect("it is woken");
        }
        assert!(third.got.recv_timeout(Duration::from_millis(20)).is_err(), "there are two");
        drop((one, other));
        third.got.recv_timeout(LONG).expect("it was given back");
    });
}

#[test]
fn fault_89_two_given_back_in_a_row_wake_two() {
    let (place, region) = Place::new();
    let (mut one, mut other) = (region.permits("permits").unwrap(), region.permits("permits").unwrap());
    let permits = [one.try_acquire().expect("free"), other.try_acquire().expect("free")];
    two_get_two(
        || place.join().permits("permits").expect("the plan has it"),
        move || permits.into_iter().for_each(|permit| permit.release().expect("ours")),
    );
    let mut mine = region.semaphore("semaphore").expect("the plan has it");
    two_get_two(
        || place.join().semaphore("semaphore").expect("the plan has it"),
        || (0..2).for_each(|_| mine.release(1).expect("room")),
    );
}
