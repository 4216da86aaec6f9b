//! What the port asks of a mailbox, how it sleeps by one, and what it does without.

use core::time::Duration;

/// An interrupt from this core to the other side, and one from there.
pub trait Mailbox: Sync {
    /// Interrupts the other side. What this core stored before is in memory by then.
    fn ring(&self);

    /// Whether the other side has rung since the last call.
    fn take(&self) -> bool;

    /// Stops the core until an interrupt is pending, the other side's or a timer's after about `nanos`; not at all if
    /// one is pending. May return early.
    fn doze(&self, nanos: u64);

    /// Nanoseconds since some fixed point; `u64::MAX` where there is no clock.
    fn now_ns(&self) -> u64;

    /// Sleeps while `idle`, until the other side rings, for at most `timeout`.
    ///
    /// The other side stores before it rings. So a ring that was taken before `idle` looks is for what that sees, and one
    /// that comes later is pending and ends the sleep.
    fn sleep(&self, timeout: Duration, idle: &dyn Fn() -> bool) {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let end = self.now_ns().saturating_add(nanos);
        while !self.take() && idle() {
            match end.saturating_sub(self.now_ns()) {
                0 => return,
                left => self.doze(left),
            }
        }
    }
}

/// There is none: this core looks again and again, and counts its looks.
pub struct Polling;

impl Mailbox for Polling {
    fn ring(&self) {}

    fn take(&self) -> bool {
        false
    }

    fn doze(&self, _: u64) {}

    fn now_ns(&self) -> u64 {
        u64::MAX
    }
}
