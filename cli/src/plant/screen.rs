//! A screen: shows every state that it can keep up with, and counts those that it missed. It looks at the state
//! through a read-only mapping of the region, and takes no role there; the other mapping is for its log.

use std::time::Duration;

use strait::broadcast::{BroadcastRecvError, BroadcastStart};
use strait::{BroadcastReader, RegionOptions, SystemPort};

use super::messages::{ENDED, SHOWN, STATE, State};
use super::part::{Answer, LOOK, Part};

/// How many states there are to a line of the log.
const STATES_A_LINE: u64 = 50;

/// Shows until it is told to end and nothing more comes.
pub fn run(part: &Part, drawing: Duration) -> Answer<()> {
    let view = part.place.open(&RegionOptions::new().read_only(true)).map_err(|error| error.to_string())?;
    let mut state: BroadcastReader<State, SystemPort> =
        view.broadcast_reader(STATE, BroadcastStart::Newest).map_err(|error| error.to_string())?;
    let mut log = part.log()?;
    part.ready(&mut log)?;
    let (mut first, mut last, mut shown, mut lost) = (0, 0, 0, 0);
    loop {
        let is_over = part.is_over();
        match state.recv_timeout(LOOK) {
            Ok(now) => {
                if first == 0 {
                    first = now.tick;
                }
                (last, shown) = (now.tick, shown + 1);
                if state.info().map(|info| info.number) != Some(now.tick) {
                    return Err(format!("state {} has another's number", now.tick));
                }
                if shown % STATES_A_LINE == 0 {
                    log.put(SHOWN, [first, last, shown, lost])?;
                }
                // What is left at the end is only counted.
                if !is_over && !drawing.is_zero() {
                    std::thread::sleep(drawing);
                }
            }
            // It counts from the first that it gets.
            Err(BroadcastRecvError::Lagged { .. }) if first == 0 => {}
            Err(BroadcastRecvError::Lagged { lost: more }) => lost += more,
            Err(BroadcastRecvError::TimedOut) if is_over => break,
            Err(BroadcastRecvError::TimedOut) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    log.put(SHOWN, [first, last, shown, lost])?;
    log.put(ENDED, [0; 4])
}
