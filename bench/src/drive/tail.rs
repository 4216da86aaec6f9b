//! Latency at a fixed rate, measured from the time at which a message was to be sent.
//!
//! First both sides go as fast as they can, with the same looks at the clock: that is saturation. Then
//! the sender keeps to a timetable, come what may; whatever delays either side shows in every message
//! that it delays.

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::ends::{Link, Receiver, Sender, until};
use crate::error::Result;
use crate::job::Job;
use crate::sides;
use crate::stats::histogram;
use crate::sys::now;

/// Messages by which saturation is found.
const PROBE: u64 = 4096;
/// Nanoseconds that a timetable lasts at most, however many samples are wanted.
const LONGEST: u64 = 500_000_000;
/// From the announcement of the timetable to its start.
const LEAD: u64 = 20_000;

/// Measures it.
pub fn measure<L: Link>(job: &Job) -> Result<Value> {
    let link = L::lay(job, 0)?;
    let (interval, latencies) = sides::run(
        job,
        |control| {
            let mut tx = link.tx()?;
            control.meet();
            let probe = PROBE.min(job.samples);
            let mut best = u64::MAX;
            let mut seq = 0;
            for _ in 0..3 {
                let target = seq + probe;
                let start = now();
                control.stamp(0).store(start, Relaxed);
                control.go(target);
                while seq < target {
                    seq += 1;
                    black_box(now());
                    tx.send(seq);
                }
                control.reached(target);
                best = best.min(now() - start);
            }
            // In 1/1024 ns: at high rates whole nanoseconds are too coarse.
            let interval = (best * 1024 * 100 / probe / u64::from(job.load)).max(1);
            let samples = job.samples.min(LONGEST * 1024 / interval).max(1);
            let (start, target) = (now() + LEAD, seq + samples);
            control.stamp(0).store(start, Relaxed);
            control.stamp(1).store(interval, Relaxed);
            control.go(target);
            for i in 0..samples {
                let due = start + i * interval / 1024;
                until(|| now() >= due);
                tx.send(seq + 1 + i);
            }
            control.reached(target);
            Ok(interval as f64 / 1024.0)
        },
        |control| {
            let mut rx = link.rx()?;
            let mut latencies = histogram();
            control.meet();
            control.follow(|done, target| {
                let (start, interval) = (control.stamp(0).load(Relaxed), control.stamp(1).load(Relaxed));
                for seq in done + 1..=target {
                    rx.recv(seq);
                    let due = start + (seq - done - 1) * interval / 1024;
                    let late = now().saturating_sub(due);
                    latencies.saturating_record(late);
                }
                if interval == 0 {
                    latencies.reset();
                }
            });
            Ok(steps(&latencies).to_string())
        },
    )?;
    let steps: Value = serde_json::from_str(&latencies).map_err(|error| format!("latencies: {error}"))?;
    Ok(json!({ "ns": interval, "histogram": steps }))
}

/// A histogram's values with their counts.
pub fn steps(histogram: &Histogram<u64>) -> Value {
    let steps = histogram.iter_recorded();
    steps.map(|step| json!([step.value_iterated_to(), step.count_since_last_iteration()])).collect()
}
