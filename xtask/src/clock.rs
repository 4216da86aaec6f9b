//! What a step takes: time, and the time of processors.
//!
//! The second says what a step costs where the machine does something else beside it, and shows which steps wait
//! more than they work.

use std::fs;
use std::time::{Duration, Instant};

/// What something took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    pub time: Duration,
    /// What its commands used of all processors together; zero where the system does not tell, and `None` where
    /// others ran meanwhile.
    pub work: Option<Duration>,
}

impl Spent {
    pub const NOTHING: Self = Self { time: Duration::ZERO, work: None };
}

/// A measurement that was begun.
pub struct Watch {
    start: Instant,
    work: Duration,
}

impl Watch {
    pub fn start() -> Self {
        Self { start: Instant::now(), work: work_of_children() }
    }

    pub fn stop(self) -> Spent {
        Spent { time: self.start.elapsed(), work: Some(work_of_children().saturating_sub(self.work)) }
    }
}

/// What all commands that have ended used, with those that they waited for.
fn work_of_children() -> Duration {
    // Linux counts these in hundredths of a second for programs, whatever its own clock does.
    let ticks = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| ticks_of_children(&stat));
    Duration::from_millis(10 * ticks.unwrap_or_default())
}

/// The fields `cutime` and `cstime` of `proc(5)`, which are the 16th and 17th, added.
fn ticks_of_children(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(13).map(|field| field.parse::<u64>().ok());
    Some(fields.next()?? + fields.next()??)
}

#[cfg(test)]
mod tests {
    use super::ticks_of_children;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 200 0 0 11 12 130 14 20 0 1 0 99";
        assert_eq!(ticks_of_children(stat), Some(144));
        assert_eq!(ticks_of_children("nonsense"), None);
    }
}
