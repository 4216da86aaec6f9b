//! `strait demo`: an inverted pendulum, balanced by four processes over one region.
//!
//! ```text
//!              sensors (queue)                 gains (mutex)
//!    plant  --------------------->  controller <-----------> tuner
//!      |    <---------------------
//!      |       forces (queue)
//!      | state (latest value)
//!      v
//!   supervisor (this process): starts the others, shows the state, sums up, cleans up; and kills
//!   controllers and tuners, if asked to
//! ```

mod child;
mod control;
mod controller;
mod frames;
mod gain_table;
mod killer;
mod part;
mod physics;
mod plant;
mod plot;
mod report;
mod show;
mod supervisor;
mod tally;
mod trace;
mod tuner;

use std::time::{SystemTime, UNIX_EPOCH};

use strait::{Region, RegionName, RegionOptions, RegionPlace};

use crate::args;
use crate::error::{Error, Result};
use crate::observe;
use crate::print;
use crate::region_arg::RegionArg;
use crate::transfer::output::Output;

use frames::Gains;

/// How the demo's regions are called, with the supervisor's process and the time behind it.
const PREFIX: &str = "demo-";

/// Runs the demo and prints its result.
pub fn run(wanted: &args::Demo) -> Result<()> {
    check(wanted)?;
    sweep(PREFIX, |region| frames::are_ours(region.channels()));
    let arg = RegionArg::Named(fresh_name(PREFIX));
    let steps = (wanted.seconds * f64::from(wanted.rate)).round().max(1.0) as u64;
    let region = Removed::new(arg.region()?);
    // The parts come first: from then on the region is removed even if this process is killed.
    let gains = control::design(1.0 / f64::from(wanted.rate));
    let mut parts = child::Parts::start(wanted, &arg, steps, gains)?;
    let channels = frames::channels(wanted.rate);
    let plan = frames::plan(&channels);
    let attachment = region.0.create(&plan, &RegionOptions::new()).map_err(|error| Error::at(&arg, error))?;
    let mut table = gain_table::GainTable::open(&attachment).map_err(Error::failed)?;
    table.lock(part::PATIENCE).map_err(Error::failed)?.guard.set(&Gains::new(gains));
    let outcome = supervisor::supervise(&mut parts, &attachment, wanted, steps)?;
    let gains = table.lock(part::PATIENCE).map_err(Error::failed)?.guard.get();
    let summary = report::Summary::read(&outcome, &attachment, &gains, wanted.rate)
        .ok_or_else(|| Error::failed("the plant gave a report that does not fit; rebuild this program"))?;
    drop((parts, table, attachment));
    drop(region);
    if let Some(path) = &wanted.plot {
        let drawing = plot::draw(&outcome, wanted.rate, &summary.title())
            .ok_or_else(|| Error::failed("the plant gave no trace; rebuild this program"))?;
        Output::put(path, &drawing)?;
    }
    let is_taken = wanted.plot.as_deref().is_some_and(print::is_stream);
    print::result(&if wanted.json { summary.json() } else { summary.text() }, is_taken)?;
    summary.verdict().map_or(Ok(()), |reason| Err(Error::failed(reason)))
}

/// Plays one of the parts, in the process that was started for it.
pub fn play(wanted: &args::Part) -> Result<()> {
    part::run(wanted, |attachment| match wanted.role {
        args::Role::Plant => plant::run(wanted, attachment),
        args::Role::Controller => controller::run(wanted, attachment),
        args::Role::Tuner => tuner::run(wanted, attachment),
    })
}

/// A name that no other region has: with this process and the time behind `prefix`.
pub fn fresh_name(prefix: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    format!("{prefix}{}-{now:x}", std::process::id())
}

/// Refuses contradictory arguments, before anything starts.
pub fn check(wanted: &args::Demo) -> Result<()> {
    if let Some(every) = wanted.kill_every.filter(|every| every.as_secs_f64() >= wanted.seconds) {
        return Err(Error::usage(format!(
            "--kill-every {}: a run of {} s is over before; give less, or a longer run with --seconds",
            every.as_millis(),
            wanted.seconds
        )));
    }
    // Whether it can be written. Dropped, it was never there.
    wanted.plot.as_deref().map_or(Ok(()), Output::check)
}

/// A region that is removed in the end, whatever the end is.
pub struct Removed(RegionPlace);

impl Removed {
    /// The region, which need not be there yet.
    pub fn new(place: RegionPlace) -> Self {
        Self(place)
    }

    /// Where it is.
    pub fn place(&self) -> &RegionPlace {
        &self.0
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

/// Removes what runs have left behind that were killed as a whole: regions of that prefix that are `ours`.
pub fn sweep(prefix: &str, are_ours: impl Fn(&Region) -> bool) {
    for name in RegionName::list().unwrap_or_default() {
        if !name.starts_with(prefix) {
            continue;
        }
        let arg = RegionArg::Named(name);
        let Ok(region) = arg.region() else { continue };
        let is_left = observe::open(&arg, &region)
            .is_ok_and(|attachment| are_ours(&attachment) && observe::living(&attachment).is_empty());
        if is_left {
            let _ = region.remove();
        }
    }
}
