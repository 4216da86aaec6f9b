//! A channel's line as words and numbers, and the orders of lines.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use strait::port::Probe;

use crate::observe::Who;

use super::picture::Sample;
use super::region::{Row, Watched};

/// A line of the table: which channel of which region.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub region: &'a Watched,
    pub sample: &'a Sample,
    pub row: &'a Row,
}

/// By what the lines are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As in the plan.
    Plan,
    Name,
    Rate,
    Fill,
    HighWater,
    Refused,
    Lag,
    Takeovers,
    /// Trouble first.
    State,
}

impl Order {
    const ALL: [Self; 9] = [
        Self::Plan,
        Self::Name,
        Self::Rate,
        Self::Fill,
        Self::HighWater,
        Self::Refused,
        Self::Lag,
        Self::Takeovers,
        Self::State,
    ];

    /// Its word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Name => "name",
            Self::Rate => "rate",
            Self::Fill => "fill",
            Self::HighWater => "high water",
            Self::Refused => "refused",
            Self::Lag => "lag",
            Self::Takeovers => "takeovers",
            Self::State => "state",
        }
    }

    /// The next one, or the one before.
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|&order| order == self).unwrap_or(0);
        Self::ALL[(at as isize + by).rem_euclid(Self::ALL.len() as isize) as usize]
    }

    /// Which of two lines comes first: of numbers the larger one.
    pub fn compare(self, a: &Line<'_>, b: &Line<'_>) -> Ordering {
        let most = |value: fn(&Line<'_>) -> f64| value(b).total_cmp(&value(a));
        match self {
            Self::Plan => Ordering::Equal,
            Self::Name => (&a.region.name, &a.sample.title).cmp(&(&b.region.name, &b.sample.title)),
            Self::Rate => most(|line| line.row.rate.unwrap_or(-1.0)),
            Self::Fill => most(|line| line.sample.fill().unwrap_or(-1.0)),
            Self::HighWater => most(|line| line.sample.high_water().unwrap_or(-1.0)),
            Self::Refused => most(|line| line.sample.state.refused.into()),
            Self::Lag => most(|line| line.sample.lag().map_or(-1.0, f64::from)),
            Self::Takeovers => most(|line| line.sample.takeovers() as f64),
            Self::State => most(|line| f64::from(u8::from(line.is_in_trouble()))),
        }
    }
}

/// The heads of the columns that all tables have, behind the name.
pub const HEADS: [&str; 7] = ["RATE/s", "FILL", "HIGH", "REFUSED", "LAG", "TAKEN", "STATE"];

impl Line<'_> {
    /// The cells under [`HEADS`].
    pub fn cells(&self) -> [String; HEADS.len()] {
        let (sample, row) = (self.sample, self.row);
        let dash = || "-".to_owned();
        let share = |share: Option<f64>| share.map_or_else(dash, |share| format!("{:.0}%", 100.0 * share));
        [
            row.rate.map_or_else(dash, short),
            share(sample.fill()),
            share(sample.high_water()),
            if sample.entry.kind.has_two_roles() { short(sample.state.refused.into()) } else { dash() },
            sample.lag().map_or_else(dash, |lag| short(lag.into())),
            short(sample.takeovers() as f64),
            self.state(),
        ]
    }

    /// The state, in a word or two; what is wrong comes first.
    pub fn state(&self) -> String {
        let (sample, state) = (self.sample, &self.sample.state);
        let is_dead = |who: Option<Who>| who.is_some_and(|who| who.probe == Probe::Dead);
        if state.producer_fault != 0 || state.consumer_fault != 0 {
            return format!("FAULT {}/{}", state.producer_fault, state.consumer_fault);
        }
        if is_dead(sample.producer) {
            return format!("{} dead", self.roles().0);
        }
        if is_dead(sample.consumer) {
            return format!("{} dead", self.roles().1);
        }
        if let Some(late) = sample.late(self.row) {
            return format!("late {}", seconds(late));
        }
        if sample.holds_up {
            return "holds up".into();
        }
        if let Some(lock) = &sample.lock {
            return lock.short();
        }
        match sample.calls.len() {
            0 => String::new(),
            1 => "1 call out".into(),
            count => format!("{count} calls out"),
        }
    }

    /// Whether a filter in lower case fits: the region, the channel, its kind or its state contains it.
    pub fn contains(&self, filter: &str) -> bool {
        let words = [&self.region.name, &self.sample.title, &self.state()];
        words.iter().any(|word| word.to_lowercase().contains(filter))
            || self.sample.entry.kind.name().contains(filter)
    }

    /// Whether somebody should look at it.
    pub fn is_in_trouble(&self) -> bool {
        let (sample, state) = (self.sample, &self.sample.state);
        let is_dead = |who: Option<Who>| who.is_some_and(|who| who.probe == Probe::Dead);
        state.producer_fault != 0
            || state.consumer_fault != 0
            || is_dead(sample.producer)
            || is_dead(sample.consumer)
            || sample.late(self.row).is_some()
            || sample.holds_up
            || sample.lock.as_ref().is_some_and(|lock| lock.is_in_trouble())
    }

    /// How the two sides of the channel are called.
    pub fn roles(&self) -> (&'static str, &'static str) {
        use strait::format::Kind;
        match self.sample.entry.kind {
            Kind::Calls => ("client", "server"),
            Kind::Latest | Kind::Broadcast => ("writer", "reader"),
            _ => ("producer", "consumer"),
        }
    }
}

/// A number in at most five characters.
pub fn short(value: f64) -> String {
    match value {
        _ if value < 9.95 && value.fract() != 0.0 => format!("{value:.1}"),
        _ if value < 9999.5 => format!("{value:.0}"),
        _ if value < 99_950.0 => format!("{:.1}k", value / 1e3),
        _ if value < 999_500.0 => format!("{:.0}k", value / 1e3),
        _ if value < 99_950_000.0 => format!("{:.1}M", value / 1e6),
        _ => format!("{:.0}M", value / 1e6),
    }
}

/// A time in at most six characters, for anything up to a month.
pub fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds < 99.95 => format!("{seconds:.1} s"),
        _ if seconds < 6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 9] = [' ', '_', '.', '-', '~', '=', '+', '*', '#'];

/// The latest rates as a line of bars, each in proportion to the highest; in ASCII where the terminal has no other
/// characters.
pub fn spark(history: &VecDeque<f64>, width: usize, has_unicode: bool) -> String {
    let most = history.iter().copied().fold(0.0, f64::max);
    let bars = if has_unicode { BLOCKS } else { ASCII };
    let newest = history.iter().skip(history.len().saturating_sub(width));
    let line: String = newest
        .map(
            |&rate| {
                if rate > 0.0 { bars[((8.0 * rate / most).ceil() as usize).clamp(1, 8)] } else { bars[0] }
            },
        )
        .collect();
    format!("{line:>width$}")
}

#[cfg(test)]
mod tests {
    use super::{Order, seconds, short, spark};
    use std::time::Duration;

    #[test]
    fn numbers_fit_their_columns() {
        for (value, shown) in [
            (0.0, "0"),
            (0.25, "0.2"),
            (9.96, "10"),
            (1234.4, "1234"),
            (12_345.0, "12.3k"),
            (999_499.0, "999k"),
            (999_600.0, "1.0M"),
            (4_294_967_295.0, "4295M"),
        ] {
            assert_eq!(short(value), shown);
            assert!(short(value).len() <= 5);
        }
        for (millis, shown) in [(2, "2 ms"), (1000, "1.0 s"), (120_000, "2 min"), (86_400_000, "24 h")] {
            assert_eq!(seconds(Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn bars_are_in_proportion_to_the_highest() {
        let history = [0.0, 1.0, 4.0, 8.0].into();
        assert_eq!(spark(&history, 5, true), "  ▁▄█");
        assert_eq!(spark(&history, 3, false), "_~#");
        assert_eq!(spark(&[0.0, 0.0].into(), 2, true), "  ");
    }

    #[test]
    fn orders_go_round() {
        assert_eq!(Order::Plan.step(-1), Order::State);
        assert_eq!(Order::State.step(1), Order::Plan);
    }
}
