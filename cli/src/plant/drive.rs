//! A drive: serves the planner's calls, one after the other, and refuses them while the emergency stop is pressed.
//!
//! It logs a move before it answers. So a call that was answered has its line, and one that was certainly not run
//! has none.

use std::time::Duration;

use strait::call::ServeError;
use strait::{CallServer, LatestReader, SystemPort};

use super::messages::{DRIVE, ENDED, MOVED, Move, Moved, STOP, Stop};
use super::part::{Answer, LOOK, Part};

/// How long a move takes.
const MOVING: Duration = Duration::from_micros(300);
/// Why a call is refused while the emergency stop is pressed.
pub const PRESSED: u16 = 1;

/// Serves until it is told to end.
pub fn run(part: &Part) -> Answer<()> {
    let text = |error: strait::ChannelError| error.to_string();
    let name = DRIVE.get(part.station).ok_or("there is no such drive")?;
    let mut calls: CallServer<Move, Moved, SystemPort> = part.region.call_server(name).map_err(text)?;
    let mut stop: LatestReader<Stop, _> = part.region.latest_reader(STOP).map_err(text)?;
    let mut log = part.log()?;
    part.ready(&mut log)?;
    let mut pressed = false;
    loop {
        let is_over = part.is_over();
        let (request, reply) = match calls.next_timeout(LOOK) {
            Ok(next) => next,
            Err(ServeError::TimedOut) if is_over => break,
            Err(ServeError::TimedOut) => continue,
            Err(error) => return Err(format!("{name}: {error}")),
        };
        // A value that is being written just now counts from the next look on.
        pressed = stop.read().value().map_or(pressed, |stop| stop.pressed != 0);
        if pressed {
            reply.refuse(PRESSED);
            continue;
        }
        std::thread::sleep(MOVING);
        log.put(MOVED, [request.call, 0, 0, 0])?;
        reply.answer(&Moved { call: request.call, position: request.target });
    }
    log.put(ENDED, [0; 4])
}
