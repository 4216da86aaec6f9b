//! Many to one, one to many, calls and events, each beside what a program would use instead.

mod calls;
mod events;
mod followers;
mod lanes;

use serde_json::Value;
use strait::{Plan, Region};

use crate::contenders::{options, region};
use crate::error::Result;
use crate::job::Job;

/// What is measured, and for how many producers, readers or clients.
pub const LANES: (&str, &[usize]) = ("lanes", &[1, 2, 4, 8, 32]);
/// Readers of a broadcast.
pub const FOLLOWERS: (&str, &[usize]) = ("followers", &[1, 2, 4]);
/// One client.
pub const CALLS: (&str, &[usize]) = ("calls", &[1]);
/// One notifier.
pub const EVENTS: (&str, &[usize]) = ("events", &[1]);

/// The figures of each, as the report names them.
pub fn figures(of: &str) -> Option<&'static [&'static str]> {
    Some(match of {
        "lanes" => lanes::FIGURES,
        "followers" => followers::FIGURES,
        "calls" => calls::FIGURES,
        "events" => events::FIGURES,
        _ => return None,
    })
}

/// Measures what the job names, if it is one of these.
pub fn measure(job: &Job) -> Option<Result<Value>> {
    Some(match job.who.as_str() {
        "lanes" => lanes::measure(job),
        "followers" => followers::measure(job),
        "calls" => calls::measure(job),
        "events" => events::measure(job),
        _ => return None,
    })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn iceoryx2(error: impl std::fmt::Debug) -> String {
    format!("iceoryx2: {error:?}")
}

/// A name of a service of iceoryx2, which this process alone uses.
fn service_name() -> Result<iceoryx2::prelude::ServiceName> {
    iceoryx2::prelude::set_log_level(iceoryx2::prelude::LogLevel::Fatal);
    let name = format!("strait-bench/{}/many", std::process::id());
    iceoryx2::prelude::ServiceName::new(&name).map_err(iceoryx2)
}

/// A region of this plan, which nobody else can open any more.
fn own(plan: &Plan<'_>) -> Result<Region> {
    let place = region(0)?;
    let here = place.create(plan, &options()).map_err(text)?;
    place.remove().map_err(text)?;
    Ok(here)
}
