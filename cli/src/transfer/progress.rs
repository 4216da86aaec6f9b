//! The progress bar: on standard error, if that is a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes after which the bar is updated.
const STEP: u64 = 1 << 16;

/// How far a transfer has come.
pub struct Progress {
    bar: ProgressBar,
    bytes: u64,
    shown: u64,
    start: Instant,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress {
    /// Nothing but waiting for the other side.
    pub fn waiting(whom: &str, at_most: Duration) -> ProgressBar {
        let bar = ProgressBar::new_spinner().with_style(style("{spinner} {msg} ({elapsed})"));
        bar.set_message(format!("waiting for the {whom}, {} s at the most", at_most.as_secs_f64()));
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// The transfer begins.
    pub fn new(name: &str, length: u64) -> Self {
        let style = style("{msg} {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = ProgressBar::new(length).with_style(style).with_message(name.to_string());
        Self { bar, bytes: 0, shown: 0, start: Instant::now() }
    }

    /// Adds this many bytes.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.bytes - self.shown >= STEP {
            self.shown = self.bytes;
            self.bar.set_position(self.bytes);
        }
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the bar away; how long it took.
    pub fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.start.elapsed()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
