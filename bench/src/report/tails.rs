//! Latencies at fixed rates, with the machine's own hiccups beside them.

use hdrhistogram::Histogram;

use crate::floors;
use crate::job::{Metric, Mode};
use crate::results::{Key, Results};
use crate::stats::{add_steps, histogram};

use super::text::number;

/// The percentiles that are shown.
pub const QUANTILES: &[(f64, &str)] =
    &[(0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (1.0, "max")];

/// One curve.
pub struct Tail {
    /// Whose.
    pub who: String,
    /// How the sides lived.
    pub mode: Mode,
    /// The rate in percent of saturation; 0 for hiccups.
    pub load: u32,
    /// All rounds together.
    pub latencies: Histogram<u64>,
}

/// All curves, the hiccups first.
pub fn all(results: &Results) -> Vec<Tail> {
    let hiccups = Key::floor(floors::HICCUPS);
    let keys = results.keys().filter(|key| key.metric == Metric::Tail);
    let mut tails = Vec::new();
    for key in std::iter::once(&hiccups).chain(keys) {
        let mut latencies = histogram();
        for figures in results.values(key).flatten() {
            add_steps(&mut latencies, &figures["histogram"]);
        }
        if !latencies.is_empty() {
            tails.push(Tail { who: key.who.clone(), mode: key.mode, load: key.load, latencies });
        }
    }
    tails.sort_by_key(|tail| tail.load);
    tails
}

/// As a table, in microseconds.
pub fn table(results: &Results) -> Vec<Vec<String>> {
    let mut rows = vec![vec!["rate".into(), "who".into(), "sides".into()]];
    rows[0].extend(QUANTILES.iter().map(|(_, name)| (*name).into()));
    rows[0].push("samples".into());
    for tail in all(results) {
        let rate = if tail.load == 0 { String::from("-") } else { format!("{} %", tail.load) };
        let mode = if tail.mode == Mode::Threads { "threads" } else { "processes" };
        let mut row = vec![rate, tail.who, mode.into()];
        let at = |&(quantile, _): &(f64, &str)| tail.latencies.value_at_quantile(quantile) as f64 / 1000.0;
        row.extend(QUANTILES.iter().map(|quantile| number(at(quantile))));
        row.push(tail.latencies.len().to_string());
        rows.push(row);
    }
    rows
}
