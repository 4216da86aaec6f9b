//! What has gone through the bridge, and what has not.

use std::fmt::{self, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Map, Value, json};

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Messages that were put into Zenoh, or calls that were made.
    Sent,
    /// Messages that were written into the region, or calls that were answered.
    Taken,
    /// Messages of the region that this bridge has not seen: of latest values, those that were replaced before.
    Missed,
    /// Messages that a source has sent and that have not come.
    Lost,
    /// Messages that came again and were left out.
    Again,
    /// Messages of another type than the channel's.
    Refused,
    /// What no bridge and no reader of its documentation sends.
    Garbage,
    /// Messages that came while the region's queue and this bridge's own were full.
    Dropped,
    /// Puts that Zenoh refused, and calls that ended in an error.
    Failed,
}

const ALL: [(Count, &str, bool); 9] = [
    (Count::Sent, "sent", false),
    (Count::Taken, "taken", false),
    (Count::Missed, "missed", false),
    (Count::Lost, "lost", true),
    (Count::Again, "again", false),
    (Count::Refused, "refused", true),
    (Count::Garbage, "garbage", true),
    (Count::Dropped, "dropped", true),
    (Count::Failed, "failed", true),
];

/// The counts of one channel.
pub struct Tally {
    /// The channel's name.
    pub channel: String,
    /// `out` or `in`.
    pub direction: &'static str,
    counts: [AtomicU64; ALL.len()],
    told: Mutex<(Option<Instant>, u64)>,
}

impl Tally {
    /// Of a channel, with nothing counted.
    pub fn new(channel: &str, direction: &'static str) -> Self {
        Self { channel: channel.into(), direction, counts: Default::default(), told: Mutex::default() }
    }

    /// Counts so many more.
    pub fn add(&self, what: Count, many: u64) {
        // Counts for display, each by itself.
        self.counts[what as usize].fetch_add(many, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }

    /// Whether more has gone wrong than when this was asked last, a second ago or longer.
    pub fn has_news(&self) -> bool {
        let wrong = ALL.iter().filter(|(_, _, is_wrong)| *is_wrong).map(|(what, ..)| self.get(*what)).sum();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong == told.1 || told.0.is_some_and(|at| at.elapsed().as_millis() < 1000) {
            return false;
        }
        *told = (Some(Instant::now()), wrong);
        true
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let mut line = Map::new();
        line.insert("channel".into(), json!(self.channel));
        line.insert("direction".into(), json!(self.direction));
        line.extend(ALL.iter().map(|(what, name, _)| ((*name).to_owned(), json!(self.get(*what)))));
        Value::Object(line)
    }
}

/// For people: the counts that are not zero.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = String::new();
        for (what, name, _) in ALL.iter().filter(|(what, ..)| self.get(*what) > 0) {
            write!(words, ", {} {name}", self.get(*what))?;
        }
        let words = words.strip_prefix(", ").unwrap_or("nothing yet");
        write!(f, "{} {}: {words}", self.channel, self.direction)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Count, Tally};

    #[test]
    fn each_count_has_its_own_place_and_word() {
        for (index, (what, ..)) in ALL.iter().enumerate() {
            assert_eq!(*what as usize, index);
        }
    }

    #[test]
    fn only_what_went_wrong_is_news() {
        let tally = Tally::new("torque", "in");
        assert_eq!(tally.to_string(), "torque in: nothing yet");
        tally.add(Count::Taken, 3);
        assert!(!tally.has_news());
        tally.add(Count::Lost, 2);
        assert!(tally.has_news());
        assert!(!tally.has_news());
        assert_eq!(tally.to_string(), "torque in: 3 taken, 2 lost");
        assert_eq!(tally.json()["lost"], 2);
    }
}
