//! Cache lines that go to and fro.

use std::sync::atomic::{AtomicU64, Ordering::*};

use serde_json::Value;

use crate::ends::until;
use crate::error::Result;
use crate::job::Job;
use crate::sides;
use crate::slices::Slices;
use crate::sys::shared;

#[repr(align(128))]
struct Line(AtomicU64);

/// Lines of the ring.
const RING: usize = 256;

/// Flags, data and rings of both directions.
struct Lines {
    flags: [Line; 2],
    data: [Line; 2],
    rings: [[Line; RING]; 2],
}

// SAFETY: atomics alone.
unsafe impl shared::Zeroed for Lines {}

/// Round trips: each side says by `say` that it has come to a number, and waits by `heard` until the
/// other has. The first says odd numbers, the second even ones.
fn ping_pong(
    job: &Job,
    say: impl Fn(&Lines, usize, u64) + Sync,
    heard: impl Fn(&Lines, usize, u64) -> bool + Sync,
) -> Result<Value> {
    let lines: &Lines = shared::zeroed()?;
    let (figures, _) = sides::run(
        job,
        |control| {
            control.meet();
            let mut trips = 0;
            let slices = Slices::time(job.budget(), 1, |count| {
                let target = trips + count;
                control.go(target);
                while trips < target {
                    say(lines, 0, 2 * trips + 1);
                    until(|| heard(lines, 1, 2 * trips + 2));
                    trips += 1;
                }
                control.reached(target);
            });
            Ok(slices.figures(2.0))
        },
        |control| {
            control.meet();
            control.follow(|done, target| {
                for trip in done..target {
                    until(|| heard(lines, 0, 2 * trip + 1));
                    say(lines, 1, 2 * trip + 2);
                }
            });
            Ok(String::new())
        },
    )?;
    Ok(figures)
}

/// Both sides write the one line.
pub fn one(job: &Job) -> Result<Value> {
    ping_pong(
        job,
        |lines, _, number| lines.flags[0].0.store(number, Release),
        |lines, _, number| lines.flags[0].0.load(Acquire) == number,
    )
}

/// Each side writes its own line.
pub fn per_direction(job: &Job) -> Result<Value> {
    ping_pong(
        job,
        |lines, side, number| lines.flags[side].0.store(number, Release),
        |lines, side, number| lines.flags[side].0.load(Acquire) == number,
    )
}

/// Each side writes a line of data and then its flag.
pub fn flag_and_data(job: &Job) -> Result<Value> {
    ping_pong(
        job,
        |lines, side, number| {
            lines.data[side].0.store(number, Relaxed);
            lines.flags[side].0.store(number, Release);
        },
        |lines, side, number| {
            let there = lines.flags[side].0.load(Acquire) == number;
            assert!(!there || lines.data[side].0.load(Relaxed) == number, "the data came after its flag");
            there
        },
    )
}

/// Each side writes the next line of its own ring, as a queue does: nobody looks at that line while it is
/// written, which can be less than the one line takes.
pub fn ring(job: &Job) -> Result<Value> {
    let at = |number: u64| (number / 2) as usize % RING;
    ping_pong(
        job,
        |lines, side, number| lines.rings[side][at(number)].0.store(number, Release),
        |lines, side, number| lines.rings[side][at(number)].0.load(Acquire) == number,
    )
}
