//! Helpers of the tool's tests: running it, with a bound on every wait, and places to clean up.
#![allow(dead_code, missing_docs)]

#[cfg(unix)]
#[path = "unix.rs"]
pub mod os;
#[cfg(windows)]
#[path = "windows.rs"]
pub mod os;

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use strait::{Region, RegionName, port::Port};

/// Longer than anything takes, even on a loaded machine.
pub const LONG: Duration = Duration::from_secs(60);

static COUNT: AtomicU32 = AtomicU32::new(0);

fn unique() -> String {
    format!("cli-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A directory and a region's name that nobody else uses; both are removed in the end.
pub struct Place {
    pub dir: PathBuf,
    pub name: String,
}

impl Place {
    pub fn new() -> Self {
        let name = unique();
        let dir = env::temp_dir().join(&name);
        fs::create_dir(&dir).expect("a directory");
        Self { dir, name }
    }

    pub fn region(&self) -> RegionName {
        RegionName::new(&self.name).expect("a name")
    }

    /// Whether there is a region of that name.
    pub fn has_region(&self) -> bool {
        RegionName::list().expect("names").contains(&self.name)
    }

    pub fn path(&self, name: &str) -> String {
        self.dir.join(name).to_str().expect("UTF-8").to_string()
    }

    /// Writes a file of this many bytes, which do not repeat soon.
    pub fn file(&self, name: &str, len: usize) -> String {
        let mut state = 0x2545_F491_u32;
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state as u8
            })
            .collect();
        fs::write(self.dir.join(name), bytes).expect("a file");
        self.path(name)
    }

    /// The other files of the directory.
    pub fn others(&self, expected: &[&str]) -> Vec<String> {
        let names = fs::read_dir(&self.dir).expect("the directory");
        let names = names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| !expected.contains(&name.as_str())).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.region().remove();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The tool with these arguments.
pub fn strait<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running tool; killed when dropped.
pub struct Running(Option<Child>);

pub fn start<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Running {
    Running(Some(strait(args).spawn().expect("the tool")))
}

pub fn run<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Done {
    start(args).end(LONG)
}

/// How a run of the tool ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Checks that all went well, and returns standard output.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    pub fn json(self) -> Value {
        let text = self.ok();
        assert_eq!(text.lines().count(), 1, "one object: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Checks that it failed with status 1, and returns what it said.
    pub fn code_and_error(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        self.stderr
    }

    /// Checks for an exit code and one line of explanation, and returns that line.
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "one line: {self:?}");
        assert!(self.stderr.starts_with("strait: "), "{self:?}");
        assert!(self.stdout.is_empty(), "{self:?}");
        self.stderr
    }
}

/// All that comes out of a pipe, if there is one.
fn said(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(|| {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("its output");
        }
        bytes
    })
}

impl Running {
    pub fn of(child: Child) -> Self {
        Self(Some(child))
    }

    pub fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("not ended yet")
    }

    pub fn pid(&mut self) -> u32 {
        self.child().id()
    }

    /// Waits for its end, but not for ever.
    pub fn end(mut self, limit: Duration) -> Done {
        let start = Instant::now();
        // A pipe is soon full, and what is there to be listed may be much.
        let (stdout, stderr) = (said(self.child().stdout.take()), said(self.child().stderr.take()));
        while self.child().try_wait().expect("a status").is_none() {
            assert!(start.elapsed() < limit, "still running after {limit:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.child().wait().expect("its end");
        let text = |said: JoinHandle<_>| String::from_utf8(said.join().expect("its output")).expect("UTF-8");
        Done { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Kills it, as by SIGKILL, and waits for its end.
    pub fn kill(mut self) {
        self.child().kill().expect("it is ours");
        let _ = self.end(LONG);
    }

    pub fn is_running(&mut self) -> bool {
        self.child().try_wait().expect("a status").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A region's bytes.
pub fn dump(region: &Region) -> Vec<u8> {
    let mem = region.port().mem();
    (0..mem.len()).step_by(4).flat_map(|at| mem.setup_read(at).to_le_bytes()).collect()
}

/// Tries until it is so, or a long time has passed.
pub fn eventually(mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < LONG {
        if so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    so()
}

pub fn same_bytes(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    fs::read(a).expect("a file") == fs::read(b).expect("a file")
}
