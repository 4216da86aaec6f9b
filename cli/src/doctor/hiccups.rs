//! How long a thread that only runs is stopped, and how late one is that sleeps for a millisecond.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Finding;

/// The lower ends of the classes, in microseconds; what is shorter than the first is no hiccup.
const CLASSES: [u64; 14] = [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
const PERIOD: Duration = Duration::from_millis(1);
/// The longest bar.
const WIDTH: f64 = 40.0;
/// From here on it is said, in microseconds.
const LONG: u64 = 1000;

/// One kind of hiccup.
struct Row {
    counts: [u64; CLASSES.len()],
    longest: Duration,
    /// How many looks or sleeps there were.
    looks: u64,
}

impl Row {
    fn new() -> Self {
        Self { counts: [0; CLASSES.len()], longest: Duration::ZERO, looks: 0 }
    }

    fn add(&mut self, length: Duration) {
        self.looks += 1;
        self.longest = self.longest.max(length);
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        if let Some(class) = CLASSES.iter().rposition(|&least| micros >= least) {
            self.counts[class] += 1;
        }
    }

    fn json(&self) -> Value {
        let classes =
            CLASSES.iter().zip(self.counts).map(|(from, count)| json!({ "from_us": from, "count": count }));
        json!({
            "looks": self.looks,
            "longest_us": self.longest.as_secs_f64() * 1e6,
            "classes": classes.collect::<Vec<_>>(),
        })
    }
}

/// What was measured.
pub struct Hiccups {
    length: Duration,
    running: Row,
    sleeping: Row,
}

impl Hiccups {
    /// Runs for half the time, and sleeps for the rest.
    pub fn measure(length: Duration) -> Self {
        let mut running = Row::new();
        let start = Instant::now();
        let mut last = start;
        while last - start < length / 2 {
            let now = Instant::now();
            running.add(now - last);
            last = now;
        }
        let mut sleeping = Row::new();
        let start = Instant::now();
        while start.elapsed() < length / 2 {
            let before = Instant::now();
            thread::sleep(PERIOD);
            sleeping.add(before.elapsed().saturating_sub(PERIOD));
        }
        Self { length, running, sleeping }
    }

    /// The two judged.
    pub fn findings(&self) -> Vec<Finding> {
        let rows = [("stopped", &self.running), ("woken late", &self.sleeping)];
        let finding = |(what, row): (&'static str, &Row)| {
            let micros = row.longest.as_micros();
            Finding::new(
                what,
                format!("{:.1} s measured", self.length.as_secs_f64()),
                format!("by {micros} us at most"),
            )
            .late(
                micros >= u128::from(LONG),
                "a real-time priority on a processor of its own; what is said above may be the cause",
            )
        };
        rows.map(finding).into()
    }

    /// Two columns of bars, whose lengths are logarithmic.
    pub fn to_text(&self) -> String {
        let rows = [&self.running, &self.sleeping];
        let most = rows.iter().flat_map(|row| row.counts).max().unwrap_or(0).max(1);
        let bar = |count: u64| {
            let part = (count as f64 + 1.0).ln() / (most as f64 + 1.0).ln();
            "#".repeat((part * WIDTH / 2.0).ceil() as usize)
        };
        let wide = WIDTH as usize / 2;
        let mut text = format!(
            "\n{:>9}  {:<28}  {}\n",
            "at least", "a running thread stopped", "a sleeper of 1 ms late by"
        );
        for (class, from) in CLASSES.iter().enumerate() {
            let [running, sleeping] = rows.map(|row| row.counts[class]);
            if rows.iter().all(|row| row.counts[class..].iter().all(|&count| count == 0)) {
                break;
            }
            let from = if *from < 1000 { format!("{from} us") } else { format!("{} ms", from / 1000) };
            text.push_str(&format!(
                "{from:>9}  {running:>7} {:<wide$}  {sleeping:>7} {}",
                bar(running),
                bar(sleeping)
            ));
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text.push('\n');
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "seconds": self.length.as_secs_f64(),
            "running": self.running.json(),
            "sleeping": self.sleeping.json(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Hiccups, Row};

    #[test]
    fn each_length_is_in_one_class_and_the_text_ends_with_the_longest() {
        let mut row = Row::new();
        for micros in [1, 2, 4, 5, 1999, 60_000_000] {
            row.add(Duration::from_micros(micros));
        }
        assert_eq!((row.looks, row.counts.iter().sum::<u64>()), (6, 5));
        assert_eq!((row.counts[0], row.counts[1], row.counts[8], row.counts[13]), (2, 1, 1, 1));
        let hiccups = Hiccups { length: Duration::from_secs(1), running: row, sleeping: Row::new() };
        assert!(hiccups.to_text().trim_end().lines().last().is_some_and(|line| line.contains("50 ms")));
        assert_eq!(hiccups.findings().len(), 2);
    }
}
