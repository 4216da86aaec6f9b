//! Faults of other systems' patterns, of which strait's are free: a lap taken for another, a producer that spins for
//! others, a wait that misses what was there or never sleeps again, and a value that changes after it was handed on.
//! FAULTS 101, 102, 104 and 105.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::common::{Region, TestPort};
use strait_core::{
    BroadcastReader, BroadcastStart, BroadcastTryRecvError, Channel, ConsumerOptions, FanoutConsumer,
    FromLane, LanesConsumer, LanesOptions, Plan, TryRecvError, TryRecvLanesError, TypedLanesConsumer,
    WaitAnyError, WaitPolicy, Waitable, wait_any,
};

/// The smallest rings, so that a lap is one message or two.
const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("slots", 2).producers(2),
    Channel::compact::<u32>("compact", 2).producers(2),
    Channel::slots::<u32>("fan-out", 1).consumers(2),
    Channel::compact::<u32>("compact fan-out", 2).consumers(2),
])
.line(4)
.participants(5);

type Lanes = TypedLanesConsumer<u32, TestPort, 2>;

/// ABA: what the ring held a lap ago is not delivered again, also where producer and consumer were succeeded since.
#[test]
fn fault_111_what_a_lap_left_is_no_message() {
    for name in ["slots", "compact"] {
        let region = Region::new(&PLAN);
        for lap in 0..100 {
            let (there, here) = (region.join(), region.join());
            let mut tx = there.typed_lane_producer::<u32>(name, 1).unwrap();
            let options = LanesOptions::new().each_lane(ConsumerOptions::new().release_every(1));
            let mut rx: Lanes = here.typed_lanes_consumer_with(name, options).unwrap();
            assert_eq!(rx.try_recv(), Err(TryRecvLanesError::Empty), "{name}, lap {lap}: nothing was sent");
            for _ in 0..1 + lap % 3 {
                let message = tx.next_sequence();
                tx.try_send(&message).unwrap();
                assert_eq!(rx.try_recv(), Ok(FromLane { lane: 1, message }), "{name}, lap {lap}");
                assert_eq!(rx.try_recv(), Err(TryRecvLanesError::Empty), "{name}, lap {lap}: it came once");
            }
            // Both die, or both leave.
            if lap % 2 == 0 {
                there.die(tx);
                here.die(rx);
            } else {
                drop((tx, rx));
                there.leave();
                here.leave();
            }
        }
    }
}

#[test]
fn fault_111_what_a_lap_left_is_no_message_of_a_consumer_that_joins() {
    for name in ["fan-out", "compact fan-out"] {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut tx = member.fanout_producer::<u32>(name).unwrap();
        for lap in 0..100 {
            let sent = tx.next_sequence();
            let mut rx: FanoutConsumer<u32, _> = member.fanout_consumer(name, lap % 2).unwrap();
            let first = rx.first_sequence();
            assert!(first <= sent && first + tx.capacity() >= sent, "{name}, lap {lap}: {first} of {sent}");
            // What is still there is the newest; after that, nothing.
            for expected in first..sent {
                assert_eq!(rx.try_recv(), Ok(expected), "{name}, lap {lap}");
            }
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}, lap {lap}");
            rx.flush();
            tx.try_send(&sent).unwrap();
            assert_eq!(rx.try_recv(), Ok(sent), "{name}, lap {lap}");
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}, lap {lap}: it came once");
        }
    }
}

/// No producer publishes in an order with others: all but one are stopped in the middle of a message, and that one sends
/// as ever.
#[test]
fn fault_112_nobody_spins_for_a_producer_that_has_not_published() {
    const LANES: usize = 64;
    const MANY: Plan<'_> =
        Plan::new(&[Channel::frames("frames", 128, 32).producers(LANES as u32)]).line(4).participants(66);
    let region = Region::new(&MANY);
    let members: Vec<_> = (0..LANES).map(|_| region.join()).collect();
    let mut producers: Vec<_> =
        members.iter().map(|member| member.free_lane_producer("frames").unwrap().1).collect();
    let last = producers.pop().unwrap();
    let mut stopped: Vec<_> = producers.iter_mut().map(|tx| tx.reserve(8).unwrap()).collect();
    let mut rx: LanesConsumer<_, LANES> = region.join().lanes_consumer("frames").unwrap();
    let (mut last, mut buffer) = (last, [0; 32]);
    for number in 0..1000 {
        last.try_send(number, b"goes on").unwrap();
        let got = rx.try_recv(&mut buffer).unwrap();
        assert_eq!((got.lane, got.message.tag, got.message.sequence), (LANES as u32 - 1, number, number));
    }
    // Those that were stopped go on where they were.
    for mut grant in stopped.drain(..) {
        assert_eq!(grant.write(0, b"late"), 4);
        grant.commit();
    }
    let mut lanes: Vec<_> = (1..LANES).map(|_| rx.try_recv(&mut buffer).unwrap().lane).collect();
    lanes.sort_unstable();
    assert!(lanes.into_iter().eq(0..LANES as u32 - 1));
    assert_eq!(rx.try_recv(&mut buffer), Err(TryRecvLanesError::Empty));
}

/// A wait returns at once for what was there before it, and after a deadline that was missed the next wait sleeps again.
#[test]
fn fault_114_a_wait_for_several_misses_nothing_and_sleeps_after_a_missed_deadline() {
    const EVERY: Duration = Duration::from_millis(20);
    const WAITS: Plan<'_> = Plan::new(&[
        Channel::slots::<u32>("queue", 4).consumer_may_block(),
        Channel::latest::<u32>("late").consumer_may_block().expected_every(EVERY),
        Channel::event("event").consumer_may_block(),
        Channel::broadcast::<u32>("broadcast", 4).consumer_may_block(),
        Channel::slots::<u32>("lanes", 4).producers(2).consumer_may_block(),
        Channel::slots::<u32>("fan-out", 4).consumers(2).consumer_may_block(),
        Channel::calls::<u32, u32>("calls", 2),
    ])
    .line(4)
    .participants(4);
    const LONG: Duration = Duration::from_secs(30);
    let region = Region::new(&WAITS);
    let (there, here) = (region.join(), region.join());
    let mut event = here.listener("event").unwrap();
    let mut late = here.latest_reader::<u32>("late").unwrap();
    let mut broadcast = here.broadcast_reader::<u32>("broadcast", BroadcastStart::Oldest).unwrap();
    let mut fanout = here.fanout_consumer::<u32>("fan-out", 1).unwrap();
    // All this is there before the others attach, and before anybody waits.
    there.typed_producer::<u32>("queue").unwrap().try_send(&1).unwrap();
    there.latest_writer::<u32>("late").unwrap().publish(&2);
    there.notifier("event").unwrap().notify(3);
    there.broadcast_writer::<u32>("broadcast").unwrap().publish(&4);
    there.typed_lane_producer::<u32>("lanes", 1).unwrap().try_send(&5).unwrap();
    there.fanout_producer::<u32>("fan-out").unwrap().try_send(&6).unwrap();
    there.call_client::<u32, u32>("calls").unwrap().post(&7).unwrap();
    let mut queue = here.typed_consumer::<u32>("queue").unwrap();
    let mut lanes: Lanes = here.typed_lanes_consumer("lanes").unwrap();
    let mut server = here.call_server::<u32, u32>("calls").unwrap();
    let asleep = WaitPolicy { spin: 0, park: true, probe: LONG };
    let port = here.port();
    let wait = |all: &mut [&mut dyn Waitable], time| wait_any(port, all, asleep, time);
    // Each is found first once those before it are empty.
    for found in 0..7 {
        let mut all: [&mut dyn Waitable; 7] =
            [&mut queue, &mut late, &mut event, &mut broadcast, &mut lanes, &mut fanout, &mut server];
        assert_eq!(wait(&mut all, LONG), Ok(found));
        assert_eq!(region.counts.sleeps.load(Relaxed), 0, "it was there");
        match found {
            0 => assert_eq!(queue.try_recv(), Ok(1)),
            1 => assert_eq!(late.read().value(), Some(2)),
            2 => assert_eq!(event.try_wait().unwrap().code, 3),
            3 => assert_eq!(broadcast.try_recv(), Ok(4)),
            4 => assert_eq!(lanes.try_recv().map(|from| from.message), Ok(5)),
            5 => assert_eq!(fanout.try_recv(), Ok(6)),
            _ => drop(server.try_next().unwrap()),
        }
    }
    // The latest value is late from here on, and nobody spins for that.
    std::thread::sleep(2 * EVERY);
    assert!(here.heartbeat("late").unwrap().silence() < LONG);
    let mut all: [&mut dyn Waitable; 7] =
        [&mut queue, &mut late, &mut event, &mut broadcast, &mut lanes, &mut fanout, &mut server];
    for sleeps in 1..=3 {
        let (before, started) = (region.counts.sleeps.load(Relaxed), Instant::now());
        assert_eq!(wait(&mut all, 2 * EVERY), Err(WaitAnyError::TimedOut));
        assert!(started.elapsed() >= 2 * EVERY, "it ended early");
        // A condition variable may wake for nothing.
        let slept = region.counts.sleeps.load(Relaxed) - before;
        assert!((1..=5).contains(&slept), "wait {sleeps} slept {slept} times");
    }
}

/// What a reader hands on is its own copy: overtaken by the writer as it may be afterwards, nothing of that changes.
#[test]
fn fault_115_what_a_reader_hands_on_is_its_own_copy() {
    const RELAY: Plan<'_> =
        Plan::new(&[Channel::broadcast::<[u32; 8]>("in", 2), Channel::broadcast::<[u32; 8]>("out", 64)])
            .line(4)
            .participants(3);
    let region = Region::new(&RELAY);
    let (there, relay) = (region.join(), region.join());
    let mut tx = there.broadcast_writer::<[u32; 8]>("in").unwrap();
    let mut source: BroadcastReader<[u32; 8], _> =
        relay.broadcast_reader("in", BroadcastStart::Newest).unwrap();
    let mut out = relay.broadcast_writer::<[u32; 8]>("out").unwrap();
    let mut end: BroadcastReader<[u32; 8], _> =
        relay.broadcast_reader("out", BroadcastStart::Oldest).unwrap();
    let mut number = 0;
    for round in 0..20 {
        number += 1;
        tx.publish(&[number; 8]);
        let held = loop {
            match source.try_recv() {
                Ok(held) => break held,
                Err(error) => assert!(matches!(error, BroadcastTryRecvError::Lagged { .. }), "{error}"),
            }
        };
        // The writer goes round while the relay has the value.
        for _ in 0..5 {
            number += 1;
            tx.publish(&[number; 8]);
        }
        out.publish(&held);
        assert_eq!(end.try_recv(), Ok(held), "round {round}");
        assert!(held.iter().all(|&word| word == held[0]) && held[0] + 5 < number + 1);
    }
}
