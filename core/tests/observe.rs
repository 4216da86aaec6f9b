//! Followers: what they see is whole, what they miss is counted, and nobody can tell that they are there.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use crate::common::seed::{Rng, seed};
use crate::common::{Region, TestPort};
use strait_core::ground::offset;
use strait_core::observe::{Begin, Follower, Observed};
use strait_core::{Channel, ChannelError, ConsumerOptions, Plan, Violation, format::Kind};

type Wide = [u64; 12];

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 1024, 96),
    Channel::slots::<Wide>("slots", 8),
    Channel::compact::<Wide>("compact", 8),
    Channel::latest::<Wide>("latest"),
    Channel::broadcast::<Wide>("broadcast", 8),
    Channel::slots::<u32>("lanes", 8).producers(2),
    Channel::calls::<u32, u32>("calls", 4),
    Channel::mutex::<u32>("mutex"),
];
const MESSAGES: u64 = 20_000;

fn region() -> Region {
    Region::new(&Plan::new(CHANNELS).participants(16))
}

fn follow(region: &Region, name: &str, begin: Begin) -> Follower<TestPort> {
    Follower::open(&region.look(), &region.entry(name), begin).expect("a channel to follow")
}

/// The value that a copy holds, which must be whole.
fn value(copy: &[u8]) -> u64 {
    let words: Vec<u64> =
        copy.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    assert!(words.iter().all(|&word| word == words[0]), "half of one value and half of another: {words:?}");
    words[0]
}

/// Lets the other thread run now and then, also where there is one core.
fn rest(n: u64) {
    if n.is_multiple_of(16) {
        thread::yield_now();
    }
}

/// Sends and receives values until `MESSAGES` were sent.
fn traffic(region: &Region, name: &str) {
    let (a, b) = (region.join(), region.join());
    match region.entry(name).kind {
        Kind::Frames => {
            let (mut tx, mut rx) = (a.producer(name).unwrap(), b.consumer(name).unwrap());
            for n in 0..MESSAGES {
                rest(n);
                // Lengths that make pads.
                let frame = [n; 12].map(u64::to_le_bytes).concat();
                tx.try_send(n as u32, &frame[..8 + (n as usize % 12) * 8]).unwrap();
                rx.try_recv(&mut [0; 96]).unwrap();
            }
        }
        Kind::Slots | Kind::Compact => {
            let (mut tx, mut rx) = (a.typed_producer(name).unwrap(), b.typed_consumer::<Wide>(name).unwrap());
            let mut n = 0;
            while n < MESSAGES {
                rest(n);
                // One by one, and in batches.
                let count = (1 + n % 3).min(MESSAGES - n);
                tx.try_send_batch((n..n + count).map(|n| [n; 12])).unwrap();
                n += count;
                for _ in 0..count {
                    rx.try_recv().unwrap();
                }
            }
        }
        Kind::Latest => {
            let mut tx = a.latest_writer::<Wide>(name).unwrap();
            (0..MESSAGES).for_each(|n| {
                rest(n);
                tx.publish(&[n; 12]);
            });
        }
        Kind::Broadcast => {
            let mut tx = a.broadcast_writer::<Wide>(name).unwrap();
            (0..MESSAGES).for_each(|n| {
                rest(n);
                tx.publish(&[n; 12]);
            });
        }
        other => panic!("no traffic in {other:?}"),
    }
}

/// What a follower at full speed sees of a sender at full speed.
fn race(name: &str) {
    let region = region();
    let mut follower = follow(&region, name, Begin::Oldest);
    let from_one = matches!(region.entry(name).kind, Kind::Latest | Kind::Broadcast);
    // A queue of values is counted from the follower's start, the others from the first that it sees.
    let mut uncounted = 0;
    let is_over = AtomicBool::new(false);
    let (mut seen, mut last) = (0, None);
    thread::scope(|scope| {
        scope.spawn(|| {
            traffic(&region, name);
            is_over.store(true, SeqCst);
        });
        loop {
            let was_over = is_over.load(SeqCst);
            let mut copy = [0; 96];
            match follower.look(&mut copy).expect("an honest sender") {
                Some(Observed { len, number, missed, .. }) => {
                    let number = number - u64::from(from_one);
                    assert_eq!(value(&copy[..len]), number);
                    if last.is_none() {
                        uncounted = number - missed;
                    }
                    assert_eq!(number, last.map_or(uncounted, |last: u64| last + 1) + missed);
                    last = Some(number);
                    seen += 1;
                }
                None if was_over => break,
                None => thread::yield_now(),
            }
        }
    });
    let is_queue_of_values = matches!(region.entry(name).kind, Kind::Slots | Kind::Compact);
    assert!(uncounted == 0 || !is_queue_of_values, "{name}: {uncounted}");
    // How many frames were missed is known with the next frame.
    let to_come = if name == "frames" { MESSAGES - last.map_or(0, |last| last + 1) } else { 0 };
    assert_eq!(uncounted + seen + follower.missed() + to_come, MESSAGES, "{name}");
    println!("{name}: {seen} seen, {} missed", follower.missed());
}

#[test]
fn what_is_seen_beside_traffic_is_whole_and_what_is_not_is_counted() {
    ["frames", "slots", "compact", "latest", "broadcast"].into_iter().for_each(race);
}

#[test]
fn a_follower_sees_what_was_sent_and_received() {
    let region = region();
    for name in ["frames", "slots", "compact", "broadcast"] {
        let mut follower = follow(&region, name, Begin::Newest);
        let mut copy = [0; 96];
        assert_eq!(follower.look(&mut copy), Ok(None), "{name}");
        let member = region.join();
        match name {
            "frames" => {
                drop((1..4).map(|n| member.producer(name).unwrap().try_send(7, &[n; 8])).collect::<Vec<_>>())
            }
            "broadcast" => (1..4_u64).for_each(|n| member.broadcast_writer(name).unwrap().publish(&[n; 12])),
            _ => drop(
                member.typed_producer(name).unwrap().try_send_batch((1..4_u64).map(|n| [n; 12])).unwrap(),
            ),
        }
        let seen: Vec<_> = (0..3).map(|_| follower.look(&mut copy).unwrap().expect("it was sent")).collect();
        let first = u64::from(name == "broadcast");
        assert_eq!(seen.iter().map(|one| one.number).collect::<Vec<_>>(), [first, first + 1, first + 2]);
        assert!(seen.iter().all(|one| one.missed == 0 && one.tag == if name == "frames" { 7 } else { 0 }));
        assert_eq!(follower.look(&mut copy), Ok(None));
    }
}

/// On x86 a consumer that keeps pace hides nothing: what is still in the ring is seen.
#[test]
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn what_was_released_is_seen_as_long_as_it_is_in_the_ring() {
    let region = region();
    let (a, b) = (region.join(), region.join());
    let (mut tx, mut rx) = (a.typed_producer("slots").unwrap(), b.typed_consumer::<Wide>("slots").unwrap());
    let mut follower = follow(&region, "slots", Begin::Oldest);
    for n in 0..7_u64 {
        tx.try_send(&[n; 12]).unwrap();
        rx.try_recv().unwrap();
    }
    let mut copy = [0; 96];
    for n in 0..7 {
        assert_eq!(follower.look(&mut copy).unwrap().map(|seen| seen.number), Some(n));
    }
    // Fifteen more: the ring has been gone round.
    for n in 7..22_u64 {
        tx.try_send(&[n; 12]).unwrap();
        rx.try_recv().unwrap();
    }
    let seen = follower.look(&mut copy).unwrap().expect("the newest are in the ring");
    assert_eq!((seen.number, seen.missed, value(&copy)), (18, 11, 18));
    assert_eq!(follower.missed(), 11);
}

#[test]
fn a_short_buffer_gets_the_beginning() {
    let region = region();
    let member = region.join();
    member.producer("frames").unwrap().try_send(1, b"abcdef").unwrap();
    member.typed_producer("slots").unwrap().try_send(&[9_u64; 12]).unwrap();
    let mut two = [0; 2];
    let seen = follow(&region, "frames", Begin::Oldest).look(&mut two).unwrap().unwrap();
    assert_eq!((seen.len, &two), (6, b"ab"));
    let seen = follow(&region, "slots", Begin::Oldest).look(&mut two).unwrap().unwrap();
    assert_eq!((seen.len, two), (96, [9, 0]));
}

#[test]
fn lanes_are_followed_one_by_one_and_locks_and_calls_not() {
    let region = region();
    region.join().typed_lane_producer::<u32>("lanes", 1).unwrap().try_send(&5).unwrap();
    let look = region.look();
    let lanes: Vec<_> = look.channels().filter(|entry| entry.name() == Some("lanes")).collect();
    let mut copy = [0; 4];
    let mut seen =
        |lane: usize| Follower::open(&look, &lanes[lane], Begin::Oldest).unwrap().look(&mut copy).unwrap();
    assert!(seen(0).is_none() && seen(1).is_some());
    for name in ["calls", "mutex"] {
        let refused = Follower::open(&look, &region.entry(name), Begin::Oldest).err();
        assert_eq!(refused, Some(ChannelError::Kind { found: region.entry(name).kind }));
    }
}

/// FAULT 106. A message is overwritten that all consumers have released, and a machine that does not keep the order of
/// stores shows the new message before the new `least`: what says that the old one is gone is ordered by a fence.
#[test]
fn fault_106_what_all_consumers_have_released_is_not_taken_for_whole() {
    let region = Region::new(&Plan::new(&[Channel::compact::<u32>("fan", 2).consumers(2)]).participants(2));
    let (member, entry) = (region.join(), region.entry("fan"));
    let mut tx = member.fanout_producer::<u32>("fan").unwrap();
    let at_once = ConsumerOptions::new().release_every(1);
    let mut rx = member.fanout_consumer_with::<u32>("fan", 0, at_once).unwrap();
    let mut follower = follow(&region, "fan", Begin::Oldest);
    let least = entry.block_b + offset::HEAD;
    let before = region.peek(least);
    assert_eq!(tx.try_send_batch([10, 11]), Ok(2));
    assert_eq!([rx.try_recv(), rx.try_recv()], [Ok(10), Ok(11)]);
    rx.flush();
    tx.try_send(&12).unwrap();
    // As another core may see it.
    region.poke(least, before);
    let mut copy = [0; 4];
    let seen = follower.look(&mut copy).unwrap().unwrap();
    assert_eq!((seen.number, seen.missed, u32::from_le_bytes(copy)), (2, 2, 12));
}

#[test]
fn a_follower_of_a_broadcast_goes_back_after_a_reset_alone() {
    let region = region();
    let mut writer = region.join().broadcast_writer::<Wide>("broadcast").unwrap();
    let mut follower = follow(&region, "broadcast", Begin::Oldest);
    let mut next = |count| {
        let mut copy = [0; 96];
        (0..count).for_each(|_| assert_eq!(follower.look(&mut copy), Ok(None)));
        follower.look(&mut copy).map(|seen| seen.map(|seen| (seen.number, seen.missed)))
    };
    for number in 1..=3 {
        writer.publish(&[number; 12]);
        assert_eq!((next(0), next(3)), (Ok(Some((number, 0))), Ok(None)));
    }
    (4..=20).for_each(|number| {
        writer.publish(&[number; 12]);
    });
    assert_eq!((next(0), next(0)), (Ok(Some((15, 11))), Ok(Some((16, 0)))));
    // One that is longer than any is told, and passed over.
    let entry = region.entry("broadcast");
    region.poke(entry.data + entry.stride + offset::VALUE_LEN, u32::MAX);
    assert_eq!((next(0), next(0)), (Err(Violation::Length), Ok(Some((18, 0)))));
}

/// FAULT 107. A tool watches while a channel is reset, which no observer can hinder.
#[test]
fn fault_107_a_follower_goes_on_after_a_reset() {
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::frames("frames", 1024, 96),
        Channel::slots::<Wide>("slots", 8),
        Channel::compact::<Wide>("compact", 8),
        Channel::latest::<Wide>("latest"),
        Channel::broadcast::<Wide>("broadcast", 8),
        Channel::slots::<Wide>("fan", 8).consumers(2),
    ]);
    for name in ["frames", "slots", "compact", "latest", "broadcast", "fan"] {
        // Also where the reset comes in the first lap.
        for sent in [5_u64, 40] {
            let region = Region::new(&PLAN.participants(2));
            let member = region.join();
            let from_one = u64::from(matches!(region.entry(name).kind, Kind::Latest | Kind::Broadcast));
            let send = |n: u64| match region.entry(name).kind {
                Kind::Frames => {
                    let frame = [n; 12].map(u64::to_le_bytes).concat();
                    member.producer(name).unwrap().try_send(0, &frame).unwrap();
                }
                Kind::Latest => {
                    member.latest_writer::<Wide>(name).unwrap().publish(&[n; 12]);
                }
                Kind::Broadcast => {
                    member.broadcast_writer::<Wide>(name).unwrap().publish(&[n; 12]);
                }
                _ if name == "fan" => {
                    member.fanout_producer::<Wide>(name).unwrap().try_send(&[n; 12]).unwrap();
                }
                _ => member.typed_producer::<Wide>(name).unwrap().try_send(&[n; 12]).unwrap(),
            };
            let receive = || match name {
                "frames" => member.consumer(name).unwrap().try_recv(&mut [0; 96]).map(drop).unwrap(),
                "slots" | "compact" => {
                    member.typed_consumer::<Wide>(name).unwrap().try_recv().map(drop).unwrap();
                }
                _ => {}
            };
            let mut follower = follow(&region, name, Begin::Oldest);
            let mut next = || {
                let mut copy = [0; 96];
                let seen = follower.look(&mut copy).expect("no fault");
                seen.map(|seen| (seen.number - from_one, seen.missed, value(&copy[..seen.len])))
            };
            for n in 0..sent {
                send(n);
                assert_eq!(next(), Some((n, 0, n)), "{name}");
                receive();
            }
            member.reset_channel(name).unwrap();
            assert_eq!(next(), None, "{name}");
            for n in 0..40 {
                send(n);
                assert_eq!(next(), Some((n, 0, n)), "{name} after {sent}");
                receive();
            }
        }
    }
}

/// The senders and receivers leave the same bytes with followers beside them and without.
#[test]
fn traffic_leaves_the_same_bytes_with_followers_and_without() {
    let names = ["frames", "slots", "compact", "latest", "broadcast"];
    let run = |follows: bool| {
        let region = region();
        let mut followers: Vec<_> =
            names.iter().filter(|_| follows).map(|name| follow(&region, name, Begin::Newest)).collect();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut copy = [0; 96];
                while !is_over.load(SeqCst) {
                    for follower in &mut followers {
                        follower.look(&mut copy).expect("nobody breaks the protocol");
                    }
                    thread::yield_now();
                }
            });
            names.iter().for_each(|name| traffic(&region, name));
            is_over.store(true, SeqCst);
        });
        region.bytes()
    };
    assert!(run(true) == run(false), "followers leave traces");
}

/// FAULT 86: whatever a region holds, a look is a message in bounds, nothing, or a violation; and it stores nothing.
#[test]
fn fault_86_followers_store_nothing_whatever_a_region_holds() {
    let sound = region();
    ["frames", "slots", "compact", "latest", "broadcast"].into_iter().for_each(|name| traffic(&sound, name));
    let sound = sound.bytes();
    let mut rng = Rng::new(seed());
    let end = 128 * (1 + 9);
    for _ in 0..300 {
        let region = Region::from_bytes(&sound);
        let mut poke = |count: usize| {
            for _ in 0..count {
                let at = end + rng.below((sound.len() - end) / 4) * 4;
                let any = rng.word();
                region.poke(at as u32, [0, any, any >> 16, 1 << (any % 32), any | 1 << 31][any as usize % 5]);
            }
        };
        poke(200);
        let entries: Vec<_> = region.look().channels().filter(|entry| !entry.kind.is_lock()).collect();
        let mut followers: Vec<_> = entries
            .iter()
            .filter_map(|entry| Follower::open(&region.look(), entry, Begin::Oldest).ok())
            .collect();
        assert_eq!(followers.len(), 7);
        for _ in 0..5 {
            poke(100);
            let before = region.bytes();
            for follower in &mut followers {
                let mut copy = [0; 96];
                for _ in 0..20 {
                    if let Ok(Some(seen)) = follower.look(&mut copy) {
                        assert!(seen.len <= 96);
                    }
                }
            }
            assert_eq!(before, region.bytes(), "a look stored something");
        }
    }
}
