//! The recorder: receives everybody's lines, and hands each to the supervisor through a pipe, where it outlives this
//! process. Only then is the line released: one that dies in between leaves it to its successor, which hands it over
//! again.

use strait::error::RecvLanesError;
use strait::options::{ConsumerOptions, LanesOptions};
use strait::value::FromLane;
use strait::{SystemPort, TypedLanesConsumer};

use super::ledger::Recorded;
use super::messages::{LOG, LogLine};
use super::part::{Answer, LOOK, Part, say};
use super::stations::LANES;

/// Records until it is told to end and nothing more comes.
pub fn run(part: &Part) -> Answer<()> {
    let options = LanesOptions::new().each_lane(ConsumerOptions::new().release_every(1));
    let mut log: TypedLanesConsumer<LogLine, SystemPort, LANES> =
        part.region.typed_lanes_consumer_with(LOG, options).map_err(|error| error.to_string())?;
    say("ready");
    loop {
        let is_over = part.is_over();
        match log.recv_timeout(LOOK) {
            Ok(FromLane { lane, message: line }) => {
                say(&Recorded { lane: lane as usize, sequence: log.sequence(), line }.to_string());
            }
            Err(RecvLanesError::TimedOut) if is_over => return Ok(()),
            Err(RecvLanesError::TimedOut) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
