//! The order in which a consumer of lanes looks at them.
//!
//! ```text
//!   lane:   0 1 | 2 3 4 5 6 7        urgent: 0 and 1, looked at first by each receive, in their order
//!           urgent      ^            the rest in turn, from the lane at which the last receive stopped;
//!                       at           on from there once `limit` messages came from it in a row
//! ```
//!
//! # Invariants
//!
//! - L1. One search looks at each lane once at most.
//! - L2. Between two looks at a lane that is not urgent, at most `limit` messages come from each of the
//!   others that are not.
//! - L3. No word of the region takes part in the order: a peer cannot change it except by sending.
//!
//! # Used by
//!
//! [`LanesConsumer`](crate::LanesConsumer) and [`TypedLanesConsumer`](crate::TypedLanesConsumer).

/// Whose turn it is among the lanes of a channel. Private state of the consumer.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// How many lanes there are, at least 1.
    lanes: u32,
    /// How many of them are urgent: the first; up to `lanes`.
    urgent: u32,
    /// The lane at which the next search starts, of those that are not urgent: `urgent` to `lanes - 1`. If all
    /// are urgent, it has no meaning.
    at: u32,
    /// Messages received from lane `at` in a row; up to `limit`.
    run: u32,
    /// Maximum number of messages from one lane before the next is looked at; at least 1.
    limit: u32,
}

impl Sweep {
    /// Starts at the first lane that is not urgent. `lanes` is at least 1, and `urgent` no more.
    #[must_use]
    pub const fn new(lanes: u32, urgent: u32, limit: u32) -> Self {
        Self { lanes, urgent, at: urgent, run: 0, limit: if limit == 0 { 1 } else { limit } }
    }

    /// Looks for a message until `look` finds one; returns the lane and what `look` returned. One look a lane at
    /// most (L1).
    #[inline]
    pub fn find<R>(&mut self, mut look: impl FnMut(u32) -> Option<R>) -> Option<(u32, R)> {
        for lane in 0..self.urgent {
            if let Some(found) = look(lane) {
                return Some((lane, found));
            }
        }
        if self.run >= self.limit {
            self.pass();
        }
        for _ in self.urgent..self.lanes {
            if let Some(found) = look(self.at) {
                self.run += 1;
                return Some((self.at, found));
            }
            self.pass();
        }
        None
    }

    /// As [`find`](Self::find), for a short `look`: it is called at one place, so the compiler inlines it there, which saves
    /// more instructions than it costs to tell urgent lanes from others at each look.
    #[inline(always)]
    pub fn find_inlined<R>(&mut self, mut look: impl FnMut(u32) -> Option<R>) -> Option<(u32, R)> {
        // A turn may begin here although an urgent lane has something: it goes on from there later, as in `find`.
        if self.run >= self.limit {
            self.pass();
        }
        for step in 0..self.lanes {
            let in_turn = step >= self.urgent;
            let lane = if in_turn { self.at } else { step };
            if let Some(found) = look(lane) {
                self.run += u32::from(in_turn);
                return Some((lane, found));
            }
            if in_turn {
                self.pass();
            }
        }
        None
    }

    /// How many messages the next search may take at once from the lane that it finds (L2).
    #[inline]
    #[must_use]
    pub fn most(&self) -> u32 {
        if self.run >= self.limit { self.limit } else { self.limit - self.run }
    }

    /// So many messages more than the one that was found came from this lane, [`most`](Self::most) in all at most.
    #[inline]
    pub fn took(&mut self, lane: u32, more: u32) {
        if lane >= self.urgent {
            self.run += more;
        }
    }

    /// It is the next lane's turn.
    #[inline]
    fn pass(&mut self) {
        self.run = 0;
        self.at += 1;
        if self.at >= self.lanes {
            self.at = self.urgent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sweep;

    /// The lanes from which `count` messages come, if these have this many, whichever search looks for them.
    fn order(sweep: &mut Sweep, waiting: &mut [u32], count: usize) -> Vec<u32> {
        let (mut other, mut same) = (*sweep, waiting.to_vec());
        let inlined: Vec<_> = (0..count)
            .map_while(|_| {
                other.find_inlined(|lane| {
                    let left = &mut same[lane as usize];
                    let some = *left > 0;
                    *left = left.saturating_sub(1);
                    some.then_some(())
                })
            })
            .map(|(lane, ())| lane)
            .collect();
        let found = order_found(sweep, waiting, count);
        assert_eq!(found, inlined);
        found
    }

    fn order_found(sweep: &mut Sweep, waiting: &mut [u32], count: usize) -> Vec<u32> {
        let mut take = || {
            sweep.find(|lane| {
                let left = &mut waiting[lane as usize];
                let some = *left > 0;
                *left = left.saturating_sub(1);
                some.then_some(())
            })
        };
        (0..count).map_while(|_| take().map(|(lane, ())| lane)).collect()
    }

    #[test]
    fn lanes_take_turns() {
        let mut sweep = Sweep::new(3, 0, 2);
        assert_eq!(order(&mut sweep, &mut [9, 3, 1], 9), [0, 0, 1, 1, 2, 0, 0, 1, 0]);
    }

    #[test]
    fn a_batch_is_as_many_messages_as_it_has() {
        let mut sweep = Sweep::new(2, 0, 3);
        let mut waiting = [5, 9];
        let mut batch = |max: u32| {
            let most = sweep.most().min(max);
            let (lane, count) = sweep.find(|lane| {
                let count = most.min(waiting[lane as usize]);
                waiting[lane as usize] -= count;
                (count > 0).then_some(count)
            })?;
            sweep.took(lane, count - 1);
            Some((lane, count))
        };
        let got: Vec<_> = [2, 9, 9, 9, 9, 9, 9].into_iter().map_while(&mut batch).collect();
        assert_eq!(got, [(0, 2), (0, 1), (1, 3), (0, 2), (1, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn urgent_lanes_come_first_and_in_their_order() {
        let mut sweep = Sweep::new(4, 2, 1);
        assert_eq!(order(&mut sweep, &mut [1, 2, 2, 2], 9), [0, 1, 1, 2, 3, 2, 3]);
    }

    #[test]
    fn all_lanes_may_be_urgent() {
        assert_eq!(order(&mut Sweep::new(2, 2, 1), &mut [1, 2], 9), [0, 1, 1]);
    }

    #[test]
    fn each_lane_is_looked_at_once_in_a_search() {
        for (lanes, urgent, limit) in [(1, 0, 1), (5, 0, 3), (8, 3, 1), (4, 4, 2)] {
            let mut sweep = Sweep::new(lanes, urgent, limit);
            for last in 0..lanes {
                // Whatever the search before has left.
                let _ = sweep.find(|lane| (lane == last).then_some(()));
                let mut looks = vec![0; lanes as usize];
                assert!(
                    sweep
                        .find(|lane| -> Option<()> {
                            looks[lane as usize] += 1;
                            None
                        })
                        .is_none()
                );
                assert!(looks.iter().all(|&count| count == 1), "{lanes} {urgent} {limit}: {looks:?}");
                assert!(
                    sweep
                        .find_inlined(|lane| -> Option<()> {
                            looks[lane as usize] += 1;
                            None
                        })
                        .is_none()
                );
                assert!(looks.iter().all(|&count| count == 2), "{lanes} {urgent} {limit}: {looks:?}");
            }
        }
    }
}
