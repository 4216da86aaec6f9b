//! The supervisor: lets the parts begin, shows the state, waits for their ends within a bound.

use std::time::{Duration, Instant};

use serde_json::Value;
use strait::{Attachment, LatestReader, Reading, SystemPort};

use crate::args::Role;
use crate::error::{Error, Result};

use super::child::{Event, Parts, describe, name};
use super::frames::{STATE, Snapshot};
use super::part::PATIENCE;
use super::show::Show;

/// How often the state is shown.
const LOOK: Duration = Duration::from_millis(50);
/// How long the second part may take to end once the first has.
const AFTER_END: Duration = Duration::from_secs(3);
/// The same, once the first has failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// What the parts reported.
pub struct Reports {
    pub plant: Value,
    pub controller: Value,
}

/// Where the two parts stand.
#[derive(Default)]
struct Progress {
    reports: [Option<Value>; 2],
    ended: [bool; 2],
    /// What a part said of its failure.
    complaint: Option<String>,
    /// How a part ended that said nothing.
    accident: Option<String>,
}

/// Runs the parts to their ends. No wait is longer than [`PATIENCE`] without a step of the plant's.
pub fn supervise(
    parts: &mut Parts,
    attachment: &Attachment<SystemPort>,
    steps: u64,
    rate: u32,
) -> Result<Reports> {
    let mut state: LatestReader<Snapshot, _> =
        attachment.latest_reader(STATE).map_err(|error| Error::at("the demo's region", error))?;
    let show = Show::new(steps, rate);
    let mut progress = Progress::default();
    let mut limit = Instant::now() + PATIENCE;
    parts.begin();
    while progress.ended != [true; 2] && Instant::now() < limit {
        if let Some((role, event)) = parts.next(LOOK) {
            progress.take(role, event, parts, &show);
            if let Some(patience) = progress.patience() {
                limit = limit.min(Instant::now() + patience);
            }
        }
        match state.read() {
            Reading::Fresh(snapshot) if progress.patience().is_none() => {
                limit = Instant::now() + PATIENCE;
                show.update(&snapshot);
            }
            _ => {}
        }
    }
    show.finish();
    progress.result()
}

impl Progress {
    fn take(&mut self, role: Role, event: Event, parts: &mut Parts, show: &Show) {
        let at = role as usize;
        match event {
            Event::Note(text) => show.note(&format!("{}: {text}", name(role))),
            Event::Report(report) => self.reports[at] = Some(report),
            Event::Error(text) => {
                self.complaint.get_or_insert(format!("{}: {text}", name(role)));
                // What it said counts as its report: its end is no accident.
                self.reports[at] = Some(Value::Null);
            }
            Event::Ended => {
                self.ended[at] = true;
                if self.reports[at].is_none() {
                    let how = describe(parts.status(role));
                    self.accident.get_or_insert(format!("the {} {how}", name(role)));
                }
            }
        }
    }

    /// How long the end may take from here, if it has begun.
    fn patience(&self) -> Option<Duration> {
        if self.complaint.is_some() || self.accident.is_some() {
            return Some(AFTER_FAILURE);
        }
        self.ended.contains(&true).then_some(AFTER_END)
    }

    /// An accident comes before a complaint, which may be about that very accident.
    fn result(self) -> Result<Reports> {
        if let Some(reason) = self.accident.or(self.complaint) {
            return Err(Error::failed(reason));
        }
        match (self.reports, self.ended) {
            ([Some(plant), Some(controller)], [true, true]) => Ok(Reports { plant, controller }),
            (_, [true, false]) => Err(Error::failed("the controller did not end; was it stopped?")),
            _ => Err(Error::failed(format!(
                "the plant made no step for {} s; was it stopped?",
                PATIENCE.as_secs()
            ))),
        }
    }
}
