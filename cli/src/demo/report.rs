//! The end of a run: a table for people, an object for programs, and a verdict.

use serde_json::{Value, json};

use crate::text::table;

use super::supervisor::Reports;
use super::tally::Direction;

/// What became of a run.
pub struct Summary {
    sensors: Direction,
    forces: Direction,
    both: Direction,
    worst_angle: f64,
    steps: u64,
    held: u64,
    fallen: bool,
    rate: u32,
}

impl Summary {
    /// Puts the parts' reports together.
    pub fn read(reports: &Reports, rate: u32) -> Option<Self> {
        let Reports { plant, controller } = reports;
        let steps = plant["sent"].as_u64()?;
        let sensors = Direction::read(steps, &controller["tally"])?;
        let forces = Direction::read(controller["sent"].as_u64()?, &plant["tally"])?;
        Some(Self {
            both: sensors.plus(&forces),
            sensors,
            forces,
            worst_angle: plant["worst_angle_rad"].as_f64()?,
            steps,
            held: plant["held"].as_u64()?,
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
        text
    }

    /// What was wrong, if anything was.
    pub fn verdict(&self) -> Option<String> {
        let Direction { duplicated, reordered, .. } = &self.both;
        if self.fallen {
            return Some(format!("the pendulum fell after {} s", self.seconds()));
        }
        match (self.both.lost(), *duplicated, *reordered) {
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
