//! The run: round after round, each job in a process of its own.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use indicatif::{ProgressBar, ProgressStyle};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setsid};
use serde_json::Value;

use crate::args::Wanted;
use crate::error::Result;
use crate::job::Job;
use crate::plan::Plan;
use crate::results::Results;
use crate::{cores, machine, report};

/// After this a child counts as hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// Figures that were taken while the machine was in another state than most are taken once more, for at
/// most this part of the time of the run.
const SECOND_CHANCE: f64 = 4.0;
/// By no more than this is a round shortened against the one before.
const SHORTEST: f64 = 0.25;

/// Measures everything that is wanted, and reports.
pub fn run(wanted: &Wanted) -> Result<()> {
    let cores = cores::pair()?;
    let plan = Plan::new(wanted, cores)?;
    report::writable(&wanted.out)?;
    let machine = machine::describe(cores);
    let start = Instant::now();
    let results = measure(&plan)?;
    let seconds = start.elapsed().as_secs_f64();
    if !wanted.smoke {
        report::write(&wanted.out, &machine, &plan, &results, seconds)?;
    }
    for line in &results.failures {
        eprintln!("FAILED: {line}");
    }
    let count = plan.jobs.len() * plan.rounds;
    eprintln!("{count} measurements in {seconds:.0} s");
    match results.failures.len() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {count} measurements failed")),
    }
}

fn measure(plan: &Plan) -> Result<Results> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let bar = ProgressBar::new((plan.jobs.len() * plan.rounds) as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (eta {eta}) {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut results = Results::default();
    let start = Instant::now();
    let mut part = 1.0;
    for round in 0..plan.rounds {
        for job in plan.shuffled(round) {
            bar.set_message(format!("round {}: {:?} {}", round + 1, job.metric, job.who));
            one(&program, &shortened(job, part), round, &mut results);
            bar.inc(1);
        }
        // On a busy machine all takes longer; the next rounds make up for it.
        let (spent, done) = (start.elapsed().as_secs_f64(), (round + 1) as f64);
        let needed = spent / done * (plan.rounds as f64 - done);
        part *= ((plan.seconds - spent) / needed).clamp(SHORTEST, 1.0);
    }
    results.settle();
    let limit = Duration::from_secs_f64(plan.seconds / SECOND_CHANCE);
    let again = Instant::now();
    for (job, round) in plan.pairs() {
        if again.elapsed() < limit && results.is_astray(job, round) {
            bar.set_message(format!("again: {:?} {}", job.metric, job.who));
            one(&program, &shortened(job, part), round, &mut results);
        }
    }
    bar.finish_and_clear();
    Ok(results)
}

/// The job in a part of its time.
fn shortened(job: &Job, part: f64) -> Job {
    Job { micros: (job.micros as f64 * part) as u64, ..job.clone() }
}

/// Takes the figures of one job in one round.
fn one(program: &Path, job: &Job, round: usize, results: &mut Results) {
    if !results.is_absent(job) {
        match run_one(program, job) {
            Ok(figures) => results.add(job, round, figures),
            Err(line) => results.failures.push(format!("{}: {line}", job.words()[1..].join(" "))),
        }
    }
}

/// Runs a child and reads its figures.
fn run_one(program: &Path, job: &Job) -> Result<Value> {
    let mut command = Command::new(program);
    command.args(job.words()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: a system call alone, as it must be between fork and exec. The new session is a group of
    // processes, to be killed as one, and to the scheduler one of its own.
    unsafe { command.pre_exec(|| setsid().map(drop).map_err(Into::into)) };
    let mut child = command.spawn().map_err(|error| format!("cannot start a child: {error}"))?;
    let pid = child.id();
    let said = wait(&mut child);
    clean_up(pid);
    said
}

/// Waits asleep, because the cores are the child's.
fn wait(child: &mut Child) -> Result<Value> {
    let group = Pid::from_raw(child.id() as i32);
    let (ended, end) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let hung = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        // Also a second side that is left over.
        let _ = killpg(group, Signal::SIGKILL);
        hung
    });
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = child.wait().map_err(|error| format!("wait: {error}"))?;
    drop(ended);
    if watchdog.join().unwrap_or(false) {
        return Err(format!("hung; killed after {} s", PATIENCE.as_secs()));
    }
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if !status.success() {
        let lines: Vec<&str> = err.lines().filter(|line| !line.contains("RUST_BACKTRACE")).collect();
        return Err(format!("{status}: {}", lines.join(" / ")));
    }
    let line = out.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("no figures ({error}): `{out}` {err}"))
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Removes what a child that was killed has left in memory.
fn clean_up(pid: u32) {
    let ours = [format!("strait.bench-{pid}-"), format!("strait-bench-{pid}-")];
    for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name();
        if ours.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
