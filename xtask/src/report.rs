//! Runs steps one after the other and sums up.

use std::fmt::Write;
use std::path::Path;

use crate::clock::{Spent, Watch};
use crate::parts::{self, Lap};
use crate::run::{self, Outcome};
use crate::steps::Step;

/// One line of the table.
struct Row {
    name: &'static str,
    spent: Spent,
    outcome: Outcome,
    /// The parts that it has.
    laps: Vec<Lap>,
    /// If it failed: what of it did, and what that said at the end.
    said: Vec<String>,
}

/// Runs the steps and prints the table; answers whether none failed.
pub fn run(steps: &[&Step], fail_fast: bool) -> bool {
    let mut rows: Vec<Row> = Vec::new();
    for step in steps {
        let stop = fail_fast && rows.iter().any(Row::failed);
        rows.push(if stop {
            Row {
                name: step.name,
                spent: Spent::NOTHING,
                outcome: Outcome::Skipped("a step before it failed".into()),
                laps: Vec::new(),
                said: Vec::new(),
            }
        } else {
            run_one(step)
        });
    }
    for (row, said) in rows.iter().flat_map(|row| row.said.iter().map(move |said| (row, said))) {
        println!("\n== {}: this FAILED, and said at the end\n{said}", row.name);
    }
    println!("\n{}", summary(&rows));
    !rows.iter().any(Row::failed)
}

fn run_one(step: &Step) -> Row {
    println!("\n== {}: {}", step.name, step.what);
    let watch = Watch::start();
    let outcome = match step.needs {
        Some(path) if !Path::new(path).exists() => Outcome::Skipped(format!("there is no {path} yet")),
        _ => (step.run)(),
    };
    // Not all that fails fails the step.
    let said = run::failures();
    let said = if matches!(outcome, Outcome::Failed(_)) { said } else { Vec::new() };
    let row = Row { name: step.name, spent: watch.stop(), outcome, laps: parts::laps(), said };
    let (result, note) = row.result();
    let colon = if note.is_empty() { "" } else { ": " };
    println!("== {}: {result} after {:.1} s{colon}{note}", row.name, row.spent.time.as_secs_f64());
    row
}

impl Row {
    fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    fn result(&self) -> (&'static str, &str) {
        match &self.outcome {
            Outcome::Passed => ("ok", ""),
            Outcome::Failed(why) => ("FAILED", why),
            Outcome::Skipped(why) => ("SKIPPED", why),
        }
    }
}

impl Lap {
    /// Its name in the table, below that of its step.
    fn title(&self) -> String {
        format!("{:indent$}{}", "", self.name, indent = 2 * (self.depth + 1))
    }
}

/// The table, with the parts of a step below it, and as the last line the counts alone.
fn summary(rows: &[Row]) -> String {
    let names = rows.iter().flat_map(|row| row.laps.iter().map(Lap::title).chain([row.name.into()]));
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let line = |text: &mut String, name: &str, spent: Spent, rest: &str| {
        let (time, work) = (spent.time.as_secs_f64(), spent.work.as_secs_f64());
        let line = format!("{name:<width$} {time:>8.1} {work:>8.1}  {rest}");
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}", line.trim_end());
    };
    let mut text = format!("{:<width$} {:>8} {:>8}  result", "step", "seconds", "work");
    for row in rows {
        let (result, note) = row.result();
        line(&mut text, row.name, row.spent, &format!("{result:<8} {note}"));
        row.laps.iter().for_each(|lap| line(&mut text, &lap.title(), lap.spent, ""));
    }
    line(&mut text, "all", rows.iter().map(|row| row.spent).sum(), "");
    let count = |result| rows.iter().filter(|row| row.result().0 == result).count();
    let _ =
        write!(text, "\n\n{} passed, {} failed, {} skipped", count("ok"), count("FAILED"), count("SKIPPED"));
    text
}

#[cfg(test)]
mod tests {
    use std::io::IsTerminal;
    use std::time::Duration;

    use super::{Row, run, run_one, summary};
    use crate::clock::Spent;
    use crate::parts::Lap;
    use crate::run::{Outcome, Run};
    use crate::steps::{Step, When};

    fn spent(millis: u64) -> Spent {
        Spent { time: Duration::from_millis(millis), work: Duration::from_millis(2 * millis) }
    }

    fn row(name: &'static str, millis: u64, outcome: Outcome) -> Row {
        Row { name, spent: spent(millis), outcome, laps: Vec::new(), said: Vec::new() }
    }

    #[test]
    fn the_table_ends_in_the_counts_alone() {
        let mut rows = [
            row("fmt", 640, Outcome::Passed),
            row("models", 12_300, Outcome::Failed("exit status: 101".into())),
            row("control", 0, Outcome::Skipped("there is no x yet".into())),
            row("doc", 1000, Outcome::Passed),
        ];
        rows[1].laps = [(0, "all orders", 12_000), (1, "one", 50)]
            .map(|(depth, name, millis)| Lap { depth, name, spent: spent(millis) })
            .into();
        let expected = "\
step          seconds     work  result
fmt               0.6      1.3  ok
models           12.3     24.6  FAILED   exit status: 101
  all orders     12.0     24.0
    one           0.1      0.1
control           0.0      0.0  SKIPPED  there is no x yet
doc               1.0      2.0  ok
all              13.9     27.9

2 passed, 1 failed, 1 skipped";
        assert_eq!(summary(&rows), expected);
    }

    const GOOD: Step =
        Step { name: "good", what: "", when: When::Always, needs: None, run: || Outcome::Passed };
    const BAD: Step = Step { run: || Outcome::Failed("on purpose".into()), ..GOOD };
    const NEVER: Step = Step { run: || panic!("must not run"), ..GOOD };

    #[test]
    fn one_failure_fails_the_run() {
        assert!(run(&[&GOOD, &GOOD], false));
        assert!(!run(&[&GOOD, &BAD, &GOOD], false));
    }

    #[cfg(unix)]
    #[test]
    fn a_step_that_failed_says_again_what_its_commands_said() {
        fn fails() -> Outcome {
            Run::new("sh".into(), "sh", "-c").word("echo so it is; exit 1").run()
        }
        fn goes_on() -> Outcome {
            assert!(fails() != Outcome::Passed);
            Outcome::Passed
        }
        assert!(run_one(&Step { run: goes_on, ..GOOD }).said.is_empty());
        // Output to a terminal is not kept.
        let expected = if std::io::stdout().is_terminal() { 0 } else { 1 };
        let said = run_one(&Step { run: fails, ..GOOD }).said;
        assert_eq!(said.len(), expected);
        assert!(said.iter().all(|said| said.ends_with("so it is")));
    }

    #[test]
    fn fail_fast_stops_at_the_first_failure() {
        assert!(!run(&[&GOOD, &BAD, &NEVER], true));
    }

    #[test]
    fn a_step_without_its_folder_is_skipped_and_no_failure() {
        let step = Step { needs: Some("no/such/folder"), ..NEVER };
        assert!(run(&[&step], false));
    }
}
