//! Waiting in turns, with a look at the other side after each.

use core::time::Duration;

use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_policy::Deadline;
use crate::ground::port::Clock;

use super::error::RingPipeError;

/// How long to wait before the peer's liveness is looked at again.
const PROBE: Duration = Duration::from_millis(100);

/// Whether the other side has gone, as far as can be told. `met` remembers that it was there.
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

/// Tries until something comes of it. `attempt` waits until a deadline, and gives `None` if nothing came
/// by then; `peer` looks at the other side, and gives what is wrong with it.
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
            // What it did before it went came before its going was seen.
            return attempt(end, turn)?.ok_or(error);
        }
        if deadline.left(clock).is_zero() {
            return Err(RingPipeError::TimedOut);
        }
    }
}
