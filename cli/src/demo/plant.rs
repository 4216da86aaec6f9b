//! The plant: simulates, sends what its sensors see, and does what the forces say.
//!
//! Each step is sent at its own deadline on the monotonic clock, so that no delay adds up, and then
//! waits for its answer, for one period at most. A plant that is late catches up as fast as the
//! controller answers; without answers it goes no faster than the rate, holding the last force.
//!
//! Where controllers are killed on purpose, simulated time stands still once there was no answer for
//! [`GRACE`] of it: how long the next one takes to get a processor on a busy machine is no matter of
//! control.
//!
//! It counts both directions: a force when it arrives, a sensor frame when its answer does. So what
//! one controller after the other has received is counted by a process that outlives them all.

use std::time::Duration;

use serde_json::{Value, json};
use strait::{
    LatestWriter, PeerStatus, RecvError, Region, SystemPort, TypedConsumer, TypedProducer, port::Clock,
};

use crate::args::Part;

use super::frames::{FORCES, Force, SENSORS, STATE, Sensors, Snapshot};
use super::part::{self, Answer};
use super::physics::{self, Disturbance};
use super::tally::Tally;
use super::trace::Trace;

/// How long the last answer may take.
const LAST: Duration = Duration::from_secs(5);
/// How long simulated time goes on without answers, where controllers are killed. The pendulum stays up
/// through as many gaps of this length as there may be.
const GRACE: Duration = Duration::from_millis(200);
/// How often a plant without answers asks whether the controller lives.
const PROBE: Duration = Duration::from_millis(100);

struct Plant {
    port: SystemPort,
    sensors: TypedProducer<Sensors, SystemPort>,
    forces: TypedConsumer<Force, SystemPort>,
    snapshots: LatestWriter<Snapshot, SystemPort>,
    period: Duration,
    state: physics::State,
    disturbance: Disturbance,
    newtons: f64,
    answered: Option<u64>,
    answered_at: u64,
    forces_seen: Tally,
    sensors_seen: Tally,
    /// The number of the controller that answered last, and when that was.
    controller: u64,
    last_answer_ns: u64,
    /// For each controller but the first: its number, and how long there was no answer before its first.
    gaps: Vec<(u64, u64)>,
    killed: bool,
    stood_still_ns: u64,
}

/// Runs the plant. Returns its report.
pub fn run(part: &Part, attachment: &Region) -> Answer<Value> {
    let text = |error: strait::ChannelError| error.to_string();
    let mut plant = Plant {
        port: attachment.port().clone(),
        sensors: attachment.typed_producer(SENSORS).map_err(text)?,
        forces: attachment.typed_consumer(FORCES).map_err(text)?,
        snapshots: attachment.latest_writer(STATE).map_err(text)?,
        period: Duration::from_secs(1) / part.rate.get(),
        state: physics::START,
        disturbance: Disturbance::new(),
        newtons: 0.0,
        answered: None,
        answered_at: attachment.port().now_ns(),
        forces_seen: Tally::new(),
        sensors_seen: Tally::new(),
        controller: u64::MAX,
        last_answer_ns: 0,
        gaps: Vec::new(),
        killed: part.killed,
        stood_still_ns: 0,
    };
    part::await_peer("controller", || match plant.forces.peer() {
        PeerStatus::Present => plant.sensors.peer(),
        other => other,
    })?;
    plant.balance(part)
}

impl Plant {
    fn balance(&mut self, part: &Part) -> Answer<Value> {
        let period = 1.0 / f64::from(part.rate.get());
        let start = self.port.now_ns();
        let (mut worst, mut held, mut step) = (0.0_f64, 0_u64, 0);
        let mut trace = part.trace.then(|| Trace::new(part.steps));
        let fallen = loop {
            worst = worst.max(physics::angle(&self.state).abs());
            let fallen = physics::has_fallen(&self.state);
            let last = fallen || step + 1 >= part.steps;
            if let Some(trace) = &mut trace {
                trace.add(step, physics::angle(&self.state), self.newtons);
            }
            let sent_at = self.send(step, last);
            let due = sent_at + nanos(self.period);
            let stands = self.killed && self.without_answers(step) >= GRACE;
            let deadline = if last || stands { sent_at + nanos(LAST) } else { due };
            held += u64::from(!self.receive(step, deadline)?);
            if stands {
                self.stood_still_ns += self.port.now_ns().saturating_sub(due);
            }
            step += 1;
            self.snapshots.publish(&self.snapshot(step, last));
            if last {
                break fallen;
            }
            let due = start + step * 1_000_000_000 / u64::from(part.rate.get());
            std::thread::sleep(Duration::from_nanos(due.saturating_sub(self.port.now_ns())));
            self.state = physics::advance(&self.state, self.newtons, period);
            self.disturbance.push(&mut self.state, period);
        };
        self.see_off()?;
        Ok(json!({
            "sent": step,
            "sensors": self.sensors_seen.to_json(),
            "forces": self.forces_seen.to_json(),
            "gaps": self.gaps,
            "stood_still_ns": self.stood_still_ns,
            "trace": trace.map(|trace| trace.to_json()),
            "worst_angle_rad": worst,
            "held": held,
            "fallen": fallen,
        }))
    }

    /// Sends a frame. One that finds no room is lost, and is seen to be by its number.
    fn send(&mut self, number: u64, last: bool) -> u64 {
        let [position_m, velocity_m_s, angle_rad, angle_rate_rad_s] = self.disturbance.measure(&self.state);
        let time_ns = self.port.now_ns();
        let last = u64::from(last);
        let frame = Sensors { number, time_ns, position_m, velocity_m_s, angle_rad, angle_rate_rad_s, last };
        let _ = self.sensors.try_send(&frame);
        time_ns
    }

    /// Receives forces until the answer to frame `number` has come, or until the deadline. Whether
    /// it has come.
    fn receive(&mut self, number: u64, deadline: u64) -> Answer<bool> {
        loop {
            let left = deadline.saturating_sub(self.port.now_ns()).min(nanos(PROBE));
            match self.forces.recv_timeout(Duration::from_nanos(left)) {
                Ok(force) => self.take(&force),
                Err(RecvError::TimedOut) => self.probe()?,
                Err(error) => return Err(format!("forces: {error}")),
            }
            if self.answered >= Some(number) {
                return Ok(true);
            }
            if self.port.now_ns() >= deadline {
                return Ok(false);
            }
        }
    }

    /// How much simulated time there was without an answer, at this step.
    fn without_answers(&self, step: u64) -> Duration {
        let steps = step.saturating_sub(self.answered.unwrap_or(0));
        self.period.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    fn take(&mut self, force: &Force) {
        let now = self.port.now_ns();
        self.answered_at = now;
        self.forces_seen.count(force.number, now.saturating_sub(force.time_ns));
        self.sensors_seen.count(force.answers, force.waited_ns);
        if self.answered.is_none_or(|seen| seen < force.answers) {
            self.answered = Some(force.answers);
            self.newtons = force.newtons;
        }
        if self.controller != force.controller {
            if self.controller != u64::MAX {
                self.gaps.push((force.controller, now.saturating_sub(self.last_answer_ns)));
            }
            self.controller = force.controller;
        }
        self.last_answer_ns = now;
    }

    /// Waits until the controller has left. One that was killed after its last answer has a successor,
    /// which gives that answer again.
    fn see_off(&mut self) -> Answer<()> {
        let start = self.port.now_ns();
        while self.port.now_ns() - start < nanos(LAST) {
            // Once the sender is seen to have left, everything that it sent is there.
            let absent = self.forces.peer() == PeerStatus::Absent;
            match self.forces.recv_timeout(Duration::from_millis(1)) {
                Ok(force) => self.take(&force),
                Err(RecvError::TimedOut) if absent => break,
                Err(RecvError::TimedOut) => {}
                Err(error) => return Err(format!("forces: {error}")),
            }
        }
        Ok(())
    }

    /// Once in a while without answers: asks whether the controller lives.
    fn probe(&mut self) -> Answer<()> {
        let now = self.port.now_ns();
        if now.saturating_sub(self.answered_at) < nanos(PROBE) {
            return Ok(());
        }
        self.answered_at = now;
        match self.forces.peer() {
            PeerStatus::Present => Ok(()),
            // The next one is on its way.
            _ if self.killed => Ok(()),
            PeerStatus::Absent => Err("the controller has left".into()),
            PeerStatus::Dead => Err("the controller died".into()),
        }
    }

    fn snapshot(&self, step: u64, over: bool) -> Snapshot {
        let [position_m, _, angle_rad, angle_rate_rad_s] = self.state;
        let (forces, newtons, controller) = (self.forces_seen.received, self.newtons, self.controller);
        let over = u64::from(over);
        Snapshot { step, forces, position_m, angle_rad, angle_rate_rad_s, newtons, controller, over }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
