//! Retries until success or until the time is over: connecting, and taking a seat. The system
//! announces neither, so there is a nap between two tries.

use core::time::Duration;

use super::error::{ConnectError, PipeError};
use super::limit::Limit;
use super::seats::{Seat, Seats};

/// Between two tries to connect, and two looks whether a client has left.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Connects by `attempt`, again and again while nobody serves the name or there is no room. `nap` sleeps for the
/// given time, or until it is cancelled: then it returns true.
///
/// # Errors
///
/// The last attempt's error, or [`ConnectError::Cancelled`].
pub(super) fn connect_by<T>(
    timeout: Duration,
    nap: impl Fn(Duration) -> bool,
    mut attempt: impl FnMut() -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    let limit = Limit::after(timeout);
    loop {
        let error = match attempt() {
            Err(error @ (ConnectError::NotFound | ConnectError::Busy)) => error,
            other => return other,
        };
        let Ok(left) = limit.left() else { return Err(error) };
        if nap(BETWEEN_TRIES.min(left)) {
            return Err(ConnectError::Cancelled);
        }
    }
}

impl Seats {
    /// Takes a seat once one is free. `nap` is as for [`connect_by`].
    ///
    /// # Errors
    ///
    /// That none was free until `limit`, or [`PipeError::Cancelled`].
    pub(super) fn take_until(&self, limit: Limit, nap: impl Fn(Duration) -> bool) -> Result<Seat, PipeError> {
        loop {
            if let Some(seat) = self.take() {
                return Ok(seat);
            }
            if nap(BETWEEN_TRIES.min(limit.left()?)) {
                return Err(PipeError::Cancelled);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::time::Duration;

    use super::super::limit::Limit;
    use super::super::seats::Seats;
    use super::super::{ConnectError, PipeError};
    use super::connect_by;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn only_what_can_pass_is_tried_again() {
        let mut answers = [Err(ConnectError::NotFound), Err(ConnectError::Busy), Ok(7)].into_iter();
        let naps = Cell::new(0);
        let nap = |_| {
            naps.set(naps.get() + 1);
            false
        };
        assert_eq!(connect_by(LONG, nap, || answers.next().expect("no fourth attempt")), Ok(7));
        assert_eq!(naps.get(), 2);
        let wrong = || Err::<(), _>(ConnectError::WrongKind);
        assert_eq!(connect_by(LONG, |_| panic!("it will not pass"), wrong), Err(ConnectError::WrongKind));
    }

    #[test]
    fn the_time_and_the_canceller_end_it() {
        let busy = || Err::<(), _>(ConnectError::Busy);
        assert_eq!(connect_by(Duration::ZERO, |_| panic!("no time is left"), busy), Err(ConnectError::Busy));
        assert_eq!(connect_by(LONG, |_| true, busy), Err(ConnectError::Cancelled));
        let seats = Seats::new(0);
        let none = |limit, cancelled| seats.take_until(limit, |_| cancelled).map(drop);
        assert_eq!(none(Limit::Try, false), Err(PipeError::NotReady));
        assert_eq!(none(Limit::after(Duration::ZERO), false), Err(PipeError::TimedOut));
        assert_eq!(none(Limit::after(LONG), true), Err(PipeError::Cancelled));
    }

    #[test]
    fn a_seat_that_comes_free_is_taken() {
        let seats = Seats::new(1);
        let first = Cell::new(seats.take());
        let leave = |_| {
            drop(first.take());
            false
        };
        assert!(seats.take_until(Limit::after(LONG), leave).is_ok());
    }
}
