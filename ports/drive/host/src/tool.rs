//! `strait`, the tool, on the region that firmware shares.

use std::error::Error;
use std::process::{Command, Output};

/// Not a multiple of anything.
const BYTES: u32 = 100_003;

fn run(tool: &str, words: &[&str]) -> Result<String, Box<dyn Error>> {
    let Output { status, stdout, stderr } = Command::new(tool).args(words).output()?;
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.success() { Ok(out.into_owned()) } else { Err(format!("{words:?}: {out}{err}").into()) }
}

/// Looks at the region: the drive is a participant of which nobody here can say whether it lives.
pub fn inspect(tool: &str, region: &str) -> Result<(), Box<dyn Error>> {
    let shown = run(tool, &["inspect", region])?;
    for wanted in ["commands", "events", "files", "setpoint", "shaft", "alive", "unknown"] {
        assert!(shown.contains(wanted), "no {wanted} in:\n{shown}");
    }
    Ok(())
}

/// Sends a file to the drive. Returns its length.
pub fn send(tool: &str, region: &str) -> Result<u32, Box<dyn Error>> {
    let path = std::env::temp_dir().join(region);
    std::fs::write(&path, vec![0x5A; BYTES as usize])?;
    let sent = run(tool, &["send", region, "files", "--file", &path.display().to_string()]);
    std::fs::remove_file(&path)?;
    sent.map(|_| BYTES)
}
