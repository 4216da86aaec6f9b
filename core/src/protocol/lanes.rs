//! The order in which a consumer of lanes looks at them.
//!
//! ```text
//!   lane:   0 1 | 2 3 4 5 6 7        urgent: 0 and 1, looked at first by each receive, in their order
//!           urgent      ^            the rest in turn, from the lane at which the last receive stopped;
//!                       at           on from there once `limit` messages came from it in a row. While a turn goes
//!                                    on and no lane is urgent, the next message comes from `at` without a search
//! ```
//!
//! # Invariants
//!
//! - L1. One search looks at each lane once at most. A receive is one search, after a look at the lane that
//!   [goes on](Sweep::goes_on), if one does: then nothing else is looked at if that has a message.
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
    /// How many messages more may come from lane `at` before it is the next one's turn; up to `limit - 1`, and 0 if
    /// none came from it in its turn so far.
    left: u32,
    /// Maximum number of messages from one lane before the next is looked at; at least 1.
    limit: u32,
}

impl Sweep {
    /// Starts at the first lane that is not urgent. `lanes` is at least 1, and `urgent` no more.
    #[must_use]
    pub const fn new(lanes: u32, urgent: u32, limit: u32) -> Self {
        Self { lanes, urgent, at: urgent, left: 0, limit: if limit == 0 { 1 } else { limit } }
    }

    /// The lane from which the next message comes if it has one, whatever is in the others: it has had a part of its
    /// turn, and no lane is urgent.
    #[inline(always)]
    #[must_use]
    pub fn goes_on(&self) -> Option<u32> {
        (self.left != 0 && self.urgent == 0).then_some(self.at)
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
        let (mut at, mut left) = (self.at, self.left);
        for _ in self.urgent..self.lanes {
            if let Some(found) = look(at) {
                self.at = at;
                self.left = if left == 0 { self.limit } else { left };
                self.took_one();
                return Some((at, found));
            }
            (at, left) = (self.after(at), 0);
        }
        (self.at, self.left) = (at, 0);
        None
    }

    /// How many messages the next search may take at once from the lane that it finds (L2).
    #[inline]
    #[must_use]
    pub fn most(&self) -> u32 {
        if self.left == 0 { self.limit } else { self.left }
    }

    /// So many messages more than the one that was found came from this lane, [`most`](Self::most) in all at most.
    #[inline]
    pub fn took(&mut self, lane: u32, more: u32) {
        if lane >= self.urgent && more != 0 {
            self.left -= more;
            if self.left == 0 {
                self.at = self.after(self.at);
            }
        }
    }

    /// A message came from the lane that [`goes_on`](Self::goes_on).
    #[inline(always)]
    pub fn took_one(&mut self) {
        self.left -= 1;
        if self.left == 0 {
            self.at = self.after(self.at);
        }
    }

    /// The lane whose turn comes after that of this one.
    #[inline(always)]
    fn after(&self, lane: u32) -> u32 {
        if lane + 1 >= self.lanes { self.urgent } else { lane + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Sweep;

    /// The lanes from which `count` messages come, if these have this many.
    fn order(sweep: &mut Sweep, waiting: &mut [u32], count: usize) -> Vec<u32> {
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

    /// Receives as an endpoint does: from the lane that goes on, or by a search. Returns the lane, and counts looks.
    fn next(sweep: &mut Sweep, waiting: &mut [u32], looks: &mut [u32]) -> Option<u32> {
        let mut look = |lane: u32| {
            looks[lane as usize] += 1;
            let left = &mut waiting[lane as usize];
            let some = *left > 0;
            *left = left.saturating_sub(1);
            some.then_some(())
        };
        if let Some(lane) = sweep.goes_on()
            && look(lane).is_some()
        {
            sweep.took_one();
            return Some(lane);
        }
        sweep.find(look).map(|(lane, ())| lane)
    }

    #[test]
    fn a_turn_that_goes_on_is_as_long_as_one_that_is_searched_for() {
        for (lanes, urgent, limit) in [(1, 0, 1), (1, 0, 3), (2, 0, 2), (5, 0, 3), (5, 2, 3), (3, 3, 2)] {
            let (mut one, mut other) = (Sweep::new(lanes, urgent, limit), Sweep::new(lanes, urgent, limit));
            let (mut here, mut there) = (vec![0; lanes as usize], vec![0; lanes as usize]);
            let mut random = 1_u32;
            for _ in 0..2000 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let lane = ((random >> 8) % lanes) as usize;
                let more = (random >> 24) % (limit + 2);
                here[lane] += more;
                there[lane] += more;
                for _ in 0..=random >> 30 {
                    let mut looks = vec![0; lanes as usize];
                    let goes_on = one.goes_on();
                    let got = next(&mut one, &mut here, &mut looks);
                    assert_eq!(got, order(&mut other, &mut there, 1).first().copied());
                    if let Some(lane) = goes_on
                        && got != Some(lane)
                    {
                        looks[lane as usize] -= 1;
                    }
                    assert!(looks.iter().all(|&count| count <= 1), "{looks:?}");
                    assert!(
                        goes_on.is_none() || got != goes_on || looks.iter().sum::<u32>() == 1,
                        "{looks:?}"
                    );
                    assert!(got.is_some() || looks.iter().all(|&count| count == 1), "{looks:?}");
                }
            }
        }
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
            }
        }
    }
}
