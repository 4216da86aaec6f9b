//! How long a thing takes: many slices of it are timed, each a fraction of the child's time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Slices that are hoped for, and the fewest that will do. Short slices keep the median clear of what
/// interrupts a side now and then; they must not be so short that their own ends count.
const SLICES: u32 = 100;
const FEWEST: usize = 3;
const SHORTEST: Duration = Duration::from_micros(150);
/// No more than this part of the time goes into finding how many operations make a slice.
const WARM_UP: u32 = 4;

/// Nanoseconds for each of a number of slices.
pub struct Slices(Vec<f64>);

impl Slices {
    /// Times slices of as many operations as are found to fit, a multiple of `unit`, until the time is
    /// up.
    pub fn time(budget: Duration, unit: u64, mut slice: impl FnMut(u64)) -> Self {
        let mut timed = |count: u64| {
            let start = Instant::now();
            slice(count);
            start.elapsed()
        };
        // Finding the count is the warm-up too. One slice in three may have been interrupted.
        let (mut count, start, aim) = (unit, Instant::now(), SHORTEST.max(budget / SLICES).min(budget));
        loop {
            let least = (0..3).map(|_| timed(count)).min().unwrap_or(aim);
            let enough = start.elapsed() > budget / WARM_UP && least > aim / 8;
            if least >= aim || enough {
                break;
            }
            let factor = aim.as_nanos() / least.as_nanos().max(1);
            count *= factor.clamp(2, 8) as u64;
        }
        let start = Instant::now();
        let mut slices = Vec::new();
        while slices.len() < FEWEST || start.elapsed() < budget {
            slices.push(timed(count).as_nanos() as f64 / count as f64);
        }
        Self(slices)
    }

    /// Of times that were taken one by one.
    pub fn of(times: Vec<f64>) -> Self {
        Self(times)
    }

    /// The figures of the child, each slice divided by `parts`: the median is what counts.
    pub fn figures(mut self, parts: f64) -> Value {
        self.0.sort_by(f64::total_cmp);
        let count = self.0.len();
        let mean = self.0.iter().sum::<f64>() / count as f64;
        json!({
            "ns": self.0[count / 2] / parts,
            "least": self.0[0] / parts,
            "mean": mean / parts,
            "most": self.0[count - 1] / parts,
            "slices": count,
        })
    }
}
