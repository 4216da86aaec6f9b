//! Real processes that share a queue with several producers, killed at chosen points and at random ones.
#![cfg(any(target_os = "linux", windows))]

use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, linger, role, tell};
use crate::onlooker::Onlooker;
use strait::error::TryRecvLanesError;
use strait::options::{ConsumerOptions, LanesOptions};
use strait::value::FromLane;
use strait::{
    Channel, ChannelError, PeerStatus, Plan, Region, RegionOptions, SystemPort, TypedLanesConsumer,
};

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

const LANES: usize = 3;
const PLAN: Plan = Plan::new(&[
    Channel::slots::<Whole>("q", 16).producers(LANES as u32).consumer_may_block().producer_may_block(),
    Channel::frames("frames", 4096, 512).producers(LANES as u32),
    Channel::latest::<[u64; LANES]>("seen"),
]);
/// How many released messages of each lane a successor may see again.
const BOUND: u32 = 4;
const ROUNDS: u32 = 25;

type Rx = TypedLanesConsumer<Whole, SystemPort, LANES>;

fn consumer(region: &Region) -> Result<Rx, ChannelError> {
    let each = ConsumerOptions::new().release_every(BOUND);
    region.typed_lanes_consumer_with("q", LanesOptions::new().burst(2).each_lane(each))
}

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.as_str() {
        "reserve" => {
            let (lane, mut tx) = region.free_lane_producer("frames").unwrap();
            tx.try_send(1, b"committed").unwrap();
            let mut grant = tx.reserve(100).unwrap();
            grant.write(0, &[0xEE; 50]);
            tell(&lane.to_string());
            linger();
        }
        "send-for-ever" => {
            let (lane, mut tx) = region.typed_free_lane_producer::<Whole>("q").unwrap();
            tell(&lane.to_string());
            loop {
                let number = u64::from(tx.next_sequence());
                tx.send_timeout(&Whole::new(number), PATIENCE).unwrap();
            }
        }
        "receive-for-ever" => {
            let mut rx = consumer(&region).unwrap();
            let mut seen = region.latest_writer::<[u64; LANES]>("seen").unwrap();
            let mut next = [0; LANES];
            tell("ready");
            loop {
                let FromLane { lane, message } = rx.recv_timeout(PATIENCE).unwrap();
                assert!(message.is_whole());
                next[lane as usize] = message.number + 1;
                seen.publish(&next);
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

#[test]
fn fault_21_killed_in_a_lane_holds_up_nobody() {
    let name = Name::new("lane-reserve");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut rx = region.lanes_consumer::<LANES>("frames").unwrap();
    let mut kid = Kid::spawn("kill_lanes::child", "reserve", &name);
    assert_eq!(kid.hear(), "0");
    let (lane, mut tx) = region.free_lane_producer("frames").unwrap();
    assert_eq!(lane, 1);
    kid.kill();
    assert_eq!(rx.peer(0), Some(PeerStatus::Dead));
    let mut buffer = [0; 512];
    for tag in 0..100 {
        tx.try_send(tag, b"goes on").unwrap();
        let got = loop {
            match rx.try_recv(&mut buffer).unwrap() {
                got if got.lane == 1 => break got,
                first => assert_eq!((first.lane, first.message.tag, tag), (0, 1, 0)),
            }
        };
        assert_eq!((got.message.tag, got.message.sequence), (tag, tag));
    }
    let (lane, mut heir) = region.free_lane_producer("frames").unwrap();
    assert_eq!((lane, heir.taken_over_from().is_some(), heir.next_sequence()), (0, true, 1));
    heir.try_send(2, b"heir").unwrap();
    assert_eq!(rx.try_recv(&mut buffer).map(|got| (got.lane, got.message.sequence)), Ok((0, 1)));
    assert_eq!(rx.try_recv(&mut buffer), Err(TryRecvLanesError::Empty));
}

/// One of three producers is killed in each round; nothing of any lane is lost or comes twice.
#[test]
fn producers_killed_at_random_lose_nothing_of_any_lane() {
    let name = Name::new("lane-producers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut rx = consumer(&region).unwrap();
    let start = || {
        let kid = Kid::spawn("kill_lanes::child", "send-for-ever", &name);
        let lane: usize = kid.hear().parse().unwrap();
        (lane, kid)
    };
    let mut kids: Vec<(usize, Kid)> = (0..LANES).map(|_| start()).collect();
    let mut next = [0; LANES];
    for round in 0..ROUNDS {
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            if let Ok(FromLane { lane, message }) = rx.try_recv() {
                let next = &mut next[lane as usize];
                assert!(message.is_whole());
                assert_eq!(
                    (message.number, rx.sequence()),
                    (*next, *next as u32),
                    "lane {lane}, round {round}"
                );
                *next += 1;
                events += 1;
            }
        }
        let (lane, mut kid) = kids.remove(0);
        kid.kill();
        assert_eq!(rx.peer(lane as u32), Some(PeerStatus::Dead));
        let heir = start();
        assert_eq!(heir.0, lane, "the dead one's lane is the only one to be claimed");
        kids.push(heir);
    }
    assert!((0..LANES as u32).all(|lane| rx.fault(lane).is_none()));
    assert!(next.iter().sum::<u64>() > 1000, "{next:?} values are too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}

/// The consumer is killed in each round, and the next takes over all lanes.
#[test]
fn consumers_killed_at_random_lose_nothing_and_repeat_at_most_the_bound_of_each_lane() {
    let name = Name::new("lane-consumers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut lanes = [0, 1, 2].map(|lane| region.typed_lane_producer::<Whole>("q", lane).unwrap());
    let mut last = region.latest_reader::<[u64; LANES]>("seen").unwrap();
    let mut known = [0; LANES];
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_lanes::child", "receive-for-ever", &name);
        kid.hear();
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            for tx in &mut lanes {
                let number = u64::from(tx.next_sequence());
                events += u32::from(tx.try_send(&Whole::new(number)).is_ok());
            }
        }
        kid.kill();
        let mut rx = consumer(&region).expect("its owner is dead");
        assert!((0..LANES as u32).all(|lane| rx.fault(lane).is_none()));
        let seen = last.read().value().unwrap_or_default();
        let mut rest: [Vec<u64>; LANES] = Default::default();
        while let Ok(FromLane { lane, message }) = rx.try_recv() {
            assert!(message.is_whole());
            rest[lane as usize].push(message.number);
        }
        for (lane, rest) in rest.into_iter().enumerate() {
            let sent = u64::from(lanes[lane].next_sequence());
            let first = rest.first().copied().unwrap_or(sent);
            let known = &mut known[lane];
            *known = seen[lane].max(*known);
            assert!(rest.into_iter().eq(first..sent), "lane {lane}, round {round}: not up to {sent}");
            assert!(first <= *known, "lane {lane}, round {round}: {known} to {first} are lost");
            assert!(first + u64::from(BOUND) >= *known, "lane {lane}: {first} again after {known}");
            *known = sent;
        }
    }
    assert!(lanes.iter().map(|tx| tx.next_sequence()).sum::<u32>() > 1000, "too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}
