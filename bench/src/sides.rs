//! Runs the two sides of a measurement, pinned, as threads or as processes, in step.

use std::sync::atomic::{AtomicU64, Ordering::*};
use std::thread;
use std::time::Instant;

use crate::ends::{poll, until};
use crate::error::Result;
use crate::job::{Job, Mode};
use crate::stats::Spread;
use crate::sys::{self, shared};

/// Tells the second side that there is no more to do.
const END: u64 = u64::MAX;

/// The stack of a side: large values are on it more than once.
const STACK: usize = 64 << 20;

#[repr(align(128))]
struct Line(AtomicU64);

/// How the sides keep in step. The first sets how far to go, the second says how far it has come.
/// Neither looks here within a slice.
pub struct Control {
    pings: [Line; 2],
    ready: Line,
    target: Line,
    done: Line,
    stamps: [Line; 2],
}

// SAFETY: atomics alone.
unsafe impl shared::Zeroed for Control {}

impl Control {
    /// Waits until both sides have come here.
    pub fn meet(&self) {
        self.ready.0.fetch_add(1, AcqRel);
        poll(|| (self.ready.0.load(Acquire) >= 2).then_some(()));
    }

    /// The first side: lets the second go on to `target`.
    pub fn go(&self, target: u64) {
        self.target.0.store(target, Release);
    }

    /// The first side: waits until the second has come to `target`.
    pub fn reached(&self, target: u64) {
        poll(|| (self.done.0.load(Acquire) == target).then_some(()));
    }

    /// The second side: the next target after `done`, or none.
    pub fn next(&self, done: u64) -> Option<u64> {
        let target = poll(|| Some(self.target.0.load(Acquire)).filter(|&target| target != done));
        (target != END).then_some(target)
    }

    /// The second side: has come to `target`.
    pub fn done(&self, target: u64) {
        self.done.0.store(target, Release);
    }

    /// The second side: each step from `from` to each next target, until there is no more.
    pub fn follow(&self, mut slice: impl FnMut(u64, u64)) {
        let mut done = 0;
        while let Some(target) = self.next(done) {
            slice(done, target);
            done = target;
            self.done(done);
        }
    }

    /// A number that one side leaves for the other, before `go` or `done`.
    pub fn stamp(&self, which: usize) -> &AtomicU64 {
        &self.stamps[which].0
    }
}

/// Round trips of a probe, in slices.
const TRIPS: u64 = 100;
const SLICES: usize = 15;

/// Bits of the distance before and after what was measured.
static DISTANCES: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// How far apart the cores were before the last measurement and after it: PP1-dir, in ns. On a virtual
/// machine this can change at any time; nothing of before and after can be compared then.
pub fn distances() -> Option<[f64; 2]> {
    let [before, after] = [0, 1].map(|i| f64::from_bits(DISTANCES[i].load(Relaxed)));
    (before > 0.0).then_some([before, after])
}

impl Control {
    /// The first side: measures the distance.
    fn ping(&self, which: usize) {
        let mut count = self.pings[0].0.load(Relaxed);
        let mut slice = || {
            let start = Instant::now();
            for _ in 0..TRIPS {
                count += 1;
                self.pings[0].0.store(count, Release);
                until(|| self.pings[1].0.load(Acquire) == count);
            }
            start.elapsed().as_nanos() as f64 / (2 * TRIPS) as f64
        };
        let slices: Vec<f64> = (0..SLICES).map(|_| slice()).collect();
        let median = Spread::of(slices).map_or(0.0, |spread| spread.median);
        DISTANCES[which].store(median.to_bits(), Relaxed);
    }

    /// The second side of it.
    fn pong(&self) {
        let from = self.pings[1].0.load(Relaxed);
        for count in from + 1..=from + TRIPS * SLICES as u64 {
            until(|| self.pings[0].0.load(Acquire) == count);
            self.pings[1].0.store(count, Release);
        }
    }
}

/// Runs both sides, the first here, and measures their distance before and after. Returns each side's report.
pub fn run<T>(
    job: &Job,
    first: impl FnOnce(&Control) -> Result<T>,
    second: impl FnOnce(&Control) -> Result<String> + Send,
) -> Result<(T, String)> {
    let control: &'static Control = shared::zeroed()?;
    let second = || -> Result<String> {
        sys::pin(job.second)?;
        control.pong();
        let said = second(control)?;
        control.pong();
        Ok(said)
    };
    let first = || -> Result<T> {
        sys::pin(job.first)?;
        control.ping(0);
        let said = first(control)?;
        control.go(END);
        control.ping(1);
        Ok(said)
    };
    match job.mode {
        Mode::Processes => {
            let other = sys::fork::second(second)?;
            let said = first()?;
            Ok((said, other.join()?))
        }
        Mode::Threads => thread::scope(|scope| {
            let other = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
                second().unwrap_or_else(|line| {
                    // The first side would wait for ever.
                    eprintln!("error: {line}");
                    sys::fork::bring_down()
                })
            });
            let other = other.map_err(|error| format!("cannot start a thread: {error}"))?;
            let said = first()?;
            Ok((said, other.join().map_err(|_| "the second thread panicked")?))
        }),
    }
}
