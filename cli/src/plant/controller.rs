//! The controller: broadcasts the plant's state, and waits neither for a screen nor for the recorder.

use std::time::Duration;

use strait::port::Clock;
use strait::{BroadcastWriter, LatestReader, SystemPort};

use super::messages::{ENDED, STATE, STOP, State, Stop, TICKED};
use super::part::{Answer, Part};

/// From one state to the next.
const PERIOD: Duration = Duration::from_millis(1);
/// How many states there are to a line of the log.
const STATES_A_LINE: u64 = 20;

/// Broadcasts until it is told to end.
pub fn run(part: &Part) -> Answer<()> {
    let text = |error: strait::ChannelError| error.to_string();
    let mut state: BroadcastWriter<State, SystemPort> = part.region.broadcast_writer(STATE).map_err(text)?;
    let mut stop: LatestReader<Stop, _> = part.region.latest_reader(STOP).map_err(text)?;
    let mut log = part.log()?;
    part.ready(&mut log)?;
    let mut stopped = 0;
    while !part.is_over() {
        stopped = stop.read().value().map_or(stopped, |stop| stop.pressed);
        let tick = state.published() + 1;
        state.publish(&State { tick, time_ns: part.region.port().now_ns(), stopped });
        if tick.is_multiple_of(STATES_A_LINE) {
            log.offer(TICKED, [tick, 0, 0, 0])?;
        }
        part.pause(PERIOD);
    }
    log.put(ENDED, [0; 4])
}
