//! Calls on descriptors that do not block, repeated until they succeed or the time is over.

use core::time::Duration;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use strait_os_base::OsError;
use strait_os_base::pipe::IoFailure;

use super::cancel::{Canceller, Wait};
use crate::pipe::error::FromErrno as _;

/// Makes `call` until it does something else than ask for patience. Each round ends by a wait until
/// the descriptor is ready, so that there are no more of them than the system's answers.
pub(super) fn perform<T>(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    wait: Wait<'_>,
    name: &'static str,
    mut call: impl FnMut() -> Result<T, Errno>,
) -> Result<T, IoFailure> {
    if let (Some(_), Some(cancel)) = (wait.until, wait.cancel)
        && cancel.take()
    {
        return Err(IoFailure::Cancelled);
    }
    loop {
        match call() {
            Ok(done) => return Ok(done),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => sleep(fd, events, wait)?,
            Err(error) => return Err(IoFailure::new(name, error)),
        }
    }
}

/// Sleeps until the descriptor is ready.
fn sleep(fd: BorrowedFd<'_>, events: PollFlags, wait: Wait<'_>) -> Result<(), IoFailure> {
    loop {
        let timeout = poll_timeout(left(wait.until)?);
        let cancel_fd = wait.cancel.map_or(fd, Canceller::as_fd);
        let mut fds = [PollFd::new(fd, events), PollFd::new(cancel_fd, PollFlags::POLLIN)];
        let used = if wait.cancel.is_some() { 2 } else { 1 };
        match poll(&mut fds[..used], timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(IoFailure::Os(OsError::new("poll", error as i32))),
        }
        if wait.cancel.is_some_and(Canceller::take) {
            return Err(IoFailure::Cancelled);
        }
        if fds[0].any().unwrap_or(false) {
            return Ok(());
        }
    }
}

/// The time that is left.
fn left(until: Option<Instant>) -> Result<Duration, IoFailure> {
    let left = until.map(|end| end.saturating_duration_since(Instant::now()));
    left.filter(|left| !left.is_zero()).ok_or(IoFailure::OutOfTime)
}

/// Rounded up, so that a wait is never short by a turn; cut where `poll` cannot say more.
fn poll_timeout(left: Duration) -> PollTimeout {
    let millis = left.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}

/// Whether the descriptor is ready now, be it to say that the peer has ended.
pub(super) fn is_ready(fd: BorrowedFd<'_>, events: PollFlags) -> Result<bool, IoFailure> {
    let mut fds = [PollFd::new(fd, events)];
    match poll(&mut fds, PollTimeout::ZERO) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(IoFailure::Os(OsError::new("poll", error as i32))),
    }
}

/// Sleeps for `how_long`, or until it is cancelled: then true.
#[must_use]
pub fn nap(how_long: Duration, cancel: Option<&Canceller>) -> bool {
    match cancel {
        None => std::thread::sleep(how_long),
        Some(cancel) => {
            let mut fds = [PollFd::new(cancel.as_fd(), PollFlags::POLLIN)];
            // An early end by a signal does no harm: the caller looks again.
            let _ = poll(&mut fds, poll_timeout(how_long));
        }
    }
    cancel.is_some_and(Canceller::take)
}
