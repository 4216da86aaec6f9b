//! Comparisons: strait against its best peer, wherever both were measured.

use std::collections::BTreeMap;

use crate::contenders;
use crate::floors;
use crate::job::{Metric, Mode};
use crate::results::{Key, Results, Series, bytes, ratio};
use crate::stats::Spread;

/// One of strait's contenders in one discipline.
pub struct Row {
    /// The measurement.
    pub metric: Metric,
    /// The bytes of a message.
    pub size: usize,
    /// How many messages went in one call.
    pub batch: usize,
    /// Whether it is the fastest of strait's contenders there.
    pub first: bool,
    /// The discipline.
    pub what: String,
    /// Strait's contender.
    pub ours: String,
    /// Its time.
    pub ns: Spread,
    /// Over which floor, and how often that.
    pub floor: Option<(&'static str, Spread)>,
    /// The fastest peer, what it takes, and that over what strait takes.
    pub peer: Option<(String, Spread, Spread)>,
}

impl Row {
    /// Whether the peer is ahead.
    pub fn lost(&self) -> bool {
        self.peer.as_ref().is_some_and(|(_, _, ratio)| ratio.median < 1.0)
    }
}

/// The figure that is compared for each metric, and its name.
const FIGURES: &[(Metric, &str, &str)] = &[
    (Metric::Latency, "ns", "latency"),
    (Metric::Stream, "ns", "stream"),
    (Metric::Local, "ns", "push + pop"),
    (Metric::Local, "empty", "look at an empty queue"),
    (Metric::Local, "full", "refusal by a full queue"),
    (Metric::Lock, "ns", "lock + unlock"),
    (Metric::Latest, "ns", "read the latest value, unchanged"),
    (Metric::Latest, "publish", "publish a value"),
    (Metric::Latest, "publish_watched", "publish while somebody reads"),
    (Metric::Wake, "ns", "wake of a sleeper"),
    (Metric::Wake, "sender", "wake, the sender's part"),
];

/// All comparisons: of each discipline strait's fastest first, and then those that a peer leaves behind.
pub fn compare(results: &Results) -> Vec<Row> {
    let mut rows = Vec::new();
    for &(metric, figure, name) in FIGURES {
        let mut disciplines: BTreeMap<(Mode, usize, usize, bool), Vec<&Key>> = BTreeMap::new();
        // The cost of size in one thread is shown under scale.
        let shown = |key: &&Key| key.metric == metric && (metric != Metric::Local || key.size == 8);
        for key in results.keys().filter(shown) {
            // A latest value is no queue, and a semaphore no mutex.
            let apart = match metric {
                Metric::Latency => ["strait-latest", "triple_buffer"].contains(&&*key.who),
                Metric::Lock => key.who.ends_with("semaphore"),
                _ => false,
            };
            disciplines.entry((key.mode, key.batch, key.size, apart)).or_default().push(key);
        }
        for (&(_, batch, _, apart), keys) in &disciplines {
            let name = match metric {
                Metric::Latency if apart => "latest value, round trip / 2",
                Metric::Lock if apart => "release + acquire",
                _ => name,
            };
            let mut text = format!("{name}, {}", describe(keys[0]));
            if batch > 1 {
                text += &format!(", batch {batch}");
            }
            rows.extend(discipline(results, figure, &text, keys));
        }
    }
    rows
}

fn describe(key: &Key) -> String {
    let size =
        if key.size == 56 && key.metric != Metric::Latest { "48/56 B".into() } else { bytes(key.size) };
    let mode = if key.mode == Mode::Threads { "threads" } else { "processes" };
    match key.metric {
        Metric::Lock => "alone".into(),
        Metric::Local | Metric::Latest => size,
        Metric::Wake => mode.into(),
        _ => format!("{size}, {mode}"),
    }
}

fn discipline(results: &Results, figure: &str, text: &str, keys: &[&Key]) -> Vec<Row> {
    let median = |key: &Key| results.spread(key, figure).map_or(f64::INFINITY, |spread| spread.median);
    let sorted = |ours: bool| {
        let side = |key: &&&Key| contenders::named(&key.who).is_some_and(|who| who.ours == ours);
        let mut keys: Vec<&Key> = keys.iter().filter(side).copied().collect();
        keys.retain(|key| median(key).is_finite());
        keys.sort_by(|a, b| median(a).total_cmp(&median(b)));
        keys
    };
    let peer = sorted(false).first().copied();
    let mut rows: Vec<Row> = Vec::new();
    for key in sorted(true) {
        let own = results.series(key, figure);
        let Some(ns) = results.spread(key, figure) else { continue };
        let peer = peer.and_then(|peer| {
            let series = results.series(peer, figure);
            Some((peer.who.clone(), Spread::of(series.iter().copied().flatten())?, ratio(&series, &own)?))
        });
        let floor =
            floor(results, key, figure).and_then(|(name, series)| Some((name, ratio(&own, &series)?)));
        let first = rows.is_empty();
        let (metric, size, batch) = (key.metric, key.size, key.batch);
        let (what, ours) = (text.into(), key.who.clone());
        let row = Row { metric, size, batch, first, what, ours, ns, floor, peer };
        if first || row.lost() {
            rows.push(row);
        }
    }
    rows
}

/// The floor that belongs to a figure.
pub fn floor(results: &Results, key: &Key, figure: &str) -> Option<(&'static str, Series)> {
    let threads = |name: &'static str, times: f64| {
        let floor = results.series(&Key::floor(name), "ns");
        (name, floor.into_iter().map(|value| value.map(|value| value * times)).collect())
    };
    match (key.metric, figure) {
        // Measured right before and after, in the same process.
        (Metric::Latency, _) => Some((floors::PP1_DIR, results.distance(key))),
        (Metric::Stream, _) if key.size <= 64 => Some(threads(floors::LINE_STREAM, 1.0)),
        (Metric::Stream, _) => Some(threads(floors::BW_1M, key.size as f64 / 64.0)),
        (Metric::Local, "ns") => Some(threads(floors::PLAIN_RING, 1.0)),
        (Metric::Latest, "ns") => Some(threads(floors::COPY_56, 1.0)),
        (Metric::Lock, _) => Some(threads(floors::CAS_PAIR, 1.0)),
        (Metric::Wake, _) => Some((floors::FUTEX, results.series(&Key::floor(floors::FUTEX), figure))),
        _ => None,
    }
}

/// How many disciplines there are, in how many of them a peer is ahead of strait's fastest, and of how
/// many further contenders of strait.
pub fn count(rows: &[Row]) -> [usize; 3] {
    let lost = |first| rows.iter().filter(|row| row.first == first && row.lost()).count();
    [rows.iter().filter(|row| row.first).count(), lost(true), lost(false)]
}
