//! `strait demo --plant`: ten processes over one region, with every pattern of exchange at once.
//!
//! ```text
//!                calls                     broadcast
//!   planner  <----------->  drive 0..2     state:  controller  --------->  screen 0, 1 (read-only)
//!
//!                latest value
//!   stop button  -------->  drive 0..2, controller
//!
//!                lanes of one queue           pipe
//!   everybody  ------------------->  recorder  ---->  supervisor (this process)
//! ```
//!
//! The supervisor starts the others, kills one at random now and then, and starts its successor. It keeps the books
//! by what the recorder hands over, and compares them with the region's own counts at the end: every line that was
//! committed, every call's one end, every state that a screen received or lost, every role that was taken over.

mod button;
mod calls;
mod controller;
mod crew;
mod drive;
mod ledger;
mod messages;
mod part;
mod planner;
mod recorder;
mod report;
mod screen;
mod stations;
mod supervisor;

use std::time::Duration;

use strait::RegionOptions;

use crate::args;
use crate::demo::{self, Removed};
use crate::error::{Error, Result};
use crate::print;
use crate::region_arg::RegionArg;

use stations::{Job, STATIONS};

/// How the plant's regions are called, with the supervisor's process and the time behind it.
const PREFIX: &str = "plant-";

/// Runs the plant and prints its result.
pub fn run(wanted: &args::Demo) -> Result<()> {
    demo::check(wanted)?;
    demo::sweep(PREFIX, |region| messages::are_ours(region.channels()));
    let name = demo::fresh_name(PREFIX);
    let arg = RegionArg::Named(name.clone());
    let place = Removed::new(arg.region()?);
    // The processes come first: from then on the region is removed even if this one is killed.
    let mut crew = crew::Crew::start(&name)?;
    let channels = messages::channels();
    let region = place
        .place()
        .create(&messages::plan(&channels), &RegionOptions::new())
        .map_err(|error| Error::at(&arg, error))?;
    let outcome = supervisor::supervise(&mut crew, &region, wanted)?;
    let counts = report::Counts::read(&region)?;
    drop((crew, region, place));
    let summary = report::Summary::new(&outcome, counts, wanted.seconds);
    print::out(&if wanted.json { summary.json() } else { summary.text() })?;
    summary.verdict().map_or(Ok(()), |reason| Err(Error::failed(reason)))
}

/// Plays one of the parts, in the process that was started for it.
pub fn play(wanted: &args::PlantPart) -> Result<()> {
    part::run(wanted, |part| match STATIONS[part.station].job {
        Job::Drive => drive::run(part),
        Job::Planner => planner::run(part),
        Job::Controller => controller::run(part),
        Job::Screen(micros) => screen::run(part, Duration::from_micros(micros)),
        Job::Button => button::run(part),
        Job::Recorder => recorder::run(part),
    })
}
