//! Other processes, on any system: a test starts its own binary again, with a role in the environment.
//! Every file of tests that does so has a test `helper` that plays the role, and that passes where there is none.
#![allow(dead_code, missing_docs)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::panic::Location;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const ROLE: &str = "STRAIT_TEST_ROLE";
const ARGUMENT: &str = "STRAIT_TEST_ARGUMENT";
const MARK: &str = "@>";

/// In a helper: the role to play and its argument.
pub fn role() -> Option<(String, String)> {
    Some((env::var(ROLE).ok()?, env::var(ARGUMENT).ok()?))
}

/// In a helper: ends the process in a while, should the test forget it.
pub fn end_in_a_while() {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(60));
        std::process::exit(1);
    });
}

/// In a helper: tells the test a line.
pub fn say(line: &str) {
    println!("{MARK}{line}");
    std::io::stdout().flush().expect("the test listens");
}

/// In a helper: waits for a line from the test; ends the process when there is no test any more.
pub fn hear() -> String {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(len) if len > 0 => line.trim().to_string(),
        _ => std::process::exit(0),
    }
}

/// Says why a test did not run.
pub fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
}

/// Tries until it is so, or five seconds have passed.
pub fn eventually(mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    so()
}

/// The command that starts our own program: through what the variable `STRAIT_TEST_RUNNER` says, where this
/// one too runs in an emulator.
fn ourselves() -> Command {
    let program = env::current_exe().expect("our own path");
    let runner = env::var("STRAIT_TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(emulator) = words.next() else { return Command::new(program) };
    let mut command = Command::new(emulator);
    command.args(words).arg(program);
    command
}

/// The test that plays the roles of a file, in the program that it is part of.
fn player(file: &str) -> String {
    let file = Path::new(file).file_stem().expect("a name").to_string_lossy();
    let program = module_path!().split("::").next().expect("a name");
    if file == program { "helper".into() } else { format!("{file}::helper") }
}

/// The command that starts a helper, which is the caller's file's.
#[track_caller]
pub fn command(role: &str, argument: impl AsRef<Path>) -> Command {
    let mut command = ourselves();
    command
        .args(["--exact", &player(Location::caller().file()), "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(ARGUMENT, argument.as_ref())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// A process that plays a role.
pub struct Helper {
    pub child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Helper {
    #[track_caller]
    pub fn start(role: &str, argument: impl AsRef<Path>) -> Self {
        Self::from_command(command(role, argument))
    }

    pub fn from_command(mut command: Command) -> Self {
        let mut child = command.spawn().expect("a process");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// The next line that the helper says; `None` when it has ended.
    pub fn try_hear(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("a line") > 0 {
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.trim().to_string());
            }
            line.clear();
        }
        None
    }

    pub fn hear(&mut self) -> String {
        self.try_hear().expect("the helper ended early")
    }

    pub fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("a pipe");
        writeln!(input, "{line}").expect("the helper listens");
    }

    /// Kills it and waits for its end.
    pub fn kill(&mut self) -> ExitStatus {
        let _ = self.child.kill();
        self.wait()
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().expect("an end")
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
