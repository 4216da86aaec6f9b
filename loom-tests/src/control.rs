//! The control run: every named ordering weakened in turn, each with the models that die of it.
//!
//! `CONTROL.md` keeps the table. Without arguments each model in it must still die of its ordering;
//! `--full` runs every model with every ordering and compares the whole table, `--write` writes it
//! anew.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use strait_core::ground::sync::order;

use crate::Model;
use crate::child::{self, End, Job};
use crate::search;

/// A model that is to die of an ordering must do so within this time.
const LIMIT: Duration = Duration::from_secs(120);
/// One of which nobody knows whether it dies of an ordering is given up after this time.
const FULL_LIMIT: Duration = Duration::from_secs(6);

const INTRODUCTION: &str = "\
# Control run

Every named ordering of `core/src/ground/sync/order.rs`, with the models that fail when that ordering
alone is weakened to Relaxed (a fence: removed). Each ordering must fail at least one model; otherwise a
model is missing, or the ordering is not needed.

This command writes the listing:

    RUSTFLAGS=\"--cfg strait_loom\" CARGO_TARGET_DIR=target/loom \\
        cargo run --release -p loom-tests --bin control -- --write

The control run without `--write` checks itself against it. A model that does not fail within a few
seconds is not listed.
";

/// By ordering: the names of the models that die of it.
type Table = BTreeMap<String, BTreeSet<String>>;

/// The control program.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = child::serve() {
        return code;
    }
    let args: Vec<_> = env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check_listed(),
        ["--full"] => whole(check_all),
        ["--write"] => whole(write),
        _ => {
            eprintln!("usage: control [--full | --write]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaints) => {
            eprint!("{complaints}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the table lists.
fn check_listed() -> Result<(), String> {
    let listed = read()?;
    let found = run(jobs(|ordering, model| lists(&listed, ordering, model)), LIMIT);
    finish(&complaints(&listed, &found))
}

/// Refuses to compare the whole table with what a quick search finds.
fn whole(of: fn() -> Result<(), String>) -> Result<(), String> {
    if search::extent() != search::Extent::Full {
        return Err("--full and --write are of full searches: run them without STRAIT_MODELS\n".into());
    }
    of()
}

/// Runs everything and compares it with the table.
fn check_all() -> Result<(), String> {
    let (listed, uses) = (read()?, uses()?);
    let is_listed = |ordering: &str, model: &str| lists(&listed, ordering, model);
    let mut found = run(jobs(is_listed), LIMIT);
    let others = jobs(|ordering, model| lists(&uses, ordering, model) && !is_listed(ordering, model));
    for (ordering, models) in run(others, FULL_LIMIT) {
        found.entry(ordering).or_default().extend(models);
    }
    finish(&complaints(&listed, &found))
}

/// Runs everything and writes the table.
fn write() -> Result<(), String> {
    let uses = uses()?;
    let found = run(jobs(|ordering, model| lists(&uses, ordering, model)), FULL_LIMIT);
    fs::write(path(), text(&found)).map_err(|error| format!("CONTROL.md: {error}\n"))?;
    finish(&complaints(&found, &found))
}

fn read() -> Result<Table, String> {
    Ok(parse(&fs::read_to_string(path()).map_err(|error| format!("CONTROL.md: {error}\n"))?))
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("CONTROL.md")
}

/// The models of the protocols; those of the checker itself say nothing about them.
fn models() -> impl Iterator<Item = Model> {
    crate::all().filter(|model| !model.0.starts_with("litmus::"))
}

fn jobs(wanted: impl Fn(&str, &str) -> bool) -> Vec<Job> {
    let of = |&ordering: &&'static str| models().map(move |model| Job { model, weaken: Some(ordering) });
    let all = order::ALL.iter().flat_map(of);
    all.filter(|job| wanted(job.weaken.unwrap_or_default(), job.model.0)).collect()
}

/// By ordering: the models that use it. All must pass while nothing is weakened.
fn uses() -> Result<Table, String> {
    let jobs: Vec<_> = models().map(|model| Job { model, weaken: Some(child::NOTE) }).collect();
    let (table, failed) = (Mutex::new(Table::new()), Mutex::new(String::new()));
    child::run_all(&jobs, LIMIT, |job, report| {
        if report.end != End::Passed {
            let mut failed = failed.lock().expect("nobody panics with it");
            *failed += &format!("{}: fails without any weakening\n", job.model.0);
        }
        for ordering in report.uses {
            let mut table = table.lock().expect("nobody panics with the table");
            table.entry(ordering).or_default().insert(job.model.0.to_owned());
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    if failed.is_empty() {
        Ok(table.into_inner().expect("nobody panics with the table"))
    } else {
        Err(failed)
    }
}

/// Runs the jobs and answers which models died of which ordering.
fn run(jobs: Vec<Job>, limit: Duration) -> Table {
    let mut found = Table::new();
    for &ordering in order::ALL {
        let start = Instant::now();
        let jobs: Vec<_> = jobs.iter().copied().filter(|job| job.weaken == Some(ordering)).collect();
        let died = Mutex::new(BTreeSet::new());
        child::run_all(&jobs, limit, |job, report| {
            if report.end == End::Failed {
                died.lock().expect("nobody panics with it").insert(job.model.0.to_owned());
            }
        });
        let died = died.into_inner().expect("nobody panics with it");
        let seconds = start.elapsed().as_secs_f64();
        println!("{ordering:<26} {:>3} of {:>3} models die, {seconds:.0} s", died.len(), jobs.len());
        found.insert(ordering.to_owned(), died);
    }
    found
}

fn lists(table: &Table, ordering: &str, model: &str) -> bool {
    table.get(ordering).is_some_and(|models| models.contains(model))
}

/// The complaints: orderings that no model needs, and differences from the table.
fn complaints(listed: &Table, found: &Table) -> String {
    let mut text = String::new();
    let mut say = |line: String| text.push_str(&format!("{line}\n"));
    for ordering in order::ALL {
        let died = found.get(*ordering).cloned().unwrap_or_default();
        let expected = listed.get(*ordering).cloned().unwrap_or_default();
        if died.is_empty() {
            say(format!("{ordering}: no model dies of it; a model is missing, or it is not needed"));
        }
        expected.difference(&died).for_each(|model| say(format!("{ordering}: {model} does not die of it")));
        died.difference(&expected).for_each(|model| say(format!("{ordering}: {model} is not listed")));
    }
    let gone = listed.keys().filter(|ordering| !order::ALL.contains(&ordering.as_str()));
    gone.for_each(|ordering| say(format!("{ordering}: there is no such ordering")));
    text
}

fn finish(complaints: &str) -> Result<(), String> {
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{complaints}If that is as it should be, write CONTROL.md anew: run this with `-- --write`.\n"
    ))
}

fn text(table: &Table) -> String {
    let mut text = String::from(INTRODUCTION);
    for ordering in order::ALL {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {ordering}\n\n");
        for model in table.get(*ordering).into_iter().flatten() {
            let _ = writeln!(text, "- {model}");
        }
    }
    text
}

fn parse(text: &str) -> Table {
    let mut table = Table::new();
    let mut ordering = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            table.insert(name.to_owned(), BTreeSet::new());
            ordering = Some(name);
        } else if let (Some(model), Some(ordering)) = (line.strip_prefix("- "), ordering) {
            table.entry(ordering.to_owned()).or_default().insert(model.to_owned());
        }
    }
    table
}
