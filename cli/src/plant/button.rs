//! The emergency stop: somebody presses it now and then. A process that comes anew presses it first, because it
//! cannot know what its predecessor meant.

use std::time::Duration;

use strait::{LatestWriter, SystemPort};

use super::messages::{ENDED, STOP, STOPPED, Stop};
use super::part::{Answer, Part};

/// How long it stays pressed.
const PRESSED: Duration = Duration::from_millis(20);
/// How long it stays released.
const RELEASED: Duration = Duration::from_millis(300);

/// Presses and releases until it is told to end.
pub fn run(part: &Part) -> Answer<()> {
    let mut stop: LatestWriter<Stop, SystemPort> =
        part.region.latest_writer(STOP).map_err(|error| error.to_string())?;
    let mut log = part.log()?;
    part.ready(&mut log)?;
    while !part.is_over() {
        for (pressed, time) in [(1, PRESSED), (0, RELEASED)] {
            stop.publish(&Stop { pressed });
            log.offer(STOPPED, [pressed, 0, 0, 0])?;
            part.pause(time);
        }
    }
    log.put(ENDED, [0; 4])
}
