//! The controller: answers each sensor frame with a force.
//!
//! It may be killed at any instruction. The next one takes over both roles: it sees again what had not
//! been released, which is one frame that was answered already at most, and goes on with the numbers of
//! its own frames where the queue says that they stopped.

use std::time::Duration;

use serde_json::{Value, json};
use strait::{
    PeerStatus, RecvError, Region, TypedConsumer, TypedProducer, options::ConsumerOptions, port::Clock,
};

use crate::args::{Part, Role};

use super::control;
use super::frames::{FORCES, Force, SENSORS, Sensors};
use super::gain_table::GainTable;
use super::part::{self, Answer};
use super::physics::State;

/// How long to sleep before asking whether the plant lives.
const PROBE: Duration = Duration::from_millis(100);

/// Runs the controller until the frame that says it is the last. Returns its report.
pub fn run(part: &Part, attachment: &Region) -> Answer<Value> {
    let text = |error: strait::ChannelError| error.to_string();
    // Answered frames are released before the next answer, so that a successor answers few again.
    let options = ConsumerOptions::new().release_every(1);
    let mut sensors: TypedConsumer<Sensors, _> =
        attachment.typed_consumer_with(SENSORS, options).map_err(text)?;
    let mut forces: TypedProducer<Force, _> = attachment.typed_producer(FORCES).map_err(text)?;
    let mut table = GainTable::open(attachment)?;
    // Until the table can be locked: its owner may be anywhere, and the pendulum does not wait.
    let mut gains: State = part.gains.as_slice().try_into().map_err(|_| "four gains are needed")?;
    let port = attachment.port();
    if part.number == Role::Controller as u64 {
        part::await_peer("plant", || sensors.peer())?;
    }
    loop {
        let frame = match sensors.recv_timeout(PROBE) {
            Ok(frame) => frame,
            Err(RecvError::TimedOut) => match sensors.peer() {
                PeerStatus::Present => continue,
                PeerStatus::Absent if !sensors.is_empty() => continue,
                PeerStatus::Absent => return Err("the plant has left".into()),
                PeerStatus::Dead => return Err("the plant died".into()),
            },
            Err(error) => return Err(format!("sensors: {error}")),
        };
        let waited_ns = port.now_ns().saturating_sub(frame.time_ns);
        if let Some(locked) = table.try_lock()? {
            gains = locked.guard.get().now;
            if locked.repaired {
                drop(locked);
                part::repaired(attachment);
            }
        }
        let state = [frame.position_m, frame.velocity_m_s, frame.angle_rad, frame.angle_rate_rad_s];
        let force = Force {
            number: widen(frame.number, forces.next_sequence()),
            time_ns: port.now_ns(),
            answers: frame.number,
            waited_ns,
            controller: part.number,
            newtons: control::force(&gains, &state),
        };
        // One that finds no room is lost, and is seen to be as a sensor frame without an answer.
        let _ = forces.try_send(&force);
        if frame.last != 0 {
            return Ok(json!({}));
        }
    }
}

/// The number that ends in these 32 bits and is closest to another one.
pub fn widen(near: u64, low: u32) -> u64 {
    near.wrapping_add_signed(i64::from(low.wrapping_sub(near as u32) as i32))
}

#[cfg(test)]
mod tests {
    use super::widen;

    #[test]
    fn a_number_is_found_from_its_low_half() {
        for near in [0, 5, u64::from(u32::MAX), 1 << 32, 7 << 32 | 3] {
            for number in [near, near + 1, near + 1000, near.saturating_sub(3)] {
                assert_eq!(widen(near, number as u32), number);
            }
        }
    }
}
