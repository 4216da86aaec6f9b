//! How strait's costs grow: with the number of channels, of readers, with the size of a region, of a ring.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};
use strait::{Channel, Plan, Region};

use crate::contenders::{Long, options, region};
use crate::drive::latency;
use crate::error::Result;
use crate::job::{Job, Metric};
use crate::slices::Slices;
use crate::stats::Spread;
use crate::{many, sides, sys};

/// A quantity that can grow, and the numbers for which it is measured.
const CHANNELS: (&str, &[usize]) = ("channels", &[1, 10, 100, 1000]);
const READERS: (&str, &[usize]) = ("readers", &[0, 1, 4, 16]);
const REGION: (&str, &[usize]) = ("region", &[64 << 10, 1 << 20, 16 << 20, 256 << 20]);
const RING: (&str, &[usize]) = ("ring", &[2 << 20, 4 << 20, 8 << 20, 16 << 20]);
/// The job of attaching.
pub const ATTACH: &str = "strait";

/// Endpoints whose memory is counted.
const ENDPOINTS: usize = 400;

/// The jobs: metric, name and number.
pub fn jobs() -> Vec<(Metric, &'static str, usize)> {
    let mut jobs = vec![(Metric::Attach, ATTACH, 8)];
    let of_patterns = [many::LANES, many::FOLLOWERS, many::CALLS, many::EVENTS];
    for (who, numbers) in [CHANNELS, READERS, REGION, RING].into_iter().chain(of_patterns) {
        jobs.extend(numbers.iter().map(|&n| (Metric::Scale, who, n)));
    }
    jobs
}

/// Measures what the job names.
pub fn measure(job: &Job) -> Result<Value> {
    match (job.metric, job.who.as_str()) {
        (Metric::Attach, _) => attach(job),
        (_, "channels") => channels(job),
        (_, "readers") => readers(job),
        (_, "region") => sizes(job),
        // A ring is gone through in turn, so a larger one leaves the caches.
        (_, "ring") => latency::measure::<Long>(job),
        (_, who) => many::measure(job).unwrap_or_else(|| Err(format!("nothing grows with `{who}`"))),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The median of the nanoseconds that a step takes, which says itself when its time starts and ends.
fn median(job: &Job, mut step: impl FnMut() -> Result<u64>) -> Result<f64> {
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || start.elapsed() < job.budget() / 3 {
        times.push(step()? as f64);
    }
    Ok(Spread::of(times).map_or(f64::NAN, |spread| spread.median))
}

/// Opening, and opening an endpoint, while another process has the region and uses it.
fn attach(job: &Job) -> Result<Value> {
    let place = region(0)?;
    let channels = [Channel::slots::<u64>("there", 256), Channel::slots::<u64>("here", 256)];
    let plan = Plan::new(&channels);
    let (figures, _) = sides::run(
        &Job { mode: crate::job::Mode::Processes, ..job.clone() },
        |control| {
            control.meet();
            let mut endpoint = Vec::new();
            let open = median(job, || {
                let start = Instant::now();
                let here = place.open(&options()).map_err(text)?;
                let opened = start.elapsed();
                let end = here.typed_producer::<u64>("here").map_err(text)?;
                endpoint.push((start.elapsed() - opened).as_nanos() as f64);
                black_box(end);
                Ok(opened.as_nanos() as u64)
            })?;
            let endpoint = Spread::of(endpoint).map_or(f64::NAN, |spread| spread.median);
            Ok(json!({ "ns": open, "endpoint": endpoint, "bytes": resident()? }))
        },
        |control| {
            let live = place.open_or_create(&plan, &options()).map_err(text)?;
            let end = live.typed_producer::<u64>("there").map_err(text)?;
            control.meet();
            control.follow(|_, _| {});
            drop(end);
            Ok(String::new())
        },
    )?;
    place.remove().map_err(text)?;
    Ok(figures)
}

/// Bytes of memory that an endpoint takes beyond the region: the growth of this process by many.
fn resident() -> Result<f64> {
    let names: Vec<String> = (0..ENDPOINTS).map(|i| i.to_string()).collect();
    let channels: Vec<Channel<'_>> = names.iter().map(|name| Channel::slots::<u64>(name, 4)).collect();
    let place = region(1)?;
    let here = place.create(&Plan::new(&channels), &options()).map_err(text)?;
    place.remove().map_err(text)?;
    // The vectors are touched beforehand where they are filled, so their pages count as endpoints'.
    let (mut producers, mut consumers) = (Vec::with_capacity(ENDPOINTS), Vec::with_capacity(ENDPOINTS));
    let before = anonymous()?;
    for name in &names {
        producers.push(here.typed_producer::<u64>(name).map_err(text)?);
        consumers.push(here.typed_consumer::<u64>(name).map_err(text)?);
    }
    let after = anonymous()?;
    black_box((producers, consumers));
    Ok((after - before) as f64 / (2 * ENDPOINTS) as f64)
}

/// Bytes of this process's own memory that are in use.
fn anonymous() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").map_err(text)?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let pages = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    pages.map(|kib| kib * 1024).ok_or_else(|| "/proc/self/status tells no RssAnon".into())
}

/// A region with this many channels: creating it, opening it, opening the last channel by its name, and
/// sending and receiving there.
fn channels(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let names: Vec<String> = (0..job.size).map(|i| format!("channel-{i}")).collect();
    let channels: Vec<Channel<'_>> = names.iter().map(|name| Channel::slots::<u64>(name, 64)).collect();
    let last = &names[job.size - 1];
    let place = region(0)?;
    let start = Instant::now();
    let first = place.create(&Plan::new(&channels), &options()).map_err(text)?;
    let create = start.elapsed().as_nanos() as u64;
    let attach = median(job, || {
        let start = Instant::now();
        black_box(place.open(&options()).map_err(text)?);
        Ok(start.elapsed().as_nanos() as u64)
    })?;
    let open = median(job, || {
        let start = Instant::now();
        black_box(first.typed_producer::<u64>(last).map_err(text)?);
        Ok(start.elapsed().as_nanos() as u64)
    })?;
    let send = send_and_receive(job, &first, last)?;
    place.remove().map_err(text)?;
    Ok(json!({ "create": create, "attach": attach, "open": open, "send+recv": send["ns"] }))
}

fn send_and_receive(job: &Job, region: &Region, name: &str) -> Result<Value> {
    let mut tx = region.typed_producer::<u64>(name).map_err(text)?;
    let mut rx = region.typed_consumer::<u64>(name).map_err(text)?;
    let mut number = 0;
    let slices = Slices::time(job.budget() / 3, 64, |count| {
        for _ in 0..count {
            number += 1;
            let went = tx.try_send(black_box(&number));
            assert!(went.is_ok() && rx.try_recv() == Ok(number), "WRONG DATA: {number} did not come back");
        }
    });
    Ok(slices.figures(1.0))
}

/// Publishing a latest value that this many readers have open.
fn readers(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let channels = [Channel::latest::<[u64; 7]>("value")];
    let place = region(0)?;
    let here = place.create(&Plan::new(&channels), &options()).map_err(text)?;
    let mut writer = here.latest_writer::<[u64; 7]>("value").map_err(text)?;
    let mut readers = Vec::new();
    for _ in 0..job.size {
        let there = place.open(&options()).map_err(text)?;
        readers.push(there.latest_reader::<[u64; 7]>("value").map_err(text)?);
    }
    place.remove().map_err(text)?;
    let mut number = 0;
    let slices = Slices::time(job.budget(), 64, |count| {
        for _ in 0..count {
            number += 1;
            writer.publish(black_box(&[number; 7]));
        }
    });
    for reader in &mut readers {
        assert_eq!(reader.read().value(), Some([number; 7]), "WRONG DATA");
    }
    Ok(json!({ "publish": slices.figures(1.0)["ns"] }))
}

/// A region of this many bytes: creating it and opening it, pages not touched.
fn sizes(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let channels = [Channel::frames("ring", job.size as u32, 256)];
    let (place, options) = (region(0)?, strait::RegionOptions::new());
    let create = median(job, || {
        let start = Instant::now();
        let made = place.create(&Plan::new(&channels), &options).map_err(text)?;
        let took = start.elapsed().as_nanos() as u64;
        drop(made);
        place.remove().map_err(text)?;
        Ok(took)
    })?;
    let made = place.create(&Plan::new(&channels), &options).map_err(text)?;
    let attach = median(job, || {
        let start = Instant::now();
        black_box(place.open(&options).map_err(text)?);
        Ok(start.elapsed().as_nanos() as u64)
    })?;
    drop(made);
    place.remove().map_err(text)?;
    Ok(json!({ "create": create, "attach": attach }))
}
