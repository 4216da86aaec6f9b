//! What is given back wakes one sleeper for each that can take it: nobody else is left asleep beside it.
//!
//! In a model region nobody wakes by time, so a sleeper that should have been woken shows as a deadlock. Some
//! participants here are impatient: their sleeps end at any moment.

use core::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Death, Port, Region};
use strait_core::{Attachment, Channel, LockError, Permits, Plan, Semaphore, SemaphoreError, WaitPolicy};

use crate::models;
use crate::mutex::{LONG, PLAN, Table, count_up, held, open};
use crate::search::{Search, up_to};
use crate::waiting::{PROBE, now};

models! {
    "mutex/two_sleepers" => two_sleepers(up_to(3).quick(2)),
    "mutex/barging" => barging(up_to(3).quick(2)),
    "mutex/given_up" => given_up(up_to(3).quick(2)),
    "mutex/time_out" => time_out(up_to(3).quick(2)),
    "mutex/woken_dies" => woken_dies(up_to(2)),
    "semaphore/two_releases" => two_releases(up_to(2)),
    "semaphore/one_release_of_two" => one_release_of_two(up_to(2)),
    "semaphore/barging" => semaphore_barging(up_to(2).quick(1)),
    "semaphore/woken_dies" => woken_dies_with_a_count(up_to(2).quick(1)),
    "semaphore/time_out" => semaphore_time_out(up_to(2)),
    "permits/two_releases" => two_permits(up_to(2).quick(1)),
    "permits/one_after_the_other" => one_after_the_other(up_to(1).quick(0)),
    "permits/time_out" => permit_time_out(up_to(2).quick(1)),
    "permits/woken_dies" => woken_dies_with_a_permit(up_to(1).quick(0)),
}

const COUNT: Plan<'static> = Plan::new(&[Channel::semaphore("s", 0, 3)]).line(4).participants(4);
const ONE: Plan<'static> = Plan::new(&[Channel::permits("p", 1)]).line(4).participants(4);
const TWO: Plan<'static> = Plan::new(&[Channel::permits("p", 2)]).line(4).participants(4);

fn semaphore(at: &Attachment<Port>) -> Semaphore<Port> {
    at.semaphore("s").expect("the plan has it")
}

fn permits(at: &Attachment<Port>) -> Permits<Port> {
    at.permits("p").expect("the plan has it")
}

/// A handle that never looks before it sleeps, and so is asleep in more of the orders.
fn sleepy() -> WaitPolicy {
    WaitPolicy { spin: 0, ..WaitPolicy::parking() }
}

/// Two that sleep for the lock, and what each does then.
fn sleep_for_the_lock<T: 'static>(region: &Region, then: fn(Table) -> T) -> [thread::JoinHandle<T>; 2] {
    [(); 2].map(|()| {
        let mut mutex = open(&region.join());
        mutex.set_wait_policy(sleepy());
        thread::spawn(move || then(mutex))
    })
}

/// Two sleep for a lock, and each gets it. Up to three preemptions.
///
/// ```text
///   owner                 waiter                     waiter
///   word: me -> 0         word: owner, WAITERS       word: owner, WAITERS
///   wake one              sleep while it is that     sleep while it is that
///                         word: 0 -> me, WAITERS     (asleep)
///                         word: me -> 0, wake one    word: 0 -> me, WAITERS
/// ```
fn two_sleepers(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut owner = open(&region.join());
        let guard = held(owner.try_lock());
        let waiters = sleep_for_the_lock(&region, |mut mutex| count_up(&mut held(mutex.lock_timeout(LONG))));
        guard.unlock().unwrap();
        let mut counts = waiters.map(|waiter| waiter.join().unwrap());
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
    });
}

/// The owner locks again at once, faster than the sleeper that it woke, and does not know that there are sleepers.
/// Up to three preemptions.
///
/// ```text
///   owner                 waiter                     waiter
///   word: me -> 0         word: owner, WAITERS       word: owner, WAITERS
///   wake one              sleep while it is that     sleep while it is that
///   word: 0 -> me         word: owner -> WAITERS     (asleep)
///   word: me -> 0, wake?  sleep while it is that
/// ```
fn barging(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut owner = open(&region.join());
        let guard = held(owner.try_lock());
        let waiters = sleep_for_the_lock(&region, |mut mutex| drop(held(mutex.lock_timeout(LONG))));
        guard.unlock().unwrap();
        match owner.try_lock() {
            Ok(lock) => held(Ok(lock)).unlock().unwrap(),
            Err(error) => assert_eq!(error, LockError::Busy),
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

/// The owner locks again, and gives the lock up: every sleeper learns of it. Up to three preemptions.
///
/// ```text
///   owner                 waiter                     waiter
///   word: me -> 0         word: owner, WAITERS       word: owner, WAITERS
///   wake one              sleep while it is that     sleep while it is that
///   word: 0 -> me         word: POISONED             (asleep)
///   word: POISONED        wake all
/// ```
fn given_up(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut owner = open(&region.join());
        let guard = held(owner.try_lock());
        let waiters = sleep_for_the_lock(&region, |mut mutex| match mutex.lock_timeout(LONG) {
            Ok(lock) => drop(held(Ok(lock))),
            Err(error) => assert_eq!(error, LockError::Poisoned),
        });
        guard.unlock().unwrap();
        if let Ok(lock) = owner.try_lock() {
            held(Ok(lock)).give_up().unwrap();
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

/// The sleeper that is woken runs out of time, also at that very moment, and another was faster. The other sleeper
/// gets the lock all the same. Up to three preemptions.
///
/// ```text
///   owner                 an impatient waiter        waiter
///   word: me -> 0         word: owner, WAITERS       word: owner, WAITERS
///   wake one              sleep, for a while         sleep while it is that
///   word: 0 -> me         word: owner -> WAITERS     (asleep)
///   word: me -> 0, wake?  give up
/// ```
fn time_out(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut owner = open(&region.join());
        let guard = held(owner.try_lock());
        let (mut hasty, mut patient) = (open(&region.join_impatient()), open(&region.join()));
        hasty.set_wait_policy(sleepy());
        patient.set_wait_policy(sleepy());
        let hasty = thread::spawn(move || match hasty.lock_timeout(PROBE) {
            Ok(lock) => drop(held(Ok(lock))),
            Err(error) => assert_eq!(error, LockError::TimedOut),
        });
        let patient = thread::spawn(move || drop(held(patient.lock_timeout(LONG))));
        guard.unlock().unwrap();
        if let Ok(lock) = owner.try_lock() {
            held(Ok(lock)).unlock().unwrap();
        }
        hasty.join().unwrap();
        patient.join().unwrap();
    });
}

/// One that sleeps and dies anywhere, and an impatient one beside it: `free` wakes the first, and the second is through
/// at most a probe period after that and the death. Both wait by `wait`, for so long; it returns whether they got it.
fn dies(region: &Region, death: Death, free: impl FnOnce(), wait: fn(&Attachment<Port>, Duration) -> bool) {
    let (got, got_at, last) = outlives(region, death, free, wait);
    assert!(got_at <= last + PROBE, "got it: {got}, at {got_at:?}, free by {last:?}");
}

/// The same. Returns whether the survivor got it, when, and when it could have.
fn outlives(
    region: &Region,
    death: Death,
    free: impl FnOnce(),
    wait: fn(&Attachment<Port>, Duration) -> bool,
) -> (bool, Duration, Duration) {
    let (at, there) = (region.join(), region.join_impatient());
    // Both by the clock of the survivor.
    let (clock, clock_of_dead) = (there.port().clone(), there.port().clone());
    let dying = thread::spawn(move || {
        let _ = death.run(at.port(), || wait(&at, LONG));
        at.port().end();
        now(&clock_of_dead)
    });
    let survivor = thread::spawn(move || {
        let got = wait(&there, 2 * PROBE);
        (now(there.port()), got)
    });
    free();
    let free_at = now(&clock);
    let gone_at = dying.join().unwrap();
    let (got_at, got) = survivor.join().unwrap();
    (got, got_at, free_at.max(gone_at))
}

/// The sleeper that is woken dies anywhere: the next one has the lock a probe period later. Up to two preemptions.
///
/// ```text
///   owner                 waiter                     an impatient waiter
///   word: me -> 0         word: owner, WAITERS       word: owner, WAITERS
///   wake one              sleep while it is that     sleep, for a probe period at most
///                         (killed somewhere here)    word: 0 -> me, WAITERS
/// ```
fn woken_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let mut owner = open(&region.join());
        let guard = held(owner.try_lock());
        dies(
            &region,
            death,
            || guard.unlock().unwrap(),
            |at, timeout| {
                let mut mutex = open(at);
                mutex.set_wait_policy(sleepy());
                mutex.lock_timeout(timeout).is_ok()
            },
        );
    });
}

/// Two sleep, and one is released twice: the second release wakes as well, although the first sleeper has not run yet.
/// Up to two preemptions.
///
/// ```text
///   releaser              waiter                     waiter
///   count + 1, wake one   count: 0, WAITERS          count: 0, WAITERS
///   count + 1, wake one   sleep while it is that     sleep while it is that
///                         count - 1                  count - 1
/// ```
fn two_releases(search: Search) {
    search.check(|| {
        let region = Region::new(&COUNT);
        let mut tx = semaphore(&region.join());
        let waiters = sleep_for_a_count(&region);
        tx.release(1).unwrap();
        tx.release(1).unwrap();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_eq!(tx.try_acquire(), Err(SemaphoreError::Empty));
    });
}

/// Two sleep, and two are released at once. Up to two preemptions.
///
/// ```text
///   releaser              waiter                     waiter
///   count + 2, wake two   count: 0, WAITERS          count: 0, WAITERS
///                         sleep while it is that     sleep while it is that
///                         count - 1                  count - 1
/// ```
fn one_release_of_two(search: Search) {
    search.check(|| {
        let region = Region::new(&COUNT);
        let mut tx = semaphore(&region.join());
        let waiters = sleep_for_a_count(&region);
        tx.release(2).unwrap();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_eq!(tx.try_acquire(), Err(SemaphoreError::Empty));
    });
}

/// The releaser acquires at once what it released, faster than the sleeper that it woke, and releases it again. Up to
/// two preemptions.
///
/// ```text
///   releaser              waiter                     waiter
///   count + 1, wake one   count: 0, WAITERS          count: 0, WAITERS
///   count - 1             sleep while it is that     sleep while it is that
///   count + 2, wake two   count: 0, WAITERS
/// ```
fn semaphore_barging(search: Search) {
    search.check(|| {
        let region = Region::new(&COUNT);
        let mut tx = semaphore(&region.join());
        let waiters = sleep_for_a_count(&region);
        tx.release(1).unwrap();
        let again = 1 + u32::from(tx.try_acquire().is_ok());
        tx.release(again).unwrap();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_eq!(tx.try_acquire(), Err(SemaphoreError::Empty));
    });
}

fn sleep_for_a_count(region: &Region) -> [thread::JoinHandle<()>; 2] {
    [(); 2].map(|()| {
        let mut rx = semaphore(&region.join());
        rx.set_wait_policy(sleepy());
        thread::spawn(move || rx.acquire_timeout(LONG).unwrap())
    })
}

/// The sleeper that is woken runs out of time, also at that very moment: it has what was released, or the other one
/// has. Up to two preemptions.
///
/// ```text
///   releaser              an impatient waiter        waiter
///   count + 1, wake one   count: 0, WAITERS          count: 0, WAITERS
///   count + 1?, wake one  sleep, for a while         sleep while it is that
///                         count - 1, or give up      count - 1
/// ```
fn semaphore_time_out(search: Search) {
    search.check(|| {
        let region = Region::new(&COUNT);
        let mut tx = semaphore(&region.join());
        let (mut hasty, mut patient) = (semaphore(&region.join_impatient()), semaphore(&region.join()));
        hasty.set_wait_policy(sleepy());
        patient.set_wait_policy(sleepy());
        let hasty = thread::spawn(move || {
            if hasty.acquire_timeout(PROBE).is_ok() {
                hasty.release(1).unwrap();
            }
        });
        let patient = thread::spawn(move || patient.acquire_timeout(LONG).unwrap());
        tx.release(1).unwrap();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(tx.try_acquire(), Err(SemaphoreError::Empty));
    });
}

/// The sleeper that is woken dies anywhere: the next one has the count a probe period later, unless the dead one took it
/// with it. Up to two preemptions. Each gives back what it took: a sleeper that nothing is left for would sleep for ever here.
///
/// ```text
///   releaser              waiter                     an impatient waiter
///   count + 1, wake one   count: 0, WAITERS          count: 0, WAITERS
///                         sleep while it is that     sleep, for a probe period at most
///                         (killed somewhere here)    count - 1
///                                                    count + 1, wake one
/// ```
fn woken_dies_with_a_count(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&COUNT);
        let (mut tx, mut left) = (semaphore(&region.join()), semaphore(&region.join()));
        let (got, got_at, last) = outlives(
            &region,
            death,
            || tx.release(1).unwrap(),
            |at, timeout| {
                let mut semaphore = semaphore(at);
                semaphore.set_wait_policy(sleepy());
                let got = semaphore.acquire_timeout(timeout).is_ok();
                if got {
                    semaphore.release(1).unwrap();
                }
                got
            },
        );
        let is_left = left.try_acquire().is_ok();
        assert!(left.try_acquire().is_err(), "one was released");
        let is_late = got_at > last + PROBE;
        assert!(!is_late || !got && !is_left, "at {got_at:?}, released by {last:?}, got it: {got}");
    });
}

/// Two sleep for two permits, which come back one after the other. Up to two preemptions.
///
/// ```text
///   holder                      waiter                     waiter
///   permit: me -> 0             parked + 1, if even        parked + 1, if even
///   fence, parked + 2, wake one fence, no permit?          fence, no permit?
///   permit: me -> 0             sleep while it is that     sleep while it is that
///   fence, parked + 2, wake one permit: 0 -> me            permit: 0 -> me
/// ```
fn two_permits(search: Search) {
    search.check(|| {
        let region = Region::new(&TWO);
        let at = region.join();
        let mut handles = [permits(&at), permits(&at)];
        let held = handles.each_mut().map(|handle| handle.try_acquire().unwrap());
        let waiters = [(); 2].map(|()| {
            let at = region.join();
            thread::spawn(move || {
                let mut permits = permits(&at);
                permits.set_wait_policy(sleepy());
                // Kept: the other one must get one of its own.
                core::mem::forget(permits.acquire_timeout(LONG).unwrap());
                at
            })
        });
        held.into_iter().for_each(|permit| permit.release().unwrap());
        waiters.into_iter().for_each(|waiter| drop(waiter.join().unwrap()));
    });
}

/// Two sleep for one permit, and the holder takes it again at once. Up to one preemption.
///
/// ```text
///   holder                      waiter                     waiter
///   permit: me -> 0             parked + 1, if even        parked + 1, if even
///   fence, parked + 2, wake one fence, no permit?          fence, no permit?
///   permit: 0 -> me -> 0        sleep while it is that     sleep while it is that
///   fence, parked + 2, wake one permit: 0 -> me -> 0       permit: 0 -> me -> 0
/// ```
fn one_after_the_other(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE);
        let mut holder = permits(&region.join());
        let permit = holder.try_acquire().unwrap();
        let waiters = [(); 2].map(|()| {
            let mut permits = permits(&region.join());
            permits.set_wait_policy(sleepy());
            thread::spawn(move || drop(permits.acquire_timeout(LONG).unwrap()))
        });
        permit.release().unwrap();
        drop(holder.try_acquire());
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

/// The sleeper that is woken runs out of time, also at that very moment. Up to two preemptions.
///
/// ```text
///   holder                      an impatient waiter        waiter
///   permit: me -> 0             parked + 1, if even        parked + 1, if even
///   fence, parked + 2, wake one fence, no permit?          fence, no permit?
///                               sleep, for a while         sleep while it is that
///                               permit: 0 -> me -> 0       permit: 0 -> me -> 0
/// ```
fn permit_time_out(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE);
        let mut holder = permits(&region.join());
        let permit = holder.try_acquire().unwrap();
        let (mut hasty, mut patient) = (permits(&region.join_impatient()), permits(&region.join()));
        hasty.set_wait_policy(sleepy());
        patient.set_wait_policy(sleepy());
        let hasty = thread::spawn(move || drop(hasty.acquire_timeout(PROBE)));
        let patient = thread::spawn(move || drop(patient.acquire_timeout(LONG).unwrap()));
        permit.release().unwrap();
        hasty.join().unwrap();
        patient.join().unwrap();
    });
}

/// The sleeper that is woken dies anywhere: the next one has the permit a probe period later. Up to one preemption.
///
/// ```text
///   holder                      waiter                     an impatient waiter
///   permit: me -> 0             parked + 1, if even        parked + 1, if even
///   fence, parked + 2, wake one sleep while it is that     sleep, for a probe period at most
///                               (killed somewhere here)    permit: 0 -> me
/// ```
fn woken_dies_with_a_permit(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&ONE);
        let mut holder = permits(&region.join());
        let permit = holder.try_acquire().unwrap();
        dies(
            &region,
            death,
            || permit.release().unwrap(),
            |at, timeout| {
                let mut permits = permits(at);
                permits.set_wait_policy(sleepy());
                permits.acquire_timeout(timeout).is_ok()
            },
        );
    });
}
