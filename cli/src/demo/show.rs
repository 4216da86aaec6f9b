//! The live display: a line on standard error, if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::print;

use super::frames::Snapshot;

/// The line.
pub struct Show {
    bar: ProgressBar,
    rate: f64,
}

impl Show {
    /// Shows that nothing has happened yet.
    pub fn new(steps: u64, rate: u32) -> Self {
        let style = ProgressStyle::with_template("{msg}  {wide_bar}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(steps).with_style(style).with_message("starting");
        bar.tick();
        Self { bar, rate: f64::from(rate) }
    }

    /// Shows where the pendulum is.
    pub fn update(&self, state: &Snapshot) {
        let total = self.bar.length().unwrap_or(0) as f64 / self.rate;
        self.bar.set_position(state.step);
        self.bar.set_message(format!(
            "{:.1}/{total:.1} s  angle {:+.4} rad  rate {:+.3} rad/s  frames {} + {}",
            state.step as f64 / self.rate,
            state.angle_rad,
            state.angle_rate_rad_s,
            state.step,
            state.forces,
        ));
    }

    /// Says something without disturbing the line.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| print::note(&format!("note: {line}")));
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
