//! Noticing that a channel's sender is late.

use core::fmt;
use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::port::Port;

use super::attachment::Attachment;
use super::error::ChannelError;
use super::inspect::channel_state;

/// Nothing has been sent for longer than the plan expects. It says nothing about death: the sender may be
/// slow, stopped, or have nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// For how much longer than the expected period.
    pub by: Duration,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the channel's sender is late by {:?}; look whether it still runs", self.by)
    }
}

impl core::error::Error for Late {}

/// Watches how often a queue or latest value is sent to, from outside: it needs no role, stores nothing, and
/// costs the sender and the receiver nothing.
///
/// It measures by the clock of its own port, from the check that saw a change last, so a change is noticed when it
/// [checks](Self::check): once in a control cycle is usual.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[
///     Channel::latest::<f64>("angle").expected_every(Duration::from_millis(1)),
/// ]);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut heartbeat = region.heartbeat("angle").unwrap();
/// assert_eq!(heartbeat.period(), Some(Duration::from_millis(1)));
/// region.latest_writer::<f64>("angle").unwrap().publish(&0.5);
/// assert_eq!(heartbeat.check(), Ok(()));
/// ```
pub struct Heartbeat<P: Port> {
    entry: Entry,
    line: u32,
    /// How much had been sent at the last change that was seen.
    sent: u32,
    /// When that was, by the port's clock.
    since: u64,
    port: P,
}

impl<P: Port> Attachment<P> {
    /// Starts to watch how often something is sent to the channel of this name. Two loads; claims nothing.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NotFound`] and [`ChannelError::Kind`]: a lock has no sender.
    pub fn heartbeat(&self, name: &str) -> Result<Heartbeat<P>, ChannelError> {
        let entry = self.channel(name)?;
        if entry.kind.is_lock() {
            return Err(ChannelError::Kind { found: entry.kind });
        }
        let (port, line) = (self.port().clone(), self.header().line);
        let (sent, since) = (channel_state(port.mem(), line, &entry).sent, port.now_ns());
        Ok(Heartbeat { entry, line, sent, since, port })
    }
}

impl<P: Port> Heartbeat<P> {
    /// The period that the [plan](crate::Channel::expected_every) expects.
    #[must_use]
    pub fn period(&self) -> Option<Duration> {
        (self.entry.period_us != 0).then(|| Duration::from_micros(self.entry.period_us.into()))
    }

    /// Whether something was sent within the expected period. A few loads, and a look at the clock.
    ///
    /// # Errors
    ///
    /// [`Late`]; never if the plan expects no period.
    pub fn check(&mut self) -> Result<(), Late> {
        let silence = self.silence();
        match self.period() {
            Some(period) if silence > period => Err(Late { by: silence - period }),
            _ => Ok(()),
        }
    }

    /// How long ago the last change was seen, or the watch was opened. A few loads, and a look at the clock.
    pub fn silence(&mut self) -> Duration {
        let sent = channel_state(self.port.mem(), self.line, &self.entry).sent;
        let now = self.port.now_ns();
        if sent != self.sent {
            (self.sent, self.since) = (sent, now);
        }
        Duration::from_nanos(now.saturating_sub(self.since))
    }
}
