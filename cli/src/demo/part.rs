//! Common to plant, controller and tuner: start, reports, and end.
//!
//! A part waits for a line on its standard input before it begins. When that input ends, the
//! supervisor is gone, by Ctrl-C or worse: the part removes the region and ends too. (It leads a
//! process group of its own, so Ctrl-C reaches the supervisor alone.) It says what it has to say in
//! lines of JSON on its standard output: notes and news, then a report or an error.

use std::io::{Read, Write, stdin, stdout};
use std::process::exit;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strait::{PeerStatus, Region, RegionOptions, RegionPlace, port::Clock};

use crate::args::Part;
use crate::error::{Result, reported};
use crate::os;

use super::child::ROLES;

/// How long a part waits for the other one to come, and the supervisor for a step.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A part's report, or its error.
pub type Answer<T> = std::result::Result<T, String>;

/// Starts as the part, runs `body`, and reports what it returns.
pub fn run(part: &Part, body: impl FnOnce(&Region) -> Answer<Value>) -> Result<()> {
    let region = part.region.region()?;
    // A spare gets ready for the moment when it is needed; the first ones come before the region.
    let ready = (part.number >= ROLES.len() as u64).then(|| prepare(part, &region));
    if stdin().read_exact(&mut [0]).is_err() {
        let _ = region.remove();
        return Err(reported());
    }
    follow_supervisor(region.clone());
    let attachment = ready.unwrap_or_else(|| prepare(part, &region));
    match attachment.and_then(|attachment| body(&attachment)) {
        Ok(report) => {
            say(&json!({ "report": report }));
            Ok(())
        }
        Err(error) => {
            say(&json!({ "error": error }));
            Err(reported())
        }
    }
}

/// Ends this process when the supervisor has gone.
fn follow_supervisor(region: RegionPlace) {
    std::thread::spawn(move || {
        while matches!(stdin().read(&mut [0; 64]), Ok(len) if len > 0) {}
        let _ = region.remove();
        exit(1);
    });
}

/// Opens the region, and sets up the scheduler as far as it lets us.
fn prepare(part: &Part, region: &RegionPlace) -> Answer<Region> {
    if let Some(cpu) = part.cpu
        && let Err(error) = os::pin(cpu)
    {
        note(&format!("not pinned: {error}"));
    }
    let Some(priority) = part.rt else {
        return region.open(&RegionOptions::new().prefault(true)).map_err(|error| error.to_string());
    };
    if let Err(error) = os::real_time(priority) {
        note(&format!("no real-time priority: {error}"));
    }
    region.open(&RegionOptions::new().lock(true)).or_else(|locked| {
        let attachment =
            region.open(&RegionOptions::new().prefault(true)).map_err(|error| error.to_string())?;
        note(&format!("memory not locked: {locked}"));
        Ok(attachment)
    })
}

/// Tells the user something by way of the supervisor.
fn note(text: &str) {
    say(&json!({ "note": text }));
}

/// Tells the supervisor that this process has the gain table's lock, and stays in it.
pub fn inside() {
    say(&json!({ "inside": true }));
}

/// Tells the supervisor that this process has just rolled the gain table back.
pub fn repaired(attachment: &Region) {
    say(&json!({ "repaired": attachment.port().now_ns() }));
}

fn say(value: &Value) {
    // If nobody listens any more, nobody needs to know it.
    let mut stdout = stdout().lock();
    let _ = writeln!(stdout, "{value}").and_then(|()| stdout.flush());
}

/// Waits until the other part has taken its role.
pub fn await_peer(who: &str, peer: impl Fn() -> PeerStatus) -> Answer<()> {
    let start = Instant::now();
    while peer() != PeerStatus::Present {
        if start.elapsed() > PATIENCE {
            return Err(format!("the {who} did not start within {} s", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
