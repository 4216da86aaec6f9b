//! Real processes that share a queue with several consumers, killed at random points.
#![cfg(any(target_os = "linux", windows))]

use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, role, tell};
use crate::onlooker::Onlooker;
use strait::fanout::FanoutConsumer;
use strait::options::{ConsumerOptions, WaitPolicy};
use strait::{Channel, Plan, Region, RegionOptions, SystemPort};

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
    Channel::slots::<Whole>("q", 16).consumers(3).consumer_may_block().producer_may_block(),
    Channel::latest::<u64>("seen"),
]);
/// How many released messages a successor may see again.
const BOUND: u32 = 4;
const ROUNDS: u32 = 25;

type Rx = FanoutConsumer<Whole, SystemPort>;

fn consumer(region: &Region, index: u32) -> Rx {
    let options = ConsumerOptions::new().release_every(BOUND);
    region.fanout_consumer_with("q", index, options).expect("its owner is dead or has left")
}

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.as_str() {
        "send-for-ever" => {
            let mut tx = region.fanout_producer::<Whole>("q").unwrap();
            tell("ready");
            loop {
                let number = u64::from(tx.next_sequence());
                tx.send_timeout(&Whole::new(number), PATIENCE).unwrap();
            }
        }
        "receive-for-ever" => {
            let mut rx = consumer(&region, 1);
            let mut seen = region.latest_writer::<u64>("seen").unwrap();
            let mut next = None;
            tell(&rx.missed().to_string());
            loop {
                let message = rx.recv_timeout(PATIENCE).unwrap();
                assert!(message.is_whole() && message.number == u64::from(rx.sequence()));
                assert!(next.is_none_or(|next| next == message.number));
                next = Some(message.number + 1);
                seen.publish(&(message.number + 1));
            }
        }
        other => panic!("no such role: {other}"),
    }
}

/// Somewhere within 5 ms, but not before something has happened.
fn goes_on(started: Instant, events: u32, round: u32) -> bool {
    let took = started.elapsed();
    assert!(took < PATIENCE, "{events} events are all that happened");
    took < Duration::from_micros(200 + u64::from(round) * 977 % 5000) || events < 50
}

/// Receives all there is now, which must go on from `next`; returns how many.
fn drain(rx: &mut Rx, next: &mut u64) -> u32 {
    let mut count = 0;
    while let Ok(message) = rx.try_recv() {
        assert!(message.is_whole());
        assert_eq!((message.number, u64::from(rx.sequence())), (*next, *next));
        *next += 1;
        count += 1;
    }
    count
}

#[test]
fn fault_95_consumers_killed_at_random_hold_up_nobody_and_the_others_miss_nothing() {
    let name = Name::new("fanout-held");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut tx = region.fanout_producer::<Whole>("q").unwrap();
    tx.set_wait_policy(WaitPolicy { probe: Duration::from_millis(1), ..WaitPolicy::parking() });
    let (mut rx, mut next) = (consumer(&region, 0), 0);
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_fanout::child", "receive-for-ever", &name);
        kid.hear();
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            let number = u64::from(tx.next_sequence());
            events += u32::from(tx.try_send(&Whole::new(number)).is_ok());
            drain(&mut rx, &mut next);
        }
        kid.kill();
        // Three rings and more: the dead one's place in the ring comes round again.
        for _ in 0..50 {
            let number = u64::from(tx.next_sequence());
            tx.send_timeout(&Whole::new(number), PATIENCE).unwrap();
            drain(&mut rx, &mut next);
        }
        assert_eq!((tx.lag(1), next), (None, u64::from(tx.next_sequence())));
    }
    assert!(next > 1000, "{next} values are too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}

#[test]
fn fault_97_successors_of_killed_consumers_lose_nothing_and_repeat_at_most_the_bound() {
    let name = Name::new("fanout-succeeded");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut tx = region.fanout_producer::<Whole>("q").unwrap();
    let mut last = region.latest_reader::<u64>("seen").unwrap();
    // Somebody has been there, so that each child succeeds the one before it.
    let (mut known, mut kept) = (0, Some(consumer(&region, 1)));
    for round in 0..ROUNDS {
        drop(kept.take());
        let mut kid = Kid::spawn("kill_fanout::child", "receive-for-ever", &name);
        assert_eq!(kid.hear(), "0", "nobody was left out");
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            let number = u64::from(tx.next_sequence());
            events += u32::from(tx.try_send(&Whole::new(number)).is_ok());
        }
        kid.kill();
        let mut rx = consumer(&region, 1);
        assert_eq!(rx.missed(), 0);
        known = last.read().value().unwrap_or_default().max(known);
        let first = u64::from(rx.first_sequence());
        assert!(first <= known, "round {round}: {known} to {first} are lost");
        assert!(first + u64::from(BOUND) >= known, "round {round}: {first} again after {known}");
        let mut next = first;
        drain(&mut rx, &mut next);
        assert_eq!(next, u64::from(tx.next_sequence()), "round {round}");
        known = next;
        kept = Some(rx);
    }
    assert!(known > 1000, "{known} values are too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}

#[test]
fn producers_killed_at_random_lose_nothing_of_any_consumer() {
    let name = Name::new("fanout-producers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut all = [0, 1, 2].map(|index| (consumer(&region, index), 0));
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_fanout::child", "send-for-ever", &name);
        kid.hear();
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events / 4, round) {
            events += all.iter_mut().map(|(rx, next)| drain(rx, next)).sum::<u32>();
        }
        kid.kill();
        all.iter_mut().for_each(|(rx, next)| {
            drain(rx, next);
        });
        // One of them leaves, and joins again.
        let index = round as usize % 3;
        let mut left = all.map(Some);
        left[index] = None;
        all = [0, 1, 2].map(|place| {
            left[place].take().unwrap_or_else(|| {
                let rx = consumer(&region, place as u32);
                let next = u64::from(rx.first_sequence());
                (rx, next)
            })
        });
        assert!(all.iter().all(|(rx, _)| rx.fault().is_none()));
    }
    assert!(all.iter().all(|(_, next)| *next > 1000), "too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}
