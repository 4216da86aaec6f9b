//! Regions, and bridges as processes, for the tests.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use strait::{Channel, Plan, Region, RegionName, RegionOptions};

strait::message! {
    /// A message of the queue `torque`.
    pub struct Torque {
        /// Counts the messages.
        pub count: u64,
        /// Twice the count.
        pub twice: u64,
    }

    /// The latest value `state`.
    pub struct State {
        /// Counts the values.
        pub count: u64,
        /// Its square.
        pub square: u64,
    }

    /// A message of the same size as `Torque`, and of another type.
    pub struct Other {
        /// Counts the messages.
        pub index: u64,
        /// Anything.
        pub value: f64,
    }
}

/// Patience with a machine that does many other things.
pub const LONG: Duration = Duration::from_secs(60);

/// The plan of both sides.
pub fn plan<R>(then: impl FnOnce(&Plan<'_>) -> R) -> R {
    let channels = [
        Channel::slots::<Torque>("torque", 256).consumer_may_block().producer_may_block(),
        Channel::latest::<State>("state").consumer_may_block(),
        Channel::broadcast::<u64>("ticks", 64),
        Channel::frames("log", 8192, 256).producers(2),
        Channel::compact::<u32>("steps", 128),
        Channel::calls::<u64, u64>("square", 4),
        Channel::latest::<f64>("back"),
    ];
    then(&Plan::new(&channels).described(strait::describe!(Torque, State)))
}

/// A region that is removed at the end.
pub struct Place {
    /// Its name.
    pub name: String,
    /// The region.
    pub region: Region,
}

impl Place {
    /// Creates a region of the common plan.
    pub fn new(side: &str) -> Self {
        plan(|plan| Self::of(side, plan))
    }

    /// Creates a region of this plan.
    pub fn of(side: &str, plan: &Plan<'_>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bridge-test-{}-{number}-{side}", std::process::id());
        let region =
            RegionName::new(&name).expect("a name").create(plan, &RegionOptions::new()).expect("a region");
        Self { name, region }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = RegionName::new(&self.name).expect("a name").remove();
    }
}

/// A bridge's process. Killed at the end.
pub struct Bridge {
    child: Child,
    log: PathBuf,
}

impl Bridge {
    /// Starts one, by this command in front of its own if there is one.
    pub fn start(before: &[&str], region: &str, words: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let log = std::env::temp_dir().join(format!("strait-bridge-{}-{number}", std::process::id()));
        let program = env!("CARGO_BIN_EXE_strait-bridge");
        let (first, rest) = match before.split_first() {
            Some((first, rest)) => (*first, [rest, &[program]].concat()),
            None => (program, Vec::new()),
        };
        let child = Command::new(first)
            .args(rest)
            .arg(region)
            .args(words.split_whitespace())
            .stdin(Stdio::null())
            .stderr(fs::File::create(&log).expect("a log"))
            .spawn()
            .expect("a bridge");
        let mut bridge = Self { child, log };
        bridge.wait_for("carries");
        bridge
    }

    /// What it has said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has said this.
    pub fn wait_for(&mut self, sign: &str) {
        until(&format!("`{sign}`, but: {}", self.said()), || {
            let ended = self.child.try_wait().expect("a status");
            let said = self.said();
            assert!(ended.is_none() || said.contains(sign), "ended with {ended:?}: {said}");
            said.contains(sign)
        });
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        let _ = self.child.wait();
    }

    /// Ends it, and returns what it has said.
    pub fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        until("its end", || self.child.try_wait().expect("a status").is_some());
        let status = self.child.wait().expect("a status");
        assert!(status.success(), "{status}: {}", self.said());
        self.said()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut said = String::new();
        if let Ok(mut file) = fs::File::open(&self.log) {
            let _ = file.read_to_string(&mut said);
        }
        if thread::panicking() {
            eprintln!("a bridge had said:\n{said}");
        }
        let _ = fs::remove_file(&self.log);
    }
}

/// A count of a channel, as a bridge has said it last.
pub fn count(said: &str, channel: &str, what: &str) -> u64 {
    let start = format!("strait-bridge: {channel}: ");
    let line = said.lines().rev().find_map(|line| line.strip_prefix(&start)).unwrap_or_default();
    let found = line.split(", ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    found.unwrap_or(0)
}

/// Waits until this is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// An endpoint on this machine that nobody uses.
pub fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("tcp/{}", listener.local_addr().expect("an address"))
}
