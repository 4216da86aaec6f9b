//! A child process: measures one thing, and prints its figures as one line of JSON.

use serde_json::json;

use crate::error::Result;
use crate::job::{Job, Metric};
use crate::sys::fork;
use crate::{contenders, floors, scale, sides, sys};

/// Measures what the job says.
pub fn run(job: &Job) -> Result<()> {
    // Wrong data must not leave the other side waiting.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        hook(info);
        fork::bring_down()
    }));
    let nice = sys::hurry();
    let mut figures = match job.metric {
        Metric::Floors => floors::measure(job),
        Metric::Scale | Metric::Attach => scale::measure(job),
        _ => contenders::measure(job),
    }?;
    if let Some(distances) = sides::distances() {
        figures["distances"] = json!(distances);
    }
    figures["nice"] = nice.into();
    println!("{figures}");
    Ok(())
}
