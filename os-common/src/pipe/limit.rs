//! How long a call may wait.

use core::time::Duration;
use std::time::Instant;

use super::error::PipeError;

/// The longest wait; who asks for more gets this.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// Not at all.
    Try,
    /// Until then.
    Until(Instant),
}

impl Limit {
    /// `timeout` from now on.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        let now = Instant::now();
        Self::Until(now.checked_add(timeout.min(LONGEST)).unwrap_or(now))
    }

    /// What is left.
    ///
    /// # Errors
    ///
    /// That of a call that has none: [`PipeError::NotReady`] if it was not to wait, or [`PipeError::TimedOut`].
    pub fn left(self) -> Result<Duration, PipeError> {
        match self {
            Self::Try => Err(PipeError::NotReady),
            Self::Until(end) => match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => Err(PipeError::TimedOut),
                left => Ok(left),
            },
        }
    }

    /// What is left in milliseconds, rounded up, cut to what systems can say.
    #[must_use]
    pub fn millis(self) -> u32 {
        const MOST: u128 = 1 << 30;
        self.left().map_or(0, |left| left.as_nanos().div_ceil(1_000_000).min(MOST) as u32)
    }
}
