//! What the tests share: scratch places, and other processes.
#![allow(dead_code, unused_imports, missing_docs)]

mod process;
pub use process::{Helper, command, eventually, hear, say, skip};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use strait_core::{Attachment, Channel, Ident, Liveness, Plan, Port, Probe};
use strait_os_unix::{Options, Region, UnixPort};

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

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// In a helper: the role to play and its argument.
pub fn role() -> Option<(String, String)> {
    let role = process::role()?;
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
}

/// In a helper: opens the region at `path`, says who it is, and stays until it is told to end.
pub fn hold(path: &str) {
    let attached = Region::at(path).open(&Options::new()).expect("the region");
    say(&ident(&attached).word().to_string());
    hear();
}
