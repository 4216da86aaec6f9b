//! How long a call may wait.

use core::time::Duration;
use std::time::Instant;

use strait_os_base::pipe::IoFailure;

use super::error::PipeError;

/// How long the calls of embedded-io's traits wait by default.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait; a longer one is cut to this.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// Not at all.
    Try,
    /// Until then.
    Until(Instant),
}

impl Limit {
    /// `timeout` from now on.
    pub(super) fn after(timeout: Duration) -> Self {
        let now = Instant::now();
        Self::Until(now.checked_add(timeout.min(LONGEST)).unwrap_or(now))
    }

    /// As the system's functions take it.
    pub(super) fn until(self) -> Option<Instant> {
        match self {
            Self::Try => None,
            Self::Until(end) => Some(end),
        }
    }

    /// The error of a call for which no time is left.
    fn over(self) -> PipeError {
        match self {
            Self::Try => PipeError::NotReady,
            Self::Until(_) => PipeError::TimedOut,
        }
    }

    /// The time that is left.
    ///
    /// # Errors
    ///
    /// [`PipeError::NotReady`] if the call was not to wait, or [`PipeError::TimedOut`].
    pub(super) fn left(self) -> Result<Duration, PipeError> {
        let left = self.until().map(|end| end.saturating_duration_since(Instant::now()));
        left.filter(|left| !left.is_zero()).ok_or(self.over())
    }

    /// The error of a call that had this limit.
    pub(super) fn error(self, failure: IoFailure) -> PipeError {
        match failure {
            IoFailure::OutOfTime => self.over(),
            IoFailure::Cancelled => PipeError::Cancelled,
            IoFailure::Ended => PipeError::PeerEnded,
            IoFailure::Broken => PipeError::Broken,
            IoFailure::Fault => PipeError::Fault,
            IoFailure::Unsupported => PipeError::Unsupported,
            IoFailure::Os(error) => PipeError::Os(error),
        }
    }
}
