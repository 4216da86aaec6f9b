//! Helpers of the tests: scratch places, and other processes.
#![allow(dead_code, unused_imports, missing_docs)]

mod process;
pub use process::{Helper, command, end_in_a_while, eventually, hear, role, say, skip};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(target_os = "linux")]
pub mod pi;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use strait_core::{
    Channel, Plan,
    port::{Ident, Liveness, Port, Probe},
};
use strait_os::{Region, RegionFile, RegionName, RegionOptions, RegionPlace};

pub const PLAN: Plan<'static> = Plan::new(&[Channel::frames("commands", 4096, 256)]);

static COUNT: AtomicU32 = AtomicU32::new(0);

pub fn unique() -> String {
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A place for a region, with the text by which a helper finds it.
pub struct Place {
    pub text: String,
    /// Nobody else uses it, and it is removed in the end.
    ours: bool,
}

impl Place {
    /// A name; on Windows, in this session.
    pub fn local() -> Self {
        Self { text: format!("local:{}", unique()), ours: true }
    }

    /// A name that all sessions see, where there are sessions.
    pub fn global() -> Self {
        Self { text: format!("global:{}", unique()), ours: true }
    }

    /// A file.
    pub fn file(scratch: &Scratch) -> Self {
        Self { text: format!("file:{}", scratch.path(&unique()).display()), ours: true }
    }

    /// In a helper: the place from a test's text.
    pub fn told(text: &str) -> Self {
        Self { text: text.into(), ours: false }
    }

    /// The name or the path.
    pub fn what(&self) -> &str {
        self.text.split_once(':').expect("a kind").1
    }

    pub fn region(&self) -> RegionPlace {
        match self.text.split_once(':').expect("a kind") {
            ("local", name) => RegionName::new(name).expect("a name").into(),
            ("global", name) => global(name).into(),
            (_, path) => RegionFile::new(path).into(),
        }
    }

    pub fn create(&self) -> Region {
        self.region().create(&PLAN, &RegionOptions::new()).expect("create")
    }

    pub fn open(&self) -> Region {
        self.region().open(&RegionOptions::new()).expect("open")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.ours {
            let _ = self.region().remove();
        }
    }
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        self.text.as_ref()
    }
}

/// Every kind of region in turn.
pub fn everywhere(test: impl Fn(&Place)) {
    let scratch = Scratch::new();
    for place in places(&scratch) {
        test(&place);
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

    /// Its content.
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

pub fn ident(attached: &Region) -> Ident {
    attached.port().ident().expect("a participant")
}

pub fn probe(attached: &Region, who: Ident) -> Probe {
    attached.port().probe(who)
}

impl Helper {
    /// The helper's identity, which it prints next.
    pub fn hear_ident(&mut self) -> Ident {
        let word = self.hear().parse().expect("a number");
        Ident::from_word(word).expect("an identity")
    }
}

/// In a helper: opens the region, prints its identity, and stays until it is asked to end.
pub fn hold(place: &Place) {
    let attached = place.open();
    say(&ident(&attached).word().to_string());
    hear();
}
