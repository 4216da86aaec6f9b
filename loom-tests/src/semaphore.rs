//! Semaphores: no permit is created or lost, and no wake.
//!
//! The work under a permit, or before a release, is a value in a plain cell, so that a thread that does not
//! see it is a race. In a model region nobody wakes by time, unless the model says so, so a lost wake
//! shows as a deadlock.

use core::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, Channel, Permits, Plan, Semaphore, SemaphoreError, WaitPolicy,
    port::{Clock, Port as _},
};

use crate::models;
use crate::mutex::LONG;
use crate::search::{ALL, Search, up_to};

models! {
    "a_signal_carries_what_was_done" => a_signal_carries_what_was_done(),
    "one_at_a_time/2_threads" => one_at_a_time::<2>(up_to(5).quick(2)),
    "one_at_a_time/3_threads" => one_at_a_time::<3>(up_to(2)),
    "two_wait_for_two" => two_wait_for_two(up_to(2)),
    "two_release_for_one" => two_release_for_one(up_to(2)),
    "three_try_for_two" => three_try_for_two(up_to(2)),
    "no_more_than_the_most" => no_more_than_the_most(),
    "releaser_dies" => releaser_dies(),
    "permits/one_at_a_time" => permit_one_at_a_time(up_to(5).quick(2)),
    "permits/two_survivors" => two_survivors(ALL),
    "permits/holder_dies" => holder_dies(),
    "permits/two_of_the_dead" => two_of_the_dead(up_to(3)),
}

const PROBE: Duration = WaitPolicy::parking().probe;

const FREE: Plan<'static> =
    Plan::new(&[Channel::semaphore("s", 1, 1), Channel::compact::<u32>("cell", 1)]).line(4).participants(4);
const TAKEN: Plan<'static> =
    Plan::new(&[Channel::semaphore("s", 0, 2), Channel::compact::<u32>("cell", 1)]).line(4).participants(4);
const TWO: Plan<'static> = Plan::new(&[Channel::semaphore("s", 2, 3)]).line(4).participants(4);
const ONE_PERMIT: Plan<'static> =
    Plan::new(&[Channel::permits("p", 1), Channel::compact::<u32>("cell", 1)]).line(4).participants(4);
const TWO_PERMITS: Plan<'static> = Plan::new(&[Channel::permits("p", 2)]).line(4).participants(4);

fn semaphore(at: &Attachment<Port>) -> Semaphore<Port> {
    at.semaphore("s").expect("the plan has it")
}

fn permits(at: &Attachment<Port>) -> Permits<Port> {
    at.permits("p").expect("the plan has it")
}

/// A plain cell of the region: its reader or writer must have it alone.
struct Cell(Attachment<Port>);

impl Cell {
    fn with(&self, change: impl FnOnce(u32) -> u32) -> u32 {
        let at = self.0.channel("cell").expect("the plan has it").data;
        let cell = self.0.port().mem().span(at, 4).expect("it is inside");
        let mut bytes = [0; 4];
        cell.read(0, &mut bytes);
        let value = change(u32::from_le_bytes(bytes));
        cell.write(0, &value.to_le_bytes());
        value
    }
}

/// ```text
///   releaser                              a waiter
///   write                                 count: 0
///   count + 1; WAITERS?                   count: 0 -> 0, WAITERS
///   wake, if it was set                   sleep while it is that
///                                         count - 1
///                                         read
/// ```
fn a_signal_carries_what_was_done() {
    ALL.check(|| {
        let region = Region::new(&TAKEN);
        let (at, there) = (region.join(), region.join());
        let (mut tx, mut rx) = (semaphore(&at), semaphore(&there));
        let releaser = thread::spawn(move || {
            Cell(at).with(|_| 7);
            tx.release(1).unwrap();
        });
        rx.acquire_timeout(LONG).unwrap();
        assert_eq!(Cell(there).with(|seen| seen), 7);
        releaser.join().unwrap();
        assert_eq!(rx.try_acquire(), Err(SemaphoreError::Empty));
    });
}

/// Several take turns with the one there is. Up to five preemptions with two threads, two with three.
///
/// ```text
///   thread                                thread
///   count: 1 -> 0                         count: 0 -> 0, WAITERS
///   read, write                           sleep while it is that
///   count + 1; WAITERS? then wake         count: 1 -> 0
///   none asleep? clear WAITERS, wake all
/// ```
fn one_at_a_time<const THREADS: usize>(search: Search) {
    search.check(|| {
        let region = Region::new(&FREE);
        let turn = |at: Attachment<Port>| {
            let mut semaphore = semaphore(&at);
            semaphore.acquire_timeout(LONG).unwrap();
            Cell(at).with(|value| value + 1);
            semaphore.release(1).unwrap();
        };
        let mut places = [(); THREADS].map(|()| region.join()).into_iter();
        let mine = places.next().expect("more than one");
        let threads: Vec<_> = places.map(|at| thread::spawn(move || turn(at))).collect();
        turn(mine);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let at = region.join();
        let mut last = semaphore(&at);
        assert_eq!((last.count(), last.try_acquire()), (1, Ok(())));
        assert_eq!(Cell(at).with(|value| value), THREADS as u32);
    });
}

/// Two wait, and two are released one after the other: each gets one. Up to two preemptions.
///
/// ```text
///   releaser                   a waiter                 another waiter
///   count + 1, wake            count: 0, WAITERS        count: 0, WAITERS
///   count + 1, wake            sleep while it is that   sleep while it is that
///                              count - 1                count - 1
/// ```
fn two_wait_for_two(search: Search) {
    search.check(|| {
        let region = Region::new(&TAKEN);
        let mut tx = semaphore(&region.join());
        let threads = [(); 2].map(|()| {
            let mut rx = semaphore(&region.join());
            thread::spawn(move || rx.acquire_timeout(LONG).unwrap())
        });
        tx.release(1).unwrap();
        tx.release(1).unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((tx.count(), tx.try_acquire()), (0, Err(SemaphoreError::Empty)));
    });
}

/// One waits twice, and two release. Up to two preemptions.
///
/// ```text
///   releaser                   releaser                 a waiter
///   count + 1, wake            count + 1, wake          count: 0, WAITERS, sleep
///                                                       count - 1
///                                                       count: 0, WAITERS, sleep
///                                                       count - 1
/// ```
fn two_release_for_one(search: Search) {
    search.check(|| {
        let region = Region::new(&TAKEN);
        let mut rx = semaphore(&region.join());
        let threads = [(); 2].map(|()| {
            let mut tx = semaphore(&region.join());
            thread::spawn(move || tx.release(1).unwrap())
        });
        rx.acquire_timeout(LONG).unwrap();
        rx.acquire_timeout(LONG).unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(rx.try_acquire(), Err(SemaphoreError::Empty));
    });
}

/// Three try for two: two get one. Up to two preemptions.
///
/// ```text
///   thread                     thread                   thread
///   count - 1, unless 0        count - 1, unless 0      count - 1, unless 0
/// ```
fn three_try_for_two(search: Search) {
    search.check(|| {
        let region = Region::new(&TWO);
        let mut last = semaphore(&region.join());
        let threads = [(); 2].map(|()| {
            let mut semaphore = semaphore(&region.join());
            thread::spawn(move || semaphore.try_acquire().is_ok())
        });
        let mine = last.try_acquire().is_ok();
        let got =
            threads.map(|thread| u32::from(thread.join().unwrap())).iter().sum::<u32>() + u32::from(mine);
        assert_eq!((got, last.try_acquire()), (2, Err(SemaphoreError::Empty)));
    });
}

/// Two release where one has room.
///
/// ```text
///   thread                                thread
///   count: 2 -> 3                         count: 2 -> 3
/// ```
fn no_more_than_the_most() {
    ALL.check(|| {
        let region = Region::new(&TWO);
        let (mut one, mut other) = (semaphore(&region.join()), semaphore(&region.join()));
        let thread = thread::spawn(move || one.release(1));
        let outcomes = [other.release(1), thread.join().unwrap()];
        assert!(
            outcomes.contains(&Ok(())) && outcomes.contains(&Err(SemaphoreError::Overflow)),
            "{outcomes:?}"
        );
        assert_eq!([(); 4].map(|()| other.try_acquire().is_ok()), [true, true, true, false]);
    });
}

/// The releaser dies anywhere, also before its wake: what it released is acquired within a probe period,
/// and what it did not, never.
///
/// ```text
///   releaser                              a waiter
///   count + 1; WAITERS?                   count: 0 -> 0, WAITERS
///   (killed somewhere here)               sleep, for a probe period at most
///   wake, if it was set                   count - 1
/// ```
fn releaser_dies() {
    ALL.each_death(|death| {
        let region = Region::time_passes(&TAKEN);
        let (at, there) = (region.join(), region.join());
        let (mut tx, mut rx) = (semaphore(&at), semaphore(&there));
        let clock = there.port().clone();
        let releaser = thread::spawn(move || {
            let _ = death.run(at.port(), || tx.release(1).unwrap());
            // By the other's clock.
            Duration::from_nanos(clock.now_ns())
        });
        let got = rx.acquire_timeout(3 * PROBE);
        let got_at = Duration::from_nanos(there.port().now_ns());
        let gone_at = releaser.join().unwrap();
        let late = rx.try_acquire();
        assert!(got.is_err() || late.is_err(), "one became two");
        assert!(got == Ok(()) || got == Err(SemaphoreError::TimedOut), "{got:?}");
        let was_released = got.is_ok() || late.is_ok();
        assert!(!was_released || got_at <= gone_at + PROBE, "at {got_at:?}, released by {gone_at:?}");
    });
}

/// Two take turns with one permit. Up to five preemptions.
///
/// ```text
///   thread                                thread
///   permit: 0 -> me                       permit: the other's
///   read, write                           parked = 1, fence
///   permit: me -> 0                       permit: the other's?
///   fence                                 sleep while parked = 1
///   parked? then parked = 0, wake         permit: 0 -> me
/// ```
fn permit_one_at_a_time(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE_PERMIT);
        let turn = |at: Attachment<Port>| {
            let mut permits = permits(&at);
            let permit = permits.acquire_timeout(LONG).unwrap();
            assert_eq!(permit.from(), None);
            Cell(at).with(|value| value + 1);
            permit.release().unwrap();
        };
        let (mine, at) = (region.join(), region.join());
        let thread = thread::spawn(move || turn(at));
        turn(mine);
        thread.join().unwrap();
        assert_eq!(Cell(region.join()).with(|value| value), 2);
    });
}

/// A dead holder's permit comes back to one of two.
///
/// ```text
///   survivor                              survivor
///   permit: the dead one's; dead? yes     permit: the dead one's; dead? yes
///   permit: the dead one's -> me          permit: the dead one's -> me
/// ```
fn two_survivors(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&ONE_PERMIT);
        let at = region.join();
        let mut dying = permits(&at);
        let _ = death.run(at.port(), || drop(dying.try_acquire().unwrap()));
        at.port().end();
        let threads = [region.join(), region.join()].map(|at| {
            thread::spawn(move || {
                let mut permits = permits(&at);
                let got = permits.try_acquire();
                let was_had = got.is_ok();
                // It is kept until both have tried.
                core::mem::forget(got);
                (was_had, at)
            })
        });
        let got = threads.map(|thread| u32::from(thread.join().unwrap().0));
        assert_eq!(got[0] + got[1], 1, "{got:?}");
    });
}

/// The holder dies anywhere between taking its permit and giving it back; another waits for one. It comes
/// back once, within a probe period.
///
/// ```text
///   holder                                a waiter
///   permit: 0 -> me                       permit: the holder's; is it dead?
///   permit: me -> 0                       then permit: the holder's -> me
///   fence                                 else parked = 1, fence, again, sleep
///   parked? then parked = 0, wake
///   (killed somewhere here)
/// ```
fn holder_dies() {
    ALL.each_death(|death| {
        let region = Region::time_passes(&ONE_PERMIT);
        let (at, there) = (region.join(), region.join());
        let (mut dying, mut waiting) = (permits(&at), permits(&there));
        let clock = there.port().clone();
        let holder = thread::spawn(move || {
            let _ = death.run(at.port(), || {
                // The other may have it already.
                drop(dying.try_acquire());
            });
            at.port().end();
            Duration::from_nanos(clock.now_ns())
        });
        let got = waiting.acquire_timeout(3 * PROBE).map(core::mem::forget);
        let got_at = Duration::from_nanos(there.port().now_ns());
        let gone_at = holder.join().unwrap();
        assert!(got_at <= gone_at + PROBE, "at {got_at:?}, the holder gone by {gone_at:?}");
        let mut other = permits(&region.join());
        assert_eq!(other.try_acquire().is_ok(), got.is_err(), "there is one");
    });
}

/// One dies with two permits: each comes back once, to the next acquirer. Up to three preemptions.
///
/// ```text
///   survivor                              survivor
///   first: the dead one's -> me           first: the dead one's -> me
///   second: the dead one's -> me          second: the dead one's -> me
/// ```
fn two_of_the_dead(search: Search) {
    search.check(|| {
        let region = Region::new(&TWO_PERMITS);
        let at = region.join();
        for mut handle in [permits(&at), permits(&at)] {
            core::mem::forget(handle.try_acquire().unwrap());
        }
        at.port().end();
        let threads = [region.join(), region.join()].map(|at| {
            thread::spawn(move || {
                let mut handles = [permits(&at), permits(&at)];
                let from = handles.each_mut().map(|handle| {
                    let got = handle.try_acquire();
                    let from = got.as_ref().ok().and_then(|permit| permit.from());
                    core::mem::forget(got);
                    u32::from(from.is_some())
                });
                (from[0] + from[1], at)
            })
        });
        let got = threads.map(|thread| thread.join().unwrap().0);
        assert_eq!(got[0] + got[1], 2, "{got:?}");
    });
}
