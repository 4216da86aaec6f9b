//! The plant: simulates, sends what its sensors see, and does what the forces say.
//!
//! Each step is sent at its own deadline on the monotonic clock, so that no delay adds up, and then
//! waits for its answer, for one period at most. A plant that is late catches up as fast as the
//! controller answers; without answers it goes no faster than the rate, holding the last force.

use std::time::Duration;

use serde_json::{Value, json};
use strait::{Attachment, Clock, LatestWriter, Peer, RecvError, SystemPort, TypedConsumer, TypedProducer};

use crate::args::Part;

use super::frames::{FORCES, Force, SENSORS, STATE, Sensors, Snapshot};
use super::part::{self, Answer};
use super::physics::{self, Disturbance};
use super::tally::Tally;

/// How long the last answer may take.
const LAST: Duration = Duration::from_secs(5);
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
    tally: Tally,
}

/// Runs the plant; answers with its report.
pub fn run(part: &Part, attachment: &Attachment<SystemPort>) -> Answer<Value> {
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
        tally: Tally::new(),
    };
    part::await_peer("controller", || match plant.forces.peer() {
        Peer::Present => plant.sensors.peer(),
        other => other,
    })?;
    plant.balance(part)
}

impl Plant {
    fn balance(&mut self, part: &Part) -> Answer<Value> {
        let period = 1.0 / f64::from(part.rate.get());
        let start = self.port.now_ns();
        let (mut worst, mut held, mut step) = (0.0_f64, 0_u64, 0);
        let fallen = loop {
            worst = worst.max(physics::angle(&self.state).abs());
            let fallen = physics::has_fallen(&self.state);
            let last = fallen || step + 1 >= part.steps;
            let sent_at = self.send(step, last);
            let patience = if last { LAST } else { self.period };
            held += u64::from(!self.receive(step, sent_at + nanos(patience))?);
            step += 1;
            self.snapshots.publish(&self.snapshot(step));
            if last {
                break fallen;
            }
            let due = start + step * 1_000_000_000 / u64::from(part.rate.get());
            std::thread::sleep(Duration::from_nanos(due.saturating_sub(self.port.now_ns())));
            self.state = physics::advance(&self.state, self.newtons, period);
            self.disturbance.push(&mut self.state, period);
        };
        Ok(json!({
            "sent": step,
            "tally": self.tally.to_json(),
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
                Ok(force) => {
                    self.answered_at = self.port.now_ns();
                    self.tally.count(force.number, self.answered_at.saturating_sub(force.time_ns));
                    if self.answered.is_none_or(|seen| seen < force.answers) {
                        self.answered = Some(force.answers);
                        self.newtons = force.newtons;
                    }
                }
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

    /// Once in a while without answers: asks whether the controller lives.
    fn probe(&mut self) -> Answer<()> {
        let now = self.port.now_ns();
        if now.saturating_sub(self.answered_at) < nanos(PROBE) {
            return Ok(());
        }
        self.answered_at = now;
        match self.forces.peer() {
            Peer::Present => Ok(()),
            Peer::Absent => Err("the controller has left".into()),
            Peer::Dead => Err("the controller died".into()),
        }
    }

    fn snapshot(&self, step: u64) -> Snapshot {
        let [position_m, _, angle_rad, angle_rate_rad_s] = self.state;
        let forces = self.tally.received;
        Snapshot { step, forces, position_m, angle_rad, angle_rate_rad_s, newtons: self.newtons }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
