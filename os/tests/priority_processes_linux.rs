//! Who of several sleeping processes, which wait as they do unless told otherwise, gets what is given back: the one of the
//! highest real-time priority, but for those moments in which a sleeper looks by itself, once a probe period.
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{Helper, Name, hear, role_for_a_while, say, skip};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::gettid;
use strait_core::{Channel, Plan};
use strait_os::rt::set_fifo;
use strait_os::{Region, RegionName, RegionOptions};

const LONG: Duration = Duration::from_secs(30);
const ROUNDS: usize = 100;
/// A sleeper has no place among the others for some microseconds of each 20 ms. 6000 rounds on a loaded machine met none.
const AT_LEAST: usize = 95;

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<u32>("mutex"),
    Channel::permits("permit", 1).consumer_may_block(),
    Channel::semaphore("semaphore", 0, 3),
])
.participants(6);

const KINDS: [&str; 3] = ["mutex", "permits", "semaphore"];

fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock").into()
}

/// A process that sleeps for what it is told to, and its thread that does.
struct Sleeper {
    helper: Helper,
    tid: String,
}

impl Sleeper {
    fn is_asleep(&self) -> bool {
        let path = format!("/proc/{}/task/{}/status", self.helper.pid(), self.tid);
        let text = std::fs::read_to_string(path).expect("it lives");
        text.lines().any(|line| line.starts_with("State:\tS"))
    }

    /// Has it go to sleep for a thing of this kind, at this priority.
    fn start(&mut self, kind: &str, priority: i32) {
        self.helper.tell(&format!("{kind} {priority}"));
        assert_eq!(self.helper.hear(), "going");
        let start = Instant::now();
        while !self.is_asleep() {
            assert!(start.elapsed() < LONG, "it does not go to sleep");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// When it got that, in nanoseconds.
    fn got_at(&mut self) -> u64 {
        self.helper.hear().parse().expect("a number")
    }
}

/// Starts all of them one after the other, gives the thing back by `give`, and returns the priorities in the order in which
/// they got it.
fn order(sleepers: &mut [Sleeper; 3], kind: &str, starts: [i32; 3], give: impl FnOnce()) -> Vec<i32> {
    for (sleeper, priority) in sleepers.iter_mut().zip(starts) {
        sleeper.start(kind, priority);
    }
    give();
    let mut got: Vec<_> = sleepers.iter_mut().map(Sleeper::got_at).zip(starts).collect();
    got.sort_unstable();
    got.into_iter().map(|(_, priority)| priority).collect()
}

#[test]
fn fault_89_processes_with_the_default_policy_are_served_by_priority() {
    let test = "fault_89_processes_with_the_default_policy_are_served_by_priority";
    let name = Name::new();
    let region =
        RegionName::new(&name.0).expect("a name").create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helpers = [(); 3].map(|()| Helper::start("sleep", &name.0));
    let tids = helpers.each_mut().map(Helper::hear);
    if let Some(refused) = tids.iter().find(|tid| tid.parse::<i32>().is_err()) {
        return skip(test, refused);
    }
    let mut tids = tids.into_iter();
    let mut sleepers = helpers.map(|helper| Sleeper { helper, tid: tids.next().expect("three") });
    let mut mutex = region.mutex::<u32>("mutex").expect("there");
    let mut permits = region.permits("permit").expect("there");
    let mut semaphore = region.semaphore("semaphore").expect("there");
    for kind in KINDS {
        let mut first = 0;
        for number in 0..ROUNDS {
            let starts = [[10, 20, 30], [10, 30, 20], [20, 10, 30]][number % 3];
            let got = match kind {
                "mutex" => {
                    let guard =
                        mutex.lock_timeout(LONG).expect("free").or_roll_back().ok().expect("nobody died");
                    order(&mut sleepers, kind, starts, move || guard.unlock().expect("ours"))
                }
                "permits" => {
                    let permit = permits.acquire_timeout(LONG).expect("free");
                    order(&mut sleepers, kind, starts, move || permit.release().expect("ours"))
                }
                _ => {
                    let got = order(&mut sleepers, kind, starts, || semaphore.release(1).expect("room"));
                    semaphore.acquire_timeout(LONG).expect("it was given back");
                    got
                }
            };
            first += usize::from(got == [30, 20, 10]);
        }
        assert!(first >= AT_LEAST, "{kind}: {first} of {ROUNDS}");
    }
}

/// Waits for the thing, calls `with_it`, and gives it back.
fn take(region: &Region, kind: &str, with_it: impl FnOnce()) {
    match kind {
        "mutex" => {
            let mut mutex = region.mutex::<u32>("mutex").expect("there");
            let guard = mutex.lock_timeout(LONG).expect("in time").or_roll_back().ok().expect("nobody died");
            with_it();
            guard.unlock().expect("ours");
        }
        "permits" => {
            let mut permits = region.permits("permit").expect("there");
            let permit = permits.acquire_timeout(LONG).expect("in time");
            with_it();
            permit.release().expect("ours");
        }
        _ => {
            let mut semaphore = region.semaphore("semaphore").expect("there");
            semaphore.acquire_timeout(LONG).expect("in time");
            with_it();
            semaphore.release(1).expect("room");
        }
    }
}

#[test]
fn helper() {
    let Some((_, name)) = role_for_a_while() else { return };
    if let Err(error) = set_fifo(10) {
        return say(&error.to_string());
    }
    let region = RegionName::new(&name).expect("a name").open(&RegionOptions::new()).expect("open");
    say(&gettid().as_raw().to_string());
    loop {
        let line = hear();
        let (kind, priority) = line.split_once(' ').expect("two words");
        set_fifo(priority.parse().expect("a number")).expect("as before");
        say("going");
        let mut at = Duration::ZERO;
        take(&region, kind, || at = monotonic());
        say(&at.as_nanos().to_string());
    }
}
