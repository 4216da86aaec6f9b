//! The end of a run: a table for people, an object for programs, and a verdict.

use serde_json::{Value, json};
use strait::format::inspect::channel_state;
use strait::{Region, port::Port};

use crate::args::Role;
use crate::text::table;

use super::controller::widen;
use super::frames::{FORCES, Gains, SENSORS};
use super::supervisor::Outcome;
use super::tally::Direction;

/// The result of a run.
pub struct Summary {
    sensors: Direction,
    forces: Direction,
    both: Direction,
    worst_angle: f64,
    steps: u64,
    held: u64,
    stood_still_ns: u64,
    fallen: bool,
    rate: u32,
    controllers_killed: u64,
    tuners_killed: u64,
    /// Roles that were taken over from the dead.
    takeovers: u64,
    /// Locks that were, and their values rolled back.
    repairs: u64,
    gain_updates: u64,
    longest_recovery_ns: u64,
}

impl Summary {
    /// Puts together what the plant reports, what the region says, and what the supervisor did.
    pub fn read(outcome: &Outcome, attachment: &Region, gains: &Gains, rate: u32) -> Option<Self> {
        let Outcome { plant, kills } = outcome;
        let state = |name: &str| {
            let entry = attachment.channel(name).ok()?;
            Some(channel_state(attachment.port().mem(), attachment.header().line, &entry))
        };
        let steps = plant["sent"].as_u64()?;
        let sensors = Direction::read(steps, &plant["sensors"])?;
        let (sensors_now, forces_now) = (state(SENSORS)?, state(FORCES)?);
        // Committed, by the queue's own count, by however many controllers.
        let committed = widen(plant["forces"]["received"].as_u64()?, forces_now.sent);
        let forces = Direction::read(committed, &plant["forces"])?;
        let killed = |role: Role| kills.iter().filter(|kill| kill.role == role).count() as u64;
        let takeovers = [sensors_now.consumer_takeovers, forces_now.producer_takeovers];
        Some(Self {
            controllers_killed: killed(Role::Controller),
            tuners_killed: killed(Role::Tuner),
            takeovers: takeovers.map(u64::from).iter().sum(),
            repairs: gains.repairs,
            gain_updates: gains.updates,
            longest_recovery_ns: kills.iter().filter_map(|kill| kill.recovery_ns).max().unwrap_or(0),
            both: sensors.plus(&forces),
            sensors,
            forces,
            worst_angle: plant["worst_angle_rad"].as_f64()?,
            steps,
            held: plant["held"].as_u64()?,
            stood_still_ns: plant["stood_still_ns"].as_u64()?,
            fallen: plant["fallen"].as_bool()?,
            rate,
        })
    }

    fn seconds(&self) -> f64 {
        self.steps as f64 / f64::from(self.rate)
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        let quantile = |q: f64| self.both.latency.value_at_quantile(q);
        let value: Value = json!({
            "sent": self.both.sent,
            "received": self.both.received,
            "lost": self.both.lost(),
            "duplicated": self.both.duplicated,
            "reordered": self.both.reordered,
            "latency_ns": {
                "p50": quantile(0.5),
                "p99": quantile(0.99),
                "p999": quantile(0.999),
                "max": self.both.latency.max(),
            },
            "worst_angle_rad": self.worst_angle,
            "seconds": self.seconds(),
            "rate_hz": self.rate,
            "kills": self.controllers_killed + self.tuners_killed,
            "tuner_kills": self.tuners_killed,
            "takeovers": self.takeovers,
            "repairs": self.repairs,
            "longest_recovery_ns": self.longest_recovery_ns,
            "gain_updates": self.gain_updates,
            "stood_still_ns": self.stood_still_ns,
        });
        format!("{value}\n")
    }

    /// A table.
    pub fn text(&self) -> String {
        let mut rows = vec![["", "sensors", "forces", "both"].map(String::from).to_vec()];
        let mut row = |what: &str, of: &dyn Fn(&Direction) -> String| {
            rows.push(vec![what.into(), of(&self.sensors), of(&self.forces), of(&self.both)]);
        };
        row("frames sent", &|direction| direction.sent.to_string());
        row("received", &|direction| direction.received.to_string());
        row("lost", &|direction| direction.lost().to_string());
        row("duplicated", &|direction| direction.duplicated.to_string());
        row("out of order", &|direction| direction.reordered.to_string());
        for (what, quantile) in [("one way, median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)] {
            row(what, &|direction| micros(direction.latency.value_at_quantile(quantile)));
        }
        row("longest", &|direction| micros(direction.latency.max()));
        let mut text = table(&rows, &[0]);
        text.push_str(&format!(
            "\n{} for {} s at {} Hz; worst angle {:.4} rad ({:.1} degrees)\n",
            if self.fallen { "fell; simulated" } else { "balanced" },
            self.seconds(),
            self.rate,
            self.worst_angle,
            self.worst_angle.to_degrees(),
        ));
        if self.held > 0 {
            let steps = if self.held == 1 { "step" } else { "steps" };
            text.push_str(&format!("{} {steps} without an answer in time held the last force\n", self.held));
        }
        if self.stood_still_ns > 0 {
            text.push_str(&format!(
                "simulated time stood still for {:.0} ms in all: nothing answered for 200 ms of it\n",
                self.stood_still_ns as f64 / 1e6
            ));
        }
        if self.controllers_killed > 0 {
            text.push_str(&self.toll());
        }
        text
    }

    /// The dead, and what became of their roles and locks.
    fn toll(&self) -> String {
        let rows = [
            ("controllers killed", self.controllers_killed.to_string()),
            ("tuners killed, each in mid-update", self.tuners_killed.to_string()),
            ("roles taken over", self.takeovers.to_string()),
            ("gain tables rolled back", self.repairs.to_string()),
            ("gain updates made", self.gain_updates.to_string()),
            ("longest recovery", format!("{:.1} ms", self.longest_recovery_ns as f64 / 1e6)),
        ];
        format!("\n{}", table(&rows.map(|(what, value)| vec![what.into(), value]), &[0]))
    }

    /// The run in a line, for a drawing.
    pub fn title(&self) -> String {
        format!(
            "Inverted pendulum, {} for {} s at {} Hz: {} of {} frames lost",
            if self.fallen { "which fell; simulated" } else { "balanced" },
            self.seconds(),
            self.rate,
            self.both.lost(),
            self.both.sent
        )
    }

    /// The failure, if there was one. Where controllers were killed, each may leave one frame answered
    /// and not yet released, which the next one answers again.
    pub fn verdict(&self) -> Option<String> {
        let Direction { duplicated, reordered, .. } = &self.both;
        if self.fallen {
            return Some(format!("the pendulum fell after {} s", self.seconds()));
        }
        let again = self.sensors.duplicated.min(self.controllers_killed);
        match (self.both.lost(), *duplicated - again, *reordered) {
            (0, 0, 0) => None,
            (lost, 0, 0) => Some(format!("{lost} of {} frames were lost", self.both.sent)),
            (lost, duplicated, reordered) => Some(format!(
                "of {} frames {lost} were lost, {duplicated} duplicated, {reordered} out of order",
                self.both.sent
            )),
        }
    }
}

fn micros(nanoseconds: u64) -> String {
    format!("{:.1} us", nanoseconds as f64 / 1000.0)
}
