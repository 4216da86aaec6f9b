//! Nothing is allocated once an endpoint is open: an allocator that counts sees none in 10^5
//! operations of each.
#![cfg(not(strait_loom))]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Member, Region};
use strait_core::stream::{Check, OVERHEAD, StreamDecoder, StreamEncoder};
use strait_core::{
    CallError, Channel, ConsumerOptions, Delivery, FrameBuf, LanesConsumer, LocalQueue, Plan, Ran, Reading,
    RecvLanesError, StaticQueue, StaticRegion, TryRecvError, TryRecvLanesError, TrySendError,
    TypedLanesConsumer, WaitPolicy, port::NoSystem, wait_any,
};

thread_local! {
    /// How often this thread allocated or freed.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    CALLS.with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Rounds of one operation or two of each endpoint.
const ROUNDS: u32 = 100_000;
/// Rounds of four or more.
const LONG_ROUNDS: u32 = ROUNDS / 4;
const NOW: WaitPolicy = WaitPolicy { spin: 1, park: true, probe: Duration::from_millis(20) };

/// Runs `round` so often, and panics if anything in it allocated or freed.
fn without_allocation(what: &str, rounds: u32, round: impl FnMut(u32)) {
    let before = CALLS.get();
    (0..rounds).for_each(round);
    let calls = CALLS.get() - before;
    assert_eq!(calls, 0, "{what}: {calls} calls of the allocator in {rounds} rounds");
}

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 1024, 256).doorbell(1).producer_may_block(),
    Channel::slots::<u64>("slots", 8).doorbell(1).producer_may_block(),
    Channel::compact::<u64>("compact", 8).doorbell(1),
    Channel::latest::<[u64; 4]>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", 64),
    Channel::calls::<u64, [u64; 4]>("calls", 4),
])
.participants(2);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

#[test]
fn the_allocator_counts() {
    let before = CALLS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(CALLS.get() - before, 2);
}

#[test]
fn calls() {
    let (_region, a, b) = setup();
    let mut client = a.call_client::<u64, [u64; 4]>("calls").unwrap();
    let mut server = b.call_server::<u64, [u64; 4]>("calls").unwrap();
    client.set_wait_policy(NOW);
    server.set_wait_policy(NOW);
    without_allocation("calls", LONG_ROUNDS, |round| {
        let n = u64::from(round);
        client.post(&n).unwrap();
        let ticket = client.try_call(&n).unwrap();
        let lost = client.try_call(&n).unwrap();
        assert_eq!(client.cancel(lost), Ok(Ran::No));
        assert_eq!(server.serve_timeout(Duration::ZERO, |&n| [n; 4]), Ok(2));
        assert_eq!(client.wait_timeout(ticket, Duration::ZERO), Ok([n; 4]));
        let end = client.call_timeout(&n, Duration::from_nanos(1));
        let Err(CallError::TimedOut { ticket }) = end else { panic!("nobody serves") };
        server.try_next().unwrap().1.refuse(3);
        assert_eq!(client.poll(ticket), Err(CallError::Refused { code: 3 }));
    });
}

#[test]
fn frames() {
    let (_region, a, b) = setup();
    for delivery in [Delivery::AtLeastOnce, Delivery::AtMostOnce] {
        let mut tx = a.producer("frames").unwrap();
        let mut rx = b.consumer_with("frames", ConsumerOptions::new().delivery(delivery)).unwrap();
        tx.set_wait_policy(NOW);
        rx.set_wait_policy(NOW);
        let mut buffer = [0; 256];
        without_allocation("frames", LONG_ROUNDS, |round| {
            let len = (round % 257) as usize;
            tx.try_send(round, &[7; 256][..len]).unwrap();
            assert_eq!(rx.try_recv(&mut buffer).unwrap().len, len);
            let mut grant = tx.reserve(8).unwrap();
            grant.write(0, b"in place");
            grant.commit();
            let frame: FrameBuf<16> = rx.try_recv_frame().unwrap();
            assert_eq!(frame.payload(), b"in place");
            tx.try_send_batch([(1, &b"one"[..]), (2, b"two")]).unwrap();
            assert_eq!(rx.recv_batch(9, |peek| assert_eq!(peek.copy_from(0, &mut [0; 8]), 3)), Ok(2));
            assert_eq!(rx.try_recv(&mut buffer), Err(TryRecvError::Empty));
            let _ = (tx.len(), tx.high_water(), tx.refused(), tx.peer(), rx.len(), rx.peer(), rx.is_empty());
        });
    }
}

#[test]
fn refusals_and_waits() {
    let (_region, a, b) = setup();
    let mut tx = a.typed_producer::<u64>("slots").unwrap();
    let (mut rx, mut other) = (b.consumer("frames").unwrap(), b.typed_consumer::<u64>("compact").unwrap());
    tx.try_send_batch([0; 8]).unwrap();
    tx.set_wait_policy(NOW);
    rx.set_wait_policy(NOW);
    without_allocation("refusals", ROUNDS, |_| {
        assert_eq!(tx.try_send(&1), Err(TrySendError::Full));
        assert!(tx.send_timeout(&1, Duration::ZERO).is_err());
        assert!(rx.recv_timeout(&mut [0; 256], Duration::ZERO).is_err());
        assert!(wait_any(b.port(), &mut [&mut rx, &mut other], NOW, Duration::ZERO).is_err());
    });
}

#[test]
fn values() {
    let (_region, a, b) = setup();
    for name in ["slots", "compact"] {
        let mut tx = a.typed_producer::<u64>(name).unwrap();
        let mut rx = b.typed_consumer::<u64>(name).unwrap();
        without_allocation(name, LONG_ROUNDS, |round| {
            tx.try_send(&u64::from(round)).unwrap();
            assert_eq!(rx.try_recv(), Ok(u64::from(round)));
            assert_eq!(tx.try_send_batch([1, 2, 3]), Ok(3));
            assert_eq!(rx.recv_batch(8, |_| ()), Ok(3));
            rx.flush();
        });
    }
}

#[test]
fn latest_values() {
    let (_region, a, b) = setup();
    let mut writer = a.latest_writer::<[u64; 4]>("latest").unwrap();
    let mut reader = b.latest_reader::<[u64; 4]>("latest").unwrap();
    let mut bytes = (a.latest_writer::<[u8]>("bytes").unwrap(), b.latest_reader::<[u8]>("bytes").unwrap());
    let mut buffer = [0; 64];
    without_allocation("latest", ROUNDS, |round| {
        writer.publish(&[u64::from(round); 4]);
        assert_eq!(reader.read(), Reading::Fresh([u64::from(round); 4]));
        assert_eq!(reader.wait_for_change(Duration::ZERO), Reading::Stale([u64::from(round); 4]));
        bytes.0.publish_from(round, &[1; 64][..(round % 65) as usize]).unwrap();
        assert!(bytes.1.read_into(&mut buffer).value().is_some());
    });
}

/// Neither a future that sleeps and is woken, nor one that is dropped. (The waker is the executor's.)
#[test]
fn tasks() {
    let (region, a, b) = setup();
    let mut tx = a.typed_producer::<u64>("slots").unwrap();
    let mut rx = b.typed_consumer::<u64>("slots").unwrap();
    let mut reader = b.latest_reader::<[u64; 4]>("latest").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    without_allocation("tasks", ROUNDS, |round| {
        let mut future = pin!(rx.recv());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert!(pin!(reader.changed()).poll(&mut context).is_pending());
        tx.try_send(&u64::from(round)).unwrap();
        assert_eq!(future.poll(&mut context), Poll::Ready(Ok(u64::from(round))));
    });
    assert_eq!(region.tasks(), 0);
}

#[test]
fn frames_on_a_stream() {
    let (mut out, mut into) = ([0; OVERHEAD + 256], [0; OVERHEAD + 256]);
    let mut encoder = StreamEncoder::new(&mut out, Check::Whole).unwrap();
    let mut decoder = StreamDecoder::new(&mut into, Check::Whole).unwrap();
    without_allocation("stream", LONG_ROUNDS, |round| {
        let len = (round % 257) as usize;
        encoder.push(round, &[7; 256][..len]).unwrap();
        assert_eq!(decoder.push(&[0xFF]), 1, "some garbage");
        while !encoder.pending().is_empty() {
            let count = decoder.push(encoder.pending());
            encoder.consume(count);
            if let Some(frame) = decoder.next_frame() {
                assert_eq!((frame.tag, frame.payload.len()), (round, len));
            }
        }
    });
    assert_eq!(decoder.skipped(), u64::from(LONG_ROUNDS));
}

#[cfg(feature = "embedded-io-07")]
#[test]
fn a_byte_pipe() {
    use embedded_io::{BufRead, Read, ReadReady, Write, WriteReady};
    use strait_core::stream::{FrameReader, FrameWriter};
    use strait_core::{RingPipe, RingReader, RingWriter};

    let (_region, a, b) = setup();
    let (mut bounce, mut out, mut into) = ([0; 64], [0; 128], [0; 128]);
    let mut pipe = RingPipe {
        reader: RingReader::new(b.consumer("frames").unwrap(), Duration::ZERO, &mut bounce),
        writer: RingWriter::new(a.producer("frames").unwrap(), Duration::ZERO),
    };
    without_allocation("pipe", LONG_ROUNDS, |round| {
        assert_eq!((pipe.write_ready(), pipe.write(&[7; 100])), (Ok(true), Ok(100)));
        assert_eq!((pipe.read_ready(), pipe.read(&mut [0; 30])), (Ok(true), Ok(30)));
        for shown in [64, 6] {
            assert_eq!(pipe.fill_buf().unwrap().len(), shown);
            pipe.consume(shown);
        }
        if round % 64 == 0 {
            assert!(pipe.read(&mut [0; 8]).is_err());
        }
    });
    let mut writer = FrameWriter::new(pipe.writer, StreamEncoder::new(&mut out, Check::Whole).unwrap());
    let mut reader = FrameReader::new(pipe.reader, StreamDecoder::new(&mut into, Check::Whole).unwrap());
    without_allocation("frames on a pipe", LONG_ROUNDS, |round| {
        writer.send(round, &[7; 100]).unwrap();
        assert_eq!(reader.recv().unwrap().tag, round);
        assert!(reader.try_recv().unwrap().is_none() && writer.try_flush().unwrap());
    });
}

#[test]
fn what_stands_alone() {
    static QUEUE: StaticQueue<u32, 4> = StaticQueue::new();
    const SMALL: Plan<'_> = Plan::new(&[Channel::compact::<u32>("c", 4)]).line(4).participants(2);
    static REGION: StaticRegion<{ SMALL.size() }> = StaticRegion::new();
    let before = CALLS.get();
    let (mut tx, mut rx) = (QUEUE.take_producer().unwrap(), QUEUE.take_consumer().unwrap());
    let at = REGION.create(&SMALL, 1, &NoSystem).unwrap();
    let mut ends = (at.typed_producer::<u32>("c").unwrap(), at.typed_consumer::<u32>("c").unwrap());
    assert_eq!(CALLS.get(), before, "setting up in a static takes no heap either");
    without_allocation("static", ROUNDS, |round| {
        tx.push(round).unwrap();
        assert_eq!(rx.pop(), Some(round));
        ends.0.try_send(&round).unwrap();
        assert_eq!(ends.1.try_recv(), Ok(round));
    });
    let mut memory = [const { std::mem::MaybeUninit::uninit() }; 5];
    let mut queue = LocalQueue::new(&mut memory);
    let (mut tx, mut rx) = queue.split();
    without_allocation("local", ROUNDS, |round| {
        tx.push(round).unwrap();
        assert_eq!(tx.push_batch([round, round]), 2);
        assert_eq!(rx.pop(), Some(round));
        assert_eq!(rx.pop_batch(2, |value| assert_eq!(value, round)), 2);
    });
}

/// Attaching, opening, taking over and closing take no heap of the core's own either.
#[test]
fn opening_and_closing() {
    let (_region, a, b) = setup();
    let before = CALLS.get();
    for _ in 0..1000 {
        let tx = a.producer("frames").unwrap();
        assert!(b.producer("frames").is_err() && b.consumer("no such").is_err());
        drop((tx, b.consumer("frames").unwrap(), a.latest_writer::<[u64; 4]>("latest").unwrap()));
        drop((
            a.call_client::<u64, [u64; 4]>("calls").unwrap(),
            b.call_server::<u64, [u64; 4]>("calls").unwrap(),
        ));
        assert_eq!(a.channels().count(), 6);
    }
    assert_eq!(CALLS.get(), before);
}

#[test]
fn lanes_allocate_nothing() {
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::slots::<u64>("slots", 8).producers(8).consumer_may_block(),
        Channel::frames("frames", 256, 32).producers(3),
    ])
    .participants(2);
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut lanes = [0, 3, 7].map(|lane| member.typed_lane_producer::<u64>("slots", lane).unwrap());
    let mut rx: TypedLanesConsumer<u64, _, 8> = member.typed_lanes_consumer("slots").unwrap();
    without_allocation("lanes of values", LONG_ROUNDS, |round| {
        let tx = &mut lanes[round as usize % 3];
        tx.try_send(&1).unwrap();
        assert_eq!(rx.try_recv().map(|from| from.message), Ok(1));
        assert_eq!(rx.try_recv(), Err(TryRecvLanesError::Empty));
    });
    let (_, mut tx) = member.free_lane_producer("frames").unwrap();
    let mut rx: LanesConsumer<_, 3> = member.lanes_consumer("frames").unwrap();
    rx.set_wait_policy(NOW);
    without_allocation("lanes of frames", LONG_ROUNDS, |_| {
        tx.try_send(1, b"x").unwrap();
        assert_eq!(rx.try_recv(&mut [0; 32]).map(|from| from.message.len), Ok(1));
        assert_eq!(rx.recv_timeout(&mut [], Duration::ZERO), Err(RecvLanesError::TimedOut));
    });
}
