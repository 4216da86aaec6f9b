//! Time-outs hold where a look is dear: many permits, large values, owners whose liveness is a system call.
#![cfg(not(strait_loom))]

mod common;

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use common::{Member, Region};
use strait_core::{Channel, LatestReader, LockError, Plan, Reading, SemaphoreError, WaitPolicy};

/// Ways to wait; a probe is a system call, so none may probe at each look.
const SPIN: [WaitPolicy; 3] = [
    WaitPolicy::parking(),
    WaitPolicy::polling(),
    WaitPolicy { spin: u32::MAX, park: true, probe: Duration::from_millis(20) },
];

fn took(what: impl FnOnce()) -> Duration {
    let started = Instant::now();
    what();
    started.elapsed()
}

/// Has two members take all permits in turn, and keep them for ever.
fn take_all(holders: [&Member; 2], count: usize) {
    for i in 0..count {
        let mut handle = holders[i % 2].permits("p").unwrap();
        std::mem::forget(handle.try_acquire().unwrap());
        std::mem::forget(handle);
    }
}

#[test]
fn a_wait_for_many_permits_does_not_probe_at_each_look() {
    const COUNT: usize = 512;
    const PLAN: Plan<'_> = Plan::new(&[Channel::permits("p", COUNT as u32)]);
    let region = Region::new(&PLAN);
    let (one, two, last) = (region.join(), region.join(), region.join());
    take_all([&one, &two], COUNT);
    let mut permits = last.permits("p").unwrap();
    for policy in SPIN {
        permits.set_wait_policy(policy);
        region.counts.probes.store(0, Relaxed);
        let time = took(|| {
            let end = permits.acquire_timeout(Duration::from_millis(50)).map(drop);
            assert_eq!(end, Err(SemaphoreError::TimedOut));
        });
        // Two living holders: two probes at once, before the first sleep, each period and at the end.
        let probes = region.counts.probes.load(Relaxed);
        assert!(probes <= 2 * 8, "{policy:?}: {probes} probes in {time:?}");
        assert!(time < Duration::from_millis(500), "{policy:?}: {time:?}");
    }
}

/// A dead holder's permit comes at once, and one whose holder dies meanwhile within a probe period.
#[test]
fn a_dead_holders_permit_comes_while_another_waits() {
    const PLAN: Plan<'_> = Plan::new(&[Channel::permits("p", 4)]);
    for policy in SPIN {
        let region = Region::new(&PLAN);
        let (one, two, last) = (region.join(), region.join(), region.join());
        take_all([&one, &two], 4);
        let mut permits = last.permits("p").unwrap();
        permits.set_wait_policy(policy);
        let dead = two.ident();
        two.die(());
        let permit = permits.acquire_timeout(Duration::ZERO).unwrap();
        assert_eq!(permit.from(), Some(dead));
        drop(permit);
        // The two that are left with the living, and the two of the dead.
        take_all([&last, &last], 2);
        let (dead, started) = (one.ident(), Instant::now());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                one.die(());
            });
            let permit = permits.acquire_timeout(Duration::from_secs(30)).unwrap();
            assert_eq!(permit.from(), Some(dead), "{policy:?}");
        });
        assert!(started.elapsed() < Duration::from_secs(5), "{policy:?}");
    }
}

#[test]
fn a_polled_lock_does_not_probe_at_each_look() {
    const PLAN: Plan<'_> = Plan::new(&[Channel::mutex::<u32>("m")]);
    let region = Region::new(&PLAN);
    let (one, two) = (region.join(), region.join());
    let (mut held, mut mutex) = (one.mutex::<u32>("m").unwrap(), two.mutex::<u32>("m").unwrap());
    let guard = held.try_lock().unwrap();
    for policy in SPIN {
        mutex.set_wait_policy(policy);
        region.counts.probes.store(0, Relaxed);
        let end = mutex.lock_timeout(Duration::from_millis(50)).map(drop);
        assert_eq!(end, Err(LockError::TimedOut));
        let probes = region.counts.probes.load(Relaxed);
        assert!(probes <= 8, "{policy:?}: {probes} probes");
    }
    drop(guard);
}

/// Only a value that has changed is copied: a wait for a large one takes no longer than for a small one.
#[test]
fn a_wait_for_a_large_value_does_not_copy_it_at_each_look() {
    const SIZE: u32 = 4 << 20;
    const PLAN: Plan<'_> = Plan::new(&[Channel::latest_bytes("v", SIZE).consumer_may_block()]);
    let region = Region::new(&PLAN);
    let (writer, reader) = (region.join(), region.join());
    let mut tx = writer.latest_writer::<[u8]>("v").unwrap();
    let mut buffer = vec![0; SIZE as usize];
    tx.publish_from(0, &buffer).unwrap();
    let mut rx: LatestReader<[u8], _> = reader.latest_reader("v").unwrap();
    let copy = took(|| assert!(matches!(rx.read_into(&mut buffer), Reading::Fresh(_))));
    for policy in SPIN {
        rx.set_wait_policy(policy);
        let time = took(|| {
            let end = rx.wait_for_change_into(&mut buffer, Duration::from_millis(1));
            assert!(matches!(end, Reading::Stale(_)));
        });
        // One copy at the end; the rest is for a machine that is busy.
        assert!(time < 8 * copy + Duration::from_millis(50), "{policy:?}: {time:?}, one copy {copy:?}");
    }
}
