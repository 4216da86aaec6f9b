//! The operations of queues: sending, receiving, opening, leaving.

use strait::{
    RecvError, Region, RegionPlace, SystemPort, TypedConsumer, TypedProducer,
    options::{ConsumerOptions, Delivery},
    port::Port,
};
use strait_core::ground::entry::at;

use super::operation::{Act, Kept, Operation, Past, Seen};
use super::queues::{
    Compact, Frames, Queue, SLEEPY, SLOTS, Slots, Value, WHILE, lead_up, lead_up_with, open, survive, value,
};

/// Messages that fit into an empty ring of frames from its start on.
const FRAMES: u32 = 12;

/// Every operation of queues.
pub fn all() -> Vec<Operation> {
    vec![
        of::<Frames>("frames-send-first", send::<Frames, 0, 0>, [0, 0], [0, 1]),
        of::<Frames>("frames-send", send::<Frames, 4, 2>, [0, 4], [0, 5]),
        of::<Frames>("frames-send-pads", send::<Frames, FRAMES, FRAMES>, [8, 12], [8, 13]),
        of::<Frames>("frames-send-looks-at-head", send::<Frames, 14, 14>, [12, 14], [12, 15]),
        of::<Frames>("frames-send-full", send_full::<Frames, FRAMES>, [0, 12], [0, 12]),
        of::<Frames>("frames-send-after-full", send_after_full::<Frames, FRAMES>, [2, 12], [2, 13]),
        of::<Frames>("frames-send-batch", send_frames, [0, 4], [0, 7]),
        of::<Frames>("frames-send-wakes", send_wakes::<Frames>, [0, 4], [0, 5]),
        of::<Frames>("frames-reserve-commit", reserve_commit, [0, 4], [0, 5]),
        of::<Frames>("frames-receive", receive::<Frames, 5, 1>, [0, 5], [0, 5]),
        of::<Frames>("frames-receive-stores-head", receive::<Frames, 5, 2>, [0, 5], [2, 5]),
        of::<Frames>("frames-receive-empty", receive_empty::<Frames>, [0, 2], [2, 2]),
        of::<Frames>("frames-receive-behind-pad", receive_once::<Frames, 13, 12>, [12, 13], [13, 13]),
        of::<Frames>("frames-receive-once", receive_once::<Frames, 3, 1>, [1, 3], [2, 3]),
        of::<Frames>("frames-receive-wakes", receive_wakes::<Frames>, [0, 5], [2, 5]),
        of::<Frames>("frames-receive-waits", wait_for_frame, [2, 2], [2, 2]),
        of::<Frames>("frames-peek-release", peek_release, [0, 5], [2, 5]),
        over_dead::<Frames>("frames-take-over-producer", 0, open_producer::<Frames>),
        over_dead::<Frames>("frames-take-over-consumer", 0, open_consumer::<Frames>),
        of::<Frames>("frames-drop-producer", drop_producer::<Frames>, [0, 5], [0, 5]),
        of::<Frames>("frames-drop-consumer", drop_consumer::<Frames>, [0, 5], [2, 5]),
        of::<Slots>("slots-send-first", send::<Slots, 0, 0>, [0, 0], [0, 1]),
        of::<Slots>("slots-send", send::<Slots, 4, 2>, [0, 4], [0, 5]),
        of::<Slots>("slots-send-wraps", send::<Slots, 10, 10>, [8, 10], [8, 11]),
        of::<Slots>("slots-send-full", send_full::<Slots, SLOTS>, [0, 8], [0, 8]),
        of::<Slots>("slots-send-after-full", send_after_full::<Slots, SLOTS>, [2, 8], [2, 9]),
        of::<Slots>("slots-send-batch", send_batch::<Slots>, [0, 4], [0, 7]),
        of::<Slots>("slots-send-wakes", send_wakes::<Slots>, [0, 4], [0, 5]),
        of::<Slots>("slots-receive", receive::<Slots, 5, 1>, [0, 5], [0, 5]),
        of::<Slots>("slots-receive-stores-head", receive::<Slots, 5, 2>, [0, 5], [2, 5]),
        of::<Slots>("slots-receive-empty", receive_empty::<Slots>, [0, 2], [2, 2]),
        of::<Slots>("slots-receive-once", receive_once::<Slots, 3, 1>, [1, 3], [2, 3]),
        of::<Slots>("slots-receive-wakes", receive_wakes::<Slots>, [0, 5], [2, 5]),
        of::<Slots>("slots-receive-waits", wait_for_value, [2, 2], [2, 2]),
        of::<Slots>("slots-send-waits", wait_for_space, [0, 8], [0, 8]),
        over_dead::<Slots>("slots-take-over-producer", 2, open_producer::<Slots>),
        over_dead::<Slots>("slots-take-over-consumer", 2, open_consumer::<Slots>),
        of::<Slots>("slots-drop-consumer", drop_consumer::<Slots>, [0, 5], [2, 5]),
        of::<Compact>("compact-send-first", send::<Compact, 0, 0>, [0, 0], [0, 1]),
        of::<Compact>("compact-send", send::<Compact, 4, 2>, [0, 4], [0, 5]),
        of::<Compact>("compact-send-wraps", send::<Compact, 10, 10>, [8, 10], [8, 11]),
        of::<Compact>("compact-send-batch", send_batch::<Compact>, [0, 4], [0, 7]),
        of::<Compact>("compact-receive-stores-head", receive::<Compact, 5, 2>, [0, 5], [2, 5]),
        of::<Compact>("compact-receive-once", receive_once::<Compact, 3, 1>, [1, 3], [2, 3]),
        over_dead::<Compact>("compact-take-over-producer", 2, open_producer::<Compact>),
    ]
}

/// An operation of a queue, and what its survivors see before it and after it: the first message that is
/// not released, and the first that was not sent.
fn of<Q: Queue>(name: &'static str, victim: fn(&RegionPlace) -> Act, before: Seen, after: Seen) -> Operation {
    Operation::new(name, Q::PLAN, victim, survive::<Q>).sees(before, after)
}

/// An operation of a queue whose last owners are dead: of five messages three were received, and the
/// producer had not noted the last one; the region knew of `released` of them.
fn over_dead<Q: Queue>(name: &'static str, released: u64, victim: fn(&RegionPlace) -> Act) -> Operation {
    of::<Q>(name, victim, [released, 5], [released, 5]).past(Past::Deaths(|region| {
        let entry = region.channel(Q::NAME).expect("it is planned");
        let mem = region.port().mem();
        let (mut tx, mut rx) = lead_up::<Q>(region, 4, 2);
        let noted = [at::MARK, at::MARK_SEQUENCE].map(|word| (word, mem.setup_read(entry.block_a + word)));
        assert!(Q::send(&mut tx, 4) && Q::receive(&mut rx) == Some(2));
        if Q::NAME != Compact::NAME {
            noted.into_iter().for_each(|(word, value)| mem.setup_write(entry.block_a + word, value));
        }
        Box::new((tx, rx))
    }))
}

/// A consumer that tells the region of every second message at the latest.
fn every_second() -> ConsumerOptions {
    ConsumerOptions::new().release_every(2)
}

/// A channel's word in the region says that somebody sleeps: a dead thread, or one that will not wake.
fn somebody_sleeps<Q: Queue>(region: &Region) {
    let entry = region.channel(Q::NAME).expect("it is planned");
    region.port().mem().setup_write(entry.wait_a, 1);
    region.port().mem().setup_write(entry.wait_b, 1);
}

fn send<Q: Queue, const SENT: u32, const RECEIVED: u32>(region: &RegionPlace) -> Act {
    let (mut tx, rx) = lead_up::<Q>(&open(region), SENT, RECEIVED);
    Box::new(move || {
        assert!(Q::send(&mut tx, SENT));
        Box::new((tx, rx))
    })
}

fn send_full<Q: Queue, const FULL: u32>(region: &RegionPlace) -> Act {
    let (mut tx, rx) = lead_up::<Q>(&open(region), FULL, 0);
    Box::new(move || {
        assert!(!Q::send(&mut tx, FULL));
        Box::new((tx, rx))
    })
}

fn send_after_full<Q: Queue, const FULL: u32>(region: &RegionPlace) -> Act {
    let every = ConsumerOptions::new().release_every(1);
    let (mut tx, mut rx) = lead_up_with::<Q>(&open(region), FULL, 0, every);
    assert!(!Q::send(&mut tx, FULL));
    (0..3).for_each(|n| assert_eq!(Q::receive(&mut rx), Some(n)));
    Box::new(move || {
        assert!(Q::send(&mut tx, FULL));
        Box::new((tx, rx))
    })
}

fn send_batch<Q>(region: &RegionPlace) -> Act
where
    Q: Queue<Tx = TypedProducer<Value, SystemPort>>,
{
    let (mut tx, rx) = lead_up::<Q>(&open(region), 4, 2);
    Box::new(move || {
        assert_eq!(tx.try_send_batch([4, 5, 6].map(value)), Ok(3));
        Box::new((tx, rx))
    })
}

fn send_frames(region: &RegionPlace) -> Act {
    let (mut tx, rx) = lead_up::<Frames>(&open(region), 4, 2);
    let frames = [4, 5, 6].map(|n| (n, Frames::content(n)));
    Box::new(move || {
        let sent = tx.try_send_batch(frames);
        assert_eq!(sent, Ok(3));
        Box::new((tx, rx))
    })
}

fn send_wakes<Q: Queue>(region: &RegionPlace) -> Act {
    let region = open(region);
    let (mut tx, rx) = lead_up::<Q>(&region, 4, 2);
    somebody_sleeps::<Q>(&region);
    Box::new(move || {
        assert!(Q::send(&mut tx, 4));
        Box::new((tx, rx))
    })
}

fn reserve_commit(region: &RegionPlace) -> Act {
    let (mut tx, rx) = lead_up::<Frames>(&open(region), 4, 2);
    let content = Frames::content(4);
    Box::new(move || {
        let mut grant = tx.reserve(content.len()).expect("there is space");
        grant.set_tag(4);
        let (start, end) = content.split_at(20);
        assert_eq!(grant.write(0, start) + grant.write(start.len(), end), content.len());
        grant.commit();
        Box::new((tx, rx))
    })
}

fn receive<Q: Queue, const SENT: u32, const RECEIVED: u32>(region: &RegionPlace) -> Act {
    let (tx, mut rx) = lead_up_with::<Q>(&open(region), SENT, RECEIVED, every_second());
    Box::new(move || {
        assert_eq!(Q::receive(&mut rx), Some(RECEIVED));
        Box::new((tx, rx))
    })
}

fn receive_empty<Q: Queue>(region: &RegionPlace) -> Act {
    let (tx, mut rx) = lead_up_with::<Q>(&open(region), 2, 2, every_second());
    Box::new(move || {
        assert_eq!(Q::receive(&mut rx), None);
        Box::new((tx, rx))
    })
}

fn receive_once<Q: Queue, const SENT: u32, const RECEIVED: u32>(region: &RegionPlace) -> Act {
    let once = ConsumerOptions::new().delivery(Delivery::AtMostOnce);
    let (tx, mut rx) = lead_up_with::<Q>(&open(region), SENT, RECEIVED, once);
    Box::new(move || {
        assert_eq!(Q::receive(&mut rx), Some(RECEIVED));
        Box::new((tx, rx))
    })
}

fn receive_wakes<Q: Queue>(region: &RegionPlace) -> Act {
    let region = open(region);
    let (tx, mut rx) = lead_up_with::<Q>(&region, 5, 2, every_second());
    somebody_sleeps::<Q>(&region);
    Box::new(move || {
        assert_eq!(Q::receive(&mut rx), Some(2));
        Box::new((tx, rx))
    })
}

fn wait_for_frame(region: &RegionPlace) -> Act {
    let (tx, mut rx) = lead_up::<Frames>(&open(region), 2, 2);
    assert_eq!(Frames::receive(&mut rx), None);
    rx.set_wait_policy(SLEEPY);
    Box::new(move || {
        let nothing = rx.recv_timeout(&mut [0; 64], WHILE);
        assert_eq!(nothing, Err(RecvError::TimedOut));
        Box::new((tx, rx))
    })
}

fn wait_for_value(region: &RegionPlace) -> Act {
    let (tx, mut rx): (_, TypedConsumer<Value, _>) = lead_up::<Slots>(&open(region), 2, 2);
    assert_eq!(Slots::receive(&mut rx), None);
    rx.set_wait_policy(SLEEPY);
    Box::new(move || {
        assert_eq!(rx.recv_timeout(WHILE), Err(RecvError::TimedOut));
        Box::new((tx, rx))
    })
}

fn wait_for_space(region: &RegionPlace) -> Act {
    let (mut tx, rx) = lead_up::<Slots>(&open(region), SLOTS, 0);
    tx.set_wait_policy(SLEEPY);
    Box::new(move || {
        assert!(tx.send_timeout(&value(SLOTS), WHILE).is_err());
        Box::new((tx, rx))
    })
}

fn peek_release(region: &RegionPlace) -> Act {
    let (tx, mut rx) = lead_up_with::<Frames>(&open(region), 5, 0, every_second());
    rx.peek().expect("a frame").release();
    Box::new(move || {
        let peek = rx.peek().expect("a frame");
        assert_eq!(peek.copy_from(0, &mut [0; 64]), Frames::content(1).len());
        peek.release();
        Box::new((tx, rx))
    })
}

fn open_producer<Q: Queue>(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(Q::tx(&region)))
}

fn open_consumer<Q: Queue>(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(Q::rx(&region, ConsumerOptions::new())))
}

fn drop_producer<Q: Queue>(region: &RegionPlace) -> Act {
    let (tx, rx) = lead_up::<Q>(&open(region), 5, 2);
    Box::new(move || {
        drop(tx);
        Box::new(rx) as Kept
    })
}

fn drop_consumer<Q: Queue>(region: &RegionPlace) -> Act {
    let (tx, rx) = lead_up::<Q>(&open(region), 5, 2);
    Box::new(move || {
        drop(rx);
        Box::new(tx) as Kept
    })
}
