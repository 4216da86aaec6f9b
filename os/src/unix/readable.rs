//! Waiting for receivers of regions and for descriptors at once.
//!
//! The kernel sleeps on words or on descriptors, not on both. So a wait here sleeps on the descriptors: with a doorbell,
//! which senders ring, as long as it may; without one for a millisecond at a time, after which it looks at the words.

use core::cell::Cell;
use core::time::Duration;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use strait_core::port::{
    Cache, Clock, Ident, Liveness, Mem, Port, Probe, RELAXED, TokenRefused, Wait, WaitPoint, wait_ready_or,
};
use strait_core::{Deadline, Ready, WaitAnyError, WaitPolicy, Waitable};

use crate::SystemPort;
use crate::sys::readable;

/// What [`wait_ready_or_readable`] found: both sets can have members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyOrReadable {
    /// The receivers that have something.
    pub receivers: Ready,
    /// The descriptors that are readable, have ended or have failed: a read does not wait.
    pub descriptors: Ready,
}

/// Waits up to `timeout` until a receiver has something or a descriptor is readable; returns all that are, so that none
/// starves behind another. A descriptor that stays readable ends every wait at once: read it until it would block.
///
/// A descriptor ends the sleep at once. A message is found a millisecond late at most, at the cost of a thousand wakes a
/// second. On Linux, `EventPort` has the same function without either, where the senders ring its doorbell.
///
/// # Errors
///
/// [`WaitAnyError`]; `TooMany` for more than [`Ready::MOST`] descriptors, too.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::Write;
/// use std::os::fd::AsFd;
/// use std::os::unix::net::UnixStream;
/// use std::time::Duration;
/// use strait_core::{Channel, Plan, WaitPolicy};
/// use strait_os::unix::wait_ready_or_readable;
/// use strait_os::{RegionName, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4).consumer_may_block()]);
/// # let name = format!("doc-readable-{}", std::process::id());
/// let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
/// # RegionName::new(&name)?.remove()?;
/// let mut steps = region.typed_consumer::<u32>("steps")?;
/// let (socket, mut peer) = UnixStream::pair()?;
/// peer.write_all(b"stop")?;
///
/// let second = Duration::from_secs(1);
/// let mut wait = || {
///     let descriptors = [socket.as_fd()];
///     wait_ready_or_readable(region.port(), &mut [&mut steps], &descriptors, WaitPolicy::parking(), second)
/// };
/// let found = wait()?;
/// assert!(found.receivers.is_empty() && found.descriptors.contains(0));
///
/// region.typed_producer::<u32>("steps")?.try_send(&1)?;
/// let found = wait()?;
/// assert!(found.receivers.contains(0) && found.descriptors.contains(0));
/// # Ok(())
/// # }
/// ```
pub fn wait_ready_or_readable(
    port: &SystemPort,
    receivers: &mut [&mut dyn Waitable],
    descriptors: &[BorrowedFd<'_>],
    policy: WaitPolicy,
    timeout: Duration,
) -> Result<ReadyOrReadable, WaitAnyError> {
    wait_by(port, None, receivers, descriptors, policy, timeout)
}

/// The same, with a doorbell that is rung when a sender wakes.
pub(crate) fn wait_by<P: Port>(
    port: &P,
    bell: Option<BorrowedFd<'_>>,
    receivers: &mut [&mut dyn Waitable],
    descriptors: &[BorrowedFd<'_>],
    policy: WaitPolicy,
    timeout: Duration,
) -> Result<ReadyOrReadable, WaitAnyError> {
    if descriptors.len() > readable::MOST {
        return Err(WaitAnyError::TooMany { most: Ready::MOST });
    }
    let is_readable = Cell::new(readable::wait(descriptors, None, Duration::ZERO, |_| {}));
    let sleeper = Sleeper { port: port.clone(), descriptors, bell, is_readable: &is_readable };
    let deadline = Deadline::after(port, timeout);
    let receivers = wait_ready_or(&sleeper, receivers, policy, deadline, || sleeper.look(policy))?;
    let mut found = [false; readable::MOST];
    readable::wait(descriptors, None, Duration::ZERO, |index| found[index] = true);
    let descriptors = found.iter().enumerate().filter_map(|(index, &found)| found.then_some(index)).collect();
    Ok(ReadyOrReadable { receivers, descriptors })
}

/// How long a sleep lasts at most that no sender ends.
const LONGEST: Duration = Duration::from_millis(1);

/// A port that sleeps on descriptors.
#[derive(Clone)]
struct Sleeper<'a, P> {
    port: P,
    descriptors: &'a [BorrowedFd<'a>],
    bell: Option<BorrowedFd<'a>>,
    /// Whether the last sleep found a descriptor readable.
    is_readable: &'a Cell<bool>,
}

impl<P: Port> Sleeper<'_, P> {
    /// Whether a descriptor is readable, as the last sleep found; a policy that never sleeps asks for itself.
    fn look(&self, policy: WaitPolicy) -> bool {
        if !policy.park {
            self.sleep(Duration::ZERO);
        }
        self.is_readable.get()
    }

    fn sleep(&self, timeout: Duration) {
        if readable::wait(self.descriptors, self.bell, timeout, |_| {}) {
            self.is_readable.set(true);
        }
    }
}

impl<P: Port> Wait for Sleeper<'_, P> {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.wait_any(&[(point, expected)], timeout);
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        let start = Instant::now();
        // ORDERING: relaxed, as the caller looks again at what it waits for, with its own ordering.
        while points.iter().all(|(point, expected)| point.word.load(RELAXED) == *expected) {
            let left = timeout.saturating_sub(start.elapsed());
            self.sleep(if self.bell.is_some() { left } else { left.min(LONGEST) });
            // A ring may be for a word whose value is as it was: the caller looks.
            if self.bell.is_some() || self.is_readable.get() || left.is_zero() {
                return;
            }
        }
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.port.wake(point);
    }

    fn pause(&self, how_long: Duration) {
        self.sleep(how_long.min(LONGEST));
    }
}

impl<P: Port> Clock for Sleeper<'_, P> {
    fn now_ns(&self) -> u64 {
        self.port.now_ns()
    }
}

#[expect(unsafe_code, reason = "the contract of Liveness is a promise, proven here")]
// SAFETY: as for the port to which it forwards.
unsafe impl<P: Port> Liveness for Sleeper<'_, P> {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.port.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.port.release(who) };
    }

    fn probe(&self, who: Ident) -> Probe {
        self.port.probe(who)
    }
}

#[expect(unsafe_code, reason = "the contract of Port is a promise, proven here")]
// SAFETY: as for the port to which it forwards, a clone of which every clone keeps.
unsafe impl<P: Port> Port for Sleeper<'_, P> {
    fn mem(&self) -> &Mem {
        self.port.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.port.ident()
    }

    const CAN_BE_REPLACED: bool = P::CAN_BE_REPLACED;

    fn is_current(&self) -> Option<bool> {
        self.port.is_current()
    }

    const CAN_FORK: bool = P::CAN_FORK;

    fn has_forked(&self) -> bool {
        self.port.has_forked()
    }

    fn raise(&self) -> u32 {
        self.port.raise()
    }

    fn lower(&self, raised: u32) {
        self.port.lower(raised);
    }

    fn is_unwinding(&self) -> bool {
        self.port.is_unwinding()
    }

    fn domain(&self) -> u32 {
        self.port.domain()
    }

    fn cache(&self) -> Option<Cache> {
        self.port.cache()
    }

    fn clean(&self, offset: u32, len: u32) {
        self.port.clean(offset, len);
    }

    fn invalidate(&self, offset: u32, len: u32) {
        self.port.invalidate(offset, len);
    }

    fn has_hardware_lock(&self) -> bool {
        self.port.has_hardware_lock()
    }

    fn hardware_lock(&self) -> bool {
        self.port.hardware_lock()
    }

    fn hardware_unlock(&self) {
        self.port.hardware_unlock();
    }
}
