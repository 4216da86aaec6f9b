//! So many producers of one queue, and one consumer.

use std::hint::{black_box, spin_loop};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;

use crossbeam_queue::ArrayQueue;
use disruptor::{BusySpin, Producer, build_multi_producer};
use serde_json::{Value, json};
use strait::{Channel, Plan, TypedLanesConsumer, TypedProducer};

use super::{own, text};
use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

pub const FIGURES: &[&str] = &[
    "stream",
    "stream, crossbeam",
    "stream, crossfire",
    "stream, kanal",
    "stream, gil",
    "stream, disruptor",
    "stream, received in batches",
    "stream, in batches",
    "stream, in batches, kanal",
    "stream, in batches, disruptor",
    "one thread, send + receive",
    "one thread, send + receive, a pair's queue",
    "sweep of idle lanes",
];

const LANE_SLOTS: u32 = 1024;
/// The most producers.
const MOST: usize = 32;
/// What shares the time of a job: the streams, and what one thread does.
const PARTS: u32 = 13;
/// The most messages of a batch, on either side.
const BATCH: usize = 64;

type Consumer = TypedLanesConsumer<u64, strait::SystemPort, MOST>;

/// Nanoseconds a message, while these producers, on the second CPU, send without end; `receive` returns how many it has
/// received.
fn stream(
    job: &Job,
    producers: Vec<impl FnMut() -> bool + Send>,
    mut receive: impl FnMut() -> usize,
) -> Result<Value> {
    let stop = AtomicBool::new(false);
    // A thread starts on its maker's CPU, where this side would let it wait for its turn.
    let start = Barrier::new(producers.len() + 1);
    let slices = thread::scope(|scope| {
        for mut send in producers {
            let (stop, start) = (&stop, &start);
            scope.spawn(move || {
                let _ = sys::pin(job.second);
                start.wait();
                while !stop.load(Relaxed) {
                    // Several producers share a CPU: one without space lets the others go on.
                    if !send() {
                        thread::yield_now();
                    }
                }
            });
        }
        start.wait();
        // What a batch brings beyond a slice is the next one's.
        let mut received = 0;
        let slices = Slices::time(job.budget() / PARTS, 64, |count| {
            while received < count {
                match receive() {
                    0 => spin_loop(),
                    more => received += more as u64,
                }
            }
            received -= count;
        });
        stop.store(true, Relaxed);
        slices
    });
    Ok(slices.figures(1.0)["ns"].clone())
}

/// Producers that count, each over an end of its own.
fn counting<E: Send>(
    job: &Job,
    end: impl Fn() -> E,
    send: impl Fn(&mut E, u64) -> bool + Copy + Send,
) -> Vec<impl FnMut() -> bool + Send> {
    let producer = |_| {
        let (mut end, mut number) = (end(), 0);
        move || {
            number += 1;
            send(&mut end, number)
        }
    };
    (0..job.size).map(producer).collect()
}

/// Measures it.
pub fn measure(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let mut figures = ours(job)?;
    // As much space as all lanes have together.
    let slots = LANE_SLOTS as usize * job.size;
    let queue = Arc::new(ArrayQueue::<u64>::new(slots));
    let producers = counting(job, || queue.clone(), |queue, number| queue.push(number).is_ok());
    figures["stream, crossbeam"] = stream(job, producers, || usize::from(queue.pop().is_some()))?;
    let (tx, rx) = crossfire::mpsc::bounded_blocking::<u64>(slots);
    let producers = counting(job, || tx.clone(), |tx, number| tx.try_send(number).is_ok());
    figures["stream, crossfire"] = stream(job, producers, || usize::from(rx.try_recv().is_ok()))?;
    let (tx, mut rx) = gil::mpsc::channel::<u64>(NonZeroUsize::new(slots).ok_or("a queue without slots")?);
    let producers = counting(job, || tx.clone(), |tx, number| tx.try_send(number).is_ok());
    figures["stream, gil"] = stream(job, producers, || usize::from(rx.try_recv().is_some()))?;
    with_kanal(job, slots, &mut figures)?;
    with_disruptor(job, slots, &mut figures)?;
    Ok(figures)
}

/// It receives in batches, of whatever is there, and sends one by one.
fn with_kanal(job: &Job, slots: usize, figures: &mut Value) -> Result<()> {
    let (tx, rx) = kanal::bounded::<u64>(slots);
    let producers = || counting(job, || tx.clone(), |tx, number| tx.try_send(number) == Ok(true));
    figures["stream, kanal"] =
        stream(job, producers(), || usize::from(matches!(rx.try_recv(), Ok(Some(_)))))?;
    let mut received = Vec::with_capacity(slots);
    figures["stream, in batches, kanal"] = stream(job, producers(), || {
        received.clear();
        let count = rx.drain_into(&mut received).unwrap_or(0);
        received.iter().for_each(|number| _ = black_box(*number));
        count
    })?;
    Ok(())
}

fn with_disruptor(job: &Job, slots: usize, figures: &mut Value) -> Result<()> {
    let (mut poller, builder) = build_multi_producer(slots, || 0_u64, BusySpin).new_event_poller();
    let tx = builder.build();
    let publish =
        |tx: &mut disruptor::MultiProducer<u64, _>, number| tx.try_publish(|event| *event = number).is_ok();
    let producers = counting(job, || tx.clone(), publish);
    figures["stream, disruptor"] = stream(job, producers, || usize::from(poller.take(1).is_ok()))?;
    let batches = |tx: &mut disruptor::MultiProducer<u64, _>, number| {
        tx.try_batch_publish(BATCH, |events| events.for_each(|event| *event = number)).is_ok()
    };
    let producers = counting(job, || tx.clone(), batches);
    figures["stream, in batches, disruptor"] = stream(job, producers, || {
        poller.poll().map_or(0, |mut events| (&mut events).inspect(|event| _ = black_box(**event)).count())
    })?;
    Ok(())
}

fn ours(job: &Job) -> Result<Value> {
    let count = job.size as u32;
    let slots = Channel::slots::<u64>("many", LANE_SLOTS);
    let here = own(&Plan::new(&[slots.producers(count), Channel::slots::<u64>("pair", LANE_SLOTS)]))?;
    let mut rx: Consumer = here.typed_lanes_consumer("many").map_err(text)?;
    let idle = Slices::time(job.budget() / PARTS, 64, |count| {
        (0..count).for_each(|_| assert!(black_box(&mut rx).try_recv().is_err(), "WRONG DATA"));
    });
    let mut tx = here.typed_lane_producer::<u64>("many", 0).map_err(text)?;
    let alone = Slices::time(job.budget() / PARTS, 64, |count| {
        for number in 0..count {
            assert!(tx.try_send(black_box(&number)).is_ok(), "a full queue");
            assert!(rx.try_recv().is_ok(), "WRONG DATA");
        }
    });
    drop(tx);
    let mut tx = here.typed_producer::<u64>("pair").map_err(text)?;
    let mut pair_rx = here.typed_consumer::<u64>("pair").map_err(text)?;
    let pair = Slices::time(job.budget() / PARTS, 64, |count| {
        for number in 0..count {
            assert!(tx.try_send(black_box(&number)).is_ok(), "a full queue");
            assert!(pair_rx.try_recv() == Ok(number), "WRONG DATA");
        }
    });
    let ends = || -> Result<Vec<TypedProducer<u64, strait::SystemPort>>> {
        (0..count).map(|lane| here.typed_lane_producer::<u64>("many", lane).map_err(text)).collect()
    };
    let one_by_one = || -> Result<Vec<_>> {
        let producer = |mut tx: TypedProducer<u64, _>| {
            let mut number = 0;
            move || {
                number += 1;
                tx.try_send(&number).is_ok()
            }
        };
        Ok(ends()?.into_iter().map(producer).collect())
    };
    let in_batches = |mut tx: TypedProducer<u64, _>| {
        let mut number = 0;
        move || {
            let sent = tx.try_send_batch((number..).take(BATCH)).unwrap_or(0);
            number += sent as u64;
            sent > 0
        }
    };
    let single = stream(job, one_by_one()?, || usize::from(rx.try_recv().is_ok()))?;
    let mut receive = || rx.recv_batch(BATCH, |from| _ = black_box(from)).unwrap_or(0);
    let received = stream(job, one_by_one()?, &mut receive)?;
    let batches = stream(job, ends()?.into_iter().map(in_batches).collect(), receive)?;
    Ok(json!({
        "stream": single,
        "stream, received in batches": received,
        "stream, in batches": batches,
        "one thread, send + receive": alone.figures(1.0)["ns"],
        "one thread, send + receive, a pair's queue": pair.figures(1.0)["ns"],
        "sweep of idle lanes": idle.figures(1.0)["ns"],
    }))
}
