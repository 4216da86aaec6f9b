//! Counting what arrives: lost, doubled and out of order by the frames' own numbers, and how long
//! each was on its way.

use std::collections::BTreeSet;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Numbers that are remembered as missing; what is missing beyond that counts as lost for good.
const MOST_MISSING: usize = 1 << 20;

/// Longer times count as this one.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// A histogram of nanoseconds with three significant digits.
fn histogram() -> Histogram<u64> {
    // Fails only for more than five digits, or for bounds that are the wrong way round.
    Histogram::new_with_bounds(1, LONGEST_NS, 3).unwrap_or_else(|_| unreachable!("the bounds are constant"))
}

/// A receiver's counts.
pub struct Tally {
    next: u64,
    missing: BTreeSet<u64>,
    /// Frames that arrived, doubled ones included.
    pub received: u64,
    /// Frames that arrived again.
    pub duplicated: u64,
    /// Frames that arrived after a later one.
    pub reordered: u64,
    /// Nanoseconds from sending to receiving.
    pub latency: Histogram<u64>,
}

impl Tally {
    /// Nothing has arrived.
    pub fn new() -> Self {
        let (missing, latency) = (BTreeSet::new(), histogram());
        Self { next: 0, missing, received: 0, duplicated: 0, reordered: 0, latency }
    }

    /// Frame `number` arrived, so long after it was sent.
    pub fn count(&mut self, number: u64, nanoseconds: u64) {
        self.received += 1;
        self.latency.saturating_record(nanoseconds);
        if number >= self.next {
            let room = MOST_MISSING.saturating_sub(self.missing.len());
            self.missing.extend((self.next..number).take(room));
            self.next = number.saturating_add(1);
        } else if self.missing.remove(&number) {
            self.reordered += 1;
        } else {
            self.duplicated += 1;
        }
    }

    /// The tally for another process.
    pub fn to_json(&self) -> Value {
        let latency: Vec<(u64, u64)> = self
            .latency
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .collect();
        json!({
            "received": self.received,
            "duplicated": self.duplicated,
            "reordered": self.reordered,
            "latency": latency,
        })
    }
}

/// One direction, from both of its ends.
pub struct Direction {
    pub sent: u64,
    pub received: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub latency: Histogram<u64>,
}

impl Direction {
    /// A sender's counts, and the tally of its receiver.
    pub fn read(sent: u64, tally: &Value) -> Option<Self> {
        let mut latency = histogram();
        for pair in tally["latency"].as_array()? {
            latency.saturating_record_n(pair[0].as_u64()?, pair[1].as_u64()?);
        }
        let number = |key: &str| tally[key].as_u64();
        Some(Self {
            sent,
            received: number("received")?,
            duplicated: number("duplicated")?,
            reordered: number("reordered")?,
            latency,
        })
    }

    /// Frames sent of which not one copy arrived.
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received.saturating_sub(self.duplicated))
    }

    /// Both directions as one.
    pub fn plus(&self, other: &Self) -> Self {
        let mut latency = self.latency.clone();
        // Fails only for a histogram of a smaller range, and both grow on their own.
        let _ = latency.add(&other.latency);
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            duplicated: self.duplicated + other.duplicated,
            reordered: self.reordered + other.reordered,
            latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, Tally};

    fn tally(numbers: &[u64], sent: u64) -> (Tally, Direction) {
        let mut tally = Tally::new();
        for &number in numbers {
            tally.count(number, 1000 * number.min(1 << 20));
        }
        let direction = Direction::read(sent, &tally.to_json()).expect("its own format");
        (tally, direction)
    }

    #[test]
    fn each_kind_of_fault_is_told_apart() {
        let (_, clean) = tally(&[0, 1, 2, 3], 4);
        assert_eq!((clean.lost(), clean.duplicated, clean.reordered), (0, 0, 0));
        let (_, gap) = tally(&[0, 3], 5);
        assert_eq!((gap.lost(), gap.duplicated, gap.reordered), (3, 0, 0));
        let (_, doubled) = tally(&[0, 1, 1, 0, 2], 3);
        assert_eq!((doubled.lost(), doubled.duplicated, doubled.reordered), (0, 2, 0));
        let (_, swapped) = tally(&[0, 2, 1, 3, 1], 4);
        assert_eq!((swapped.lost(), swapped.duplicated, swapped.reordered), (0, 1, 1));
    }

    #[test]
    fn latencies_survive_the_way_to_another_process() {
        let (tally, direction) = tally(&[0, 1, 2, 5, 900], 901);
        assert_eq!(direction.latency.len(), 5);
        assert_eq!(direction.latency.max(), tally.latency.max());
        let longest = direction.latency.max();
        assert!((899_000..901_000).contains(&longest), "{longest}");
        assert_eq!(direction.plus(&direction).latency.len(), 10);
    }

    #[test]
    fn a_number_out_of_this_world_is_no_endless_loop() {
        let (tally, _) = tally(&[0, u64::MAX, 5], 3);
        assert_eq!((tally.received, tally.reordered), (3, 1));
    }
}
