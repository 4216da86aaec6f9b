//! Time-outs hold where a look is dear: many permits, large values, owners whose liveness is a system call.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use crate::common::{Member, Region};
use strait_core::{
    Channel, LanesConsumer, LanesServer, LatestReader, LockError, Plan, Reading, RecvLanesError,
    SemaphoreError, ServeLanesError, TypedLanesConsumer, WaitPolicy, Waitable, wait_any,
};

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

/// How long waits of this test are allowed to last.
const TIME: Duration = Duration::from_millis(50);

/// How long `wait` takes, whose time-out is [`TIME`], in the best of a few tries, which must be late by a probe period
/// and a look at most; the rest is for a machine that is busy.
fn is_on_time(policy: WaitPolicy, look: Duration, mut wait: impl FnMut()) {
    let best = (0..4).map(|_| took(&mut wait)).min().unwrap();
    let most = TIME + Duration::from_millis(20) + 4 * look + Duration::from_millis(30);
    assert!((TIME..most).contains(&best), "{policy:?}: {best:?}, one look {look:?}");
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
    const COUNT: usize = 4096;
    const PLAN: Plan<'_> = Plan::new(&[Channel::permits("p", COUNT as u32)]);
    let region = Region::new(&PLAN);
    let (one, two, last) = (region.join(), region.join(), region.join());
    take_all([&one, &two], COUNT);
    let mut permits = last.permits("p").unwrap();
    for policy in SPIN {
        permits.set_wait_policy(policy);
        let look = took(|| assert!(permits.try_acquire().is_err()));
        region.counts.probes.store(0, Relaxed);
        is_on_time(policy, look, || {
            assert_eq!(permits.acquire_timeout(TIME).map(drop), Err(SemaphoreError::TimedOut));
        });
        // Two living holders, in each of four waits: at once, before the first sleep, each period and at the end.
        let probes = region.counts.probes.load(Relaxed);
        assert!(probes <= 4 * 2 * 8, "{policy:?}: {probes} probes");
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
    const SIZE: u32 = 16 << 20;
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
    // Nor does a task that is polled again and again.
    let mut task = pin!(rx.changed_into(&mut buffer));
    let context = &mut Context::from_waker(Waker::noop());
    let time = took(|| (0..1000).for_each(|_| assert!(task.as_mut().poll(context).is_pending())));
    assert!(time < 8 * copy + Duration::from_millis(50), "{time:?}, one copy {copy:?}");
}

/// Hundreds of lanes: the time-out holds, and a search for dead producers is no system call a spin.
#[test]
fn a_wait_for_many_lanes_is_on_time() {
    const LANES: usize = 256;
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::slots::<u32>("steps", 1).producers(LANES as u32).consumer_may_block(),
        Channel::frames("lines", 64, 16).producers(LANES as u32).consumer_may_block(),
        Channel::calls::<u32, u32>("drive", 1).clients(LANES as u32),
    ]);
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut steps: Box<TypedLanesConsumer<u32, _, LANES>> =
        Box::new(b.typed_lanes_consumer("steps").unwrap());
    let mut lines: Box<LanesConsumer<_, LANES>> = Box::new(b.lanes_consumer("lines").unwrap());
    let mut server: Box<LanesServer<u32, u32, _, LANES>> = Box::new(b.lanes_call_server("drive").unwrap());
    let _steps: Vec<_> =
        (0..LANES as u32).map(|lane| a.typed_lane_producer::<u32>("steps", lane).unwrap()).collect();
    let _lines: Vec<_> = (0..LANES as u32).map(|lane| a.lane_producer("lines", lane).unwrap()).collect();
    steps.end_with_peer(true);
    lines.end_with_peer(true);
    let look = took(|| assert!(steps.try_recv().is_err()));
    for policy in SPIN {
        steps.set_wait_policy(policy);
        lines.set_wait_policy(policy);
        server.set_wait_policy(policy);
        region.counts.probes.store(0, Relaxed);
        is_on_time(policy, look, || assert_eq!(steps.recv_timeout(TIME), Err(RecvLanesError::TimedOut)));
        is_on_time(policy, look, || {
            assert_eq!(lines.recv_timeout(&mut [0; 16], TIME), Err(RecvLanesError::TimedOut));
        });
        let probes = region.counts.probes.load(Relaxed);
        // One a period: the first producer that lives is enough.
        assert!(probes <= 2 * 4 * 8, "{policy:?}: {probes} probes");
        is_on_time(policy, look, || {
            assert_eq!(server.next_timeout(TIME).map(|(from, _)| from), Err(ServeLanesError::TimedOut));
        });
        is_on_time(policy, look, || {
            let receivers: &mut [&mut dyn Waitable] = &mut [&mut *steps, &mut *lines, &mut *server];
            assert!(wait_any(b.port(), receivers, policy, TIME).is_err());
        });
    }
}

/// A wait for any of several counts what a look costs: 256 lanes are not one load. What comes when the clock was asked
/// some twenty times has come long before the last spin of so dear a wait, and long after that of a cheap one.
#[test]
fn a_wait_for_any_asks_the_clock_as_often_as_its_looks_are_dear() {
    const LANES: usize = 256;
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::slots::<u32>("steps", 1).producers(LANES as u32).consumer_may_block(),
        Channel::slots::<u32>("one", 1).consumer_may_block(),
    ]);
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut steps: Box<TypedLanesConsumer<u32, _, LANES>> =
        Box::new(b.typed_lanes_consumer("steps").unwrap());
    let mut one = b.typed_consumer::<u32>("one").unwrap();
    let policy = WaitPolicy { spin: 100, ..WaitPolicy::parking() };
    let sleeps = |receiver: &mut dyn Waitable, send: Box<dyn FnOnce() + Send>| {
        let hooks = &region.hooks.on_clock;
        hooks.lock().unwrap().extend((0..20).map(|_| None));
        hooks.lock().unwrap().push_back(Some(send));
        region.counts.sleeps.store(0, Relaxed);
        assert_eq!(wait_any(b.port(), &mut [receiver], policy, Duration::from_secs(60)), Ok(0));
        region.counts.sleeps.load(Relaxed)
    };
    let mut tx = a.typed_lane_producer::<u32>("steps", 200).unwrap();
    assert_eq!(sleeps(&mut *steps, Box::new(move || tx.try_send(&1).unwrap())), 0);
    let mut tx = a.typed_producer::<u32>("one").unwrap();
    assert!(sleeps(&mut one, Box::new(move || tx.try_send(&1).unwrap())) > 0);
}
