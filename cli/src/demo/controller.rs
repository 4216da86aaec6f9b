//! The controller: answers each sensor frame with a force.

use std::time::Duration;

use serde_json::{Value, json};
use strait::{Attachment, Clock, Peer, RecvError, SystemPort, TypedConsumer, TypedProducer};

use crate::args::Part;

use super::control::Controller;
use super::frames::{FORCES, Force, SENSORS, Sensors};
use super::part::{self, Answer};
use super::tally::Tally;

/// How long to sleep before asking whether the plant lives.
const PROBE: Duration = Duration::from_millis(100);

/// Runs the controller until the frame that says it is the last; answers with its report.
pub fn run(part: &Part, attachment: &Attachment<SystemPort>) -> Answer<Value> {
    let text = |error: strait::ChannelError| error.to_string();
    let controller = Controller::new(1.0 / f64::from(part.rate.get()));
    let mut sensors: TypedConsumer<Sensors, _> = attachment.typed_consumer(SENSORS).map_err(text)?;
    let mut forces: TypedProducer<Force, _> = attachment.typed_producer(FORCES).map_err(text)?;
    let port = attachment.port();
    part::await_peer("plant", || sensors.peer())?;
    let mut tally = Tally::new();
    let mut sent = 0;
    loop {
        let frame = match sensors.recv_timeout(PROBE) {
            Ok(frame) => frame,
            Err(RecvError::TimedOut) => match sensors.peer() {
                Peer::Present => continue,
                Peer::Absent if !sensors.is_empty() => continue,
                Peer::Absent => return Err("the plant has left".into()),
                Peer::Dead => return Err("the plant died".into()),
            },
            Err(error) => return Err(format!("sensors: {error}")),
        };
        let now = port.now_ns();
        tally.count(frame.number, now.saturating_sub(frame.time_ns));
        let state = [frame.position_m, frame.velocity_m_s, frame.angle_rad, frame.angle_rate_rad_s];
        let newtons = controller.force(&state);
        let force = Force { number: sent, time_ns: port.now_ns(), answers: frame.number, newtons };
        // One that finds no room is lost, and is seen to be by its number.
        let _ = forces.try_send(&force);
        sent += 1;
        if frame.last != 0 {
            return Ok(json!({ "sent": sent, "tally": tally.to_json() }));
        }
    }
}
