//! The supervisor: lets the parts begin, shows the state, kills if it is to, waits for the ends within
//! a bound.

use std::time::{Duration, Instant};

use serde_json::Value;
use strait::{LatestReader, Reading, Region, port::Clock};

use crate::args::{Demo, Role};
use crate::error::{Error, Result};

use super::child::{Event, Parts, ROLES, describe, name};
use super::frames::{STATE, Snapshot};
use super::killer::{Kill, Killer};
use super::part::PATIENCE;
use super::show::Show;

/// How often the state is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The same, if there is killing to do.
const LOOK_TO_KILL: Duration = Duration::from_millis(2);
/// How long the others may take to end once the plant has.
const AFTER_END: Duration = Duration::from_secs(5);
/// The same, once one has failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// The outcome of the run.
pub struct Outcome {
    /// The plant's report.
    pub plant: Value,
    /// The processes that were killed.
    pub kills: Vec<Kill>,
}

/// Where the run stands.
struct Run<'p, 'a> {
    parts: &'p mut Parts<'a>,
    /// The number of the process that has each role.
    current: [u64; 3],
    /// A controller that has been started in advance, because that takes long on a busy machine.
    spare: Option<u64>,
    killer: Option<Killer>,
    report: Option<Value>,
    ended: [bool; 3],
    state: Option<Snapshot>,
    /// The error that a part reported.
    complaint: Option<String>,
    /// How a part ended that said nothing.
    accident: Option<String>,
}

/// Runs the parts to their ends. No wait is longer than [`PATIENCE`] without a step of the plant's.
pub fn supervise(parts: &mut Parts<'_>, attachment: &Region, wanted: &Demo, steps: u64) -> Result<Outcome> {
    let mut state: LatestReader<Snapshot, _> =
        attachment.latest_reader(STATE).map_err(|error| Error::at("the demo's region", error))?;
    let port = attachment.port();
    let show = Show::new(steps, wanted.rate);
    let mut run = Run {
        parts,
        current: ROLES.map(|role| role as u64),
        spare: None,
        killer: wanted.kill_every.map(|every| Killer::new(every, wanted.rate)),
        report: None,
        ended: [false; 3],
        state: None,
        complaint: None,
        accident: None,
    };
    let look = if run.killer.is_some() { LOOK_TO_KILL } else { LOOK };
    let (mut limit, mut shown) = (Instant::now() + PATIENCE, Instant::now());
    run.begin()?;
    while !run.is_over() && Instant::now() < limit {
        let event = run.parts.next(look);
        if let Reading::Fresh(snapshot) = state.read() {
            run.state = Some(snapshot);
            if run.patience().is_none() {
                limit = Instant::now() + PATIENCE;
            }
            if shown.elapsed() >= LOOK {
                shown = Instant::now();
                show.update(&snapshot);
            }
        }
        if let Some((number, event)) = event {
            run.take(number, event, port, &show)?;
            if let Some(patience) = run.patience() {
                limit = limit.min(Instant::now() + patience);
            }
        }
        run.kill_controller(port)?;
    }
    show.finish();
    run.result()
}

impl Run<'_, '_> {
    fn begin(&mut self) -> Result<()> {
        self.current.iter().for_each(|&number| self.parts.begin(number));
        if self.killer.is_some() {
            self.spare = Some(self.parts.spawn(Role::Controller)?);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.ended == [true; 3]
    }

    /// Whether the plant has made its last step: what the others do from there on is no failure.
    fn is_done(&self) -> bool {
        self.report.is_some() || self.state.is_some_and(|state| state.over != 0)
    }

    fn take(&mut self, number: u64, event: Event, clock: &impl Clock, show: &Show) -> Result<()> {
        if let (Event::Repaired(at_ns), Some(killer)) = (&event, &mut self.killer) {
            killer.repaired(*at_ns);
        }
        // Reports of parts that have been killed are out of date.
        let Some(at) = self.current.iter().position(|&current| current == number) else { return Ok(()) };
        let role = ROLES[at];
        match event {
            // Those that come later would say the same.
            Event::Note(text) if number == role as u64 => show.note(&format!("{}: {text}", name(role))),
            Event::Note(_) | Event::Repaired(_) => {}
            Event::Inside => self.kill(role, clock)?,
            Event::Report(report) => {
                if role == Role::Plant {
                    self.report = Some(report);
                }
                self.ended[at] = true;
            }
            Event::Error(text) => {
                if role == Role::Plant || !self.is_done() {
                    self.complaint.get_or_insert(format!("{}: {text}", name(role)));
                }
                // Its error counts as its report: its end is explained.
                self.ended[at] = true;
            }
            Event::Ended => {
                if !self.ended[at] && (role == Role::Plant || !self.is_done()) {
                    let how = describe(self.parts.status(number));
                    self.accident.get_or_insert(format!("the {} {how}", name(role)));
                }
                self.ended[at] = true;
            }
        }
        Ok(())
    }

    /// Kills the controller, if it is time.
    fn kill_controller(&mut self, clock: &impl Clock) -> Result<()> {
        let (Some(killer), Some(state)) = (&mut self.killer, self.state) else { return Ok(()) };
        let at_work = state.controller == self.current[Role::Controller as usize];
        if killer.is_time(at_work, state.step) && !self.ended[Role::Controller as usize] && !self.is_done() {
            self.kill(Role::Controller, clock)?;
        }
        Ok(())
    }

    /// Kills the process that has the role, and lets another one take its place.
    fn kill(&mut self, role: Role, clock: &impl Clock) -> Result<()> {
        let at_ns = clock.now_ns();
        let at = role as usize;
        if self.killer.is_none() || !self.parts.kill(self.current[at]) {
            return Ok(());
        }
        if role == Role::Tuner && self.is_done() {
            self.ended[at] = true;
            return Ok(());
        }
        let successor = match self.spare.take_if(|_| role == Role::Controller) {
            Some(spare) => spare,
            None => self.parts.spawn(role)?,
        };
        self.parts.begin(successor);
        self.current[at] = successor;
        let step = self.state.map_or(0, |state| state.step);
        if let Some(killer) = &mut self.killer {
            killer.killed(role, step, at_ns, successor);
        }
        if role == Role::Controller {
            self.spare = Some(self.parts.spawn(role)?);
        }
        Ok(())
    }

    /// How long the end may take from here, if it has begun.
    fn patience(&self) -> Option<Duration> {
        if self.complaint.is_some() || self.accident.is_some() {
            return Some(AFTER_FAILURE);
        }
        self.ended[Role::Plant as usize].then_some(AFTER_END)
    }

    /// An accident comes before a complaint, which may be about that very accident.
    fn result(self) -> Result<Outcome> {
        if let Some(reason) = self.accident.or(self.complaint) {
            return Err(Error::failed(reason));
        }
        let Some(plant) = self.report else {
            let seconds = PATIENCE.as_secs();
            return Err(Error::failed(format!("the plant made no step for {seconds} s; was it stopped?")));
        };
        if let Some(at) = self.ended.iter().position(|ended| !ended) {
            return Err(Error::failed(format!("the {} did not end; was it stopped?", name(ROLES[at]))));
        }
        let gaps: Vec<(u64, u64)> = serde_json::from_value(plant["gaps"].clone()).unwrap_or_default();
        let kills = self.killer.map_or(Vec::new(), |killer| killer.finish(&gaps));
        Ok(Outcome { plant, kills })
    }
}
