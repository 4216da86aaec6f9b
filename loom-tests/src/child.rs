//! One model in a process of its own: there it can fail, hang or abort without harm to the others,
//! and its memory costs them nothing.

use std::env;
use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use strait_core::model;

use crate::Model;

/// The argument that makes this program run one model, by the name that follows, and end.
const ONE: &str = "--one";
/// The variable that names the ordering to weaken.
const WEAKEN: &str = "STRAIT_WEAKEN";

/// The value of that variable that weakens nothing, but has a model say which orderings it uses.
pub const NOTE: &str = "?";
/// The start of that answer.
const USES: &str = "uses: ";

/// Has glibc's allocator keep more of the small pieces that a model frees at the end of each run, for its next one.
const ALLOCATOR: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=2000");

/// Runs one model in this process, if that is what it was started for.
pub fn serve() -> Option<ExitCode> {
    let mut args = env::args().skip(1);
    if args.next().as_deref() != Some(ONE) {
        return None;
    }
    loom_stacks::keep();
    let name = args.next().unwrap_or_default();
    match crate::all().find(|model| model.0 == name) {
        Some((_, run)) => {
            run();
            println!("{USES}{}", model::used_orderings().join(" "));
            Some(ExitCode::SUCCESS)
        }
        None => {
            eprintln!("no model has the name {name:?}");
            Some(ExitCode::from(2))
        }
    }
}

/// How a model ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Passed,
    Failed,
    TimedOut,
}

/// The outcome of a model's process.
pub struct Report {
    pub end: End,
    /// Its own report.
    pub output: String,
    /// The orderings that it uses, if that was asked for.
    pub uses: Vec<String>,
    /// Why it failed.
    pub errors: String,
}

/// A model to run, with one ordering weakened or none.
#[derive(Clone, Copy)]
pub struct Job {
    pub model: Model,
    pub weaken: Option<&'static str>,
}

/// Runs jobs in processes, as many at a time as there are processors, and hands each report over as
/// it comes.
pub fn run_all(jobs: &[Job], limit: Duration, each: impl Fn(Job, Report) + Sync) {
    let queue = Mutex::new(jobs.iter().copied());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("nobody panics with the queue").next();
                    let Some(job) = next else { break };
                    each(job, run(job, limit));
                }
            });
        }
    });
}

fn run(job: Job, limit: Duration) -> Report {
    let start = Instant::now();
    let program = env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args([ONE, job.model.0]).env_remove(WEAKEN).env("RUST_BACKTRACE", "0");
    command.env(ALLOCATOR.0, ALLOCATOR.1);
    if let Some(name) = job.weaken {
        command.env(WEAKEN, name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("this program can be started again");
    let output = reader(child.stdout.take());
    let errors = reader(child.stderr.take());
    let end = wait(&mut child, start + limit);
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (output, errors) = (text(output), text(errors));
    let (output, uses) = output.split_once(USES).unwrap_or((&output, ""));
    let uses = uses.split_whitespace().map(String::from).collect();
    Report { end, output: output.trim_end().to_owned(), uses, errors }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // Show the part that could be read.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, deadline: Instant) -> End {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return End::Passed,
            Ok(Some(_)) => return End::Failed,
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
            // Too late, or nothing can be learnt of it.
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return End::TimedOut;
            }
        }
    }
}
