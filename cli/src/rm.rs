//! `strait rm`: removing regions.

use std::fs::File;
use std::io::Read;

use strait::OpenError;
use strait::format::MAGIC;

use crate::args::Rm;
use crate::error::{Error, Result, reported};
use crate::observe::{self, Member, Pid};
use crate::print;
use crate::region_arg::RegionArg;
use crate::text;

/// Removes each region; goes on after one that cannot be.
pub fn run(wanted: &Rm) -> Result<()> {
    let mut result = Ok(());
    for arg in &wanted.regions {
        if let Err(error) = remove(arg, wanted.force) {
            let _ = print::report(&error);
            result = Err(reported());
        }
    }
    result
}

fn remove(arg: &RegionArg, force: bool) -> Result<()> {
    let region = arg.region()?;
    match observe::open(arg, &region) {
        Ok(attachment) if !force => refuse_if_used(arg, &observe::living(&attachment))?,
        Ok(_) => {}
        Err(OpenError::NotFound) => return Err(arg.not_found()),
        // A damaged region, or one of another version, may go; somebody's file may not.
        Err(error) => {
            if let RegionArg::At(path) = arg
                && !starts_like_a_region(path)
            {
                return Err(Error::failed(format!("{arg}: {error}; not removed")));
            }
        }
    }
    region.remove().map_err(|error| Error::at(arg, error))
}

fn refuse_if_used(arg: &RegionArg, living: &[Member]) -> Result<()> {
    if living.is_empty() {
        return Ok(());
    }
    let pids = living.iter().map(|one| one.pid).filter(|pid| *pid != Pid::Unknown);
    let pids: Vec<String> = pids.map(|pid| pid.to_string()).collect();
    let who =
        if pids.is_empty() { String::new() } else { format!(" (pid {})", text::printable(&pids.join(", "))) };
    Err(Error::failed(format!(
        "{arg}: in use by {}{who}; end them first, or give --force",
        if living.len() == 1 { "1 participant".into() } else { format!("{} participants", living.len()) },
    )))
}

fn starts_like_a_region(path: &std::path::Path) -> bool {
    let mut start = [0; 4];
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    is_file
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && u32::from_le_bytes(start) == MAGIC
}
