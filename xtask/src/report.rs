//! Runs steps one after the other and sums up.

use std::collections::VecDeque;
use std::fmt::Write;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::clock::{Spent, Watch};
use crate::parts::{self, Lap};
use crate::run::{self, Outcome};
use crate::say::{self, say};
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

/// Runs the steps and prints the table; returns whether none failed.
///
/// Two run at once where that is possible: most of them have stretches in which one processor compiles, or none has
/// anything to do.
pub fn run(steps: &[&Step], fail_fast: bool) -> bool {
    let watch = Watch::start();
    let rows = run_all(steps, fail_fast);
    for (row, said) in rows.iter().flat_map(|row| row.said.iter().map(move |said| (row, said))) {
        println!("\n== {}: this FAILED, and said at the end\n{said}", row.name);
    }
    println!("\n{}", summary(&rows, watch.stop()));
    !rows.iter().any(Row::failed)
}

/// How many steps run at once.
const AT_ONCE: usize = 2;

/// What is left to run, and what runs.
#[derive(Default)]
struct Line {
    /// In the order in which they begin, with the index of each.
    left: VecDeque<usize>,
    /// The folders in which somebody builds.
    busy: Vec<&'static str>,
    rows: Vec<Option<Row>>,
}

/// Runs all of them, and returns their rows in their order.
fn run_all(steps: &[&Step], fail_fast: bool) -> Vec<Row> {
    let line = Line {
        left: (0..steps.len()).collect(),
        busy: Vec::new(),
        rows: steps.iter().map(|_| None).collect(),
    };
    let (line, ended) = (Mutex::new(line), Condvar::new());
    let is_alone = steps.len() < 2 || fail_fast;
    let work = || {
        while let Some(index) = next(steps, &line, &ended) {
            let step = steps[index];
            let stop = fail_fast && lock(&line).rows.iter().flatten().any(Row::failed);
            if !is_alone {
                say::mark(step.name);
            }
            let row =
                if stop { Row::skipped(step, "a step before it failed") } else { run_one(step, is_alone) };
            let mut line = lock(&line);
            line.rows[index] = Some(row);
            line.busy.retain(|&folder| Some(folder) != step.folder);
            ended.notify_all();
        }
    };
    if is_alone {
        work();
    } else {
        thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    }
    line.into_inner().unwrap_or_else(PoisonError::into_inner).rows.into_iter().flatten().collect()
}

/// A panic with it held leaves it whole.
fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the first step that can begin, once one can, and marks its folder as busy.
fn next(steps: &[&Step], line: &Mutex<Line>, ended: &Condvar) -> Option<usize> {
    let mut guard = lock(line);
    loop {
        if guard.left.is_empty() {
            return None;
        }
        let is_free = |&index: &usize| steps[index].folder.is_none_or(|folder| !guard.busy.contains(&folder));
        if let Some(at) = guard.left.iter().position(is_free) {
            let index = guard.left.remove(at)?;
            guard.busy.extend(steps[index].folder);
            return Some(index);
        }
        guard = ended.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Runs a step. What others take is not told from what it takes, unless it is alone.
fn run_one(step: &Step, is_alone: bool) -> Row {
    say!("\n== {}: {}", step.name, step.what);
    let watch = Watch::start();
    let outcome = match step.needs {
        Some(path) if !Path::new(path).exists() => Outcome::Skipped(format!("there is no {path} yet")),
        // A folder that it builds in is free again in any case.
        _ => catch_unwind(step.run).unwrap_or_else(|_| Outcome::Failed("it panicked".into())),
    };
    // Not all that fails fails the step.
    let said = run::failures();
    let said = if matches!(outcome, Outcome::Failed(_)) { said } else { Vec::new() };
    let mut row = Row { name: step.name, spent: watch.stop(), outcome, laps: parts::laps(), said };
    if !is_alone {
        row.spent.work = None;
        row.laps.iter_mut().for_each(|lap| lap.spent.work = None);
    }
    let (result, note) = row.result();
    let colon = if note.is_empty() { "" } else { ": " };
    say!("== {}: {result} after {:.1} s{colon}{note}", row.name, row.spent.time.as_secs_f64());
    row
}

impl Row {
    fn skipped(step: &Step, why: &str) -> Self {
        Self {
            name: step.name,
            spent: Spent::NOTHING,
            outcome: Outcome::Skipped(why.into()),
            laps: Vec::new(),
            said: Vec::new(),
        }
    }

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
fn summary(rows: &[Row], all: Spent) -> String {
    let names = rows.iter().flat_map(|row| row.laps.iter().map(Lap::title).chain([row.name.into()]));
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let line = |text: &mut String, name: &str, spent: Spent, rest: &str| {
        let (time, work) = (spent.time.as_secs_f64(), spent.work.map(|work| work.as_secs_f64()));
        let work = work.map_or_else(String::new, |work| format!("{work:.1}"));
        let line = format!("{name:<width$} {time:>8.1} {work:>8}  {rest}");
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}", line.trim_end());
    };
    let mut text = format!("{:<width$} {:>8} {:>8}  result", "step", "seconds", "work");
    for row in rows {
        let (result, note) = row.result();
        line(&mut text, row.name, row.spent, &format!("{result:<8} {note}"));
        row.laps.iter().for_each(|lap| line(&mut text, &lap.title(), lap.spent, ""));
    }
    line(&mut text, "all", all, "");
    let count = |result| rows.iter().filter(|row| row.result().0 == result).count();
    let _ =
        write!(text, "\n\n{} passed, {} failed, {} skipped", count("ok"), count("FAILED"), count("SKIPPED"));
    text
}

#[cfg(test)]
mod tests {
    use std::io::IsTerminal;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;
    use std::time::Duration;

    use super::{Row, run, run_all, run_one, summary};
    use crate::clock::Spent;
    use crate::parts::Lap;
    use crate::run::{Outcome, Run};
    use crate::steps::{Step, When};

    fn spent(millis: u64) -> Spent {
        Spent { time: Duration::from_millis(millis), work: Some(Duration::from_millis(2 * millis)) }
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
        assert_eq!(summary(&rows, spent(13_940)), expected);
    }

    const GOOD: Step = Step {
        name: "good",
        what: "",
        when: When::Always,
        needs: None,
        folder: None,
        run: || Outcome::Passed,
    };
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
        assert!(run_one(&Step { run: goes_on, ..GOOD }, true).said.is_empty());
        // Output to a terminal is not kept.
        let expected = if std::io::stdout().is_terminal() { 0 } else { 1 };
        let said = run_one(&Step { run: fails, ..GOOD }, true).said;
        assert_eq!(said.len(), expected);
        assert!(said.iter().all(|said| said.ends_with("so it is")));
    }

    #[test]
    fn fail_fast_stops_at_the_first_failure() {
        let rows = run_all(&[&GOOD, &BAD, &NEVER], true);
        assert_eq!(rows.iter().map(|row| row.result().0).collect::<Vec<_>>(), ["ok", "FAILED", "SKIPPED"]);
    }

    #[test]
    fn a_step_that_panics_fails_and_keeps_no_other_waiting() {
        let panics = Step { folder: Some("a"), ..NEVER };
        let rows = run_all(&[&panics, &Step { folder: Some("a"), ..GOOD }], false);
        assert_eq!(rows.iter().map(|row| row.result().0).collect::<Vec<_>>(), ["FAILED", "ok"]);
    }

    #[test]
    fn two_steps_run_at_once_but_not_in_one_folder() {
        static RUNNING: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
        static MOST: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
        fn runs<const FOLDER: usize>() -> Outcome {
            let running = RUNNING[FOLDER].fetch_add(1, SeqCst) + 1;
            MOST[0].fetch_max(running, SeqCst);
            // Not before another one is there, unless the last ones are of one folder.
            for _ in 0..200 {
                let all = RUNNING.iter().map(|running| running.load(SeqCst)).sum();
                if MOST[1].fetch_max(all, SeqCst).max(all) == 2 {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            RUNNING[FOLDER].fetch_sub(1, SeqCst);
            if FOLDER == 0 { Outcome::Passed } else { Outcome::Skipped("b".into()) }
        }
        let (a, b) = (
            Step { folder: Some("a"), run: runs::<0>, ..GOOD },
            Step { folder: Some("b"), run: runs::<1>, ..GOOD },
        );
        let rows = run_all(&[&a, &a, &a, &b, &a, &b], false);
        let order: Vec<_> = rows.iter().map(|row| row.result().0).collect();
        assert_eq!(order, ["ok", "ok", "ok", "SKIPPED", "ok", "SKIPPED"]);
        assert_eq!([MOST[0].load(SeqCst), MOST[1].load(SeqCst)], [1, 2]);
    }

    #[test]
    fn a_step_without_its_folder_is_skipped_and_no_failure() {
        let step = Step { needs: Some("no/such/folder"), ..NEVER };
        assert!(run(&[&step], false));
    }
}
