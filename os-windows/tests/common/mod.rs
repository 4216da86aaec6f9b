//! What the tests share: scratch places, and other processes.
//!
//! A test starts a process by running its own binary again, with a role in the environment. Every
//! test binary has a test `helper` that plays the role, and that passes where there is none.
#![allow(dead_code, missing_docs)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::windows::io::AsRawHandle;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use strait_core::{Attachment, Channel, Ident, Liveness, Plan, Port, Probe};
use strait_os_windows::{Options, Region, WindowsPort};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};

pub const PLAN: Plan<'static> = Plan::new(&[Channel::frames("commands", 4096, 256)]);

/// A region that is created or opened for use.
pub type Attached = Attachment<WindowsPort>;

static COUNT: AtomicU32 = AtomicU32::new(0);

pub fn unique() -> String {
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A place for a region that nobody else uses, as a helper can be told it.
#[derive(Clone)]
pub struct Place(pub String);

impl Place {
    /// A name in this session.
    pub fn local() -> Self {
        Self(format!("local:{}", unique()))
    }

    /// A name in the machine.
    pub fn global() -> Self {
        Self(format!("global:{}", unique()))
    }

    /// A file.
    pub fn file(scratch: &Scratch) -> Self {
        Self(format!("file:{}", scratch.path(&unique()).display()))
    }

    /// The name or the path.
    pub fn what(&self) -> &str {
        self.0.split_once(':').expect("a kind").1
    }

    pub fn region(&self) -> Region {
        match self.0.split_once(':').expect("a kind") {
            ("local", name) => Region::named(name).expect("a name"),
            ("global", name) => Region::global(name).expect("a name"),
            (_, path) => Region::at(path),
        }
    }

    pub fn create(&self) -> Attached {
        self.region().create(&PLAN, &Options::new()).expect("create")
    }

    pub fn open(&self) -> Attached {
        self.region().open(&Options::new()).expect("open")
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

    /// What lies in it.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).expect("the directory");
        names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
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

/// Whether this is wine, and not Windows.
pub fn is_wine() -> bool {
    let ntdll: Vec<u16> = "ntdll.dll\0".encode_utf16().collect();
    // SAFETY: the name ends in a zero, and the library is there in every process.
    let ntdll = unsafe { GetModuleHandleW(ntdll.as_ptr()) };
    // SAFETY: the handle is of a library that stays loaded, and the name ends in a zero.
    unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()) }.is_some()
}

/// Tries until it is so, or a long time has passed.
pub fn eventually(mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
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
pub fn role() -> Option<(String, Place)> {
    Some((env::var(ROLE).ok()?, Place(env::var(ARGUMENT).ok()?)))
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
    pub child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtSuspendProcess(process: std::os::windows::io::RawHandle) -> i32;
}

impl Helper {
    pub fn start(role: &str, place: &Place) -> Self {
        let mut child = Command::new(env::current_exe().expect("our own path"))
            .args(["--exact", "helper", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(ARGUMENT, &place.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("a line") > 0 {
            if let Some((_, said)) = line.split_once(MARK) {
                return said.trim().to_string();
            }
            line.clear();
        }
        panic!("the helper ended early")
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

    /// Stops all its threads.
    pub fn stop(&self) {
        // SAFETY: the handle is open until the child is dropped.
        assert_eq!(unsafe { NtSuspendProcess(self.child.as_raw_handle()) }, 0);
    }

    /// Kills it and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("an end");
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.kill();
    }
}

/// In a helper: opens the region, says who it is, and stays until it is told to end.
pub fn hold(place: &Place) {
    let attached = place.open();
    say(&ident(&attached).word().to_string());
    hear();
}
