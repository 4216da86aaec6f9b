//! The parts of the tests that differ on Unix: signals, users, and files under names.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use strait_core::format::Header;
use strait_core::port::Port as _;
use strait_os::{Region, RegionName, RegionPlace};

use super::{Helper, Place, Scratch, hear, role, say, unique};

/// A name that all sessions see, as every name here.
pub fn global(name: &str) -> RegionName {
    RegionName::new(name).expect("a name")
}

/// A place of each kind.
pub fn places(scratch: &Scratch) -> Vec<Place> {
    vec![Place::local(), Place::file(scratch)]
}

/// A helper's part: it sends a frame of tag 1 on "up" and forks. Its child tries to send, says which region it sees, and
/// whether it was told that it is a child, and ends.
pub fn fork_and_tell(region: Region) {
    let mut up = region.producer("up").unwrap();
    up.try_send(1, b"before").unwrap();
    // SAFETY: the only other threads of this process wait; the C library keeps its allocator usable in the child.
    match unsafe { nix::unistd::fork() }.expect("a child") {
        nix::unistd::ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("its end");
        }
        nix::unistd::ForkResult::Child => {
            // A sender that knows of free space looks at the memory later.
            let mut sent = (0..100).map(|_| up.try_send(99, b"of the child"));
            let told = sent.any(|sent| sent.is_err_and(|why| format!("{why:?}").contains("Forked")));
            let seen = Header::check(region.port().mem()).expect("its own memory").instance;
            drop((up, region));
            say(&format!("{seen:x}, told: {told}"));
            std::process::exit(0);
        }
    }
    hear();
}

/// The test's side: the child of [`fork_and_tell`] has seen this region, and nothing of it has arrived.
pub fn meets_no_child(region: &Region, helper: &mut Helper) {
    assert_eq!(helper.hear(), format!("{:x}, told: true", region.header().instance));
    let (mut up, mut buf) = (region.consumer("up").unwrap(), [0; 256]);
    let tags: Vec<u32> = std::iter::from_fn(|| Some(up.try_recv(&mut buf).ok()?.tag)).collect();
    assert_eq!(tags, [1], "nothing of the child's");
}

/// A name of a region that nobody else uses; removed in the end.
pub struct Name(pub String);

impl Name {
    pub fn new() -> Self {
        Self(unique())
    }

    pub fn region(&self) -> RegionName {
        global(&self.0)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = self.region().remove();
    }
}

/// The file of a region.
pub fn path_of(region: &RegionPlace) -> &Path {
    region.path().expect("a file, because it is Unix")
}

/// A helper's place, which is a file here.
pub fn told_file(path: &str) -> Place {
    Place::told(&format!("file:{path}"))
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// In a helper: the role to play and its argument. The process ends in a while, should the test forget it.
pub fn role_for_a_while() -> Option<(String, String)> {
    let role = role()?;
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

impl Helper {
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the helper is there");
    }

    /// Stops all its threads.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }
}

/// How many creators are killed, and how much later each.
pub const KILLS: u32 = 30;
pub const KILL_STEP: Duration = Duration::from_micros(100);
/// How often a race is to end in each way, and how long that may take.
pub const RACES: usize = 100;
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Between what a helper does again and again.
pub const BREATH: Duration = Duration::from_micros(50);
/// Every length is tried.
pub const LENGTHS_STEP: usize = 1;
/// The least durations of a sleep of 100 ms and a pause of 50 ms.
pub const SHORTEST_SLEEP: Duration = Duration::from_millis(90);
pub const SHORTEST_PAUSE: Duration = Duration::from_millis(40);
/// Until a helper sleeps that has said that it is about to.
pub const ASLEEP: Duration = Duration::from_millis(100);

/// Whether a process ended by an access that was not allowed.
pub fn died_of_access(status: ExitStatus) -> bool {
    matches!(status.signal(), Some(nix::libc::SIGSEGV | nix::libc::SIGBUS))
}
