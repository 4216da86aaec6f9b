//! As `redelivery.rs`, of lanes and of one of several consumers: how much comes again after a consumer's end, in a batch
//! or at a peek, and that nothing is lost.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::common::{Member, Region, TestPort};
use strait_core::{
    Channel, ConsumerOptions, FanoutConsumer, LanesConsumer, LanesOptions, Plan, TypedLanesConsumer,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("lines", 1024, 16).producers(2),
    Channel::slots::<u32>("slots", 64).producers(2),
    Channel::compact::<u32>("compact", 64).producers(2),
    Channel::slots::<u32>("each", 64).consumers(2),
])
.line(4)
.participants(6);

const NAMES: [&str; 4] = ["lines", "slots", "compact", "each"];

/// How many messages each lane has.
const COUNT: u32 = 20;
/// What a message's lane adds to its number.
const LANE: u32 = 100;

/// Any of these consumers. It receives two in a row from a lane at most.
enum Rx {
    Lines(Box<LanesConsumer<TestPort, 2>>),
    Values(Box<TypedLanesConsumer<u32, TestPort, 2>>),
    Each(Box<FanoutConsumer<u32, TestPort>>),
}

impl Rx {
    fn open(member: &Member, name: &str, every: u32) -> Self {
        let each = ConsumerOptions::new().release_every(every);
        let lanes = LanesOptions::new().each_lane(each).burst(2);
        match name {
            "lines" => Self::Lines(Box::new(member.lanes_consumer_with(name, lanes).unwrap())),
            "each" => Self::Each(Box::new(member.fanout_consumer_with(name, 0, each).unwrap())),
            _ => Self::Values(Box::new(member.typed_lanes_consumer_with(name, lanes).unwrap())),
        }
    }

    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Lines(rx) => rx.try_recv(&mut [0; 16]).ok().map(|from| from.message.tag),
            Self::Values(rx) => rx.try_recv().ok().map(|from| from.message),
            Self::Each(rx) => rx.try_recv().ok(),
        }
    }

    fn batch(&mut self, max: usize, mut each: impl FnMut(u32)) -> usize {
        match self {
            Self::Lines(rx) => rx.recv_batch(max, |from| each(from.message.info().tag)).unwrap(),
            Self::Values(rx) => rx.recv_batch(max, |from| each(from.message)).unwrap(),
            Self::Each(rx) => rx.recv_batch(max, each).unwrap(),
        }
    }
}

/// A region with messages in this queue: [`COUNT`] in each lane.
fn sent(name: &str) -> (Region, Member, Rx) {
    sent_to(name, 64)
}

/// The same, with the first consumer's options.
fn sent_to(name: &str, every: u32) -> (Region, Member, Rx) {
    let region = Region::new(&PLAN);
    let (producer, consumer) = (region.join(), region.join());
    // One of several consumers gets what is sent once it has joined.
    let rx = Rx::open(&consumer, name, every);
    match name {
        "lines" => (0..2).for_each(|lane| {
            let mut tx = producer.lane_producer(name, lane).unwrap();
            (0..COUNT).for_each(|number| tx.try_send(LANE * lane + number, &[]).unwrap());
        }),
        "each" => {
            let mut tx = producer.fanout_producer::<u32>(name).unwrap();
            (0..COUNT).for_each(|number| tx.try_send(&number).unwrap());
        }
        _ => (0..2).for_each(|lane| {
            let mut tx = producer.typed_lane_producer::<u32>(name, lane).unwrap();
            (0..COUNT).for_each(|number| tx.try_send(&(LANE * lane + number)).unwrap());
        }),
    }
    (region, consumer, rx)
}

/// All that there is.
fn all(name: &str) -> Vec<u32> {
    let lanes = if name == "each" { 1 } else { 2 };
    (0..lanes).flat_map(|lane| (0..COUNT).map(move |number| LANE * lane + number)).collect()
}

/// What an heir receives if all die now, in order of lanes.
fn left(region: &Region, name: &str) -> Vec<u32> {
    let region = region.after_death_of_all();
    let mut heir = Rx::open(&region.join(), name, 64);
    let mut left: Vec<_> = std::iter::from_fn(|| heir.next()).collect();
    left.sort_unstable();
    left
}

/// Killed at each message of a batch: nothing is lost that was not done with, and of each lane fewer come again than the
/// options say.
#[test]
fn a_batch_keeps_the_bound_of_release_every_in_each_lane() {
    for name in NAMES {
        for every in [1, 2, 4, 64] {
            let (region, _consumer, mut rx) = sent_to(name, every);
            // A ring of frames may keep as many as a quarter of it holds; these rings have 16 messages there.
            let bound = every.min(16);
            let mut done = vec![];
            let count = rx.batch(64, |message| {
                let left = left(&region, name);
                let rest: Vec<_> = all(name).into_iter().filter(|one| !done.contains(one)).collect();
                assert!(rest.iter().all(|one| left.contains(one)), "{name}, {every}: {left:?} at {message}");
                for lane in 0..2 {
                    let again = left.iter().filter(|&one| one / LANE == lane && done.contains(one)).count();
                    assert!(
                        again < bound as usize,
                        "{name}, every {every}, lane {lane}: {again} at {message}"
                    );
                }
                done.push(message);
            });
            assert_eq!(count, all(name).len());
        }
    }
}

/// What was received before the batch is done with as soon as the batch has something.
#[test]
fn a_batch_after_a_receive_releases_what_was_received() {
    for name in NAMES {
        let (region, _consumer, mut rx) = sent_to(name, 1);
        assert_eq!(rx.next(), Some(0));
        rx.batch(1, |message| {
            assert!(!left(&region, name).contains(&0), "{name}: 0 comes again with {message}")
        });
    }
}

/// Runs what panics, without a word on the terminal.
fn panicking(what: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(what)).is_err());
}

fn oops<T>() -> T {
    resume_unwind(Box::new("the consumer cannot stand this message"))
}

/// Four consumers, one after the other, each of which panics with its first message.
#[test]
fn a_message_that_panics_its_consumer_does_not_come_for_ever() {
    // One of several consumers that panics has left: what comes back to its place is what is sent from then on.
    for name in NAMES.into_iter().filter(|&name| name != "each") {
        let (_region, consumer, rx) = sent(name);
        let (mut rx, mut seen) = (Some(rx), vec![]);
        for _ in 0..4 {
            let mut rx = rx.take().unwrap_or_else(|| Rx::open(&consumer, name, 64));
            panicking(|| {
                let _rx = rx.batch(3, |message| {
                    seen.push(message);
                    oops()
                });
            });
        }
        assert_eq!(seen, [0, 1, 2, 3], "{name}");
    }
    let (_region, consumer, rx) = sent("each");
    panicking(move || {
        let mut rx = rx;
        rx.batch(3, |_| oops());
    });
    assert_eq!(Rx::open(&consumer, "each", 64).next(), None);
    let (_region, consumer, rx) = sent("lines");
    drop(rx);
    let mut seen = vec![];
    for _ in 0..4 {
        panicking(|| {
            let mut rx = consumer.lanes_consumer::<2>("lines").unwrap();
            let peek = rx.peek().unwrap();
            seen.push(peek.message.info().tag);
            oops()
        });
    }
    assert_eq!(seen, [0, 1, 2, 3], "a peek");
}

/// A consumer that outlives the panic sees the message again, and goes on as ever.
#[test]
fn a_batch_that_panicked_loses_nothing_to_who_lives() {
    for name in NAMES {
        let (_region, _consumer, mut rx) = sent(name);
        let mut got = vec![];
        panicking(|| {
            rx.batch(3, |message| if message == 1 { oops() } else { got.push(message) });
        });
        got.extend(std::iter::from_fn(|| rx.next()));
        got.sort_unstable();
        assert_eq!(got, all(name), "{name}: each once");
    }
}

/// Without a panic, a peek that is dropped changes nothing, and one that was released is not seen again.
#[test]
fn a_peek_at_lanes_leaves_the_frame_until_it_is_released() {
    let (region, _consumer, rx) = sent("lines");
    let Rx::Lines(mut rx) = rx else { unreachable!("a queue of frames") };
    assert!(rx.peek().is_ok(), "and it is dropped");
    assert_eq!(left(&region, "lines"), all("lines"));
    drop(rx);
    let mut rx = region
        .join()
        .lanes_consumer_with::<2>(
            "lines",
            LanesOptions::new().each_lane(ConsumerOptions::new().release_every(1)),
        )
        .unwrap();
    let peek = rx.peek().unwrap();
    let tag = peek.message.info().tag;
    assert!(left(&region, "lines").contains(&tag), "it is being looked at");
    peek.message.release();
    let next = rx.peek().unwrap().message.info().tag;
    assert!(next != tag && !left(&region, "lines").contains(&tag), "{tag}, then {next}");
}
