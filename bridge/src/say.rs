//! What the bridge says to people.

use std::io::{Write, stderr};

/// Writes a line to standard error, without characters that would steer a terminal.
pub fn say(text: &str) {
    let line: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    // Nobody may read it any more.
    let _ = writeln!(stderr(), "strait-bridge: {line}");
}
