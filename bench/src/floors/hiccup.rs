//! How late an empty spin is for a timetable: what the machine does to anybody.

use serde_json::{Value, json};

use crate::drive::tail::steps;
use crate::ends::until;
use crate::error::Result;
use crate::job::Job;
use crate::sides;
use crate::stats::{add_steps, histogram};
use crate::sys::now;

/// Nanoseconds between two entries of the timetable.
const INTERVAL: u64 = 250;

fn spin(samples: u64) -> Value {
    let mut late = histogram();
    let start = now();
    for i in 0..samples {
        let due = start + i * INTERVAL;
        until(|| now() >= due);
        late.saturating_record(now() - due);
    }
    steps(&late)
}

/// Spins on both cores at once.
pub fn measure(job: &Job) -> Result<Value> {
    let samples = job.samples.max(job.micros * 1000 / INTERVAL);
    let (first, second) = sides::run(
        job,
        |control| {
            control.meet();
            Ok(spin(samples))
        },
        |control| {
            control.meet();
            Ok(spin(samples).to_string())
        },
    )?;
    let second: Value = serde_json::from_str(&second).map_err(|error| format!("hiccups: {error}"))?;
    let mut both = histogram();
    add_steps(&mut both, &first);
    add_steps(&mut both, &second);
    Ok(json!({ "ns": both.value_at_quantile(0.5), "histogram": steps(&both) }))
}
