//! Real processes that are killed or stopped with a lock, a permit, or asleep for one (FAULTS 2, 3, 5, 7,
//! 9, 14 and 24; on Linux 13).
#![cfg(any(target_os = "linux", windows))]

mod common;
#[cfg(target_os = "linux")]
#[path = "locks/namespaces.rs"]
mod namespaces;

use std::io::BufRead;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use common::{Kid, Name, PATIENCE, linger, role, tell};
use strait::{
    Channel, Guard, Lock, LockError, Mutex, Plan, Region, RegionOptions, SystemPort, error::SemaphoreError,
    options::WaitPolicy, port::Port,
};
use strait_core::protocol::mutex::State;

strait::message! {
    /// A value that shows whether it is whole.
    struct Whole { number: u64, inverse: u64, filler: [u64; 14] }
}

impl Whole {
    fn new(number: u64) -> Self {
        Self { number, inverse: !number, filler: [number; 14] }
    }

    fn is_whole(&self) -> bool {
        *self == Self::new(self.number)
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<Whole>("gains"),
    Channel::mutex::<u64>("count"),
    Channel::permits("cranes", 1),
]);

type Gains = Mutex<Whole, SystemPort>;

/// Much longer than the probe period, much shorter than patience: what must not be missed.
const SOON: Duration = Duration::from_secs(10);

fn make(name: &Name) -> Region {
    let region = name.region().create(&PLAN, &RegionOptions::new()).expect("the name is free");
    gains(&region).try_lock().unwrap().or_roll_back().ok().unwrap().set(&Whole::new(0));
    region
}

fn gains(region: &Region) -> Gains {
    region.mutex("gains").unwrap()
}

/// The guard of a lock whose last owner died, whatever it was doing.
fn after_a_death(mutex: &mut Gains) -> Guard<'_, Whole, SystemPort> {
    let started = Instant::now();
    let Ok(Lock::OwnerDied(recovery)) = mutex.lock_timeout(PATIENCE) else { panic!("its owner was killed") };
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    recovery.roll_back().ok().expect("nothing was written in place")
}

fn read_line() {
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    #[cfg(target_os = "linux")]
    if role == "namespaced" {
        return namespaces::child(&region);
    }
    let region = region.open(&RegionOptions::new()).expect("the test made the region");
    let mut mutex = gains(&region);
    match role.as_str() {
        "hold" => {
            let _lock = mutex.try_lock().unwrap();
            tell("mine");
            linger();
        }
        "hold-and-go-on" => {
            let mut guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
            tell("mine");
            read_line();
            guard.set(&Whole::new(7));
            tell(&format!("{:?}", guard.unlock()));
            linger();
        }
        "mid-update" => {
            let mut guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
            guard.set(&Whole::new(1));
            guard.update(|value| {
                value.filler = [9; 14];
                tell("in the middle");
                linger();
            });
        }
        "mid-edit" => {
            let mut guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
            guard.edit_in_place(|edit| {
                edit.write(16, &[9; 60]);
                tell("in the middle");
                linger();
            });
        }
        "update-for-ever" => {
            tell("ready");
            loop {
                let mut guard = mutex.lock_timeout(PATIENCE).unwrap().or_roll_back().ok().unwrap();
                guard.update(|value| *value = Whole::new(value.number + 1));
            }
        }
        "wait" => {
            tell(&region.port().ident().unwrap().to_string());
            let _guard = mutex.lock_timeout(PATIENCE).unwrap().or_roll_back().ok().unwrap();
            tell("mine");
            linger();
        }
        "thread-ends" => {
            let thread = std::thread::spawn(move || std::mem::forget(mutex.try_lock().unwrap()));
            thread.join().unwrap();
            tell("ended");
            linger();
        }
        "permit" => {
            let mut cranes = region.permits("cranes").unwrap();
            let _permit = cranes.try_acquire().unwrap();
            tell(&region.port().ident().unwrap().to_string());
            linger();
        }
        "count" => {
            let mut count = region.mutex::<u64>("count").unwrap();
            tell("ready");
            read_line();
            for _ in 0..10_000 {
                let mut guard = count.lock_timeout(PATIENCE).unwrap().or_roll_back().ok().unwrap();
                guard.update(|count| *count += 1);
            }
            tell("done");
        }
        other => panic!("no such role: {other}"),
    }
}

fn started(role: &str, name: &Name) -> Kid {
    let kid = Kid::spawn("child", role, name);
    kid.hear();
    kid
}

#[test]
fn fault_02_a_sleeper_gets_the_lock_of_a_killed_owner() {
    let name = Name::new("lock-hold");
    let region = make(&name);
    let mut mutex = gains(&region);
    let mut kid = started("hold", &name);
    assert_eq!(mutex.try_lock().err(), Some(LockError::Busy));
    let waiter = std::thread::spawn(move || {
        mutex.set_wait_policy(WaitPolicy { spin: 0, ..WaitPolicy::parking() });
        let guard = after_a_death(&mut mutex);
        (guard.get().number, guard.takeovers(), Instant::now())
    });
    std::thread::sleep(Duration::from_millis(200));
    let killed_at = Instant::now();
    kid.kill();
    let (number, takeovers, had_at) = waiter.join().unwrap();
    assert_eq!((number, takeovers), (0, 1));
    assert!(had_at > killed_at && had_at - killed_at < SOON);
}

#[test]
fn fault_03_killed_in_an_update_leaves_what_was_set_before() {
    let name = Name::new("lock-update");
    let region = make(&name);
    started("mid-update", &name).kill();
    assert_eq!(after_a_death(&mut gains(&region)).get(), Whole::new(1));
}

#[test]
fn fault_03_killed_while_writing_in_place_must_be_repaired() {
    let name = Name::new("lock-edit");
    let region = make(&name);
    started("mid-edit", &name).kill();
    let mut mutex = gains(&region);
    let Ok(Lock::OwnerDied(recovery)) = mutex.lock_timeout(PATIENCE) else { panic!("its owner was killed") };
    assert!(recovery.was_in_place() && !recovery.get().is_whole());
    let recovery = recovery.roll_back().err().expect("there is nothing to go back to");
    let guard = recovery.repair(|value| *value = Whole::new(value.number)).unwrap();
    assert_eq!(guard.get(), Whole::new(0));
}

#[test]
fn fault_03_owners_killed_at_random_leave_a_whole_value() {
    let name = Name::new("lock-random");
    let region = make(&name);
    let mut mutex = gains(&region);
    let (mut last, mut seed, mut recoveries) = (0, 23_u64, 0);
    for round in 0..25 {
        let mut kid = started("update-for-ever", &name);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (started, lasts) = (Instant::now(), Duration::from_micros(200 + (seed >> 33) % 5000));
        let first = last;
        while started.elapsed() < lasts || last < first + 50 {
            let lock = mutex.lock_timeout(PATIENCE).unwrap();
            assert!(matches!(lock, Lock::Held(_)), "round {round}: nobody was killed yet");
            let mut guard = lock.or_roll_back().ok().unwrap();
            let value = guard.get();
            assert!(value.is_whole() && value.number >= last, "round {round}: {value:?} after {last}");
            last = value.number + 1;
            guard.set(&Whole::new(last));
        }
        kid.kill();
        let lock = mutex.lock_timeout(PATIENCE).unwrap();
        recoveries += u32::from(matches!(lock, Lock::OwnerDied(_)));
        let guard = lock.or_roll_back().ok().expect("nothing was written in place");
        let value = guard.get();
        assert!(value.is_whole() && value.number >= last, "round {round}: {value:?} after {last}");
        assert_eq!(guard.takeovers(), recoveries);
        last = value.number;
    }
    println!("{recoveries} of 25 owners were killed with the lock");
}

#[test]
fn fault_05_repairers_killed_one_after_the_other_poison_the_lock() {
    let name = Name::new("lock-repairers");
    let region = make(&name);
    for _ in 0..4 {
        started("hold", &name).kill();
    }
    let mut mutex = gains(&region);
    assert_eq!(mutex.lock_timeout(PATIENCE).err(), Some(LockError::Poisoned));
    drop(mutex.reinitialise(&Whole::new(3)).unwrap());
    assert!(matches!(mutex.try_lock(), Ok(Lock::Held(_))));
}

#[test]
fn fault_07_the_woken_waiter_is_killed_and_the_next_one_runs() {
    let name = Name::new("lock-woken");
    let region = make(&name);
    let mut mutex = gains(&region);
    let guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
    let kids = [(); 2].map(|()| Kid::spawn("child", "wait", &name));
    let waiting = kids.map(|kid| (kid.hear(), kid));
    std::thread::sleep(Duration::from_millis(200));
    drop(guard);
    let started = Instant::now();
    let first = loop {
        assert!(started.elapsed() < SOON, "both were woken");
        if let State::Held { owner, .. } = mutex.state() {
            break owner.to_string();
        }
    };
    let [(mut one, mut kid), (mut other, mut next)] = waiting;
    if one != first {
        (one, kid, other, next) = (other, next, one, kid);
    }
    assert_eq!(one, first);
    kid.kill();
    let started = Instant::now();
    assert_eq!(next.hear(), "mine", "of {other}");
    assert!(started.elapsed() < SOON);
    next.kill();
    assert_eq!(after_a_death(&mut mutex).takeovers(), 2);
}

/// A stopped owner keeps its lock, however long the others wait, and unlocks it when it goes on.
fn stopped_for(how_long: Duration, test: &str) {
    let name = Name::new(test);
    let region = make(&name);
    let mut mutex = gains(&region);
    let mut kid = started("hold-and-go-on", &name);
    kid.stop();
    let started = Instant::now();
    assert_eq!(mutex.lock_timeout(how_long).err(), Some(LockError::TimedOut));
    assert!(started.elapsed() >= how_long);
    kid.go_on();
    kid.answer();
    assert_eq!(kid.hear(), "Ok(())", "it held the lock all the time");
    let Ok(Lock::Held(guard)) = mutex.lock_timeout(PATIENCE) else { panic!("nobody died") };
    assert_eq!((guard.get(), guard.takeovers()), (Whole::new(7), 0));
}

#[test]
fn fault_09_a_stopped_owner_keeps_its_lock() {
    stopped_for(Duration::from_secs(2), "lock-stopped");
}

#[test]
#[ignore = "takes ten seconds; the step `test` runs it by itself"]
fn fault_09_an_owner_stopped_for_ten_seconds_keeps_its_lock() {
    stopped_for(Duration::from_secs(10), "lock-stopped-long");
}

#[test]
fn fault_14_a_thread_that_ends_with_the_lock_keeps_it_until_its_process_ends() {
    let name = Name::new("lock-thread");
    let region = make(&name);
    let mut mutex = gains(&region);
    let mut kid = started("thread-ends", &name);
    assert_eq!(mutex.lock_timeout(Duration::from_millis(100)).err(), Some(LockError::TimedOut));
    kid.kill();
    drop(after_a_death(&mut mutex));
}

#[test]
fn fault_24_a_killed_holders_permit_comes_back_to_one_of_three() {
    let name = Name::new("lock-permit");
    let _region = make(&name);
    let mut kid = Kid::spawn("child", "permit", &name);
    let holder = kid.hear();
    let (asleep, done) = (Barrier::new(4), Barrier::new(3));
    let got: Vec<_> = std::thread::scope(|scope| {
        let waiters = [(); 3].map(|()| {
            scope.spawn(|| {
                let region = name.region().open(&RegionOptions::new()).unwrap();
                let mut cranes = region.permits("cranes").unwrap();
                asleep.wait();
                let permit = cranes.acquire_timeout(Duration::from_secs(2));
                let from = permit.as_ref().map(|permit| permit.from().map(|who| who.to_string()));
                let from = from.map_err(|error| *error);
                // The holder keeps it until all have tried.
                done.wait();
                from
            })
        });
        asleep.wait();
        std::thread::sleep(Duration::from_millis(200));
        kid.kill();
        waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect()
    });
    assert_eq!(got.iter().filter(|from| **from == Ok(Some(holder.clone()))).count(), 1, "{got:?}");
    assert_eq!(got.iter().filter(|from| **from == Err(SemaphoreError::TimedOut)).count(), 2, "{got:?}");
}

#[test]
fn four_processes_count_to_forty_thousand() {
    let name = Name::new("lock-count");
    let region = make(&name);
    let mut kids = [(); 4].map(|()| started("count", &name));
    kids.iter_mut().for_each(Kid::answer);
    kids.iter().for_each(|kid| assert_eq!(kid.hear(), "done"));
    let mut count = region.mutex::<u64>("count").unwrap();
    let guard = count.try_lock().unwrap().or_roll_back().ok().unwrap();
    assert_eq!((guard.get(), guard.version(), guard.takeovers()), (40_000, 40_000, 0));
}
