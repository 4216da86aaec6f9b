//! `strait rm`: removing regions.

use std::fs::File;
use std::io::Read;

use strait::OpenError;
use strait::ground::header::MAGIC;

use crate::args::Rm;
use crate::error::{Error, Result, reported};
use crate::look;
use crate::place::Place;
use crate::text;

/// Removes each region; goes on after one that cannot be.
pub fn run(wanted: &Rm) -> Result<()> {
    let mut result = Ok(());
    for place in &wanted.regions {
        if let Err(error) = remove(place, wanted.force) {
            let _ = error.report();
            result = Err(reported());
        }
    }
    result
}

fn remove(place: &Place, force: bool) -> Result<()> {
    let region = place.region()?;
    match look::open(place, &region) {
        Ok(attachment) if !force => refuse_if_used(place, &look::living(&attachment))?,
        Ok(_) => {}
        Err(OpenError::NotFound) => return Err(not_found(place)),
        // A damaged region, or one of another version, may go; somebody's file may not.
        Err(error) => {
            if let Place::At(path) = place
                && !starts_like_a_region(path)
            {
                return Err(Error::failed(format!("{place}: {error}; not removed")));
            }
        }
    }
    region.remove().map_err(|error| Error::at(place, error))
}

fn refuse_if_used(place: &Place, living: &[strait::participants::Participant]) -> Result<()> {
    if living.is_empty() {
        return Ok(());
    }
    let pids: Vec<String> =
        living.iter().filter(|one| one.card.pid != 0).map(|one| one.card.pid.to_string()).collect();
    let who =
        if pids.is_empty() { String::new() } else { format!(" (pid {})", text::printable(&pids.join(", "))) };
    Err(Error::failed(format!(
        "{place}: in use by {}{who}; end them first, or give --force",
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

/// There is no such region.
pub fn not_found(place: &Place) -> Error {
    Error::failed(match place {
        Place::Named(_) => format!("{place}: there is none of that name; `strait ls` shows those there are"),
        Place::At(_) => {
            format!("{place}: there is no such file; a name without a slash means a named region")
        }
    })
}
