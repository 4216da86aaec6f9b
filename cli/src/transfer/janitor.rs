//! Cleaning up after a side that is ended from outside, by Ctrl-C or worse.
//!
//! Each side starts a second process, which does nothing but wait for the end of its standard input.
//! That comes when the side ends, however it ends. What is then left of it, an unfinished file and a
//! region in which nobody lives, is removed. The process leads a group of its own, so that Ctrl-C
//! does not reach it. Without it (it could not be started, or was killed as well) such a region
//! stays until the next transfer of that name.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::args::{CleanUp, Transfer};
use crate::os;
use crate::region_arg::RegionArg;

use super::removal;

/// Starts the process for this side. It ends when the value is dropped, or when this process ends.
pub fn start(wanted: &Transfer, part: Option<&Path>) -> Option<Child> {
    let program = std::env::current_exe().ok()?;
    let region: OsString = match &wanted.region {
        RegionArg::Named(name) => name.into(),
        RegionArg::At(path) => path.into(),
    };
    let mut command = Command::new(program);
    command.arg("clean-up").arg("--").arg(region).arg(&wanted.channel).args(part);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    os::apart(&mut command).spawn().ok()
}

/// Runs as that process.
pub fn run(wanted: &CleanUp) {
    while matches!(stdin().read(&mut [0; 64]), Ok(len) if len > 0) {}
    if let Some(part) = &wanted.part {
        let _ = fs::remove_file(part);
    }
    if let Ok(region) = wanted.region.region() {
        removal::sweep(&region, &wanted.channel);
    }
}
