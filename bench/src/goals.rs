//! The goals, as ratios to floors of the same round, and whether they are met.

use crate::floors;
use crate::job::{Metric, Mode};
use crate::results::{Key, Results, Series, ratio};
use crate::stats::Spread;

/// A goal, and what was measured.
pub struct Goal {
    /// A description of the goal.
    pub text: String,
    /// The greatest value that will do.
    pub limit: f64,
    /// The unit of limit and value.
    pub unit: &'static str,
    /// The measured value, if there is one.
    pub value: Option<Spread>,
}

impl Goal {
    /// Whether it is met; `None` if nothing was measured.
    pub fn met(&self) -> Option<bool> {
        self.value.map(|value| value.median <= self.limit)
    }
}

fn key(metric: Metric, who: &str, size: usize, batch: usize, mode: Mode) -> Key {
    Key { metric, who: who.into(), size, batch, mode, load: 0 }
}

/// All goals that have to do with what is there; locks are not there yet.
pub fn judge(results: &Results) -> Vec<Goal> {
    let mut judge = Judge { results, goals: Vec::new() };
    judge.latency();
    judge.stream();
    judge.others();
    judge.goals
}

struct Judge<'r> {
    results: &'r Results,
    goals: Vec<Goal>,
}

impl Judge<'_> {
    fn add(&mut self, text: impl Into<String>, limit: f64, unit: &'static str, value: Option<Spread>) {
        self.goals.push(Goal { text: text.into(), limit, unit, value });
    }

    fn ns(&self, key: &Key) -> Series {
        self.results.series(key, "ns")
    }

    fn floor(&self, name: &str, times: f64) -> Series {
        let floor = self.ns(&Key::floor(name));
        floor.into_iter().map(|value| value.map(|value| value * times)).collect()
    }

    /// A latency over PP1-dir right before and after it.
    fn over_distance(&self, key: &Key) -> Option<Spread> {
        ratio(&self.ns(key), &self.results.distance(key))
    }

    fn latency(&mut self) {
        let of = |who, size, mode| key(Metric::Latency, who, size, 1, mode);
        let modes = [(Mode::Threads, "threads"), (Mode::Processes, "processes")];
        for (who, size, what) in [
            ("strait-slots", 8, "typed 8 B"),
            ("strait-slots", 56, "typed 56 B"),
            ("strait-frames", 56, "frame 48 B"),
        ] {
            for (mode, name) in modes {
                let value = self.over_distance(&of(who, size, mode));
                self.add(format!("latency, {what}, {name}"), 1.10, "x PP1-dir", value);
            }
            let [threads, processes] = modes.map(|(mode, _)| self.ns(&of(who, size, mode)));
            self.add(format!("latency, {what}, processes"), 1.05, "x threads", ratio(&processes, &threads));
        }
        for (size, limit, what) in [(64, 1.5, "64 B"), (1024, 3.3, "1 KiB")] {
            for who in ["strait-slots", "strait-frames"] {
                let value = self.over_distance(&of(who, size, Mode::Threads));
                self.add(format!("latency, {what}, {who}"), limit, "x PP1-dir", value);
            }
        }
    }

    fn stream(&mut self) {
        let of = |who, size, batch| key(Metric::Stream, who, size, batch, Mode::Threads);
        let lines = |bytes: f64| bytes / 64.0;
        for (who, size, batch, limit, floor, times, unit) in [
            ("strait-slots", 8, 64, 0.4, floors::LINE_STREAM, 1.0, "x line stream"),
            ("strait-slots", 8, 1, 0.7, floors::LINE_STREAM, 1.0, "x line stream"),
            ("strait-slots", 64, 1, 1.3, floors::LINE_STREAM, 1.0, "x line stream"),
            ("strait-in-place", 1024, 1, 1.2, floors::BW_1M, lines(1024.0), "x BW 1 MiB"),
            ("strait-frames", 1024, 1, 1.35, floors::BW_1M, lines(1024.0), "x BW 1 MiB"),
            ("strait-in-place", 65_536, 1, 1.08, floors::BW_1M, lines(65_536.0), "x BW 1 MiB"),
            ("strait-frames", 65_536, 1, 1.45, floors::BW_1M, lines(65_536.0), "x BW 1 MiB"),
        ] {
            let value = ratio(&self.ns(&of(who, size, batch)), &self.floor(floor, times));
            let size = crate::results::bytes(size);
            self.add(format!("stream, {size}, batch {batch}, {who}"), limit, unit, value);
        }
    }

    fn others(&mut self) {
        let plain = self.floor(floors::PLAIN_RING, 1.0);
        // Given as 2.0 and 4.5 ns where the plain ring takes 0.68.
        for (who, limit, what) in [
            ("strait-slots", 2.0 / 0.68, "polling"),
            ("strait-static", 2.0 / 0.68, "static"),
            ("strait-slots-waking", 4.5 / 0.68, "with wake check"),
        ] {
            let value = self.ns(&key(Metric::Local, who, 8, 1, Mode::Threads));
            self.add(format!("push + pop of 8 B, {what}"), limit, "x plain ring", ratio(&value, &plain));
        }
        let pair = self.floor(floors::CAS_PAIR, 1.0);
        for (who, what) in [
            ("strait-mutex", "recovering mutex, alone"),
            ("strait-semaphore", "semaphore, release + acquire"),
        ] {
            let value = self.ns(&key(Metric::Lock, who, 8, 1, Mode::Threads));
            self.add(what, 1.05, "x CAS pair", ratio(&value, &pair));
        }
        let wake = self.ns(&key(Metric::Wake, "strait-sleeping", 8, 1, Mode::Threads));
        let value = ratio(&wake, &self.floor(floors::FUTEX, 1.0));
        self.add("wake of a sleeper", 1.05, "x raw futex", value);
        let read = self.ns(&key(Metric::Latest, "strait-latest", 56, 1, Mode::Threads));
        let value = ratio(&read, &self.floor(floors::COPY_56, 1.0));
        self.add("latest value, read of 56 B, unchanged", 2.0, "x plain copy", value);
        let [few, many] = [0, 16].map(|readers| {
            self.results.series(&key(Metric::Scale, "readers", readers, 1, Mode::Threads), "publish")
        });
        self.add("latest value, publish with 16 readers", 1.05, "x with none", ratio(&many, &few));
        let attach = key(Metric::Attach, crate::scale::ATTACH, 8, 1, Mode::Threads);
        let micros = self.ns(&attach).into_iter().flatten().map(|ns| ns / 1000.0);
        self.add("attach to a live region", 100.0, "us", Spread::of(micros));
        self.add("memory of an endpoint", 1023.0, "bytes", self.results.spread(&attach, "bytes"));
    }
}
