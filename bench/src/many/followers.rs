//! One writer, and so many readers that each receive every value, in one thread.

use std::hint::black_box;

use disruptor::{BusySpin, EventPoller, Producer, SingleProducerBarrier, build_single_producer};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pubsub::PubSubChannel;
use iceoryx2::prelude::{NodeBuilder, ipc};
use serde_json::{Value, json};
use strait::broadcast::BroadcastStart;
use strait::{Channel, Plan};

use super::{iceoryx2, own, service_name, text};
use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

pub const FIGURES: &[&str] = &[
    "publish + receive",
    "publish + receive, embassy-sync",
    "publish + receive, disruptor",
    "publish + receive, iceoryx2",
    "publish",
    "publish, a latest value",
];

type Value56 = [u64; 7];

/// What shares the time of a job.
const PARTS: u32 = 6;

/// Measures it.
pub fn measure(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let mut figures = ours(job)?;
    figures["publish + receive, embassy-sync"] = embassy(job)?;
    figures["publish + receive, disruptor"] = match job.size {
        1 => {
            let builder = build_single_producer(64, || [0; 7], BusySpin);
            let (reader, builder) = builder.new_event_poller();
            rounds(job, builder.build(), vec![reader])
        }
        _ => {
            let builder = build_single_producer(64, || [0; 7], BusySpin).with_multi_consumer();
            let (reader, mut builder) = builder.new_event_poller();
            let mut readers = vec![reader];
            while readers.len() < job.size {
                let (reader, next) = builder.new_event_poller();
                readers.push(reader);
                builder = next;
            }
            rounds(job, builder.build(), readers)
        }
    };
    figures["publish + receive, iceoryx2"] = iceoryx(job)?;
    Ok(figures)
}

fn ours(job: &Job) -> Result<Value> {
    let channels = [Channel::broadcast::<Value56>("news", 64), Channel::latest::<Value56>("latest")];
    let here = own(&Plan::new(&channels))?;
    let mut writer = here.broadcast_writer::<Value56>("news").map_err(text)?;
    let mut readers = Vec::new();
    for _ in 0..job.size {
        readers.push(here.broadcast_reader::<Value56>("news", BroadcastStart::Oldest).map_err(text)?);
    }
    let mut number = 0;
    let both = Slices::time(job.budget() / PARTS, 64, |count| {
        for _ in 0..count {
            number += 1;
            writer.publish(black_box(&[number; 7]));
            for reader in &mut readers {
                assert_eq!(reader.try_recv(), Ok([number; 7]), "WRONG DATA");
            }
        }
    });
    let publish = Slices::time(job.budget() / PARTS, 64, |count| {
        for _ in 0..count {
            number += 1;
            writer.publish(black_box(&[number; 7]));
        }
    });
    let mut latest = here.latest_writer::<Value56>("latest").map_err(text)?;
    let latest = Slices::time(job.budget() / PARTS, 64, |count| {
        for _ in 0..count {
            number += 1;
            latest.publish(black_box(&[number; 7]));
        }
    });
    Ok(json!({
        "publish + receive": both.figures(1.0)["ns"],
        "publish": publish.figures(1.0)["ns"],
        "publish, a latest value": latest.figures(1.0)["ns"],
    }))
}

fn embassy(job: &Job) -> Result<Value> {
    let channel = PubSubChannel::<CriticalSectionRawMutex, Value56, 64, 4, 1>::new();
    let publisher = channel.immediate_publisher();
    let mut subscribers = Vec::new();
    for _ in 0..job.size {
        subscribers.push(channel.subscriber().map_err(|error| format!("{error:?}"))?);
    }
    let mut number = 0;
    let slices = Slices::time(job.budget() / PARTS, 64, |count| {
        for _ in 0..count {
            number += 1;
            publisher.publish_immediate(black_box([number; 7]));
            for subscriber in &mut subscribers {
                assert_eq!(subscriber.try_next_message_pure(), Some([number; 7]), "WRONG DATA");
            }
        }
    });
    Ok(slices.figures(1.0)["ns"].clone())
}

/// The rounds of a disruptor, which loses nothing: its slowest reader bounds the writer.
fn rounds(
    job: &Job,
    mut writer: impl Producer<Value56>,
    mut readers: Vec<EventPoller<Value56, SingleProducerBarrier>>,
) -> Value {
    let mut number = 0;
    let slices = Slices::time(job.budget() / PARTS, 64, |count| {
        for _ in 0..count {
            number += 1;
            assert!(writer.try_publish(|event| *event = black_box([number; 7])).is_ok(), "a full ring");
            for reader in &mut readers {
                let mut events = reader.take(1).expect("an event was published");
                assert_eq!((&mut events).next(), Some(&[number; 7]), "WRONG DATA");
            }
        }
    });
    slices.figures(1.0)["ns"].clone()
}

fn iceoryx(job: &Job) -> Result<Value> {
    let node = NodeBuilder::new().create::<ipc::Service>().map_err(iceoryx2)?;
    let builder = node.service_builder(&service_name()?).publish_subscribe::<Value56>();
    let builder = builder.enable_safe_overflow(true).subscriber_max_buffer_size(64).history_size(0);
    let service = builder.max_subscribers(job.size).create().map_err(iceoryx2)?;
    let publisher = service.publisher_builder().create().map_err(iceoryx2)?;
    let mut subscribers = Vec::new();
    for _ in 0..job.size {
        subscribers.push(service.subscriber_builder().create().map_err(iceoryx2)?);
    }
    let mut number = 0;
    let slices = Slices::time(job.budget() / PARTS, 16, |count| {
        for _ in 0..count {
            number += 1;
            let sample = publisher.loan_uninit().expect("a sample is free");
            sample.write_payload(black_box([number; 7])).send().expect("the service is open");
            for subscriber in &subscribers {
                let sample = subscriber.receive().expect("the service is open").expect("a sample was sent");
                assert_eq!(*sample, [number; 7], "WRONG DATA");
            }
        }
    });
    Ok(slices.figures(1.0)["ns"].clone())
}
