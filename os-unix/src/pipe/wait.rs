//! Calls on descriptors that do not block, repeated until they succeed or the time is over.

use core::time::Duration;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use strait_os_common::pipe::{Limit, PipeError};

use super::cancel::Canceller;
use super::error::pipe_error;
use crate::error::{FromCall as _, OsError};

/// Makes `call` until it does something else than ask for patience. Each round ends by a wait until
/// the descriptor is ready, so that there are no more of them than the system's answers.
pub(super) fn perform<T>(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    cancel: Option<&Canceller>,
    limit: Limit,
    name: &'static str,
    mut call: impl FnMut() -> Result<T, Errno>,
) -> Result<T, PipeError> {
    if let (Limit::Until(_), Some(cancel)) = (limit, cancel)
        && cancel.take()
    {
        return Err(PipeError::Cancelled);
    }
    loop {
        match call() {
            Ok(done) => return Ok(done),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => sleep(fd, events, cancel, limit)?,
            Err(error) => return Err(pipe_error(name, error)),
        }
    }
}

/// Sleeps until the descriptor is ready.
fn sleep(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    cancel: Option<&Canceller>,
    limit: Limit,
) -> Result<(), PipeError> {
    loop {
        let timeout = poll_timeout(limit.left()?);
        let cancel_fd = cancel.map_or(fd, Canceller::as_fd);
        let mut fds = [PollFd::new(fd, events), PollFd::new(cancel_fd, PollFlags::POLLIN)];
        let used = if cancel.is_some() { 2 } else { 1 };
        match poll(&mut fds[..used], timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(PipeError::Os(OsError::nix("poll", error))),
        }
        if cancel.is_some_and(Canceller::take) {
            return Err(PipeError::Cancelled);
        }
        if fds[0].any().unwrap_or(false) {
            return Ok(());
        }
    }
}

/// Rounded up, so that a wait is never short by a turn; cut where `poll` cannot say more.
fn poll_timeout(left: Duration) -> PollTimeout {
    let millis = left.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}

/// Whether the descriptor is ready now, be it to say that the peer has ended.
pub(super) fn is_ready(fd: BorrowedFd<'_>, events: PollFlags) -> Result<bool, PipeError> {
    let mut fds = [PollFd::new(fd, events)];
    match poll(&mut fds, PollTimeout::ZERO) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(PipeError::Os(OsError::nix("poll", error))),
    }
}

/// Sleeps for `how_long`, or until it is cancelled: then true.
pub(super) fn nap(how_long: Duration, cancel: Option<&Canceller>) -> bool {
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
