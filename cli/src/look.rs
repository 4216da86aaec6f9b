//! Looking at a region without taking part in it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use strait::participants::{self, Participant};
use strait::{Attachment, OpenError, Options, Port, Probe, Region, SystemPort};

use crate::place::Place;

/// Maps a region for reading alone, whoever owns it and whatever its mode, as long as the system
/// lets this user read it. The path of a region may be a symbolic link.
pub fn open(place: &Place, region: &Region) -> Result<Attachment<SystemPort>, OpenError> {
    let path = region.path();
    let resolved = match place {
        Place::At(_) => fs::canonicalize(path).map_or_else(|_| region.clone(), Region::at),
        Place::Named(_) => region.clone(),
    };
    let mut options = Options::new().read_only(true).mode(0o7777);
    if let Ok(found) = resolved.path().symlink_metadata() {
        options = options.owner(found.uid());
    }
    resolved.open(&options)
}

/// Those who have joined and not left, the dead included.
pub fn participants(attachment: &Attachment<SystemPort>) -> Vec<Participant> {
    let port = attachment.port();
    participants::list(port.mem(), attachment.header(), port).collect()
}

/// Those who have joined and are not proven dead.
pub fn living(attachment: &Attachment<SystemPort>) -> Vec<Participant> {
    let mut list = participants(attachment);
    list.retain(|participant| participant.probe != Probe::Dead);
    list
}

/// The word for what is known of a participant.
pub fn word(probe: Probe) -> &'static str {
    match probe {
        Probe::Alive => "alive",
        Probe::Dead => "dead",
        Probe::Unknown => "unknown",
    }
}
