//! The parts of a step: each is announced, timed and listed in the table under its step.

use std::cell::RefCell;
use std::env;

use crate::clock::{Spent, Watch};
use crate::run::{Outcome, together};
use crate::say::say;
use crate::steps;

/// A part by its name.
pub type Part<'a> = (&'static str, &'a dyn Fn() -> Outcome);

/// What a part took.
#[derive(Debug, PartialEq)]
pub struct Lap {
    /// How many parts it is within.
    pub depth: usize,
    pub name: &'static str,
    pub spent: Spent,
}

#[derive(Default)]
struct Clock {
    depth: usize,
    laps: Vec<Lap>,
}

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::default();
}

/// Runs the parts one after the other. Passed if all of them are; otherwise the outcome names those that failed.
///
/// The variable `STRAIT_PARTS`, a list with commas, leaves out a step's other parts, to try one again.
pub fn parts(parts: &[Part<'_>]) -> Outcome {
    let within = CLOCK.with_borrow(|clock| clock.depth > 0);
    let chosen = if within { None } else { env::var("STRAIT_PARTS").ok() };
    let outcomes: Vec<_> = parts
        .iter()
        .filter(|(name, _)| is_chosen(name, chosen.as_deref()))
        .map(|&(name, run)| (name, one(name, run)))
        .collect();
    match chosen {
        Some(chosen) if outcomes.is_empty() => {
            let names: Vec<_> = parts.iter().map(|(name, _)| *name).collect();
            Outcome::Failed(format!("STRAIT_PARTS is `{chosen}`, and the parts are: {}", names.join(", ")))
        }
        _ => together(&outcomes),
    }
}

/// The same, and with `--nightly`, or where the step was asked for by its name, the parts that cost more than a change can
/// wait for.
pub fn parts_and_nightly(always: &[Part<'_>], nightly: &[Part<'_>]) -> Outcome {
    if steps::everything() {
        return parts(&[always, nightly].concat());
    }
    let left: Vec<_> = nightly.iter().map(|(name, _)| *name).collect();
    say!("with --nightly or by the lane's name also: {}", left.join(", "));
    parts(always)
}

fn is_chosen(name: &str, chosen: Option<&str>) -> bool {
    chosen.is_none_or(|list| list.split(',').any(|part| part.trim() == name))
}

fn one(name: &'static str, run: &dyn Fn() -> Outcome) -> Outcome {
    let index = CLOCK.with_borrow_mut(|clock| {
        let depth = clock.depth;
        clock.depth += 1;
        // Before those within it.
        clock.laps.push(Lap { depth, name, spent: Spent::NOTHING });
        clock.laps.len() - 1
    });
    say!("-- {name}");
    let watch = Watch::start();
    let outcome = run();
    let spent = watch.stop();
    let why = match &outcome {
        Outcome::Failed(why) => format!(", FAILED: {why}"),
        _ => String::new(),
    };
    say!("-- {name}: {:.1} s{why}", spent.time.as_secs_f64());
    CLOCK.with_borrow_mut(|clock| {
        clock.depth -= 1;
        clock.laps[index].spent = spent;
    });
    outcome
}

/// The parts that ran on this thread since the last call, in the order in which they began.
pub fn laps() -> Vec<Lap> {
    CLOCK.with_borrow_mut(|clock| std::mem::take(&mut clock.laps))
}

#[cfg(test)]
mod tests {
    use super::{is_chosen, laps, parts};
    use crate::run::Outcome;

    #[test]
    fn parts_are_chosen_by_their_whole_names() {
        for (name, chosen, is) in [
            ("C", None, true),
            ("C", Some("costs, C"), true),
            ("C", Some("C beside Rust"), false),
            ("costs", Some("costs"), true),
            ("costs", Some(""), false),
        ] {
            assert_eq!(is_chosen(name, chosen), is, "{name} of {chosen:?}");
        }
    }

    #[test]
    fn parts_within_parts_come_after_their_own_part() {
        let good = || Outcome::Passed;
        let both = || parts(&[("b", &good), ("c", &|| Outcome::Failed("on purpose".into()))]);
        assert_eq!(parts(&[("a", &both), ("d", &good)]), Outcome::Failed("a".into()));
        let seen: Vec<_> = laps().into_iter().map(|lap| (lap.depth, lap.name)).collect();
        assert_eq!(seen, [(0, "a"), (1, "b"), (1, "c"), (0, "d")]);
        assert!(laps().is_empty());
    }
}
