//! Deadlines for everything that waits, and a lock that is given up on request.

use std::time::{Duration, Instant};

use crate::common::{Member, Region};
use strait_core::{
    Channel, Deadline, Lock, LockError, Plan, Reading, RecvError, SemaphoreError, WaitAnyError, WaitPolicy,
    wait_any_until,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("q", 4).doorbell(1),
    Channel::latest::<u32>("l"),
    Channel::mutex::<u32>("m"),
    Channel::permits("p", 1),
])
.line(4)
.participants(4);

const WHILE: Duration = Duration::from_millis(30);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// All of them wait for the same moment, the first one alone for a while.
#[test]
fn several_waits_share_a_deadline() {
    let (_region, a, b) = setup();
    let mut taken = a.permits("p").unwrap();
    let permit = taken.try_acquire().unwrap();
    let mut permits = b.permits("p").unwrap();
    let mut consumer = b.typed_consumer::<u32>("q").unwrap();
    let mut reader = b.latest_reader::<u32>("l").unwrap();
    let mut mutex = b.mutex::<u32>("m").unwrap();
    let started = Instant::now();
    let deadline = Deadline::after(b.port(), WHILE);
    assert_eq!(permits.acquire_until(deadline).err(), Some(SemaphoreError::TimedOut));
    assert_eq!(consumer.recv_into_until(&mut 0, deadline), Err(RecvError::TimedOut));
    assert_eq!(reader.wait_for_change_until(deadline), Reading::Empty);
    assert_eq!(reader.wait_for_change_into_until(&mut 0, deadline), Reading::Empty);
    assert_eq!(mutex.wait_for_change_until(0, deadline).err(), Some(LockError::TimedOut));
    let any = wait_any_until(b.port(), &mut [&mut consumer], WaitPolicy::parking(), deadline);
    assert_eq!(any, Err(WaitAnyError::TimedOut));
    let took = started.elapsed();
    assert!(took >= WHILE && took < Duration::from_secs(20), "{took:?}");
    drop(permit);
    a.typed_producer::<u32>("q").unwrap().try_send(&6).unwrap();
    a.latest_writer::<u32>("l").unwrap().publish(&7);
    assert!(permits.acquire_until(deadline).is_ok(), "always one look");
    let any = wait_any_until(b.port(), &mut [&mut consumer], WaitPolicy::parking(), deadline);
    let mut value = 0;
    assert_eq!((any, consumer.recv_into_until(&mut value, deadline), value), (Ok(0), Ok(()), 6));
    assert_eq!(reader.wait_for_change_until(deadline), Reading::Fresh(7));
}

#[test]
fn a_lock_that_is_given_up_is_poisoned_for_the_next() {
    let (_region, a, b) = setup();
    let (mut ours, mut theirs) = (a.mutex::<u32>("m").unwrap(), b.mutex::<u32>("m").unwrap());
    let Ok(Lock::Held(mut guard)) = ours.try_lock() else { panic!("it is free") };
    guard.set(&5);
    assert_eq!(guard.give_up(), Ok(()));
    assert_eq!(theirs.try_lock().err(), Some(LockError::Poisoned));
    let guard = theirs.reinitialise(&6).unwrap();
    assert_eq!(guard.get(), 6);
    drop(guard);
    assert!(matches!(ours.try_lock(), Ok(Lock::Held(_))));
}

/// A waiter is told at once, and not by its time-out.
#[test]
fn who_waits_for_a_lock_that_is_given_up_is_told() {
    let (_region, a, b) = setup();
    let (mut ours, mut theirs) = (a.mutex::<u32>("m").unwrap(), b.mutex::<u32>("m").unwrap());
    let Ok(Lock::Held(guard)) = ours.try_lock() else { panic!("it is free") };
    std::thread::scope(|scope| {
        let waiter = scope.spawn(move || {
            let long = Duration::from_secs(60);
            theirs.set_wait_policy(WaitPolicy { spin: 0, probe: long, ..WaitPolicy::parking() });
            let started = Instant::now();
            assert_eq!(theirs.lock_timeout(long).err(), Some(LockError::Poisoned));
            started.elapsed()
        });
        std::thread::sleep(WHILE);
        guard.give_up().unwrap();
        assert!(waiter.join().unwrap() < Duration::from_secs(20));
    });
}
