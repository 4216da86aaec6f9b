//! Waiting until descriptors are readable.

use core::time::Duration;
use std::os::fd::BorrowedFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;

/// The most descriptors of one wait.
pub const MOST: usize = 128;

/// Waits up to `timeout` until a descriptor is readable, has ended or has failed, or the bell rings, and tells `each` which
/// descriptors are; returns whether one is. Those beyond [`MOST`] are left out. May return early: a signal came, or
/// the bell rang, which is silenced.
pub fn wait(
    fds: &[BorrowedFd<'_>],
    bell: Option<BorrowedFd<'_>>,
    timeout: Duration,
    mut each: impl FnMut(usize),
) -> bool {
    let fds = fds.get(..MOST).unwrap_or(fds);
    let Some(&any) = fds.first().or(bell.as_ref()) else {
        std::thread::sleep(timeout);
        return false;
    };
    let mut set: [PollFd<'_>; MOST + 1] = core::array::from_fn(|_| PollFd::new(any, PollFlags::POLLIN));
    for (entry, &fd) in set.iter_mut().zip(fds.iter().chain(bell.as_ref())) {
        *entry = PollFd::new(fd, PollFlags::POLLIN);
    }
    let count = fds.len() + usize::from(bell.is_some());
    if !matches!(poll(&mut set[..count], milliseconds(timeout)), Ok(1..)) {
        return false;
    }
    let mut found = false;
    for (index, entry) in set[..fds.len()].iter().enumerate() {
        // Ended and failed ones too: reading them does not wait.
        if entry.revents().is_some_and(|events| !events.is_empty()) {
            each(index);
            found = true;
        }
    }
    if let Some(bell) = bell
        && set[count - 1].any().unwrap_or(false)
    {
        let _ = read(bell, &mut [0; 8]);
    }
    found
}

/// Rounded up, so that nobody spins through the last one.
fn milliseconds(time: Duration) -> PollTimeout {
    let whole = time.as_nanos().div_ceil(1_000_000);
    i32::try_from(whole).ok().and_then(|whole| PollTimeout::try_from(whole).ok()).unwrap_or(PollTimeout::MAX)
}
