//! Queues with several producers: turns, takeover of one lane, damage in one lane, and the one consumer.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::common::world::Hook;
use crate::common::{Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::ground::plan::Fault;
use strait_core::protocol::park;
use strait_core::{
    Channel, ChannelError, ConsumerOptions, Delivery, FromLane, LanesConsumer, LanesOptions, PeerStatus,
    Plan, RecvLanesError, TryRecvLanesError, TrySendError, TypedLanesConsumer, TypedProducer, Violation,
    WaitAnyError, WaitPolicy,
    format::{Entry, Header, Kind},
    wait_any,
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112).producers(3).consumer_may_block(),
    Channel::slots::<u32>("slots", 8).producers(3).consumer_may_block().producer_may_block(),
    Channel::compact::<u32>("compact", 8).producers(3).consumer_may_block(),
    Channel::slots::<u32>("alone", 4),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(6);
/// The channels of `u32`.
const VALUES: [&str; 2] = ["slots", "compact"];

type Tx = TypedProducer<u32, TestPort>;
type Rx<const N: usize> = TypedLanesConsumer<u32, TestPort, N>;

fn pairs<const N: usize>(rx: &mut Rx<N>) -> Vec<(u32, u32)> {
    std::iter::from_fn(|| match rx.try_recv() {
        Ok(FromLane { lane, message }) => Some((lane, message)),
        Err(error) => {
            assert_eq!(error, TryRecvLanesError::Empty);
            None
        }
    })
    .collect()
}

fn burst(messages: u32) -> LanesOptions {
    LanesOptions::new().burst(messages)
}

fn entry_of(region: &Region, name: &str, lane: u32) -> Entry {
    region.look().channels().filter(|entry| entry.name() == Some(name)).nth(lane as usize).unwrap()
}

#[test]
fn a_lane_is_an_entry_and_the_lanes_of_a_queue_are_alike() {
    let region = Region::new(&PLAN);
    let look = region.look();
    assert_eq!(look.header().channel_count, 10);
    for name in ["frames", "slots", "compact"] {
        let lanes: Vec<_> = look.channels().filter(|entry| entry.name() == Some(name)).collect();
        assert_eq!(lanes.iter().map(|entry| entry.lane.index).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(lanes.iter().all(|entry| entry.lane.count == 3 && entry.wait_b == lanes[0].wait_b));
    }
    assert!(!look.channel("alone").unwrap().lane.is_one_of_many());
}

#[test]
fn ordinary_endpoints_refuse_lanes_and_lanes_take_an_ordinary_queue() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let lanes = Some(ChannelError::Lanes { count: 3 });
    assert_eq!(member.producer("frames").err(), lanes);
    assert_eq!(member.consumer("frames").err(), lanes);
    assert_eq!(member.typed_producer::<u32>("slots").err(), lanes);
    assert_eq!(member.typed_consumer::<u32>("compact").err(), lanes);
    assert_eq!(member.lane_producer("frames", 3).err(), Some(ChannelError::NoLane { count: 3 }));
    assert_eq!(member.lanes_consumer::<2>("frames").err(), Some(ChannelError::TooManyLanes { count: 3 }));
    assert_eq!(member.typed_lane_producer::<u64>("slots", 0).err(), Some(ChannelError::Type));
    let kind = Some(ChannelError::Kind { found: Kind::Slots });
    assert_eq!(member.lane_producer("slots", 0).err(), kind);
    assert_eq!(member.lanes_consumer::<3>("none").err(), Some(ChannelError::NotFound));
    // A queue with one producer is its own only lane.
    let mut rx: Rx<1> = member.typed_lanes_consumer("alone").unwrap();
    assert_eq!(member.typed_consumer::<u32>("alone").err(), Some(ChannelError::Busy));
    member.typed_lane_producer::<u32>("alone", 0).unwrap().try_send(&5).unwrap();
    assert_eq!(pairs(&mut rx), [(0, 5)]);
}

#[test]
fn plans_with_wrong_lanes_are_refused() {
    let queue = Channel::slots::<u32>("q", 4);
    let many = [0; 257];
    let wrong = [
        queue.producers(0),
        queue.producers(257),
        queue.producers_in(&[]),
        queue.producers_in(&many),
        queue.producers(2).urgent_lanes(3),
        queue.urgent_lanes(2),
        Channel::latest::<u32>("v").producers(2),
        Channel::mutex::<u32>("v").producers(2),
        Channel::permits("v", 1).producers(2),
    ];
    for channel in wrong {
        let error = Plan::new(&[Channel::semaphore("s", 0, 1), channel]).try_size().unwrap_err();
        assert_eq!((error.channel, error.fault), (Some(1), Fault::Lanes), "{channel:?}");
    }
    assert!(Plan::new(&[queue.producers(u32::MAX)]).try_size().is_err());
    assert!(Plan::new(&[queue.producers(256)]).try_size().is_ok());
}

/// Turns go round, at most so many messages from one lane before the next.
#[test]
fn lanes_take_turns_whatever_one_of_them_sends() {
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut lanes = [0, 1, 2].map(|lane| member.typed_lane_producer::<u32>(name, lane).unwrap());
        let mut rx: Rx<3> = member.typed_lanes_consumer_with(name, burst(2)).unwrap();
        let mut got = Vec::new();
        // Lane 0 is kept full.
        for round in 0..20 {
            while lanes[0].try_send(&0).is_ok() {}
            if round == 3 {
                lanes[1].try_send_batch([10, 11, 12]).unwrap();
                lanes[2].try_send(&20).unwrap();
            }
            got.push(rx.try_recv().map(|from| (from.lane, from.message)).unwrap());
        }
        let others: Vec<_> = got.iter().enumerate().filter(|(_, got)| got.0 != 0).collect();
        let order: Vec<_> = others.iter().map(|(_, got)| got.1).collect();
        assert_eq!(order, [10, 11, 20, 12], "{name}");
        // Two of lane 0 lie between, and never more.
        assert_eq!(others.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4, 5, 6, 9], "{name}");
    }
}

#[test]
fn a_message_is_released_with_the_next_receive_whatever_lane_that_is_of() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut lanes = [0, 1].map(|lane| member.typed_lane_producer::<u32>("slots", lane).unwrap());
    lanes[0].try_send(&1).unwrap();
    lanes[1].try_send(&2).unwrap();
    let each = ConsumerOptions::new().release_every(1);
    let mut rx: Rx<3> = member.typed_lanes_consumer_with("slots", burst(1).each_lane(each)).unwrap();
    assert_eq!(rx.try_recv(), Ok(FromLane { lane: 0, message: 1 }));
    assert_eq!((lanes[0].len(), lanes[1].len()), (1, 1), "in use");
    assert_eq!(rx.try_recv(), Ok(FromLane { lane: 1, message: 2 }));
    assert_eq!((lanes[0].len(), lanes[1].len()), (0, 1));
    rx.release();
    assert_eq!(lanes[1].len(), 0);
    let each = ConsumerOptions::new().delivery(Delivery::AtMostOnce);
    drop(rx);
    let mut rx: Rx<3> = member.typed_lanes_consumer_with("slots", burst(1).each_lane(each)).unwrap();
    lanes[1].try_send(&3).unwrap();
    assert_eq!(rx.try_recv(), Ok(FromLane { lane: 1, message: 3 }));
    assert_eq!(lanes[1].len(), 0);
}

#[test]
fn a_message_of_a_turn_that_goes_on_is_in_use_and_released_like_any() {
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut lanes = [0, 1].map(|lane| member.typed_lane_producer::<u32>(name, lane).unwrap());
        let each = ConsumerOptions::new().release_every(1);
        let mut rx: Rx<3> = member.typed_lanes_consumer_with(name, burst(9).each_lane(each)).unwrap();
        lanes[0].try_send_batch([1, 2, 3, 4]).unwrap();
        assert_eq!((rx.try_recv(), rx.sequence()), (Ok(FromLane { lane: 0, message: 1 }), 0));
        assert_eq!(lanes[0].len(), 4, "in use");
        assert_eq!((rx.try_recv(), rx.sequence()), (Ok(FromLane { lane: 0, message: 2 }), 1));
        assert_eq!(lanes[0].len(), 3);
        rx.release();
        assert_eq!(lanes[0].len(), 2);
        // Nothing is in use now, and then the next is.
        assert_eq!((rx.try_recv(), rx.sequence()), (Ok(FromLane { lane: 0, message: 3 }), 2));
        assert_eq!(lanes[0].len(), 2, "in use");
        rx.release();
        assert_eq!(lanes[0].len(), 1);
        assert_eq!(rx.try_recv(), Ok(FromLane { lane: 0, message: 4 }));
        // The turn ends with what the lane has, and its last message is released by the next receive.
        lanes[1].try_send(&5).unwrap();
        assert_eq!((rx.try_recv(), rx.sequence()), (Ok(FromLane { lane: 1, message: 5 }), 0));
        assert_eq!((lanes[0].len(), lanes[1].len()), (0, 1));
        assert_eq!(rx.try_recv(), Err(TryRecvLanesError::Empty));
        assert_eq!(lanes[1].len(), 0);
    }
}

#[test]
fn an_urgent_lane_is_looked_at_first() {
    const PLAN: Plan<'_> =
        Plan::new(&[Channel::frames("q", 256, 32).producers(4).urgent_lanes(2)]).line(4).participants(3);
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut lanes = [0, 1, 2, 3].map(|lane| member.lane_producer("q", lane).unwrap());
    for (lane, tx) in lanes.iter_mut().enumerate() {
        tx.try_send(lane as u32, b"one").unwrap();
        tx.try_send(lane as u32, b"two").unwrap();
    }
    let mut rx: LanesConsumer<_, 4> = member.lanes_consumer_with("q", burst(1)).unwrap();
    let mut next = || rx.try_recv(&mut [0; 32]).map(|from| from.lane).ok();
    assert_eq!(
        [(); 9].map(|()| next()),
        [0, 0, 1, 1, 2, 3, 2, 3].map(Some).into_iter().chain([None]).collect::<Vec<_>>()[..]
    );
}

/// FAULT 21: One producer dies in the middle of a claim of space. The others are not held up, and its lane is
/// taken over alone.
#[test]
fn fault_21_a_producer_that_died_with_a_reservation_holds_up_nobody() {
    let region = Region::new(&PLAN);
    let (dead, alive) = (region.join(), region.join());
    let mut first = dead.lane_producer("frames", 0).unwrap();
    first.try_send(1, b"committed").unwrap();
    assert_eq!(first.reserve(50).unwrap().len(), 50);
    let mut second = alive.lane_producer("frames", 1).unwrap();
    let mut rx: LanesConsumer<_, 3> = region.join().lanes_consumer("frames").unwrap();
    dead.die(first);
    second.try_send(2, b"goes on").unwrap();
    let mut next = |buffer: &mut [u8]| rx.try_recv(buffer).map(|got| (got.lane, got.message.tag));
    let mut buffer = [0; 112];
    assert_eq!(next(&mut buffer), Ok((0, 1)));
    assert_eq!(next(&mut buffer), Ok((1, 2)));
    assert_eq!(next(&mut buffer), Err(TryRecvLanesError::Empty));
    // The search prefers no lane: the first that can be claimed is the dead one's.
    let heir = region.join();
    let (lane, mut heirs) = heir.free_lane_producer("frames").unwrap();
    assert_eq!((lane, heirs.next_sequence()), (0, 1));
    assert!(heirs.taken_over_from().is_some());
    heirs.try_send(3, b"heir").unwrap();
    second.try_send(4, b"").unwrap();
    assert_eq!([next(&mut buffer), next(&mut buffer)], [Ok((1, 4)), Ok((0, 3))]);
    assert_eq!(
        (rx.peer(0), rx.peer(1), rx.peer(2)),
        (Some(PeerStatus::Present), Some(PeerStatus::Present), Some(PeerStatus::Absent))
    );
}

/// FAULT 22: A producer is stopped with a reservation, however long: nobody takes its lane, others go on, and
/// what it then writes overwrites nothing.
#[test]
fn fault_22_a_stopped_producer_keeps_its_lane_and_overwrites_nothing() {
    let region = Region::new(&PLAN);
    let (stopped, other) = (region.join(), region.join());
    let mut first = stopped.lane_producer("frames", 0).unwrap();
    let mut grant = first.reserve(4).unwrap();
    let mut second = other.lane_producer("frames", 1).unwrap();
    let mut rx: LanesConsumer<_, 3> = other.lanes_consumer("frames").unwrap();
    for round in 0..100_u32 {
        second.try_send(round, &round.to_le_bytes()).unwrap();
        let mut buffer = [0; 112];
        let got = rx.try_recv(&mut buffer).unwrap();
        assert_eq!((got.lane, got.message.sequence, &buffer[..4]), (1, round, &round.to_le_bytes()[..]));
    }
    assert_eq!(region.join().lane_producer("frames", 0).err(), Some(ChannelError::Busy));
    assert_eq!(grant.write(0, b"late"), 4);
    grant.commit();
    second.try_send(7, b"whole").unwrap();
    let mut both = [(); 2].map(|()| {
        let mut buffer = [0; 112];
        let got = rx.try_recv(&mut buffer).unwrap();
        (got.lane, buffer[..got.message.len].to_vec())
    });
    both.sort_unstable();
    assert_eq!(both, [(0, b"late".to_vec()), (1, b"whole".to_vec())]);
}

#[test]
fn a_consumer_finds_what_was_there_before_it_came() {
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        for lane in [2, 0, 1] {
            member.typed_lane_producer::<u32>(name, lane).unwrap().try_send(&(10 * lane)).unwrap();
        }
        let mut rx: Rx<3> = member.typed_lanes_consumer(name).unwrap();
        assert_eq!(pairs(&mut rx), [(0, 0), (1, 10), (2, 20)]);
    }
}

/// The consumer's role is one for all lanes, and passes as a whole.
#[test]
fn a_successor_takes_all_lanes_and_sees_again_what_was_not_released() {
    for name in VALUES {
        let region = Region::new(&PLAN);
        let (dead, senders) = (region.join(), region.join());
        let mut lanes = [0, 1, 2].map(|lane| senders.typed_lane_producer::<u32>(name, lane).unwrap());
        for (lane, tx) in lanes.iter_mut().enumerate() {
            tx.try_send_batch((0..4).map(|i| 10 * lane as u32 + i)).unwrap();
        }
        let each = ConsumerOptions::new().release_every(1);
        let options = burst(2).each_lane(each);
        let mut rx: Rx<3> = dead.typed_lanes_consumer_with(name, options).unwrap();
        let first = [(); 5].map(|()| rx.try_recv().unwrap().message);
        assert_eq!(first, [0, 1, 10, 11, 20]);
        let heir = region.join();
        let busy = heir.typed_lanes_consumer_with::<u32, 3>(name, options).err();
        assert_eq!(busy, Some(ChannelError::Busy));
        dead.die(rx);
        assert!(lanes.iter().all(|tx| tx.peer() == PeerStatus::Dead));
        let mut rx: Rx<3> = heir.typed_lanes_consumer_with(name, options).unwrap();
        assert!((0..3).all(|lane| rx.taken_over_from(lane).is_some() && rx.fault(lane).is_none()));
        // Of each lane, only what was not released: 20 was in use.
        let again = pairs(&mut rx);
        assert_eq!(again, [(0, 2), (0, 3), (1, 12), (1, 13), (2, 20), (2, 21), (2, 22), (2, 23)], "{name}");
    }
}

/// A consumer that died while it claimed the lanes, or gave them back, holds some of them.
#[test]
fn a_consumer_that_died_between_two_claims_is_succeeded() {
    for held in 0..3_u32 {
        let region = Region::new(&PLAN);
        let (dead, heir) = (region.join(), region.join());
        for lane in 0..held {
            let entry = entry_of(&region, "slots", lane);
            let role = entry.block_c + entry.blocks(4).unwrap().role_b;
            region.poke(role + at::OWNER, dead.ident().word());
        }
        dead.die(());
        let rx: Rx<3> = heir.typed_lanes_consumer("slots").unwrap();
        for lane in 0..3 {
            assert_eq!((rx.fault(lane), rx.taken_over_from(lane).is_some()), (None, lane < held));
        }
    }
}

/// FAULT 30: A lane's words are impossible. That lane is reported once, and the others go on.
#[test]
fn fault_30_a_damaged_lane_is_reported_once_and_left_out() {
    let broken = [("slots", Violation::Sequence), ("compact", Violation::Index)];
    for (name, violation) in broken {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut lanes = [0, 1, 2].map(|lane| member.typed_lane_producer::<u32>(name, lane).unwrap());
        let mut rx: Rx<3> = member.typed_lanes_consumer_with(name, burst(1)).unwrap();
        let entry = entry_of(&region, name, 1);
        let word = if name == "slots" { entry.data + entry.stride - 4 } else { entry.block_a + at::MARK };
        region.poke(word, 77_777);
        for round in 0..20 {
            lanes[0].try_send(&round).unwrap();
            lanes[2].try_send(&round).unwrap();
            let mut got: Vec<_> = std::iter::from_fn(|| match rx.try_recv() {
                Err(TryRecvLanesError::Empty) => None,
                got => Some(got.map(|from| from.lane)),
            })
            .collect();
            if round == 0 {
                let fault = got.iter().position(Result::is_err).unwrap();
                assert_eq!(got.remove(fault), Err(TryRecvLanesError::Fault { lane: 1, violation }));
            }
            assert!(got.len() == 2 && got.contains(&Ok(0)) && got.contains(&Ok(2)), "{name}: {got:?}");
        }
        assert_eq!([0, 1, 2].map(|lane| rx.fault(lane)), [None, Some(violation), None]);
        // Waiting does not return it again either.
        assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvLanesError::TimedOut));
    }
}

/// A lane that cannot be opened at all is reported by the first receive, also if it is the first one, and the
/// role is held all the same.
#[test]
fn a_lane_that_cannot_be_opened_does_not_stop_the_others() {
    for damaged in 0..3 {
        let region = Region::new(&PLAN);
        let member = region.join();
        region.poke(entry_of(&region, "frames", damaged).block_b + at::HEAD, 3);
        let sender = (damaged + 1) % 3;
        let mut tx = member.lane_producer("frames", sender).unwrap();
        let mut rx: LanesConsumer<_, 3> = member.lanes_consumer("frames").unwrap();
        assert_eq!(region.join().lanes_consumer::<3>("frames").err(), Some(ChannelError::Busy));
        tx.try_send(5, b"").unwrap();
        let mut next = || rx.try_recv(&mut []).map(|got| got.lane);
        let both = [next(), next()];
        let fault = Err(TryRecvLanesError::Fault { lane: damaged, violation: Violation::Index });
        assert!(both.contains(&fault) && both.contains(&Ok(sender)), "{both:?}");
        assert_eq!(next(), Err(TryRecvLanesError::Empty));
        assert_eq!(rx.fault(damaged), Some(Violation::Index));
    }
}

/// FAULT 39: The owner word of a lane's consumer names nobody. Only that lane is lost.
#[test]
fn fault_39_a_role_word_of_a_lane_that_names_nobody() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let entry = entry_of(&region, "slots", 1);
    region.poke(entry.block_c + entry.blocks(4).unwrap().role_b + at::OWNER, u32::MAX);
    let mut tx = member.typed_lane_producer::<u32>("slots", 2).unwrap();
    tx.try_send(&5).unwrap();
    let mut rx: Rx<3> = member.typed_lanes_consumer("slots").unwrap();
    let fault = TryRecvLanesError::Fault { lane: 1, violation: Violation::State };
    assert_eq!(rx.try_recv(), Err(fault));
    assert_eq!(pairs(&mut rx), [(2, 5)]);
    drop(rx);
    // The first lane's names the consumer of all of them: two that left it out could have the others at once.
    let entry = entry_of(&region, "slots", 0);
    region.poke(entry.block_c + entry.blocks(4).unwrap().role_b + at::OWNER, u32::MAX);
    let all = member.typed_lanes_consumer::<u32, 3>("slots");
    assert_eq!(all.err(), Some(ChannelError::Busy));
}

/// At whatever moment that is: without the first lane's role nobody is the consumer, and another lane alone is lost.
#[test]
fn somebody_takes_a_damaged_lane_from_a_consumer_that_opens_it() {
    for lane in [0, 1] {
        let mut lost = 0;
        for moment in 0..40 {
            let region = Region::new(&PLAN);
            let (member, other) = (region.join(), region.join());
            let entry = entry_of(&region, "frames", lane);
            region.poke(entry.block_b + at::HEAD, 3);
            let role = entry.block_c + entry.blocks(4).unwrap().role_b + at::OWNER;
            let (there, thief) = (region.clone(), other.ident().word());
            let mut hooks: VecDeque<Option<Hook>> = (0..moment).map(|_| None).collect();
            hooks.push_back(Some(Box::new(move || {
                if there.peek(role) == 0 {
                    there.poke(role, thief);
                }
            })));
            *region.hooks.on_domain.lock().unwrap() = hooks;
            let opened = member.lanes_consumer::<3>("frames");
            region.hooks.on_domain.lock().unwrap().clear();
            let is_lost = region.peek(role) == thief;
            lost += u32::from(is_lost);
            if is_lost && lane == 0 {
                assert_eq!(opened.err(), Some(ChannelError::Busy), "moment {moment}");
                continue;
            }
            let mut rx = opened.unwrap();
            assert!(
                matches!(rx.try_recv(&mut []), Err(TryRecvLanesError::Fault { lane: found, .. }) if found == lane)
            );
            assert_eq!(rx.try_recv(&mut []), Err(TryRecvLanesError::Empty), "moment {moment}");
        }
        assert!(lost > 1, "before the first claim, and before the second");
    }
}

#[test]
fn a_flush_releases_what_was_received_in_all_lanes() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut senders = [0, 1, 2].map(|lane| member.lane_producer("frames", lane).unwrap());
    let mut rx: LanesConsumer<_, 3> = member.lanes_consumer("frames").unwrap();
    assert!(rx.is_empty());
    for tx in &mut senders {
        tx.try_send(5, &[1; 30]).unwrap();
        assert!(!rx.is_empty());
    }
    (0..3).for_each(|_| assert_eq!(rx.try_recv(&mut [0; 30]).unwrap().message.len, 30));
    assert!(rx.is_empty());
    rx.flush();
    assert_eq!(senders.each_mut().map(|tx| tx.len()), [0; 3]);
}

#[test]
fn lanes_whose_entries_differ_are_refused() {
    // Word 9 is the flags, 11 the capacity, 24 and 25 the lane's number and how many there are.
    for (lane, word, value) in [(1, 11, 4), (2, 24, 1), (1, 25, 2), (2, 9, 3), (0, 24, 1), (1, 0, 7)] {
        let region = Region::new(&PLAN);
        let look = region.look();
        let place = look.channels().position(|entry| entry.name() == Some("slots")).unwrap() as u32 + lane;
        let mut image = region.bytes();
        let at = (128 + 128 * place + 4 * word) as usize;
        image[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        crate::common::raw::seal(&mut image);
        let region = Region::from_bytes(&image);
        let found = region.join().typed_lanes_consumer::<u32, 3>("slots").err();
        assert!(matches!(found, Some(ChannelError::Damaged(_))), "{word} = {value}: {found:?}");
        assert!(region.join().lanes_consumer::<3>("frames").is_ok(), "another channel");
    }
}

#[test]
fn the_search_for_a_lane_ends_when_all_are_taken() {
    let region = Region::new(&PLAN);
    let (one, two) = (region.join(), region.join());
    let mut kept: Vec<(u32, Tx)> = Vec::new();
    for member in [&one, &two, &one] {
        kept.push(member.typed_free_lane_producer("slots").unwrap());
    }
    assert_eq!(kept.iter().map(|(lane, _)| *lane).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(one.typed_free_lane_producer::<u32>("slots").err(), Some(ChannelError::Busy));
    kept.remove(1);
    assert_eq!(two.typed_free_lane_producer::<u32>("slots").map(|(lane, _)| lane), Ok(1));
}

/// Each lane's producer may be in a domain of its own, and is claimed there alone.
#[test]
fn producers_of_several_domains_send_into_one_queue() {
    const PLAN: Plan<'_> =
        Plan::new(&[Channel::compact::<u32>("q", 4).domains(0, 0).producers_in(&[0, 7, 7])])
            .line(4)
            .participants(2);
    let region = Region::new(&PLAN);
    let (host, firmware) = (region.join(), region.join_domain(7));
    assert_eq!(host.typed_lane_producer::<u32>("q", 1).err(), Some(ChannelError::Domain { planned: 7 }));
    let (lane, mut tx) = firmware.typed_free_lane_producer::<u32>("q").unwrap();
    assert_eq!(lane, 1);
    tx.try_send(&1).unwrap();
    let (lane, mut tx) = host.typed_free_lane_producer::<u32>("q").unwrap();
    assert_eq!(lane, 0);
    tx.try_send(&2).unwrap();
    assert_eq!(host.typed_free_lane_producer::<u32>("q").err(), Some(ChannelError::Busy));
    let mut rx: Rx<3> = host.typed_lanes_consumer("q").unwrap();
    assert_eq!(pairs(&mut rx), [(0, 2), (1, 1)]);
    assert_eq!(firmware.typed_lanes_consumer::<u32, 3>("q").err(), Some(ChannelError::Domain { planned: 0 }));
}

#[test]
fn payload_of_lanes_can_be_split_off() {
    const PLAN: Plan<'_> =
        Plan::new(&[Channel::compact::<u32>("q", 4).producers(3), Channel::latest::<u64>("v")])
            .line(32)
            .split_payload(64)
            .participants(2);
    let region = Region::new(&PLAN);
    let header = Header::check(region.mem()).unwrap();
    let data: Vec<_> = header.channels(region.mem()).map(|entry| entry.data).collect();
    assert_eq!(data.len(), 4);
    assert!(data.is_sorted() && data[0] as usize == PLAN.payload_start());
}

/// A domain that is not there has no place in the table; 256 lanes are.
#[test]
fn there_are_256_lanes() {
    const MANY: usize = 256;
    let channels = [Channel::slots::<u32>("q", 4).producers(256).consumer_may_block()];
    let region = Region::new(&Plan::new(&channels).line(8).participants(2));
    let member = region.join();
    let mut lanes: Vec<Tx> = (0..256).map(|_| member.typed_free_lane_producer("q").unwrap().1).collect();
    let mut rx: Box<Rx<MANY>> = Box::new(member.typed_lanes_consumer("q").unwrap());
    assert_eq!((rx.lanes(), rx.is_empty()), (256, true));
    for (lane, tx) in lanes.iter_mut().enumerate().rev() {
        tx.try_send(&(lane as u32)).unwrap();
    }
    assert!(!rx.is_empty());
    let got = pairs(&mut rx);
    assert!(got.into_iter().eq((0..256).map(|lane| (lane, lane))));
    lanes[200].try_send(&7).unwrap();
    assert_eq!(rx.recv_timeout(Duration::from_secs(60)), Ok(FromLane { lane: 200, message: 7 }));
    assert_eq!(rx.sequence(), 1);
}

/// One sleep for all lanes; a word of the queue's own is cleared when the consumer gives up.
#[test]
fn a_send_into_any_lane_wakes_the_consumer() {
    let region = Region::new(&PLAN);
    let (sender, receiver) = (region.join(), region.join());
    let mut lanes = [0, 1, 2].map(|lane| sender.typed_lane_producer::<u32>("slots", lane).unwrap());
    let mut rx: Rx<3> = receiver.typed_lanes_consumer("slots").unwrap();
    rx.set_wait_policy(WaitPolicy { spin: 0, park: true, probe: Duration::from_secs(30) });
    assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvLanesError::TimedOut));
    lanes[1].try_send(&0).unwrap();
    assert_eq!((rx.try_recv().map(|from| from.lane), region.counts.wakes.load(Relaxed)), (Ok(1), 0));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for round in 0..300_u32 {
                lanes[round as usize % 3].send_timeout(&round, Duration::from_secs(60)).unwrap();
            }
        });
        let mut got = [0; 3];
        for _ in 0..300 {
            let FromLane { lane, message } = rx.recv_timeout(Duration::from_secs(60)).unwrap();
            assert_eq!((message % 3, message / 3), (lane, got[lane as usize]), "order within a lane");
            got[lane as usize] += 1;
        }
    });
}

#[test]
fn a_task_waits_for_all_lanes() {
    let region = Region::new(&PLAN);
    let (sender, receiver) = (region.join(), region.join());
    let mut tx = sender.typed_lane_producer::<u32>("compact", 2).unwrap();
    let mut frames = sender.lane_producer("frames", 1).unwrap();
    let mut rx: Rx<3> = receiver.typed_lanes_consumer("compact").unwrap();
    let mut other: LanesConsumer<_, 3> = receiver.lanes_consumer("frames").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut future = pin!(rx.recv());
        assert!(future.as_mut().poll(&mut context).is_pending());
        tx.try_send(&9).unwrap();
        assert_eq!(region.counts.wakes.load(Relaxed), 1);
        assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Ok(FromLane { lane: 2, message: 9 })));
    }
    let mut buffer = [0; 112];
    let mut future = pin!(other.recv(&mut buffer));
    assert!(future.as_mut().poll(&mut context).is_pending());
    frames.try_send(1, b"x").unwrap();
    let Poll::Ready(Ok(got)) = future.as_mut().poll(&mut context) else { panic!("it is there") };
    assert_eq!((got.lane, got.message.len), (1, 1));
}

#[test]
fn lanes_and_an_ordinary_queue_share_a_doorbell() {
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::slots::<u32>("stop", 4).doorbell(1),
        Channel::frames("log", 256, 32).producers(2).doorbell(1),
        Channel::slots::<u32>("own", 4).producers(2).consumer_may_block(),
    ])
    .line(4)
    .participants(3);
    let region = Region::new(&PLAN);
    let (sender, receiver) = (region.join(), region.join());
    let bells: Vec<_> = region.look().channels().map(|entry| entry.wait_b).collect();
    assert!(bells[0] == bells[1] && bells[1] == bells[2] && bells[3] == bells[4] && bells[2] != bells[3]);
    assert_eq!(region.peek(bells[0]), park::AWAKE);
    let mut stop = receiver.typed_consumer::<u32>("stop").unwrap();
    let mut log: LanesConsumer<_, 2> = receiver.lanes_consumer("log").unwrap();
    let mut own: Rx<2> = receiver.typed_lanes_consumer("own").unwrap();
    let mut lanes = [0, 1].map(|lane| sender.lane_producer("log", lane).unwrap());
    let policy = WaitPolicy { spin: 0, park: true, probe: Duration::from_secs(30) };
    let port = receiver.port();
    let short = Duration::from_millis(1);
    assert_eq!(wait_any(port, &mut [&mut stop, &mut log], policy, short), Err(WaitAnyError::TimedOut));
    assert_eq!(wait_any(port, &mut [&mut own, &mut log], policy, short), Err(WaitAnyError::TimedOut));
    lanes[1].try_send(5, b"x").unwrap();
    assert_eq!(wait_any(port, &mut [&mut stop, &mut log], policy, short), Ok(1));
    assert_eq!(log.try_recv(&mut [0; 32]).map(|got| got.lane), Ok(1));
    // A lane at fault makes the wait end once.
    region.poke(entry_of(&region, "log", 0).data, 5);
    assert_eq!(wait_any(port, &mut [&mut stop, &mut log], policy, short), Ok(1));
    assert!(matches!(log.try_recv(&mut [0; 32]), Err(TryRecvLanesError::Fault { lane: 0, .. })));
    assert_eq!(wait_any(port, &mut [&mut stop, &mut log], policy, short), Err(WaitAnyError::TimedOut));
    std::thread::scope(|scope| {
        let [_, second] = &mut lanes;
        scope.spawn(|| (0..200).for_each(|tag| second.send_timeout(tag, b"y", 30 * 1000 * short).unwrap()));
        for tag in 0..200 {
            assert_eq!(wait_any(port, &mut [&mut stop, &mut log], policy, 60 * 1000 * short), Ok(1));
            assert_eq!(log.try_recv(&mut [0; 32]).map(|got| got.message.tag), Ok(tag));
        }
    });
}

#[test]
fn a_frame_that_is_too_long_for_the_buffer_stays_next() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut lanes = [0, 1].map(|lane| member.lane_producer("frames", lane).unwrap());
    lanes[0].try_send(1, b"long").unwrap();
    lanes[1].try_send(2, b"").unwrap();
    let mut rx: LanesConsumer<_, 3> = member.lanes_consumer("frames").unwrap();
    let too_small = TryRecvLanesError::TooSmall { lane: 0, needed: 4 };
    assert_eq!(rx.try_recv(&mut [0; 2]).err(), Some(too_small));
    assert_eq!(rx.try_recv(&mut [0; 4]).map(|got| (got.lane, got.message.tag)), Ok((0, 1)));
    assert_eq!(rx.try_recv(&mut [0; 4]).map(|got| (got.lane, got.message.tag)), Ok((1, 2)));
    assert_eq!(rx.max_len(), 112);
}

#[test]
fn a_full_lane_is_its_own_producers_affair() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut lanes = [0, 1].map(|lane| member.typed_lane_producer::<u32>("slots", lane).unwrap());
    while lanes[0].try_send(&0).is_ok() {}
    assert_eq!(lanes[0].try_send(&0), Err(TrySendError::Full));
    assert_eq!(lanes[1].try_send(&1), Ok(()));
    let rx: Rx<3> = member.typed_lanes_consumer("slots").unwrap();
    assert_eq!((rx.len(0), rx.len(1), rx.len(2), rx.len(3)), (8, 1, 0, 0));
    let mut bytes = [0; 4];
    let values = strait_core::format::ValueType::of::<u32>();
    drop(rx);
    let mut rx = member.typed_lanes_consumer_of::<3>("slots", values, burst(8)).unwrap();
    assert_eq!(rx.try_recv_into(&mut bytes[..3]).err(), Some(TryRecvLanesError::WrongSize { needed: 4 }));
    assert_eq!(rx.try_recv_into(&mut bytes), Ok(0));
}
