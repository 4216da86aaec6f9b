//! How many clients a server serves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The seats of one server, which its handles share.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    taken: Arc<AtomicU32>,
    most: u32,
}

/// A seat that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicU32>);

impl Seats {
    /// This many seats, all of them free.
    pub(super) fn new(most: u32) -> Self {
        Self { taken: Arc::new(AtomicU32::new(0)), most }
    }

    /// Takes a seat, if one is free.
    pub(super) fn take(&self) -> Option<Seat> {
        let one_more = |taken| (taken < self.most).then_some(taken + 1);
        // ORDERING: Relaxed, because nothing is handed over with a seat.
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.is_ok().then(|| Seat(self.taken.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // ORDERING: Relaxed, as above.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Seats;

    #[test]
    fn no_more_than_there_are_and_each_comes_back() {
        let seats = Seats::new(2);
        let (one, two) = (seats.take(), seats.clone().take());
        assert!(one.is_some() && two.is_some() && seats.take().is_none());
        drop(one);
        assert!(seats.take().is_some() && seats.take().is_some(), "dropped at once");
        let three = seats.take();
        assert!(three.is_some() && seats.take().is_none());
    }
}
