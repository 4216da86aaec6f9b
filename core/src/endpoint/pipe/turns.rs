//! Waiting in turns, with a look at the other side after each.

use core::time::Duration;

use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_policy::Deadline;
use crate::ground::port::Clock;

use super::error::RingPipeError;

/// How long to wait before the peer's liveness is looked at again.
const PROBE: Duration = Duration::from_millis(100);

/// The error if the other side has gone, as far as known. `met` remembers that it was present.
pub(super) fn gone(peer: PeerStatus, met: &mut bool) -> Option<RingPipeError> {
    match peer {
        PeerStatus::Dead => Some(RingPipeError::PeerDied),
        PeerStatus::Absent if *met => Some(RingPipeError::PeerLeft),
        PeerStatus::Absent => None,
        PeerStatus::Present => {
            *met = true;
            None
        }
    }
}

/// Tries until an attempt succeeds. `attempt` waits until a deadline, and returns `None` if nothing came
/// by then; `peer` checks the other side, and returns its error.
pub(super) fn wait_in_turns<C: Clock, E, T>(
    end: &mut E,
    clock: &C,
    timeout: Duration,
    mut attempt: impl FnMut(&mut E, Deadline) -> Result<Option<T>, RingPipeError>,
    mut peer: impl FnMut(&mut E) -> Option<RingPipeError>,
) -> Result<T, RingPipeError> {
    let deadline = Deadline::after(clock, timeout);
    loop {
        let turn = deadline.min(Deadline::after(clock, PROBE));
        if let Some(done) = attempt(end, turn)? {
            return Ok(done);
        }
        if let Some(error) = peer(end) {
            // Everything it did before it went is visible now, so try once more.
            return attempt(end, turn)?.ok_or(error);
        }
        if deadline.left(clock).is_zero() {
            return Err(RingPipeError::TimedOut);
        }
    }
}
