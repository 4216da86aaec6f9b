//! Many to one, one to many, calls and events, each beside what a program would use instead.

use std::hint::{black_box, spin_loop};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crossbeam_queue::ArrayQueue;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pubsub::PubSubChannel;
use nix::sys::eventfd::{EfdFlags, EventFd};
use serde_json::{Value, json};
use strait::broadcast::BroadcastStart;
use strait::{Channel, Plan, Region, TypedLanesConsumer};

use crate::contenders::{options, region};
use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

/// What is measured, and for how many producers, readers or clients.
pub const LANES: (&str, &[usize]) = ("lanes", &[1, 2, 4, 8]);
/// Readers of a broadcast.
pub const FOLLOWERS: (&str, &[usize]) = ("followers", &[1, 2, 4]);
/// One client.
pub const CALLS: (&str, &[usize]) = ("calls", &[1]);
/// One notifier.
pub const EVENTS: (&str, &[usize]) = ("events", &[1]);

/// The figures of each, as the report names them.
pub fn figures(of: &str) -> Option<&'static [&'static str]> {
    Some(match of {
        "lanes" => &["stream", "stream, crossbeam", "sweep of idle lanes"],
        "followers" => &["publish + receive", "publish + receive, embassy-sync"],
        "calls" => &["round trip, polled", "round trip, Unix socket"],
        "events" => &["notify + see", "notify + see, eventfd"],
        _ => return None,
    })
}

/// Measures what the job names, if it is one of these.
pub fn measure(job: &Job) -> Option<Result<Value>> {
    Some(match job.who.as_str() {
        "lanes" => lanes(job),
        "followers" => followers(job),
        "calls" => calls(job),
        "events" => events(job),
        _ => return None,
    })
}

const LANE_SLOTS: u32 = 1024;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A region of this plan, which nobody else can open any more.
fn own(plan: &Plan<'_>) -> Result<Region> {
    let place = region(0)?;
    let here = place.create(plan, &options()).map_err(text)?;
    place.remove().map_err(text)?;
    Ok(here)
}

/// Nanoseconds a message, while these producers, on the second CPU, send without end.
fn stream(
    job: &Job,
    producers: Vec<impl FnMut() -> bool + Send>,
    mut receive: impl FnMut() -> bool,
) -> Result<Value> {
    sys::pin(job.first)?;
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
        let slices = Slices::time(job.budget() / 3, 64, |count| {
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

/// So many producers of one queue, and one consumer.
fn lanes(job: &Job) -> Result<Value> {
    let count = job.size as u32;
    let channels = [Channel::slots::<u64>("many", LANE_SLOTS).producers(count)];
    let here = own(&Plan::new(&channels))?;
    let mut rx: TypedLanesConsumer<u64, _, 8> = here.typed_lanes_consumer("many").map_err(text)?;
    sys::pin(job.first)?;
    let idle = Slices::time(job.budget() / 3, 64, |count| {
        (0..count).for_each(|_| assert!(black_box(&mut rx).try_recv().is_err(), "WRONG DATA"));
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
    let ours = stream(job, producers, || rx.try_recv().is_ok())?;
    // As much space as all lanes have together.
    let queue = Arc::new(ArrayQueue::<u64>::new(LANE_SLOTS as usize * job.size));
    let producers = (0..count).map(|_| {
        let queue = queue.clone();
        let mut number = 0;
        move || {
            number += 1;
            queue.push(number).is_ok()
        }
    });
    let theirs = stream(job, producers.collect(), || queue.pop().is_some())?;
    Ok(json!({
        "stream": ours, "stream, crossbeam": theirs, "sweep of idle lanes": idle.figures(1.0)["ns"],
    }))
}

/// One writer, and so many readers that each receive every value, in one thread.
fn followers(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let channels = [Channel::broadcast::<[u64; 7]>("news", 64)];
    let here = own(&Plan::new(&channels))?;
    let mut writer = here.broadcast_writer::<[u64; 7]>("news").map_err(text)?;
    let mut readers = Vec::new();
    for _ in 0..job.size {
        readers.push(here.broadcast_reader::<[u64; 7]>("news", BroadcastStart::Oldest).map_err(text)?);
    }
    let mut number = 0;
    let ours = Slices::time(job.budget() / 2, 64, |count| {
        for _ in 0..count {
            number += 1;
            writer.publish(black_box(&[number; 7]));
            for reader in &mut readers {
                assert_eq!(reader.try_recv(), Ok([number; 7]), "WRONG DATA");
            }
        }
    });
    let channel = PubSubChannel::<CriticalSectionRawMutex, [u64; 7], 64, 4, 1>::new();
    let publisher = channel.immediate_publisher();
    let mut subscribers = Vec::new();
    for _ in 0..job.size {
        subscribers.push(channel.subscriber().map_err(|error| format!("{error:?}"))?);
    }
    let theirs = Slices::time(job.budget() / 2, 64, |count| {
        for _ in 0..count {
            number += 1;
            publisher.publish_immediate(black_box([number; 7]));
            for subscriber in &mut subscribers {
                assert_eq!(subscriber.try_next_message_pure(), Some([number; 7]), "WRONG DATA");
            }
        }
    });
    Ok(json!({
        "publish + receive": ours.figures(1.0)["ns"],
        "publish + receive, embassy-sync": theirs.figures(1.0)["ns"],
    }))
}

/// A call and its answer between two threads, both of which poll; the same over a socket, on which both sleep.
fn calls(job: &Job) -> Result<Value> {
    let channels = [Channel::calls::<u64, u64>("square", 8)];
    let here = own(&Plan::new(&channels))?;
    let mut client = here.call_client::<u64, u64>("square").map_err(text)?;
    let mut server = here.call_server::<u64, u64>("square").map_err(text)?;
    let (mut near, mut far) = UnixStream::pair().map_err(text)?;
    let stop = AtomicBool::new(false);
    sys::pin(job.first)?;
    let (ours, theirs) = thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            let _ = sys::pin(job.second);
            while !stop.load(Relaxed) {
                if server.serve(|number| number + 1).is_err() {
                    spin_loop();
                }
            }
            let mut number = [0; 8];
            // The other end is dropped when all is measured.
            while far.read_exact(&mut number).is_ok() {
                let answer = u64::from_le_bytes(number) + 1;
                if far.write_all(&answer.to_le_bytes()).is_err() {
                    break;
                }
            }
        });
        let mut number = 0;
        let ours = Slices::time(job.budget() / 2, 16, |count| {
            for _ in 0..count {
                number += 1;
                let ticket = client.try_call(&number).expect("a place is free");
                let answer = loop {
                    match client.poll(ticket).expect("the server lives") {
                        Some(answer) => break answer,
                        None => spin_loop(),
                    }
                };
                assert_eq!(answer, number + 1, "WRONG DATA");
            }
        });
        stop.store(true, Relaxed);
        let theirs = Slices::time(job.budget() / 2, 16, |count| {
            for _ in 0..count {
                number += 1;
                let mut answer = [0; 8];
                near.write_all(&number.to_le_bytes()).expect("the server lives");
                near.read_exact(&mut answer).expect("the server lives");
                assert_eq!(u64::from_le_bytes(answer), number + 1, "WRONG DATA");
            }
        });
        drop(near);
        (ours, theirs)
    });
    Ok(json!({
        "round trip, polled": ours.figures(1.0)["ns"],
        "round trip, Unix socket": theirs.figures(1.0)["ns"],
    }))
}

/// A notification, and a look that sees it, in one thread.
fn events(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let channels = [Channel::event("there")];
    let here = own(&Plan::new(&channels))?;
    let mut notifier = here.notifier("there").map_err(text)?;
    let mut listener = here.listener("there").map_err(text)?;
    let ours = Slices::time(job.budget() / 2, 64, |count| {
        for _ in 0..count {
            notifier.notify(black_box(7));
            assert!(listener.try_wait().is_some(), "WRONG DATA");
        }
    });
    let event = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).map_err(text)?;
    let theirs = Slices::time(job.budget() / 2, 16, |count| {
        for _ in 0..count {
            event.write(black_box(1)).expect("the counter is not full");
            assert_eq!(event.read(), Ok(1), "WRONG DATA");
        }
    });
    Ok(json!({
        "notify + see": ours.figures(1.0)["ns"], "notify + see, eventfd": theirs.figures(1.0)["ns"],
    }))
}
