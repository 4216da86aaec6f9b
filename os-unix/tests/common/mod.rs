//! What the tests share: scratch places, and other processes.
//!
//! A test starts a process by running its own binary again, with a role in the environment. Every
//! test binary has a test `helper` that plays the role, and that passes where there is none.
#![allow(dead_code, unused_imports, missing_docs)]

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use strait_core::{Attachment, Channel, Ident, Liveness, Plan, Port, Probe};
use strait_unix::{Options, Region, UnixPort};

pub const PLAN: Plan<'static> = Plan::new(&[Channel::frames("commands", 4096, 256)]);

/// A region that is created or opened for use.
pub type Attached = Attachment<UnixPort>;

static COUNT: AtomicU32 = AtomicU32::new(0);

fn unique() -> String {
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A name of a region that nobody else uses; removed in the end.
pub struct Name(pub String);

impl Name {
    pub fn new() -> Self {
        Self(unique())
    }

    pub fn region(&self) -> Region {
        Region::named(&self.0).expect("a name")
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = self.region().remove();
    }
}

/// A directory of its own; removed in the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let dir = env::temp_dir().join(format!("strait-{}", unique()));
        fs::create_dir(&dir).expect("a directory");
        Self(dir)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn ident(attached: &Attached) -> Ident {
    attached.port().ident().expect("a participant")
}

pub fn probe(attached: &Attached, who: Ident) -> Probe {
    attached.port().probe(who)
}

/// Says why a test did not run.
pub fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
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

const ROLE: &str = "STRAIT_TEST_ROLE";
const ARGUMENT: &str = "STRAIT_TEST_ARGUMENT";
const MARK: &str = "@>";

/// In a helper: the role to play and its argument.
pub fn role() -> Option<(String, String)> {
    let role = (env::var(ROLE).ok()?, env::var(ARGUMENT).ok()?);
    end_soon();
    Some(role)
}

/// In a helper or its forked child: ends the process in a while, should the test forget it.
pub fn end_soon() {
    nix::unistd::alarm::set(60);
}

/// In a forked child: stays until it is killed.
pub fn stay() -> ! {
    end_soon();
    loop {
        nix::unistd::pause();
    }
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

/// A process that plays a role.
pub struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// The command that starts a helper.
pub fn command(role: &str, argument: impl AsRef<Path>) -> Command {
    let mut command = Command::new(env::current_exe().expect("our own path"));
    command
        .args(["--exact", "helper", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(ARGUMENT, argument.as_ref())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

impl Helper {
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

    /// Who the helper is, where that is what it says next.
    pub fn hear_ident(&mut self) -> Ident {
        let word = self.hear().parse().expect("a number");
        Ident::from_word(word).expect("an identity")
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the helper is there");
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

/// In a helper: opens the region at `path`, says who it is, and stays until it is told to end.
pub fn hold(path: &str) {
    let attached = Region::at(path).open(&Options::new()).expect("the region");
    say(&ident(&attached).word().to_string());
    hear();
}
