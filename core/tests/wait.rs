//! Waiting: sleeps end with what they wait for, deadlines hold whatever peers do, and a wake that is
//! lost or stolen costs the probe period. FAULTS 19, 41 and 43.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::common::{Member, Region, raw};
use strait_core::ground::entry::at;
use strait_core::{
    Channel, Deadline, Plan, RecvError, SendError, TryRecvError, Violation, WaitAnyError, WaitPolicy,
    wait_any,
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 2).consumer_may_block().producer_may_block(),
    Channel::frames("bell a", 64, 16).doorbell(1),
    Channel::slots::<u32>("bell b", 4).doorbell(1),
    Channel::compact::<u32>("bell c", 4).doorbell(1),
    Channel::compact::<u32>("polled", 4),
    Channel::latest::<u32>("latest").consumer_may_block(),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(64).participants(4);

/// Longer than anything takes here, shorter than a patient person waits.
const LONG: Duration = Duration::from_secs(60);
/// Much shorter than `LONG`, much longer than anything should take.
const SOON: Duration = Duration::from_secs(20);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// Sleeps at once, so long at a time.
fn asleep(probe: Duration) -> WaitPolicy {
    WaitPolicy { spin: 0, probe, ..WaitPolicy::parking() }
}

/// Runs `act` a while after `wait` began, and returns how long `wait` took.
fn meanwhile(act: impl FnOnce() + Send, wait: impl FnOnce()) -> Duration {
    std::thread::scope(|scope| {
        let started = Instant::now();
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(60));
            act();
        });
        wait();
        started.elapsed()
    })
}

#[test]
fn a_sleeping_consumer_is_woken() {
    for policy in [WaitPolicy::parking(), asleep(LONG), WaitPolicy::polling()] {
        let (_region, a, b) = setup();
        let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
        rx.set_wait_policy(policy);
        let took = meanwhile(
            || tx.try_send(5, b"wake up").unwrap(),
            || assert_eq!(rx.recv_timeout(&mut [0; 112], LONG).map(|got| got.tag), Ok(5)),
        );
        assert!(took >= Duration::from_millis(50) && took < SOON, "{took:?}");
    }
}

#[test]
fn a_sleeping_producer_is_woken() {
    for policy in [WaitPolicy::parking(), asleep(LONG), WaitPolicy::polling()] {
        let (_region, a, b) = setup();
        let mut tx = a.typed_producer::<u32>("slots").unwrap();
        let mut rx = b.typed_consumer::<u32>("slots").unwrap();
        tx.set_wait_policy(policy);
        assert_eq!(tx.try_send_batch([1, 2, 3]), Ok(2));
        let took = meanwhile(
            || {
                assert_eq!(rx.try_recv(), Ok(1));
                assert_eq!(rx.try_recv(), Ok(2));
            },
            || tx.send_timeout(&3, LONG).unwrap(),
        );
        assert!(took >= Duration::from_millis(50) && took < SOON, "{took:?}");
        assert_eq!((rx.try_recv(), tx.refused()), (Ok(3), 1), "the batch's, not those of the wait");
    }
}

#[test]
fn without_a_word_to_sleep_on_it_polls() {
    let (region, a, b) = setup();
    let mut tx = a.typed_producer::<u32>("polled").unwrap();
    let mut rx = b.typed_consumer::<u32>("polled").unwrap();
    let took = meanwhile(|| tx.try_send(&9).unwrap(), || assert_eq!(rx.recv_timeout(LONG), Ok(9)));
    assert!(took < SOON);
    rx.flush();
    let started = Instant::now();
    assert_eq!(tx.try_send_batch([1, 2, 3, 4]), Ok(4));
    assert_eq!(tx.send_timeout(&5, Duration::from_millis(30)), Err(SendError::TimedOut));
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert_eq!((region.counts.wakes.load(Relaxed), region.counts.sleeps.load(Relaxed)), (0, 0));
}

#[test]
fn time_outs_come_after_their_time_and_not_much_later() {
    let (_region, a, b) = setup();
    let mut frames = b.consumer("frames").unwrap();
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    tx.try_send_batch([1, 2]).unwrap();
    for policy in [WaitPolicy::parking(), asleep(LONG), WaitPolicy::polling()] {
        frames.set_wait_policy(policy);
        tx.set_wait_policy(policy);
        let started = Instant::now();
        assert_eq!(frames.recv_timeout(&mut [0; 112], Duration::from_millis(40)), Err(RecvError::TimedOut));
        assert_eq!(tx.send_timeout(&3, Duration::from_millis(40)), Err(SendError::TimedOut));
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(80) && took < SOON, "{took:?}");
    }
    assert_eq!(tx.refused(), 3, "a time-out is one refusal");
    assert_eq!(frames.recv_timeout(&mut [0; 112], Duration::ZERO), Err(RecvError::TimedOut));
    let past = Deadline::after(a.port(), Duration::ZERO);
    assert_eq!(frames.recv_until(&mut [0; 112], past), Err(RecvError::TimedOut));
    let mut tx = a.producer("frames").unwrap();
    tx.try_send(1, b"in time").unwrap();
    assert_eq!(frames.recv_until(&mut [0; 112], past).map(|got| got.tag), Ok(1), "always one look");
}

/// However often it is to look before it sleeps, the deadline holds.
#[test]
fn a_deadline_holds_while_it_spins() {
    let (_region, _, b) = setup();
    let mut rx = b.typed_consumer::<u32>("polled").unwrap();
    rx.set_wait_policy(WaitPolicy { spin: 60_000_000, ..WaitPolicy::parking() });
    let started = Instant::now();
    assert_eq!(rx.recv_timeout(Duration::from_millis(20)), Err(RecvError::TimedOut));
    let took = started.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?} instead of 20 ms");
}

#[test]
fn nobody_is_woken_while_nobody_sleeps() {
    let (region, a, b) = setup();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    for tag in 0..1000 {
        tx.try_send(tag, b"polled").unwrap();
        assert_eq!(rx.try_recv(&mut [0; 112]).unwrap().tag, tag);
        assert_eq!(rx.try_recv(&mut [0; 112]), Err(TryRecvError::Empty));
    }
    rx.set_wait_policy(WaitPolicy::polling());
    assert_eq!(rx.recv_timeout(&mut [0; 112], Duration::from_millis(20)), Err(RecvError::TimedOut));
    assert_eq!((region.counts.wakes.load(Relaxed), region.counts.sleeps.load(Relaxed)), (0, 0));
}

/// FAULT 19: The sender dies after its commit, before the wake: delivered within the probe period.
#[test]
fn fault_19_a_commit_without_a_wake_is_found() {
    let (region, _, b) = setup();
    let stores = raw::frame(&region.bytes(), &region.entry("frames"), 7, b"no wake");
    let mut rx = b.consumer("frames").unwrap();
    rx.set_wait_policy(asleep(Duration::from_millis(20)));
    let took = meanwhile(
        || stores.iter().for_each(|store| region.write(store.at, &store.bytes)),
        || assert_eq!(rx.recv_timeout(&mut [0; 112], LONG).map(|got| got.tag), Ok(7)),
    );
    assert!(took < SOON);
    assert_eq!(region.counts.wakes.load(Relaxed), 0);
    assert!(region.counts.sleeps.load(Relaxed) < 100, "it slept in between");
}

/// FAULT 41: The parked word is cleared as soon as somebody sleeps on it, for ever, and nobody wakes.
#[test]
fn fault_41_a_stolen_parked_word_costs_the_probe_period() {
    let (region, a, b) = setup();
    region.faults.thief.store(true, Relaxed);
    region.faults.deaf.store(true, Relaxed);
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    rx.set_wait_policy(asleep(Duration::from_millis(20)));
    let sleeps = || region.counts.sleeps.load(Relaxed);
    let took = meanwhile(
        || {
            // The second sleep is the proof that the first one ended unheard.
            let started = Instant::now();
            while sleeps() < 2 && started.elapsed() < SOON {
                std::thread::yield_now();
            }
            tx.try_send(3, b"unheard").unwrap();
        },
        || assert_eq!(rx.recv_timeout(&mut [0; 112], LONG).map(|got| got.tag), Ok(3)),
    );
    assert!(took < SOON);
    assert!(sleeps() > 1);
}

/// FAULT 43: Wakes without end: nothing sleeps, and the deadline still holds.
#[test]
fn fault_43_a_storm_of_wakes_does_not_move_the_deadline() {
    let (region, a, b) = setup();
    region.faults.storm.store(true, Relaxed);
    let mut rx = b.consumer("frames").unwrap();
    let mut reader = b.latest_reader::<u32>("latest").unwrap();
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    tx.try_send_batch([1, 2]).unwrap();
    let wait = Duration::from_millis(50);
    for _ in 0..2 {
        let started = Instant::now();
        assert_eq!(rx.recv_timeout(&mut [0; 112], wait), Err(RecvError::TimedOut));
        assert_eq!(tx.send_timeout(&3, wait), Err(SendError::TimedOut));
        assert_eq!(reader.wait_for_change(wait).value(), None);
        let took = started.elapsed();
        assert!(took >= 3 * wait && took < SOON, "{took:?}");
    }
    assert!(region.counts.sleeps.load(Relaxed) > 100, "it was a storm");
}

/// A frame comes between the consumer's look and its going to sleep, when nobody knows yet that there
/// is somebody to wake. The consumer must look again. (It looks at the clock in between; the frame
/// comes with any of its first looks there.)
#[test]
fn a_frame_that_comes_just_before_the_sleep_is_seen() {
    for look in 0..9 {
        let (region, a, b) = setup();
        let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
        rx.set_wait_policy(asleep(LONG));
        let (started, wait) = (Instant::now(), Duration::from_secs(2));
        let (sender, sent) = std::sync::mpsc::channel();
        let mut hooks = region.hooks.on_clock.lock().unwrap();
        hooks.extend((0..look).map(|_| None));
        hooks.push_back(Some(Box::new(move || {
            tx.try_send(look, b"just in time").unwrap();
            sender.send(started.elapsed()).unwrap();
        })));
        drop(hooks);
        let got = rx.recv_timeout(&mut [0; 112], wait);
        let took = started.elapsed();
        if sent.try_recv().is_ok_and(|sent| sent < wait / 2) {
            assert_eq!(got.map(|got| got.tag), Ok(look));
            assert!(took < wait / 2, "{took:?}, at look {look}");
        } else {
            assert!(look >= 2, "it looks at the clock before it sleeps");
            break;
        }
    }
}

/// With a probe period that hides nothing, a lost wake would show as a hang of that length.
#[test]
fn no_wake_is_lost_in_a_thousand_round_trips() {
    let (_region, a, b) = setup();
    let probe = asleep(Duration::from_secs(15));
    let (mut there, mut back) = (a.producer("frames").unwrap(), a.typed_consumer::<u32>("slots").unwrap());
    let (mut rx, mut answer) = (b.consumer("frames").unwrap(), b.typed_producer::<u32>("slots").unwrap());
    back.set_wait_policy(probe);
    rx.set_wait_policy(probe);
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for tag in 0..1000 {
                assert_eq!(rx.recv_timeout(&mut [0; 112], LONG).map(|got| got.tag), Ok(tag));
                answer.try_send(&tag).unwrap();
            }
        });
        for tag in 0..1000 {
            there.try_send(tag, b"ping").unwrap();
            assert_eq!(back.recv_timeout(LONG), Ok(tag));
        }
    });
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn a_doorbell_wakes_for_each_of_its_channels() {
    for (index, name) in ["bell a", "bell b", "bell c"].into_iter().enumerate() {
        let (_region, a, b) = setup();
        let mut first = b.consumer("bell a").unwrap();
        let mut second = b.typed_consumer::<u32>("bell b").unwrap();
        let mut third = b.typed_consumer::<u32>("bell c").unwrap();
        let send = || match name {
            "bell a" => a.producer(name).unwrap().try_send(1, b"ring").unwrap(),
            _ => a.typed_producer::<u32>(name).unwrap().try_send(&1).unwrap(),
        };
        let took = meanwhile(send, || {
            let found = wait_any(b.port(), &mut [&mut first, &mut second, &mut third], asleep(LONG), LONG);
            assert_eq!(found, Ok(index));
        });
        assert!(took < SOON, "{took:?}");
    }
}

#[test]
fn wait_any_prefers_the_first_and_needs_a_doorbell() {
    let (_region, a, b) = setup();
    let mut first = b.typed_consumer::<u32>("bell b").unwrap();
    let mut second = b.typed_consumer::<u32>("bell c").unwrap();
    let mut other = b.typed_consumer::<u32>("polled").unwrap();
    let wait = Duration::from_millis(20);
    let policy = WaitPolicy::parking();
    assert_eq!(wait_any(b.port(), &mut [&mut first, &mut second], policy, wait), Err(WaitAnyError::TimedOut));
    assert_eq!(
        wait_any(b.port(), &mut [&mut first, &mut other], policy, wait),
        Err(WaitAnyError::NoDoorbell)
    );
    a.typed_producer::<u32>("bell c").unwrap().try_send(&1).unwrap();
    assert_eq!(wait_any(b.port(), &mut [&mut first, &mut second], policy, LONG), Ok(1));
    a.typed_producer::<u32>("bell b").unwrap().try_send(&1).unwrap();
    assert_eq!(wait_any(b.port(), &mut [&mut first, &mut second], policy, LONG), Ok(0));
    assert_eq!(wait_any(b.port(), &mut [&mut second, &mut first], policy, LONG), Ok(0));
    // Polling needs no doorbell.
    let polling = WaitPolicy::polling();
    assert_eq!(wait_any(b.port(), &mut [&mut other, &mut first], polling, LONG), Ok(1));
}

/// A receiver that has latched a fault is ready once, so that its error is seen; after that it does not keep
/// the wait from the others.
#[test]
fn wait_any_returns_a_receiver_at_fault_once_and_does_not_starve_the_rest() {
    let (region, a, b) = setup();
    let entry = region.entry("bell c");
    let mut first = b.typed_consumer::<u32>("bell c").unwrap();
    let mut second = b.typed_consumer::<u32>("bell b").unwrap();
    region.poke(entry.block_a + at::MARK, 1000);
    let wait = Duration::from_millis(50);
    let mut wait = || wait_any(b.port(), &mut [&mut first, &mut second], WaitPolicy::parking(), wait);
    assert_eq!(wait(), Ok(0), "its error is to be seen");
    assert_eq!(wait(), Err(WaitAnyError::TimedOut));
    a.typed_producer::<u32>("bell b").unwrap().try_send(&1).unwrap();
    assert_eq!(wait(), Ok(1));
    assert_eq!(first.fault(), Some(Violation::Index));
    assert_eq!(first.try_recv(), Err(TryRecvError::Fault(Violation::Index)));
}

/// Waiting for a value is not receiving it.
#[test]
fn wait_any_leaves_the_number_of_the_last_value() {
    let (_region, a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("bell b").unwrap();
    a.typed_producer::<u32>("bell b").unwrap().try_send_batch([7, 8]).unwrap();
    assert_eq!((rx.try_recv(), rx.sequence()), (Ok(7), 0));
    assert_eq!(wait_any(b.port(), &mut [&mut rx], WaitPolicy::parking(), LONG), Ok(0));
    assert_eq!(rx.sequence(), 0);
    assert_eq!((rx.try_recv(), rx.sequence()), (Ok(8), 1));
}

/// Two threads that sleep on one doorbell, against the plan: each still gets what is its own.
#[test]
fn two_sleepers_on_one_doorbell_both_get_on() {
    let (_region, a, b) = setup();
    let mut first = b.typed_consumer::<u32>("bell b").unwrap();
    let mut second = b.typed_consumer::<u32>("bell c").unwrap();
    let mut to_first = a.typed_producer::<u32>("bell b").unwrap();
    let mut to_second = a.typed_producer::<u32>("bell c").unwrap();
    first.set_wait_policy(asleep(Duration::from_millis(20)));
    second.set_wait_policy(asleep(Duration::from_millis(20)));
    std::thread::scope(|scope| {
        scope.spawn(move || (0..20).for_each(|value| assert_eq!(first.recv_timeout(LONG), Ok(value))));
        scope.spawn(move || (0..20).for_each(|value| assert_eq!(second.recv_timeout(LONG), Ok(value))));
        for value in 0..20 {
            to_first.send_timeout(&value, LONG).unwrap();
            to_second.send_timeout(&value, LONG).unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
    });
}
