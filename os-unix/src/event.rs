//! Doorbells of tasks: eventfds, made, rung, and listened to.

use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::{read, write};
use strait_os_base::OsError;

use crate::fd;

/// A new eventfd, which does not block.
pub fn doorbell() -> Result<OwnedFd, OsError> {
    let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
    let bell = EventFd::from_flags(flags).map_err(|error| OsError::new("eventfd", error as i32))?;
    fd::keep(bell.into()).map_err(|error| OsError::io("dup", &error))
}

/// Rings; one that is full rings already.
pub fn ring(bell: &OwnedFd) {
    let _ = write(bell, &1_u64.to_ne_bytes());
}

/// Sleeps until the bell rings, up to `timeout`. Whether it rang, and if so silences it: who rings after
/// this is heard next time. May return early: a signal came.
#[must_use]
pub fn listen(bell: &OwnedFd, timeout: Duration) -> bool {
    let mut event = [PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
    let _ = poll(&mut event, milliseconds(timeout));
    read(bell, &mut [0; 8]).is_ok()
}

/// Rounded up, so that nobody spins through the last one.
fn milliseconds(time: Duration) -> PollTimeout {
    let whole = time.as_nanos().div_ceil(1_000_000);
    i32::try_from(whole).ok().and_then(|whole| PollTimeout::try_from(whole).ok()).unwrap_or(PollTimeout::MAX)
}
