//! Scratch places.

use std::env;
use std::fs;
use std::path::PathBuf;

/// A directory of its own; removed in the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let dir = env::temp_dir().join(format!("strait-pipes-{}", std::process::id()));
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
