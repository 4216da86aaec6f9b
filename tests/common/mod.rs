//! Children of a test: the test's own program, run again as one role.
#![allow(dead_code, reason = "each test program uses its part")]

#[path = "../../core/tests/common/rng.rs"]
pub mod rng;
#[cfg(target_os = "linux")]
pub mod tracee;

#[cfg(unix)]
#[path = "unix.rs"]
pub mod os;
#[cfg(windows)]
#[path = "windows.rs"]
pub mod os;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use strait::{RegionFile, RegionName, RegionPlace};

/// How long anything may take before the test fails: long, because the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The variable that tells a child what to do.
const ROLE: &str = "STRAIT_TEST_ROLE";
/// The variable that tells a child where.
const REGION: &str = "STRAIT_TEST_REGION";

/// The prefix of a path in a child's argument for a region's place.
const PATH: &str = "path:";

/// A region's name or path that is this test's alone, removed at the end.
pub struct Name(pub String);

impl Name {
    /// A fresh name.
    pub fn new(test: &str) -> Self {
        Self::fresh(format!("test-{test}-{}", std::process::id()))
    }

    /// A fresh path.
    pub fn at_path(test: &str) -> Self {
        let file = format!("strait-test-{test}-{}", std::process::id());
        let path: PathBuf = std::env::temp_dir().join(file);
        Self::fresh(format!("{PATH}{}", path.to_str().expect("UTF-8")))
    }

    fn fresh(place: String) -> Self {
        let name = Self(place);
        let _ = name.region().remove();
        name
    }

    /// The region of that name or path.
    pub fn region(&self) -> RegionPlace {
        region(&self.0)
    }
}

fn region(place: &str) -> RegionPlace {
    match place.strip_prefix(PATH) {
        Some(path) => RegionFile::new(path).into(),
        None => RegionName::new(place).expect("a legal name").into(),
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = self.region().remove();
    }
}

/// This process's task as a child, and its region; `None` in the test itself.
pub fn role() -> Option<(String, RegionPlace)> {
    let role = std::env::var(ROLE).ok()?;
    let place = std::env::var(REGION).ok()?;
    Some((role, region(&place)))
}

/// Tells the parent something.
pub fn tell(line: &str) {
    println!("\n>{line}");
    std::io::stdout().flush().expect("the parent listens");
}

/// Sleeps until killed, but not for ever.
pub fn linger() -> ! {
    std::thread::sleep(PATIENCE * 2);
    std::process::exit(3);
}

/// A child that is killed when dropped.
pub struct Kid {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Kid {
    /// Starts this test program again as `role`, whose code is in the test named `entry`.
    pub fn spawn(entry: &str, role: &str, name: &Name) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["--exact", entry, "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(REGION, &name.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let stdout = child.stdout.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(told) = line.strip_prefix('>')
                    && sender.send(told.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Self { stdin: child.stdin.take(), child, lines }
    }

    /// The child's next line.
    pub fn hear(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("the child speaks before patience ends")
    }

    /// Sends the child a line.
    pub fn answer(&mut self) {
        self.stdin.as_mut().expect("piped").write_all(b"\n").expect("the child listens");
    }

    /// Kills the child and waits for its end.
    pub fn kill(&mut self) {
        self.child.kill().expect("the child can be killed");
        self.child.wait().expect("the child ends");
    }

    /// Waits for the child's own end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("the child ends")
    }

    /// Stops the child: it runs no instruction until it goes on.
    pub fn stop(&self) {
        os::stop(&self.child);
    }

    /// Lets a stopped child go on.
    pub fn go_on(&self) {
        os::go_on(&self.child);
    }

    /// The child's process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }
}

impl Drop for Kid {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
