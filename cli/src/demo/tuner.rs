//! The tuner: changes the gains a little now and then, under their lock.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strait::{LatestReader, Reading, Region};

use crate::args::Part;

use super::frames::{STATE, Snapshot};
use super::gain_table::GainTable;
use super::part::{self, Answer, PATIENCE};

/// From one update to the next.
const EVERY: Duration = Duration::from_millis(20);
/// From one gain to the next, with the lock held.
const THINKING: Duration = Duration::from_micros(500);
/// The factors of the gains, in turn.
const FACTORS: [f64; 4] = [1.0, 1.1, 1.0, 0.9];

/// Runs the tuner until the plant is done. Returns its report.
pub fn run(part: &Part, attachment: &Region) -> Answer<Value> {
    let mut table = GainTable::open(attachment)?;
    let mut state: LatestReader<Snapshot, _> =
        attachment.latest_reader(STATE).map_err(|error| error.to_string())?;
    let start = Instant::now();
    loop {
        if let Reading::Fresh(snapshot) | Reading::Stale(snapshot) = state.read()
            && snapshot.over != 0
        {
            return Ok(json!({}));
        }
        let stays = part.stay_after.is_some_and(|after| start.elapsed() >= after);
        let mut locked = table.lock(PATIENCE)?;
        if locked.repaired {
            part::repaired(attachment);
        }
        locked.guard.update(|gains| {
            gains.updates += 1;
            let factor = FACTORS[gains.updates as usize % FACTORS.len()];
            for (i, gain) in gains.now.iter_mut().enumerate() {
                *gain = factor * gains.design[i];
                sleep(THINKING);
                if stays && i == 1 {
                    // To be killed here.
                    part::inside();
                    sleep(PATIENCE);
                }
            }
            gains.seal();
        });
        drop(locked);
        sleep(EVERY);
    }
}
