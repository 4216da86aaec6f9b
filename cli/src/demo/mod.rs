//! `strait demo`: an inverted pendulum, balanced by three processes over one region.
//!
//! ```text
//!              sensors (queue)
//!    plant  --------------------->  controller
//!      |    <---------------------
//!      |       forces (queue)
//!      | state (latest value)
//!      v
//!   supervisor (this process): starts the others, shows the state, sums up, cleans up
//! ```

mod child;
mod control;
mod controller;
mod frames;
pub mod part;
mod physics;
mod plant;
mod report;
mod show;
mod supervisor;
mod tally;

use std::time::{SystemTime, UNIX_EPOCH};

use strait::{Options, Region};

use crate::args;
use crate::error::{Error, Result};
use crate::look;
use crate::place::Place;
use crate::text;

/// How the demo's regions are called, with the supervisor's process and the time behind it.
const PREFIX: &str = "demo-";

/// Runs the demo and prints its result.
pub fn run(wanted: &args::Demo) -> Result<()> {
    sweep();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let place = Place::Named(format!("{PREFIX}{}-{now:x}", std::process::id()));
    let steps = (wanted.seconds * f64::from(wanted.rate)).round().max(1.0) as u64;
    let region = Removed(place.region()?);
    // The parts come first: from then on the region is removed even if this process is killed.
    let mut parts = child::Parts::start(wanted, &place, steps)?;
    let channels = frames::channels(wanted.rate);
    let plan = frames::plan(&channels);
    let attachment = region.0.create(&plan, &Options::new()).map_err(|error| Error::at(&place, error))?;
    let reports = supervisor::supervise(&mut parts, &attachment, steps, wanted.rate)?;
    let summary = report::Summary::read(&reports, wanted.rate).ok_or_else(|| {
        Error::failed("the plant and the controller gave reports that do not fit; rebuild this program")
    })?;
    drop(attachment);
    drop(region);
    text::out(&if wanted.json { summary.json() } else { summary.text() })?;
    summary.verdict().map_or(Ok(()), |reason| Err(Error::failed(reason)))
}

/// A region that is removed in the end, whatever the end is.
struct Removed(Region);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

/// Removes what runs have left behind that were killed as a whole.
fn sweep() {
    for name in Region::list().unwrap_or_default() {
        if !name.starts_with(PREFIX) {
            continue;
        }
        let place = Place::Named(name);
        let Ok(region) = place.region() else { continue };
        let is_left = look::open(&place, &region).is_ok_and(|attachment| {
            frames::are_ours(attachment.channels()) && look::living(&attachment).is_empty()
        });
        if is_left {
            let _ = region.remove();
        }
    }
}
