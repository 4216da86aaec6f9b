//! What became of each call, from the log alone: how it ended for the planner, and how often a drive ran it.

use std::collections::HashMap;

/// How a call ended for the planner that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was answered.
    Answered,
    /// The drive refused it, because the emergency stop was pressed.
    Refused,
    /// The drive died, and certainly had not run it.
    DiedBefore,
    /// The drive died, and may have run it.
    DiedMaybe,
    /// There was no answer in time, and no drive has run it or ever will.
    LateBefore,
    /// There was no answer in time, and a drive may have run it.
    LateMaybe,
}

/// All ends; the place of each is its number in the log.
const ENDS: [End; 6] =
    [End::Answered, End::Refused, End::DiedBefore, End::DiedMaybe, End::LateBefore, End::LateMaybe];

impl End {
    /// The end of this number.
    fn of(number: u64) -> Option<Self> {
        ENDS.get(usize::try_from(number).ok()?).copied()
    }

    /// Whether a call that was run so often can have ended so.
    fn allows(self, runs: u32) -> bool {
        match self {
            Self::Answered => runs == 1,
            Self::Refused | Self::DiedBefore | Self::LateBefore => runs == 0,
            Self::DiedMaybe | Self::LateMaybe => runs <= 1,
        }
    }
}

/// A call of which not everything is known yet.
#[derive(Default)]
struct Call {
    runs: u32,
    end: Option<End>,
}

/// The calls of a run.
#[derive(Default)]
pub struct Calls {
    /// Those that may still change: answered calls leave, the others are few.
    open: HashMap<u64, Call>,
    /// How many ended in each way.
    ends: [u64; ENDS.len()],
    /// Calls with two ends, or with one that is none.
    wrong: u64,
}

impl Calls {
    /// A drive has run a call.
    pub fn ran(&mut self, call: u64) {
        self.open.entry(call).or_default().runs += 1;
        self.settle(call);
    }

    /// A call ended for its planner.
    pub fn ended(&mut self, call: u64, end: u64) {
        let Some(end) = End::of(end) else {
            self.wrong += 1;
            return;
        };
        self.ends[end as usize] += 1;
        if self.open.entry(call).or_default().end.replace(end).is_some() {
            self.wrong += 1;
        }
        self.settle(call);
    }

    /// Forgets a call of which nothing more can come.
    fn settle(&mut self, call: u64) {
        if self.open.get(&call).is_some_and(|call| call.end == Some(End::Answered) && call.runs == 1) {
            self.open.remove(&call);
        }
    }

    /// How many calls ended so.
    pub fn count(&self, end: End) -> u64 {
        self.ends[end as usize]
    }

    /// How many calls ended.
    pub fn all(&self) -> u64 {
        self.ends.iter().sum()
    }

    /// Calls that were run and never ended: those of planners that died.
    pub fn unended(&self) -> u64 {
        self.open.values().filter(|call| call.end.is_none()).count() as u64
    }

    /// Calls that did not end as their planner was told, or ran twice.
    pub fn contradictions(&self) -> u64 {
        let is_wrong = |call: &&Call| match call.end {
            Some(end) => !end.allows(call.runs),
            None => call.runs > 1,
        };
        self.wrong + self.open.values().filter(is_wrong).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::{Calls, End};

    #[test]
    fn each_end_has_its_number() {
        for (number, end) in super::ENDS.into_iter().enumerate() {
            assert_eq!(number, end as usize);
        }
    }

    #[test]
    fn a_call_that_ran_against_the_planners_word_is_found() {
        let mut calls = Calls::default();
        for (call, end, runs) in [
            (1, End::Answered, 1),
            (2, End::Refused, 0),
            (3, End::DiedBefore, 0),
            (4, End::DiedMaybe, 0),
            (5, End::DiedMaybe, 1),
            (6, End::LateBefore, 0),
        ] {
            (0..runs).for_each(|_| calls.ran(call));
            calls.ended(call, end as u64);
        }
        // Of a planner that died.
        calls.ran(7);
        assert_eq!((calls.all(), calls.unended(), calls.contradictions()), (6, 1, 0));
        assert_eq!((calls.count(End::Answered), calls.count(End::DiedMaybe)), (1, 2));
        for (call, end, runs) in [
            (11, End::Answered, 0),
            (12, End::Answered, 2),
            (13, End::Refused, 1),
            (14, End::DiedBefore, 1),
            (15, End::DiedMaybe, 2),
            (16, End::LateBefore, 1),
        ] {
            let before = calls.contradictions();
            calls.ended(call, end as u64);
            (0..runs).for_each(|_| calls.ran(call));
            let found = calls.contradictions() + calls.unended();
            assert_eq!(found, before + 1 + 1, "{end:?} after {runs} runs");
            calls = Calls::default();
            calls.ran(7);
        }
        calls.ended(20, 99);
        calls.ended(21, End::Refused as u64);
        calls.ended(21, End::Refused as u64);
        assert_eq!(calls.contradictions(), 2);
    }
}
