//! Queues with several consumers: all get everything, who bounds the producer, joining, leaving and takeover.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::common::rng::Rng;
use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::ground::plan::Fault;
use strait_core::{
    Channel, ChannelError, ConsumerOptions, FanoutConsumer, FanoutProducer, PeerStatus, Plan, RecvError,
    SendError, TryRecvError, TrySendError, Violation, WaitPolicy, format::inspect::channel_state, wait_any,
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<u32>("slots", 8).consumers(3).consumer_may_block().producer_may_block(),
    Channel::compact::<u32>("compact", 8).consumers(3).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("alone", 4),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(8);
const QUEUES: [&str; 2] = ["slots", "compact"];

type Tx = FanoutProducer<u32, TestPort>;
type Rx = FanoutConsumer<u32, TestPort>;

/// Every value is released at once.
const AT_ONCE: ConsumerOptions = ConsumerOptions::new().release_every(1);

fn join(member: &Member, name: &str, consumer: u32) -> Rx {
    member.fanout_consumer_with(name, consumer, AT_ONCE).unwrap()
}

/// Sends the number of each value, until there is no space; returns how many.
fn fill(tx: &mut Tx) -> u32 {
    let first = tx.next_sequence();
    while tx.try_send(&tx.next_sequence()).is_ok() {}
    tx.next_sequence() - first
}

fn send(tx: &mut Tx, count: u32) {
    (0..count).for_each(|_| tx.try_send(&tx.next_sequence()).unwrap());
}

/// Receives all there is, which must be without a gap.
fn drain(rx: &mut Rx) -> Vec<u32> {
    std::iter::from_fn(|| match rx.try_recv() {
        Ok(value) => {
            assert_eq!(value, rx.sequence());
            Some(value)
        }
        Err(error) => {
            assert_eq!(error, TryRecvError::Empty);
            None
        }
    })
    .collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

#[test]
fn a_fanout_is_an_entry_for_the_ring_and_one_for_each_consumer() {
    let region = Region::new(&PLAN);
    let look = region.look();
    assert_eq!(look.header().channel_count, 9);
    for name in QUEUES {
        let parts: Vec<_> = look.channels().filter(|entry| entry.name() == Some(name)).collect();
        let consumers: Vec<_> = parts.iter().map(|entry| entry.fanout.consumer()).collect();
        assert_eq!(consumers, [None, Some(0), Some(1), Some(2)]);
        let ring = &parts[0];
        assert!(parts.iter().all(|part| (part.block_a, part.data) == (ring.block_a, ring.data)));
        assert!(parts.iter().all(|part| (part.wait_a, part.wait_b) == (ring.wait_a, ring.wait_b)));
        assert!((0..3).all(|index| look.consumer_entry(name, index) == Ok(parts[index as usize + 1])));
    }
    assert!(!look.channel("alone").unwrap().fanout.is_some());
}

#[test]
fn ordinary_endpoints_refuse_a_fanout_and_the_other_way_round() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let several = Some(ChannelError::Consumers { count: 3 });
    for name in QUEUES {
        assert_eq!(member.typed_producer::<u32>(name).err(), several);
        assert_eq!(member.typed_consumer::<u32>(name).err(), several);
        assert_eq!(member.typed_lane_producer::<u32>(name, 0).err(), several);
        assert_eq!(member.typed_lanes_consumer::<u32, 4>(name).err(), several);
        assert_eq!(member.fanout_producer::<u64>(name).err(), Some(ChannelError::Type));
        let none = Some(ChannelError::NoConsumer { count: 3 });
        assert_eq!(member.fanout_consumer::<u32>(name, 3).err(), none);
    }
    let none = Some(ChannelError::NoConsumer { count: 0 });
    assert_eq!(member.fanout_consumer::<u32>("alone", 0).err(), none);
    assert_eq!(member.fanout_producer::<u32>("alone").err(), none);
    assert_eq!(member.fanout_producer::<u32>("none").err(), Some(ChannelError::NotFound));
    assert_eq!(region.look().fanout_producer::<u32>("slots").err(), Some(ChannelError::ReadOnly));
}

#[test]
fn plans_with_wrong_consumers_are_refused() {
    let queue = Channel::slots::<u32>("q", 4);
    let many = [0; 33];
    let wrong = [
        queue.consumers(0),
        queue.consumers(33),
        queue.consumers_in(&[]),
        queue.consumers_in(&many),
        queue.consumers(2).producers(2),
        Channel::frames("q", 256, 16).consumers(2),
        Channel::latest::<u32>("q").consumers(2),
        Channel::broadcast::<u32>("q", 4).consumers(2),
        Channel::permits("q", 1).consumers(2),
    ];
    for channel in wrong {
        let error = Plan::new(&[Channel::semaphore("s", 0, 1), channel]).try_size().unwrap_err();
        assert_eq!((error.channel, error.fault), (Some(1), Fault::Consumers), "{channel:?}");
    }
    assert!(Plan::new(&[queue.consumers(u32::MAX)]).try_size().is_err());
    assert!(Plan::new(&[queue.consumers(32)]).try_size().is_ok());
    assert!(Plan::new(&[queue.consumers(1)]).try_size().is_ok());
}

#[test]
fn each_consumer_gets_everything_and_the_slowest_bounds_the_producer() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let (one, two) = (region.join(), region.join());
        let (mut fast, mut slow) = (join(&one, name, 0), join(&two, name, 2));
        assert_eq!(fill(&mut tx), 8);
        assert_eq!(drain(&mut fast), numbers(0..8));
        assert_eq!(tx.try_send(&8), Err(TrySendError::Full));
        let slowest = tx.slowest().unwrap();
        assert_eq!((slowest.consumer, slowest.who, slowest.lag), (2, Some(two.ident()), 8));
        assert_eq!((tx.lag(0), tx.lag(1), tx.lag(2), tx.lag(3)), (Some(0), None, Some(8), None));
        assert_eq!((slow.lag(), fast.lag(), tx.consumers(), tx.len()), (8, 0, 3, 8));
        assert!(!tx.is_empty());
        // One is received, and another in its place: the first is released.
        assert_eq!((slow.try_recv(), slow.try_recv()), (Ok(0), Ok(1)));
        assert_eq!(tx.try_send(&8), Ok(()));
        assert_eq!((drain(&mut slow), drain(&mut fast)), (numbers(2..9), vec![8]));
        assert_eq!((tx.len(), tx.is_empty()), (0, true));
        assert_eq!(slow.peer(), PeerStatus::Present);
        drop(tx);
        assert_eq!(slow.peer(), PeerStatus::Absent);
    }
}

#[test]
fn a_consumer_gets_what_is_sent_from_when_it_joined() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let members = [region.join(), region.join()];
        // Nobody has joined: there is always space.
        send(&mut tx, 100);
        assert_eq!(tx.slowest(), None);
        let mut first = join(&members[0], name, 0);
        assert_eq!(first.first_sequence(), 100);
        send(&mut tx, 3);
        let mut second = join(&members[1], name, 1);
        send(&mut tx, 2);
        assert_eq!(drain(&mut first), numbers(100..105));
        assert_eq!(drain(&mut second), numbers(103..105));
        // It leaves, and joins again: what was sent meanwhile is not for it.
        drop(second);
        send(&mut tx, 4);
        let mut again = join(&members[1], name, 1);
        assert_eq!((again.missed(), again.taken_over_from()), (0, None));
        send(&mut tx, 1);
        assert_eq!(drain(&mut again), [109]);
        assert_eq!(drain(&mut first), numbers(105..110));
    }
}

#[test]
fn fault_95_a_dead_consumer_bounds_nobody_once_it_is_proven_dead() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let (one, two, three) = (region.join(), region.join(), region.join());
        let mut lives = join(&one, name, 0);
        let dead = two.ident();
        let end = join(&two, name, 1);
        two.die(end);
        let end = join(&three, name, 2);
        three.die(end);
        send(&mut tx, 4);
        assert_eq!(drain(&mut lives), numbers(0..4));
        // While there is space, nobody is asked.
        let asked = region.counts.probes.load(Relaxed);
        send(&mut tx, 4);
        assert_eq!(region.counts.probes.load(Relaxed), asked);
        assert_eq!(tx.lag(1), Some(8));
        tx.try_send(&8).unwrap();
        assert!(region.counts.probes.load(Relaxed) > asked);
        assert_eq!((tx.lag(0), tx.lag(1), tx.lag(2)), (Some(5), None, None));
        assert_eq!(drain(&mut lives), numbers(4..9));
        // A successor knows what was lost, and bounds the producer from then on.
        let mut heir = join(&region.join(), name, 1);
        assert_eq!(heir.taken_over_from(), Some(dead));
        assert_eq!(heir.missed(), heir.first_sequence());
        let rest = drain(&mut heir);
        assert_eq!(rest, numbers(heir.first_sequence()..9));
        fill(&mut tx);
        assert_eq!(tx.lag(1), Some(8));
    }
}

/// A full ring that is polled asks the system once a probe period, and not at each refusal.
#[test]
fn fault_95_refused_sends_ask_who_is_dead_once_a_probe_period() {
    let region = Region::new(&PLAN);
    let mut tx: Tx = region.join().fanout_producer("slots").unwrap();
    tx.set_wait_policy(WaitPolicy { probe: Duration::from_secs(3600), ..WaitPolicy::parking() });
    let _stopped = join(&region.join(), "slots", 0);
    fill(&mut tx);
    let asked = region.counts.probes.load(Relaxed);
    (0..1000).for_each(|_| assert_eq!(tx.try_send(&0), Err(TrySendError::Full)));
    assert_eq!(region.counts.probes.load(Relaxed), asked);
    assert!(tx.refused() >= 1000);
}

#[test]
fn fault_96_a_stopped_consumer_bounds_the_producer_and_is_named() {
    let region = Region::new(&PLAN);
    let mut tx: Tx = region.join().fanout_producer("slots").unwrap();
    let (stopped, other) = (region.join(), region.join());
    let (mut rx, mut fast) = (join(&stopped, "slots", 1), join(&other, "slots", 0));
    fill(&mut tx);
    assert_eq!(drain(&mut fast).len(), 8);
    tx.set_wait_policy(WaitPolicy { probe: Duration::from_millis(1), ..WaitPolicy::parking() });
    let waited = tx.send_timeout(&8, Duration::from_millis(30));
    assert_eq!(waited, Err(SendError::TimedOut));
    assert_eq!(tx.slowest().unwrap().who, Some(stopped.ident()));
    let look = region.look();
    let state = |index| {
        let entry = look.consumer_entry("slots", index).unwrap();
        channel_state(region.mem(), look.header().line, &entry)
    };
    assert_eq!((state(1).consumer, state(1).len), (Some(stopped.ident()), 8));
    assert_eq!((state(0).len, state(2).consumer, state(0).producer), (0, None, None));
    let ring = channel_state(region.mem(), look.header().line, &look.channel("slots").unwrap());
    assert_eq!((ring.len, ring.consumer, ring.producer.is_some()), (8, None, true));
    assert_eq!(drain(&mut rx), numbers(0..8));
    assert_eq!(tx.send_timeout(&8, Duration::from_secs(60)), Ok(()));
}

#[test]
fn fault_97_a_successor_goes_on_where_the_dead_one_was() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let member = region.join();
        let mut dead: Rx =
            member.fanout_consumer_with(name, 0, ConsumerOptions::new().release_every(2)).unwrap();
        send(&mut tx, 7);
        (0..5).for_each(|number| assert_eq!(dead.try_recv(), Ok(number)));
        let successor = region.join();
        assert_eq!(successor.fanout_consumer::<u32>(name, 0).err(), Some(ChannelError::Busy));
        let who = member.ident();
        member.die(dead);
        let mut heir = join(&successor, name, 0);
        assert_eq!((heir.missed(), heir.taken_over_from()), (0, Some(who)));
        let rest = drain(&mut heir);
        // The one in use, and as many released ones as the dead one kept for itself.
        assert!((2..=5).contains(&rest[0]), "{rest:?}");
        assert_eq!(rest, numbers(rest[0]..7));
    }
}

#[test]
fn a_free_place_is_found_before_a_dead_one() {
    let region = Region::new(&PLAN);
    let (first, other, last) = (region.join(), region.join(), region.join());
    let (index, rx) = first.free_fanout_consumer::<u32>("slots").unwrap();
    assert_eq!((index, rx.index()), (0, 0));
    let dead = first.ident();
    first.die(rx);
    let taken: Vec<_> =
        [&other, &other, &last].map(|member| member.free_fanout_consumer::<u32>("slots").unwrap()).into();
    assert_eq!(taken.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!(taken[2].1.taken_over_from(), Some(dead));
    assert_eq!(last.free_fanout_consumer::<u32>("slots").err(), Some(ChannelError::Busy));
}

#[test]
fn fault_98_a_producer_dies_between_its_looks_and_its_successor_overwrites_nothing() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let member = region.join();
        let mut tx: Tx = member.fanout_producer(name).unwrap();
        let mut rx = join(&region.join(), name, 1);
        fill(&mut tx);
        let dead = member.ident();
        member.die(tx);
        // It had announced more than it then took, because a consumer had just joined.
        let ring = region.entry(name);
        region.poke(ring.block_b + at::FLOOR, 6);
        let mut heir: Tx = region.join().fanout_producer(name).unwrap();
        assert_eq!((heir.taken_over_from(), heir.next_sequence()), (Some(dead), 8));
        assert_eq!(heir.try_send(&8), Err(TrySendError::Full));
        assert_eq!(drain(&mut rx), numbers(0..8));
        send(&mut heir, 1);
        assert_eq!(drain(&mut rx), [8]);
    }
}

#[test]
fn fault_99_a_consumer_with_an_impossible_head_holds_up_the_producer_and_no_more() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let (liar, member) = (region.join(), region.join());
        let (bad, mut rx) = (join(&liar, name, 0), join(&member, name, 1));
        let head = region.look().consumer_entry(name, 0).unwrap().block_b + at::HEAD;
        for lie in [1000, u32::MAX, 1 << 31, 9] {
            region.poke(head, lie);
            let all = tx.next_sequence();
            fill(&mut tx);
            assert_eq!(drain(&mut rx), numbers(all..tx.next_sequence()));
            assert_eq!(tx.try_send(&0), Err(TrySendError::Full));
            assert_eq!((tx.fault(), tx.slowest().unwrap().consumer), (None, 0));
        }
        drop(bad);
        send(&mut tx, 1);
        // And what names nobody is never proven dead.
        let joined = region.look().consumer_entry(name, 0).unwrap().block_c + at::JOINED;
        region.poke(joined, 1 << 31);
        for _ in 0..4 {
            fill(&mut tx);
            drain(&mut rx);
        }
        assert_eq!(tx.try_send(&0), Err(TrySendError::Full));
        assert_eq!(tx.slowest().map(|slowest| slowest.who), Some(None));
        region.poke(joined, 0);
        drain(&mut rx);
        send(&mut tx, 1);
        // Of the producer's own words it believes none that contradict what it knows.
        region.poke(region.entry(name).block_b + at::FLOOR, 77);
        fill(&mut tx);
        drain(&mut rx);
        send(&mut tx, 1);
    }
}

#[test]
fn a_consumer_latches_the_fault_of_its_ring() {
    for (name, violation) in [("slots", Violation::Sequence), ("compact", Violation::Index)] {
        let region = Region::new(&PLAN);
        let (mut one, mut two) = (join(&region.join(), name, 0), join(&region.join(), name, 1));
        assert_eq!(one.fault(), None);
        let ring = region.entry(name);
        let word = if name == "slots" { ring.data + ring.stride - 4 } else { ring.block_a + at::MARK };
        region.poke(word, 77_777);
        assert_eq!(one.try_recv(), Err(TryRecvError::Fault(violation)));
        region.poke(word, 0);
        assert_eq!(one.try_recv(), Err(TryRecvError::Fault(violation)));
        assert_eq!(
            (one.fault(), two.try_recv(), two.fault()),
            (Some(violation), Err(TryRecvError::Empty), None)
        );
    }
}

#[test]
fn positions_wrap() {
    for name in QUEUES {
        let region = Region::new(&PLAN);
        let ring = region.entry(name);
        let start = u32::MAX - 5;
        region.poke(ring.block_a + at::MARK, start);
        region.poke(ring.block_b + at::HEAD, start);
        region.poke(ring.block_b + at::FLOOR, start);
        if name == "slots" {
            for pos in start.wrapping_sub(8)..start {
                region.poke(ring.data + (pos % 8) * ring.stride + ring.stride - 4, pos.wrapping_add(1));
            }
        }
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let member = region.join();
        let mut rx = join(&member, name, 0);
        assert_eq!(rx.first_sequence(), start);
        let mut next = start;
        for _ in 0..4 {
            while tx.try_send(&tx.next_sequence()).is_ok() {}
            for value in drain(&mut rx) {
                assert_eq!(value, next);
                next = next.wrapping_add(1);
            }
        }
        assert_eq!(next, start.wrapping_add(32));
        // One that joins across the wrap.
        let mut late = join(&member, name, 2);
        tx.try_send(&next).unwrap();
        // The producer had used up all that it knew of, so one of before comes too.
        assert_eq!(drain(&mut late), [next.wrapping_sub(1), next]);
    }
}

#[test]
fn batches_go_to_all_and_stop_at_the_slowest() {
    let region = Region::new(&PLAN);
    for name in QUEUES {
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        let members = [region.join(), region.join()];
        let (mut one, mut two) = (join(&members[0], name, 0), join(&members[1], name, 1));
        let mut values = 0..20;
        assert_eq!(tx.try_send_batch(values.by_ref()), Ok(8));
        assert_eq!(tx.try_send_batch(values.by_ref()), Err(TrySendError::Full));
        assert_eq!(values.next(), Some(8), "nothing is taken for which there is no space");
        let mut got = Vec::new();
        assert_eq!(one.recv_batch(5, |value| got.push(value)), Ok(5));
        assert_eq!(two.recv_batch(100, |value| got.push(value)), Ok(8));
        assert_eq!(tx.try_send_batch(values.by_ref()), Ok(5));
        assert_eq!(tx.try_send_batch([]), Ok(0));
        assert_eq!(values.next(), Some(14));
    }
}

/// Random steps of a producer and three consumers that join, leave, die and succeed: each has, of each membership,
/// everything without a gap.
#[test]
fn random_schedules_lose_nothing() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let region = Region::new(&PLAN);
        let name = QUEUES[seed as usize % 2];
        let mut tx: Tx = region.join().fanout_producer(name).unwrap();
        tx.set_wait_policy(WaitPolicy { probe: Duration::ZERO, ..WaitPolicy::parking() });
        let mut members: [Option<(Member, Rx)>; 3] = Default::default();
        let mut next = [0; 3];
        for _ in 0..400 {
            let index = rng.below(3);
            match (rng.below(12), &mut members[index]) {
                (0, member @ None) => {
                    let joined = region.join();
                    let rx = join(&joined, name, index as u32);
                    let lost = rx.first_sequence().wrapping_sub(next[index]);
                    assert!(rx.taken_over_from().is_none() || lost == rx.missed(), "seed {seed}");
                    next[index] = rx.first_sequence();
                    *member = Some((joined, rx));
                }
                (1, member @ Some(_)) => {
                    let (joined, rx) = member.take().unwrap();
                    if rng.below(2) == 0 {
                        joined.die(rx);
                    } else {
                        drop(rx);
                        joined.leave();
                    }
                }
                (2..=6, Some((_, rx))) => {
                    if let Ok(value) = rx.try_recv() {
                        assert_eq!((value, rx.sequence()), (next[index], next[index]), "seed {seed}");
                        next[index] += 1;
                        rx.flush();
                    }
                }
                _ => {
                    let _ = tx.try_send(&tx.next_sequence());
                }
            }
        }
        for (index, member) in members.iter_mut().enumerate() {
            if let Some((_, rx)) = member {
                assert_eq!(drain(rx), numbers(next[index]..tx.next_sequence()), "seed {seed}");
            }
        }
        assert!(tx.next_sequence() > 50);
    }
}

#[test]
fn all_sleep_on_one_word_and_all_wake() {
    let region = Region::new(&PLAN);
    let members = [region.join(), region.join(), region.join()];
    let mut tx: Tx = region.join().fanout_producer("slots").unwrap();
    let readers = [0, 1, 2].map(|index| join(&members[index], "slots", index as u32));
    std::thread::scope(|scope| {
        let receivers = readers.map(|mut rx| {
            scope.spawn(move || {
                let mut got = Vec::new();
                while got.len() < 2000 {
                    got.push(rx.recv_timeout(Duration::from_secs(60)).unwrap());
                }
                got
            })
        });
        for number in 0..2000 {
            tx.send_timeout(&number, Duration::from_secs(60)).unwrap();
        }
        for receiver in receivers {
            assert_eq!(receiver.join().unwrap(), numbers(0..2000));
        }
    });
}

#[test]
fn waits_end_with_the_producer_and_cover_several_receivers() {
    let region = Region::new(&PLAN);
    let (member, other) = (region.join(), region.join());
    let mut tx: Tx = other.fanout_producer("slots").unwrap();
    let (mut slots, mut compact) = (join(&member, "slots", 0), join(&member, "compact", 0));
    tx.try_send(&0).unwrap();
    let ready = wait_any(
        member.port(),
        &mut [&mut compact, &mut slots],
        WaitPolicy::parking(),
        Duration::from_secs(60),
    );
    assert_eq!(ready, Ok(1));
    assert_eq!(slots.try_recv(), Ok(0));
    slots.end_with_peer(true);
    other.die(tx);
    assert_eq!(slots.recv_timeout(Duration::from_secs(60)), Err(RecvError::PeerGone));
}

#[test]
fn tasks_wait_on_both_sides() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut tx: Tx = region.join().fanout_producer("slots").unwrap();
    let mut rx = join(&member, "slots", 0);
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut received = pin!(rx.recv());
        assert_eq!(received.as_mut().poll(&mut context), Poll::Pending);
        send(&mut tx, 1);
        assert_eq!(received.as_mut().poll(&mut context), Poll::Ready(Ok(0)));
    }
    fill(&mut tx);
    let next = tx.next_sequence();
    let mut sending = pin!(tx.send(&next));
    assert_eq!(sending.as_mut().poll(&mut context), Poll::Pending);
    // The one received before is in use until the next call.
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(sending.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn consumers_of_several_domains() {
    const PLAN: Plan<'_> = Plan::new(&[Channel::slots::<u32>("log", 4).domains(7, 0).consumers_in(&[0, 7])])
        .line(4)
        .participants(2);
    let region = Region::new(&PLAN);
    let (host, firmware) = (region.join(), region.join_domain(7));
    let wrong = Some(ChannelError::Domain { planned: 7 });
    assert_eq!(host.fanout_producer::<u32>("log").err(), wrong);
    assert_eq!(host.fanout_consumer::<u32>("log", 1).err(), wrong);
    let mut tx: Tx = firmware.fanout_producer("log").unwrap();
    let (index, mut there) = firmware.free_fanout_consumer::<u32>("log").unwrap();
    assert_eq!(index, 1);
    let mut here = host.fanout_consumer::<u32>("log", 0).unwrap();
    send(&mut tx, 2);
    assert_eq!((drain(&mut here), drain(&mut there)), (numbers(0..2), numbers(0..2)));
}

#[test]
fn thirty_two_consumers() {
    const PLAN: Plan<'_> =
        Plan::new(&[Channel::compact::<u32>("log", 4).consumers(32)]).line(4).participants(2);
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut tx: Tx = member.fanout_producer("log").unwrap();
    let mut all: Vec<_> = (0..32).map(|_| member.free_fanout_consumer::<u32>("log").unwrap().1).collect();
    assert_eq!(fill(&mut tx), 4);
    assert!(all.iter_mut().all(|rx| drain(rx) == numbers(0..4)));
    assert_eq!(fill(&mut tx), 4);
}

/// A queue is reset with all its consumers' words.
#[test]
fn a_reset_renews_all_consumers() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let (mut tx, mut rx): (Tx, _) = (member.fanout_producer("slots").unwrap(), join(&member, "slots", 2));
    send(&mut tx, 5);
    assert_eq!(rx.try_recv(), Ok(0));
    assert!(member.reset_channel("slots").is_err(), "the producer's role is held");
    drop(tx);
    assert!(member.reset_channel("slots").is_err(), "a consumer's role is held");
    drop(rx);
    member.reset_channel("slots").unwrap();
    let (mut tx, mut rx): (Tx, _) = (member.fanout_producer("slots").unwrap(), join(&member, "slots", 2));
    assert_eq!((tx.next_sequence(), rx.first_sequence()), (0, 0));
    assert_eq!(fill(&mut tx), 8);
    assert_eq!(drain(&mut rx), numbers(0..8));
}
