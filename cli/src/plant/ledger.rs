//! What the recorder has handed over, and what is missing or twice in it.

use std::fmt;

use super::calls::Calls;
use super::messages::{CALLED, LogLine, MOVED, SHOWN, STOPPED};
use super::stations::{LANES, SCREENS};

/// A line as it was received.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// The lane that it was in.
    pub lane: usize,
    /// Its number in that lane, which counts on from one producer to its successor, modulo 2^32.
    pub sequence: u32,
    /// The line.
    pub line: LogLine,
}

impl Recorded {
    /// Reads the text of one.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ').map(str::parse::<u64>);
        let mut next = || words.next()?.ok();
        let (lane, sequence) = (usize::try_from(next()?).ok()?, u32::try_from(next()?).ok()?);
        let (writer, number, what) = (next()?, next()?, next()?);
        let values = [next()?, next()?, next()?, next()?];
        let line = LogLine { writer, number, what, values };
        (words.next().is_none() && lane < LANES).then_some(Self { lane, sequence, line })
    }
}

/// The text of one, from the recorder to the supervisor.
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, sequence, line: LogLine { writer, number, what, values: [a, b, c, d] } } = self;
        write!(f, "{lane} {sequence} {writer} {number} {what} {a} {b} {c} {d}")
    }
}

/// The lines of one lane.
#[derive(Clone, Copy, Default)]
pub struct Lane {
    /// The number of the line that comes next.
    next: u32,
    /// The process whose line came last, and how many of its lines have come.
    writer: Option<(u64, u64)>,
    /// Lines that came, each counted once.
    pub recorded: u64,
    /// Lines that came again.
    pub again: u64,
    /// Lines that are missing before one that came.
    pub missing: u64,
    /// Lines that do not continue those of their own writer.
    pub broken: u64,
}

impl Lane {
    /// Counts a line; returns whether it is one that did not come before.
    fn count(&mut self, sequence: u32, line: &LogLine) -> bool {
        let ahead = sequence.wrapping_sub(self.next);
        if ahead > u32::MAX / 2 {
            self.again += 1;
            return false;
        }
        self.missing += u64::from(ahead);
        self.next = sequence.wrapping_add(1);
        self.recorded += 1;
        let goes_on = match self.writer {
            Some((writer, lines)) if writer == line.writer => line.number == lines,
            // Processes are numbered in the order in which they start.
            Some((writer, _)) => writer < line.writer && line.number == 0,
            None => line.number == 0,
        };
        self.broken += u64::from(!goes_on);
        self.writer = Some((line.writer, line.number + 1));
        true
    }
}

/// What one screen has said, over all its processes.
#[derive(Clone, Copy, Default)]
pub struct Screen {
    /// The process that spoke last, and what it showed and missed.
    writer: u64,
    current: [u64; 2],
    /// What those before it showed and missed.
    before: [u64; 2],
    /// The number of the last state that it showed.
    pub last: u64,
    /// How often shown and lost did not add up to what was published meanwhile.
    pub broken: u64,
}

impl Screen {
    fn count(&mut self, writer: u64, [first, last, shown, lost]: [u64; 4]) {
        if writer != self.writer {
            self.before = [self.before[0] + self.current[0], self.before[1] + self.current[1]];
            (self.writer, self.current) = (writer, [0; 2]);
        }
        // A screen that has seen nothing yet says four times 0.
        let published = if first == 0 { 0 } else { (last + 1).saturating_sub(first) };
        self.broken += u64::from(shown + lost != published);
        self.current = [shown, lost];
        self.last = self.last.max(last);
    }

    /// How many states it showed, by what it has said.
    pub fn shown(&self) -> u64 {
        self.before[0] + self.current[0]
    }

    /// How many states it missed.
    pub fn lost(&self) -> u64 {
        self.before[1] + self.current[1]
    }
}

/// Everything that was recorded.
#[derive(Default)]
pub struct Ledger {
    /// By their numbers.
    pub lanes: [Lane; LANES],
    /// All calls.
    pub calls: Calls,
    /// In the order of their stations.
    pub screens: [Screen; SCREENS.len()],
    /// How often the emergency stop was pressed.
    pub stops: u64,
}

impl Ledger {
    /// Takes a line that the recorder handed over.
    pub fn take(&mut self, recorded: &Recorded) {
        let Recorded { lane, sequence, line } = recorded;
        if !self.lanes[*lane].count(*sequence, line) {
            return;
        }
        let [a, b, ..] = line.values;
        match line.what {
            MOVED => self.calls.ran(a),
            CALLED => self.calls.ended(a, b),
            STOPPED => self.stops += a,
            SHOWN => {
                if let Some(at) = SCREENS.iter().position(|screen| screen == lane) {
                    self.screens[at].count(line.writer, line.values);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, LogLine, Recorded, SCREENS, SHOWN};

    fn line(lane: usize, sequence: u32, writer: u64, number: u64) -> Recorded {
        Recorded { lane, sequence, line: LogLine { writer, number, what: 0, values: [1, 2, 3, 4] } }
    }

    #[test]
    fn a_line_survives_the_way_through_the_pipe_and_half_of_one_does_not() {
        let whole = line(3, 7, 1 << 40, 9);
        assert_eq!(Recorded::read(&whole.to_string()), Some(whole));
        for text in
            ["", "ready", "3 7 1 9 0 1 2 3", "3 7 1 9 0 1 2 3 4 5", "9 7 1 9 0 1 2 3 4", "3 7 1 9 0 1 2 3 x"]
        {
            assert_eq!(Recorded::read(text), None, "{text}");
        }
    }

    #[test]
    fn each_kind_of_fault_is_told_apart() {
        let counts = |lines: &[(u32, u64, u64)]| {
            let mut ledger = Ledger::default();
            lines
                .iter()
                .for_each(|&(sequence, writer, number)| ledger.take(&line(2, sequence, writer, number)));
            let lane = ledger.lanes[2];
            (lane.recorded, lane.again, lane.missing, lane.broken)
        };
        // A successor begins with its own line 0.
        assert_eq!(counts(&[(0, 2, 0), (1, 2, 1), (2, 9, 0), (3, 9, 1)]), (4, 0, 0, 0));
        assert_eq!(counts(&[(0, 2, 0), (1, 2, 1), (1, 2, 1), (2, 2, 2)]), (3, 1, 0, 0));
        assert_eq!(counts(&[(0, 2, 0), (3, 2, 3)]), (2, 0, 2, 1));
        // A line that its writer numbered, and that never was in the lane.
        assert_eq!(counts(&[(0, 2, 0), (1, 2, 2)]), (2, 0, 0, 1));
        assert_eq!(counts(&[(0, 9, 0), (1, 2, 0)]), (2, 0, 0, 1));
        assert_eq!(counts(&[(0, 2, 1)]), (1, 0, 0, 1));
    }

    #[test]
    fn screens_add_up_over_their_processes() {
        let mut ledger = Ledger::default();
        for (sequence, (writer, values)) in
            [(5, [10, 19, 8, 2]), (5, [10, 29, 17, 3]), (12, [40, 40, 1, 0]), (12, [40, 42, 2, 0])]
                .into_iter()
                .enumerate()
        {
            let number = u64::from(sequence % 2 == 1);
            let line = LogLine { writer, number, what: SHOWN, values };
            ledger.take(&Recorded { lane: SCREENS[1], sequence: sequence as u32, line });
        }
        let screen = ledger.screens[1];
        assert_eq!((screen.shown(), screen.lost(), screen.last, screen.broken), (19, 3, 42, 1));
    }
}
