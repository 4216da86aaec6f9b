//! Runs the models and reports them one line each.

use std::env;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::child::{self, End, Job};
use crate::search::{self, FEWER};

/// No model should take this long.
const LIMIT: Duration = Duration::from_secs(300);

/// The test program: runs the models whose names contain an argument, or all; with `--list` it prints
/// their names instead.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = child::serve() {
        return code;
    }
    let wanted: Vec<_> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let models = crate::all().filter(|model| is_wanted(model.0));
    if env::args().any(|arg| arg == "--list") {
        models.for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let jobs: Vec<_> = models.map(|model| Job { model, weaken: None }).collect();
    let start = Instant::now();
    let (failed, fewer) = (Mutex::new(0), Mutex::new(0));
    child::run_all(&jobs, LIMIT, |job, report| {
        let what = match report.end {
            End::Passed => "ok",
            End::Failed => "FAILED",
            End::TimedOut => "TIMED OUT",
        };
        let mut failed = failed.lock().expect("nobody panics with it");
        *fewer.lock().expect("nobody panics with it") += u32::from(report.output.contains(FEWER));
        println!("{what:<9} {:<52} {}", job.model.0, report.output);
        if report.end != End::Passed {
            *failed += 1;
            println!("{}", report.errors);
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    println!("{} models, {failed} failed, {:.0} s", jobs.len(), start.elapsed().as_secs_f64());
    if search::extent() != search::Extent::Full {
        let fewer = fewer.into_inner().expect("nobody panics with it");
        println!("{fewer} of them with fewer preemptions than in full; STRAIT_MODELS=full has all");
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
