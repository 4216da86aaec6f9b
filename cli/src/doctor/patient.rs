//! A trial region, and the region that the user named.

use std::time::Duration;

use strait::format::inspect::channel_state;
use strait::{
    Channel, OpenError, Plan, RegionName, RegionOptions,
    port::{Port, Probe},
};

use super::Finding;
use crate::error::{Error, Result};
use crate::observe;
use crate::region_arg::RegionArg;
use crate::text::printable;

const TRIAL: Plan = Plan::new(&[Channel::slots::<u64>("trial", 8).consumer_may_block()]);
const SOURCE: &str = "a trial region";

/// Makes a region by name, sends a message through it, proves its participant alive, and removes it.
pub fn trial() -> Finding {
    let name = format!("doctor-{}", std::process::id());
    let tried = tried(&name);
    let found = tried.as_ref().map_or_else(String::clone, |()| "made, used and removed".to_owned());
    Finding::new("a named region", SOURCE, found).broken(
        tried.is_err(),
        "mend this first; regions in files (`RegionFile`) may work where names do not",
    )
}

fn tried(name: &str) -> std::result::Result<(), String> {
    let place = RegionName::new(name).map_err(|error| error.to_string())?;
    let region = place.create(&TRIAL, &RegionOptions::new()).map_err(|error| error.to_string())?;
    let used =
        (|| {
            let mut sends = region.typed_producer::<u64>("trial").map_err(|error| error.to_string())?;
            let mut receives = region.typed_consumer::<u64>("trial").map_err(|error| error.to_string())?;
            sends.try_send(&7).map_err(|error| error.to_string())?;
            receives.recv_timeout(Duration::from_secs(1)).map_err(|error| error.to_string())?;
            match observe::participants(&region).first().map(|one| one.probe) {
                Some(Probe::Alive) => Ok(()),
                _ => Err("works, but a participant cannot be proven alive or dead, so nothing is taken over"
                    .into()),
            }
        })();
    let removed = place.remove().map_err(|error| error.to_string());
    used.and(removed)
}

/// What is wrong in a region.
///
/// # Errors
///
/// That it cannot be opened.
pub fn region(arg: &RegionArg) -> Result<Vec<Finding>> {
    let place = arg.region()?;
    let region = observe::open(arg, &place).map_err(|error| match error {
        OpenError::NotFound => arg.not_found(),
        error => Error::at(arg, error),
    })?;
    let source = || printable(&place.to_string());
    let participants = observe::participants(&region);
    let dead = participants.iter().filter(|one| one.probe == Probe::Dead).count();
    let unknown = participants.iter().filter(|one| one.probe == Probe::Unknown).count();
    let mut findings = vec![
        Finding::new("participants", source(), format!("{} joined, {dead} dead, {unknown} unknown", participants.len()))
            .late(
                unknown > 0,
                "the death of a participant of another machine, namespace or system is not proven: its roles stay taken",
            ),
    ];
    let (mem, line) = (region.port().mem(), region.header().line);
    for entry in region.channels() {
        let state = channel_state(mem, line, &entry);
        let name = printable(entry.name().unwrap_or("?"));
        let faults = (state.producer_fault, state.consumer_fault);
        if faults != (0, 0) {
            let found = format!("`{name}` reports violation {}/{} of FORMAT.md", faults.0, faults.1);
            findings.push(Finding::new("channel", source(), found).broken(
                true,
                "a peer wrote what it must not: find it, end all programs, then `strait reset REGION CHANNEL`",
            ));
        }
        if state.refused > 0 {
            let found = format!(
                "`{name}` refused {} of {} messages",
                state.refused,
                state.refused.wrapping_add(state.sent)
            );
            findings.push(
                Finding::new("channel", source(), found)
                    .late(true, "it was full: a larger ring, or a consumer that comes more often"),
            );
        }
    }
    Ok(findings)
}
