//! Queues of three kinds under one interface, and the survivors of every queue.
//!
//! Message `n` is the one with sequence number `n`, and its content follows from that. So what comes
//! out of a queue shows whether something is lost, repeated, torn, or in a wrong place.

use std::time::Duration;

use strait::{
    Channel, Consumer, Plan, Producer, Region, RegionOptions, RegionPlace, SystemPort, TryRecvError,
    TrySendError, TypedConsumer, TypedProducer,
    options::{ConsumerOptions, WaitPolicy},
};

use super::operation::{First, Seen};

/// The content of a message.
pub type Value = [u64; 3];

/// Bytes of the ring of frames.
const RING: u32 = 1024;
/// The longest frame.
const LONGEST: u32 = 64;
/// Slots of the other queues.
pub const SLOTS: u32 = 8;

/// A small region with this channel.
pub const fn plan(channel: &'static [Channel<'static>]) -> Plan<'static> {
    Plan::new(channel).line(64).participants(2)
}

/// A kind of queue.
pub trait Queue {
    /// The sending side.
    type Tx: 'static;
    /// The receiving side.
    type Rx: 'static;
    /// The channel's name.
    const NAME: &'static str;
    /// A region with one such queue.
    const PLAN: Plan<'static>;
    /// How many messages fit at least, wherever in the ring.
    const ROOM: u32;

    /// Claims the sending side.
    fn tx(region: &Region) -> Self::Tx;
    /// Claims the receiving side.
    fn rx(region: &Region, options: ConsumerOptions) -> Self::Rx;
    /// Sends message `n`, if there is space.
    fn send(tx: &mut Self::Tx, n: u32) -> bool;
    /// Receives a message, which must be whole. Returns its number.
    fn receive(rx: &mut Self::Rx) -> Option<u32>;
    /// The number of the message that comes next.
    fn next(tx: &Self::Tx) -> u32;
    /// Panics if either side has found a violation by its peer.
    fn check(tx: &Self::Tx, rx: &Self::Rx);
}

/// Queues of frames.
pub struct Frames;
/// Queues of values, published in the slot.
pub struct Slots;
/// Queues of values, published by index.
pub struct Compact;

impl Frames {
    const CHANNEL: &'static [Channel<'static>] =
        &[Channel::frames(Self::NAME, RING, LONGEST).consumer_may_block().producer_may_block()];

    /// Message `n` as a frame: all take as much of the ring, and the next ones differ from it in
    /// every byte. Without work, for each instruction of it would be stepped through.
    pub fn content(n: u32) -> &'static [u8] {
        const BYTES: [u8; 128] = {
            let mut bytes = [0; 128];
            let mut i = 0;
            while i < bytes.len() {
                bytes[i] = (i * 37 + 1) as u8;
                i += 1;
            }
            bytes
        };
        let n = n as usize;
        &BYTES[n * 5 % 64..][..49 + n % 16]
    }
}

impl Queue for Frames {
    type Tx = Producer<SystemPort>;
    type Rx = Consumer<SystemPort>;
    const NAME: &'static str = "frames";
    const PLAN: Plan<'static> = plan(Self::CHANNEL);
    const ROOM: u32 = 11;

    fn tx(region: &Region) -> Self::Tx {
        region.producer(Self::NAME).expect("the producer's role can be claimed")
    }

    fn rx(region: &Region, options: ConsumerOptions) -> Self::Rx {
        region.consumer_with(Self::NAME, options).expect("the consumer's role can be claimed")
    }

    fn send(tx: &mut Self::Tx, n: u32) -> bool {
        was_sent(tx.try_send(n, Self::content(n)))
    }

    fn receive(rx: &mut Self::Rx) -> Option<u32> {
        let mut buffer = [0; LONGEST as usize];
        let received = was_received(rx.try_recv(&mut buffer))?;
        let n = received.sequence;
        assert_eq!(received.tag, n, "the tag of message {n}");
        assert_eq!(&buffer[..received.len], Self::content(n), "the content of message {n}");
        Some(n)
    }

    fn next(tx: &Self::Tx) -> u32 {
        tx.next_sequence()
    }

    fn check(tx: &Self::Tx, rx: &Self::Rx) {
        assert_eq!((tx.fault(), rx.fault()), (None, None), "all peers were honest");
    }
}

/// Message `n` as a value.
pub fn value(n: u32) -> Value {
    let n = u64::from(n);
    [n + 1, !n, n << 32 | n]
}

/// Both kinds of queues of values have the same ends.
macro_rules! queue_of_values {
    ($queue:ty, $name:literal, $channel:expr) => {
        impl $queue {
            const CHANNEL: &'static [Channel<'static>] = &[$channel];
        }

        impl Queue for $queue {
            type Tx = TypedProducer<Value, SystemPort>;
            type Rx = TypedConsumer<Value, SystemPort>;
            const NAME: &'static str = $name;
            const PLAN: Plan<'static> = plan(Self::CHANNEL);
            const ROOM: u32 = SLOTS;

            fn tx(region: &Region) -> Self::Tx {
                region.typed_producer(Self::NAME).expect("the producer's role can be claimed")
            }

            fn rx(region: &Region, options: ConsumerOptions) -> Self::Rx {
                region.typed_consumer_with(Self::NAME, options).expect("the consumer's role can be claimed")
            }

            fn send(tx: &mut Self::Tx, n: u32) -> bool {
                was_sent(tx.try_send(&value(n)))
            }

            fn receive(rx: &mut Self::Rx) -> Option<u32> {
                let received = was_received(rx.try_recv())?;
                assert_eq!(received, value(rx.sequence()), "the content of message {}", rx.sequence());
                Some(rx.sequence())
            }

            fn next(tx: &Self::Tx) -> u32 {
                tx.next_sequence()
            }

            fn check(tx: &Self::Tx, rx: &Self::Rx) {
                assert_eq!((tx.fault(), rx.fault()), (None, None), "all peers were honest");
            }
        }
    };
}

queue_of_values!(
    Slots,
    "slots",
    Channel::slots::<Value>(Self::NAME, SLOTS).consumer_may_block().producer_may_block()
);
queue_of_values!(Compact, "compact", Channel::compact::<Value>(Self::NAME, SLOTS));

fn was_sent(result: Result<(), TrySendError>) -> bool {
    match result {
        Ok(()) => true,
        Err(TrySendError::Full) => false,
        Err(error) => panic!("a send failed: {error}"),
    }
}

fn was_received<R>(result: Result<R, TryRecvError>) -> Option<R> {
    match result {
        Ok(received) => Some(received),
        Err(TryRecvError::Empty) => None,
        Err(error) => panic!("a receive failed: {error}"),
    }
}

/// How long one waits in vain: long enough to sleep in the end, slow as single steps are.
pub const WHILE: Duration = Duration::from_millis(200);
/// Sleeps at once, and all the time.
pub const SLEEPY: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: WHILE };

/// Takes part in a region.
pub fn open(region: &RegionPlace) -> Region {
    region.open(&RegionOptions::new()).expect("the region can be opened")
}

/// Receives all there is: messages that follow each other.
fn drain<Q: Queue>(rx: &mut Q::Rx) -> Option<(u32, u32)> {
    let first = Q::receive(rx)?;
    let mut end = first + 1;
    while let Some(n) = Q::receive(rx) {
        assert_eq!(n, end, "message {n} after {}", end - 1);
        end += 1;
    }
    Some((first, end))
}

/// The survivors of a queue: claim both roles, receive what is there, and use the queue for three laps.
/// They see the first message that is not released, and the first that was not sent.
pub fn survive<Q: Queue>(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let options = ConsumerOptions::new();
    let (mut tx, mut rx, found);
    match first {
        First::Producer => {
            tx = Q::tx(region);
            rx = Q::rx(region, options);
            found = drain::<Q>(&mut rx);
        }
        First::Consumer => {
            rx = Q::rx(region, options);
            found = drain::<Q>(&mut rx);
            tx = Q::tx(region);
        }
    }
    let next = Q::next(&tx);
    let seen = found.unwrap_or((next, next));
    assert_eq!(seen.1, next, "what the producer takes for sent is what the consumer gets");
    let end = use_it::<Q>(&mut tx, &mut rx, next);
    // Those survivors leave in order, so the next participant finds nothing but the next place.
    drop((tx, rx));
    let (mut tx, mut rx) = (Q::tx(region), Q::rx(region, options));
    assert_eq!((drain::<Q>(&mut rx), Q::next(&tx)), (None, end), "after those that left");
    use_it::<Q>(&mut tx, &mut rx, end);
    [seen.0.into(), seen.1.into()]
}

/// Uses an empty queue for three laps, from message `next` on, up to its brim and one at a time.
fn use_it<Q: Queue>(tx: &mut Q::Tx, rx: &mut Q::Rx, mut next: u32) -> u32 {
    for _ in 0..3 {
        let first = next;
        while Q::send(tx, next) {
            next += 1;
            assert!(next - first < RING, "a full queue says so");
        }
        assert!(next - first >= Q::ROOM, "of {} messages {} fit", Q::ROOM, next - first);
        assert_eq!(drain::<Q>(rx), Some((first, next)), "a lap");
        assert!(Q::send(tx, next), "there is space again");
        assert_eq!(drain::<Q>(rx), Some((next, next + 1)), "one at a time");
        next += 1;
    }
    Q::check(tx, rx);
    next
}

/// Claims both roles and sends `sent` messages; `received` of them are received, and no more are in the
/// queue at a time than fit.
pub fn lead_up<Q: Queue>(region: &Region, sent: u32, received: u32) -> (Q::Tx, Q::Rx) {
    lead_up_with::<Q>(region, sent, received, ConsumerOptions::new())
}

/// As [`lead_up`], with a consumer of other options.
pub fn lead_up_with<Q: Queue>(
    region: &Region,
    sent: u32,
    received: u32,
    options: ConsumerOptions,
) -> (Q::Tx, Q::Rx) {
    let (mut tx, mut rx) = (Q::tx(region), Q::rx(region, options));
    // The messages that are to stay come last.
    let mut seen = 0;
    for n in 0..sent {
        assert!(Q::send(&mut tx, n), "message {n} fits");
        if seen < received {
            assert_eq!(Q::receive(&mut rx), Some(n));
            seen += 1;
        }
    }
    (tx, rx)
}
