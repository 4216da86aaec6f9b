//! All figures of a run, by job and round.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::job::{Job, Metric, Mode};
use crate::stats::Spread;

/// The key of a job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The metric.
    pub metric: Metric,
    /// How the sides lived.
    pub mode: Mode,
    /// The size class: see [`class`].
    pub size: usize,
    /// The batch.
    pub batch: usize,
    /// The load in percent.
    pub load: u32,
    /// Of whom.
    pub who: String,
}

/// Frames of 48 bytes and values of 56 are the largest that share a line with what publishes them,
/// and so are compared.
pub fn class(size: usize) -> usize {
    if size == 48 { 56 } else { size }
}

impl Key {
    /// Of a job.
    pub fn of(job: &Job) -> Self {
        Self {
            metric: job.metric,
            mode: job.mode,
            size: class(job.size),
            batch: job.batch,
            load: job.load,
            who: job.who.clone(),
        }
    }

    /// Of a floor between threads.
    pub fn floor(who: &str) -> Self {
        let (metric, mode) = (Metric::Floors, Mode::Threads);
        Self { metric, mode, size: 8, batch: 1, load: 0, who: who.into() }
    }
}

/// All figures.
#[derive(Default)]
pub struct Results {
    rounds: BTreeMap<Key, Vec<Option<Value>>>,
    /// Contenders that could not take part, and the reasons.
    pub absent: BTreeMap<String, String>,
    /// The errors.
    pub failures: Vec<String>,
    /// How far apart the cores were for most of the time.
    pub home: Home,
}

/// A change of the distance by more than this is a change of the machine.
const MOVED: f64 = 1.5;

/// The distances between cores that count as the same: within the bounds. A virtual machine may be moved,
/// between cores that share a cache and cores that do not; figures from elsewhere are set aside.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    /// The middle of the distances in ns, once it is known.
    pub middle: Option<f64>,
    /// The part of the two-sided measurements that were taken there.
    pub part: f64,
}

impl Default for Home {
    fn default() -> Self {
        Self { middle: None, part: 1.0 }
    }
}

impl Home {
    /// Where most are: the distance with the most others close by.
    fn of(distances: &[f64]) -> Self {
        let near = |middle: f64| distances.iter().filter(|&&other| is_near(other, middle)).count();
        let middle = distances.iter().copied().max_by_key(|&distance| near(distance));
        let part = middle.map_or(1.0, |middle| near(middle) as f64 / distances.len() as f64);
        Self { middle, part }
    }

    /// Whether these figures were taken there, or need no second core.
    fn has(&self, figures: &Value) -> bool {
        let Some([before, after]) = distances(figures) else { return true };
        self.middle.is_none_or(|middle| is_near(before, middle) && is_near(after, middle))
    }
}

fn is_near(one: f64, other: f64) -> bool {
    (1.0 / MOVED..MOVED).contains(&(one / other))
}

/// How far apart the cores were before and after.
fn distances(figures: &Value) -> Option<[f64; 2]> {
    Some([figures["distances"][0].as_f64()?, figures["distances"][1].as_f64()?])
}

/// A size as people write it.
pub fn bytes(size: usize) -> String {
    match size {
        1_048_576.. => format!("{} MiB", size >> 20),
        1024.. => format!("{} KiB", size >> 10),
        _ => format!("{size} B"),
    }
}

/// The unit that can be absent: a contender, at a size.
fn who(job: &Job) -> String {
    format!("{} at {}", job.who, bytes(job.size))
}

/// One figure of one job: by round, where there is one.
pub type Series = Vec<Option<f64>>;

impl Results {
    /// Takes the figures of a round, or the reason why there are none.
    pub fn add(&mut self, job: &Job, round: usize, figures: Value) {
        if let Some(reason) = figures["absent"].as_str() {
            self.absent.insert(who(job), reason.to_owned());
            return;
        }
        let rounds = self.rounds.entry(Key::of(job)).or_default();
        rounds.resize(rounds.len().max(round + 1), None);
        rounds[round] = Some(figures);
    }

    /// Finds out where most figures were taken; those from elsewhere count no more.
    pub fn settle(&mut self) {
        let values = self.rounds.values().flatten().flatten();
        let all: Vec<f64> =
            values.filter_map(distances).map(|[before, after]| (before * after).sqrt()).collect();
        self.home = Home::of(&all);
    }

    /// Whether a job's figures of this round are from elsewhere.
    pub fn is_astray(&self, job: &Job, round: usize) -> bool {
        let figures = self.rounds.get(&Key::of(job)).and_then(|rounds| rounds.get(round)?.as_ref());
        figures.is_some_and(|figures| !self.home.has(figures))
    }

    /// Whether it is known that there will be none.
    pub fn is_absent(&self, job: &Job) -> bool {
        self.absent.contains_key(&who(job))
    }

    /// All jobs that have figures.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rounds.keys()
    }

    /// All figures of a job that count, by round.
    pub fn values(&self, key: &Key) -> impl Iterator<Item = Option<&Value>> {
        let rounds = self.rounds.get(key).map_or(&[][..], Vec::as_slice);
        rounds.iter().map(|value| value.as_ref().filter(|value| self.home.has(value)))
    }

    /// One figure of a job, by round.
    pub fn series(&self, key: &Key, figure: &str) -> Series {
        self.values(key).map(|value| value.and_then(|value| value[figure].as_f64())).collect()
    }

    /// How far apart the cores were while a job was measured, by round: the floor of its latency.
    pub fn distance(&self, key: &Key) -> Series {
        let middle = |value: &Value| distances(value).map(|[before, after]| (before + after) / 2.0);
        self.values(key).map(|value| value.and_then(middle)).collect()
    }

    /// The spread of one figure.
    pub fn spread(&self, key: &Key, figure: &str) -> Option<Spread> {
        Spread::of(self.series(key, figure).into_iter().flatten())
    }

    /// As JSON, round by round.
    pub fn json(&self) -> Value {
        let name =
            |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
        let jobs = self.rounds.iter().map(|(key, rounds)| {
            json!({
                "metric": name(key.metric.to_possible_value()),
                "who": key.who,
                "mode": name(key.mode.to_possible_value()),
                "size": key.size,
                "batch": key.batch,
                "load_percent": key.load,
                "rounds": rounds,
            })
        });
        json!({ "home_ns": self.home.middle, "home_part": self.home.part, "jobs": jobs.collect::<Vec<_>>(), "absent": self.absent, "failures": self.failures })
    }
}

/// One figure over another: round by round; if no round has both, by the order of those that have one.
pub fn ratio(above: &Series, below: &Series) -> Option<Spread> {
    let rounds = above.iter().zip(below);
    let within = Spread::of(rounds.filter_map(|(above, below)| Some((*above)? / (*below)?)));
    let across = || above.iter().flatten().zip(below.iter().flatten()).map(|(above, below)| above / below);
    within.or_else(|| Spread::of(across()))
}

#[cfg(test)]
mod tests {
    use super::{Home, ratio};

    #[test]
    fn most_are_at_home() {
        let home = Home::of(&[240.0, 51.0, 250.0, 49.0, 233.0]);
        assert!(home.middle.is_some_and(|middle| middle > 200.0));
        assert_eq!(home.part, 0.6);
        assert!(home.has(&serde_json::json!({ "distances": [230.0, 260.0] })));
        assert!(!home.has(&serde_json::json!({ "distances": [230.0, 50.0] })));
        assert!(home.has(&serde_json::json!({})));
    }

    #[test]
    fn ratios_are_within_a_round() {
        let spread = ratio(&vec![Some(2.0), None, Some(9.0)], &vec![Some(1.0), Some(1.0), Some(3.0)]);
        assert_eq!(spread.map(|spread| (spread.least, spread.median, spread.most)), Some((2.0, 2.5, 3.0)));
    }
}
