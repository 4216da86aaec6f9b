//! The planner: calls the drives in turn, one call at a time, and logs how each ended.

use std::time::Duration;

use strait::call::{CallError, Ran, TryCallError};
use strait::options::WaitPolicy;
use strait::{CallClient, SystemPort};

use super::calls::End;
use super::drive::PRESSED;
use super::messages::{CALLED, DRIVE, ENDED, Move, Moved};
use super::part::{Answer, Part};

type Drive = CallClient<Move, Moved, SystemPort>;

/// How long a drive has for an answer, before its call is given up.
const LIMIT: Duration = Duration::from_millis(50);
/// How often the planner asks meanwhile whether the drive is dead: a successor is not much longer in coming.
const PROBE: Duration = Duration::from_millis(2);
/// From the end of a call to the next.
const THINKING: Duration = Duration::from_micros(500);
/// The same, after a drive could not be called.
const AFTER_FAILURE: Duration = Duration::from_millis(2);

/// Calls until it is told to end.
pub fn run(part: &Part) -> Answer<()> {
    let mut drives: Vec<Drive> = Vec::new();
    for name in DRIVE {
        let mut drive: Drive = part.region.call_client(name).map_err(|error| error.to_string())?;
        drive.set_wait_policy(WaitPolicy { probe: PROBE, ..WaitPolicy::parking() });
        drives.push(drive);
    }
    let mut log = part.log()?;
    part.ready(&mut log)?;
    let mut made: u64 = 0;
    for turn in (0..DRIVE.len()).cycle() {
        if part.is_over() {
            break;
        }
        let call = part.number << 32 | made;
        let target = (made % 100) as f64 / 100.0;
        let Some(end) = ask(&mut drives[turn], &Move { call, target })
            .map_err(|error| format!("{}: {error}", DRIVE[turn]))?
        else {
            // All its places hold calls that were given up, and that no drive has seen to yet.
            part.pause(AFTER_FAILURE);
            continue;
        };
        made += 1;
        log.put(CALLED, [call, end as u64, 0, 0])?;
        part.pause(if end == End::Answered { THINKING } else { AFTER_FAILURE });
    }
    log.put(ENDED, [0; 4])
}

/// Makes a call, and returns how it ended; `None` if there was no place for it, so that it was not made.
fn ask(drive: &mut Drive, request: &Move) -> Answer<Option<End>> {
    let ticket = match drive.try_call(request) {
        Ok(ticket) => ticket,
        Err(TryCallError::Full) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    Ok(Some(match drive.wait_timeout(ticket, LIMIT) {
        Ok(moved) if moved.call == request.call && moved.position == request.target => End::Answered,
        Ok(moved) => return Err(format!("call {} got the answer of call {}", request.call, moved.call)),
        Err(CallError::Refused { code: PRESSED }) => End::Refused,
        Err(CallError::PeerDied { ran: Ran::No }) => End::DiedBefore,
        Err(CallError::PeerDied { ran: Ran::Maybe }) => End::DiedMaybe,
        Err(CallError::TimedOut { ticket }) => match drive.cancel(ticket) {
            Ok(Ran::No) => End::LateBefore,
            Ok(Ran::Maybe) => End::LateMaybe,
            Err(error) => return Err(error.to_string()),
        },
        Err(error) => return Err(error.to_string()),
    }))
}
