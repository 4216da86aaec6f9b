//! One child process: its command line shown, its environment cleaned, its output streamed, and the end of
//! what a failed one said kept, for readers of only the end of a long log.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::say::{self, say};

/// Variables that would change what a step builds; a step that wants one sets it itself.
const NOT_INHERITED: &[&str] = &[
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_BUILD_RUSTDOCFLAGS",
    "CARGO_BUILD_TARGET",
    "STRAIT_WEAKEN",
    "STRAIT_MODELS",
];

/// How a step ended.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Passed,
    /// With what failed.
    Failed(String),
    /// With the reason.
    Skipped(String),
}

/// Last lines of a failed command that are repeated at the end.
const KEPT: usize = 40;

/// Lines before these that are repeated too: what tests said that failed.
const REPORTED: usize = 80;

/// How long the output of a command that has ended is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Seconds from which a command's time is printed.
const WORTH_SAYING: f64 = 5.0;

thread_local! {
    /// The command lines that failed, each with the end of its output.
    static FAILURES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The commands that failed in this thread since the last call: each command line with the end of its output.
pub fn failures() -> Vec<String> {
    FAILURES.take()
}

fn remember(shown: &str, said: &[String]) {
    let failure = format!("$ {shown}\n{}", said.join("\n"));
    FAILURES.with_borrow_mut(|failures| failures.push(failure));
}

/// What is repeated of a command's output: its last lines, and before these what failed tests said, for other
/// tests may have followed.
#[derive(Default)]
struct Kept {
    reports: Vec<String>,
    /// Each with whether it is part of a report.
    last: VecDeque<(String, bool)>,
    in_report: bool,
}

impl Kept {
    fn add(&mut self, line: String) {
        // The test harness prints `---- NAME stdout ----` above each report, and its counts below the last.
        self.in_report = (self.in_report || line.starts_with("---- ")) && !line.starts_with("test result:");
        if self.last.len() == KEPT
            && let Some((old, true)) = self.last.pop_front()
            && self.reports.len() < REPORTED
        {
            self.reports.push(old);
        }
        self.last.push_back((line, self.in_report));
    }

    fn lines(self) -> Vec<String> {
        self.reports.into_iter().chain(self.last.into_iter().map(|(line, _)| line)).collect()
    }
}

/// What is kept is whole even if a holder of its lock panicked.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints line by line what comes, and keeps what may be repeated.
fn echo(from: PipeReader, kept: &Mutex<Kept>, mark: &str) {
    for line in BufReader::new(from).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).into_owned();
        println!("{}", say::marked(mark, &line));
        lock(kept).add(line);
    }
}

/// Passed if all parts did; else says which failed.
pub fn together(parts: &[(&str, Outcome)]) -> Outcome {
    let failed: Vec<&str> =
        parts.iter().filter(|(_, outcome)| *outcome != Outcome::Passed).map(|(name, _)| *name).collect();
    if failed.is_empty() { Outcome::Passed } else { Outcome::Failed(failed.join(", ")) }
}

/// A command to run, with the environment it adds.
pub struct Run {
    command: Command,
    /// The command line, as a user could type it.
    shown: String,
}

impl Run {
    /// A program of this path, shown by its `name`, with arguments divided by blanks.
    pub fn new(program: OsString, name: &str, args: &str) -> Self {
        let mut command = Command::new(program);
        command.args(args.split_whitespace()).stdin(Stdio::null());
        Self { command, shown: format!("{name} {args}") }.without(NOT_INHERITED)
    }

    /// The cargo that runs us.
    pub fn cargo(args: &str) -> Self {
        let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::new(program, "cargo", args)
    }

    /// Adds one argument, blanks and all.
    pub fn word(mut self, word: &str) -> Self {
        self.command.arg(word);
        self.shown = format!("{} \"{word}\"", self.shown);
        self
    }

    /// Adds one argument that has no blanks.
    pub fn argument(mut self, word: &str) -> Self {
        self.command.arg(word);
        self.shown = format!("{} {word}", self.shown);
        self
    }

    /// Sets a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = if value.contains(' ') {
            format!("{name}=\"{value}\" {}", self.shown)
        } else {
            format!("{name}={value} {}", self.shown)
        };
        self
    }

    /// Takes variables away.
    pub fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// Runs in this folder; to be called after [`with`](Self::with), as it is shown first.
    pub fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(folder);
        self.shown = format!("cd {folder} && {}", self.shown);
        self
    }

    /// Shows the command line, then runs it with its output going where ours goes.
    pub fn run(self) -> Outcome {
        say!("$ {}", self.shown);
        let shown = self.shown.clone();
        let start = Instant::now();
        let (ended, said) = self.streamed();
        let outcome = match ended {
            Ok(status) if status.success() => Outcome::Passed,
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("could not be started: {error}")),
        };
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= WORTH_SAYING {
            say!("# {seconds:.1} s");
        }
        if outcome != Outcome::Passed && !said.is_empty() {
            remember(&shown, &said);
        }
        outcome
    }

    /// Runs it. Returns how it ended and the lines to repeat, which are empty if they went to a terminal.
    fn streamed(mut self) -> (io::Result<ExitStatus>, Vec<String>) {
        // Beside another step's output, it needs its marks.
        if io::stdout().is_terminal() && !say::is_marked() {
            return (self.command.status(), Vec::new());
        }
        let started = io::pipe().and_then(|(from, to)| {
            let child = self.command.stdout(to.try_clone()?).stderr(to).spawn()?;
            Ok((child, from))
        });
        // Its ends of the pipe, which are the command's, must go for the reader to see the child's go.
        drop(self);
        let (mut child, from) = match started {
            Ok(started) => started,
            Err(error) => return (Err(error), Vec::new()),
        };
        let said = Arc::new(Mutex::new(Kept::default()));
        let kept = Arc::clone(&said);
        let (gone, is_gone) = mpsc::channel();
        let mark = say::own_mark();
        thread::spawn(move || {
            echo(from, &kept, &mark);
            // Nobody waits any longer: then it is no matter.
            let _ = gone.send(());
        });
        let ended = child.wait();
        // A process that it left running may hold the pipe for ever.
        let _ = is_gone.recv_timeout(GRACE);
        let said = std::mem::take(&mut *lock(&said));
        (ended, said.lines())
    }

    /// Shows the command line, then runs it: it must fail, and say `sign`. Its output is shown if not.
    pub fn run_to_fail(mut self, sign: &str) -> Outcome {
        say!("$ {}   # must fail with `{sign}`", self.shown);
        let output = match self.command.output() {
            Ok(output) => output,
            Err(error) => return Outcome::Failed(format!("could not be started: {error}")),
        };
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if !output.status.success() && text.contains(sign) {
            return Outcome::Passed;
        }
        say!("{text}");
        let mut said = Kept::default();
        text.lines().for_each(|line| said.add(line.into()));
        remember(&self.shown, &said.lines());
        Outcome::Failed(format!("{}, where it should fail with `{sign}`", output.status))
    }
}

#[cfg(test)]
mod tests {
    use std::io::IsTerminal;

    use super::{KEPT, Kept, Outcome, Run};

    #[test]
    fn the_line_shown_can_be_typed() {
        let run = Run::cargo("test -p x")
            .with("RUSTFLAGS", "--cfg strait_loom")
            .with("CARGO_TARGET_DIR", "target/loom")
            .within("examples");
        assert_eq!(
            run.shown,
            "cd examples && CARGO_TARGET_DIR=target/loom RUSTFLAGS=\"--cfg strait_loom\" \
             cargo test -p x"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        let run = Run::new("no/such/program".into(), "program", "");
        assert!(matches!(run.run(), Outcome::Failed(why) if why.contains("started")));
    }

    #[test]
    fn what_must_fail_must_fail_for_that_reason() {
        let run = |args: &str, sign: &str| Run::cargo(args).run_to_fail(sign);
        assert_eq!(run("no-such-command", "no such command"), Outcome::Passed);
        assert!(matches!(run("no-such-command", "data race"), Outcome::Failed(_)));
        assert!(matches!(run("--version", "cargo"), Outcome::Failed(_)), "it did not fail");
    }

    /// Where the output is a terminal nothing is kept.
    #[cfg(unix)]
    #[test]
    fn the_end_of_what_a_failed_command_said_is_kept() {
        let script = |script: &str| Run::new("sh".into(), "sh", "-c").word(script);
        let (ended, said) = script("seq 1 100; echo last >&2; exit 3").streamed();
        assert_eq!(ended.expect("sh").code(), Some(3));
        if !std::io::stdout().is_terminal() {
            assert_eq!((said.len(), said.last().map(String::as_str)), (KEPT, Some("last")));
            // A process that the command leaves running does not keep us.
            let (ended, _) = script("sleep 5 &").streamed();
            assert!(ended.expect("sh").success());
        }
    }

    #[test]
    fn what_a_failed_test_said_is_kept_however_much_follows() {
        let mut said = Kept::default();
        let report =
            ["---- a_test stdout ----", "thread panicked:", "why", "", "failures:", "    a_test", ""];
        let lines = ["running 2 tests"].into_iter().chain(report).chain(["test result: FAILED."]);
        lines.chain(["ok"; 2 * KEPT]).for_each(|line| said.add(line.into()));
        let said = said.lines();
        assert_eq!((&said[..report.len()], said.len()), (&report.map(String::from)[..], report.len() + KEPT));
    }

    #[cfg(unix)]
    #[test]
    fn the_exit_status_decides() {
        let run = |program: &str| Run::new(program.into(), program, "").run();
        assert_eq!(run("true"), Outcome::Passed);
        assert_eq!(run("false"), Outcome::Failed("exit status: 1".into()));
    }
}
