//! So many producers of one queue, and one consumer.

use std::hint::{black_box, spin_loop};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crossbeam_queue::ArrayQueue;
use disruptor::{BusySpin, Producer, build_multi_producer};
use serde_json::{Value, json};
use strait::{Channel, Plan, TypedLanesConsumer};

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
    "one thread, send + receive",
    "one thread, send + receive, a pair's queue",
    "sweep of idle lanes",
];

const LANE_SLOTS: u32 = 1024;
/// The most producers.
const MOST: usize = 32;
/// What shares the time of a job: the streams, and what one thread does.
const PARTS: u32 = 9;

type Consumer = TypedLanesConsumer<u64, strait::SystemPort, MOST>;

/// Nanoseconds a message, while these producers, on the second CPU, send without end.
fn stream(
    job: &Job,
    producers: Vec<impl FnMut() -> bool + Send>,
    mut receive: impl FnMut() -> bool,
) -> Result<Value> {
    let stop = AtomicBool::new(false);
    let slices = thread::scope(|scope| {
        for mut send in producers {
            let stop = &stop;
            scope.spawn(move || {
                let _ = sys::pin(job.second);
                while !stop.load(Relaxed) {
                    // Several producers share a CPU: one without space lets the others go on.
                    if !send() {
                        thread::yield_now();
                    }
                }
            });
        }
        let slices = Slices::time(job.budget() / PARTS, 64, |count| {
            let mut left = count;
            while left > 0 {
                if receive() {
                    left -= 1;
                } else {
                    spin_loop();
                }
            }
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
    figures["stream, crossbeam"] = stream(job, producers, || queue.pop().is_some())?;
    let (tx, rx) = crossfire::mpsc::bounded_blocking::<u64>(slots);
    let producers = counting(job, || tx.clone(), |tx, number| tx.try_send(number).is_ok());
    figures["stream, crossfire"] = stream(job, producers, || rx.try_recv().is_ok())?;
    let (tx, rx) = kanal::bounded::<u64>(slots);
    let producers = counting(job, || tx.clone(), |tx, number| tx.try_send(number) == Ok(true));
    figures["stream, kanal"] = stream(job, producers, || matches!(rx.try_recv(), Ok(Some(_))))?;
    let (tx, mut rx) = gil::mpsc::channel::<u64>(NonZeroUsize::new(slots).ok_or("a queue without slots")?);
    let producers = counting(job, || tx.clone(), |tx, number| tx.try_send(number).is_ok());
    figures["stream, gil"] = stream(job, producers, || rx.try_recv().is_some())?;
    let (mut poller, builder) = build_multi_producer(slots, || 0_u64, BusySpin).new_event_poller();
    let tx = builder.build();
    let publish =
        |tx: &mut disruptor::MultiProducer<u64, _>, number| tx.try_publish(|event| *event = number).is_ok();
    let producers = counting(job, || tx.clone(), publish);
    figures["stream, disruptor"] = stream(job, producers, || poller.take(1).is_ok())?;
    Ok(figures)
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
    let mut producers = Vec::new();
    for lane in 0..count {
        let mut tx = here.typed_lane_producer::<u64>("many", lane).map_err(text)?;
        let mut number = 0;
        producers.push(move || {
            number += 1;
            tx.try_send(&number).is_ok()
        });
    }
    let stream = stream(job, producers, || rx.try_recv().is_ok())?;
    Ok(json!({
        "stream": stream,
        "one thread, send + receive": alone.figures(1.0)["ns"],
        "one thread, send + receive, a pair's queue": pair.figures(1.0)["ns"],
        "sweep of idle lanes": idle.figures(1.0)["ns"],
    }))
}
