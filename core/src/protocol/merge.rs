//! The order in which a consumer of lanes takes messages by their time stamps.
//!
//! ```text
//!   lane 0:  [ 5 ] [ 9 ]        the first of each lane is seen, once: 5, 4 and nothing
//!   lane 1:  [ 4 ]              the oldest is 4; it is certain once lane 2 has said a time of 4 or later
//!   lane 2:                     lane 2 said 3: it may yet send a 3 or a 4
//! ```
//!
//! | a lane | what it says of messages to come |
//! |---|---|
//! | has a message waiting | none of its own is older than that one |
//! | is empty | none is older than the latest that it sent: the time that it *said* |
//! | is left out for its damage | nothing, and nobody waits for it |
//!
//! # Invariants
//!
//! - G1. The message that comes next is the oldest of those seen; of equals, that of the lowest lane.
//! - G2. After it was seen, each lane that was empty is looked at once more. So a message that was sent after another
//!   was sent, and has a later stamp, never comes before it.
//! - G3. A message is *certain* if each lane that is empty has said its stamp or a later one. One that is not may be
//!   held, until the consumer's own clock says that one of those seen has waited long enough; never by a peer's time.
//! - G4. After a message was seen, at most `passes` others come before it, and one more for each other lane that has
//!   waited as long. So stamps that are lies, or go backwards, change the order within these bounds and nothing else.
//! - G5. No word of the region takes part, but for the stamps in the messages.
//!
//! # If a peer dies, is silent or lies
//!
//! A lane whose producer is dead or silent says nothing: what is not certain is held for the time that the consumer
//! set, which is no time unless it set one. Stamps that are too old come at once, G4 permitting; one that is far in the
//! future comes when it is the oldest, and then counts as said.
//!
//! # Used by
//!
//! [`LanesConsumer`](crate::LanesConsumer) and [`TypedLanesConsumer`](crate::TypedLanesConsumer), with a
//! [`TimeOrder`](crate::TimeOrder).

/// What is known of a lane.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The position of the first message that waits, if one was seen.
    pos: Option<u32>,
    /// Its stamp.
    stamp: u64,
    /// When it need not be held any longer, by the consumer's clock.
    until: u64,
    /// How many messages had been taken when it was seen.
    before: u64,
    /// The latest stamp that was taken from this lane; 0 if none was.
    said: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// No message was seen.
    Nothing,
    /// The first of this lane.
    Take(u32),
    /// The oldest is not certain, and may be held until then.
    Held(u64),
}

/// What is known of up to `N` lanes. Private state of the consumer.
#[derive(Clone, Debug)]
pub struct Merge<const N: usize> {
    lanes: [Seen; N],
    /// How many messages were taken.
    taken: u64,
}

impl<const N: usize> Merge<N> {
    /// Nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        let seen = Seen { pos: None, stamp: 0, until: 0, before: 0, said: 0 };
        Self { lanes: [seen; N], taken: 0 }
    }

    /// Whether the stamp of the message at this position of a lane is known.
    #[inline]
    #[must_use]
    pub fn knows(&self, lane: u32, pos: u32) -> bool {
        self.lanes.get(lane as usize).is_some_and(|seen| seen.pos == Some(pos))
    }

    /// The first message of a lane, at this position, has this stamp, and need not be held after `until`.
    pub fn saw(&mut self, lane: u32, pos: u32, stamp: u64, until: u64) {
        let before = self.taken;
        if let Some(seen) = self.lanes.get_mut(lane as usize) {
            *seen = Seen { pos: Some(pos), stamp, until, before, said: seen.said };
        }
    }

    /// A lane is empty.
    pub fn is_empty(&mut self, lane: u32) {
        if let Some(seen) = self.lanes.get_mut(lane as usize) {
            seen.pos = None;
        }
    }

    /// A lane is left out: nobody waits for it.
    pub fn leave_out(&mut self, lane: u32) {
        if let Some(seen) = self.lanes.get_mut(lane as usize) {
            (seen.pos, seen.said) = (None, u64::MAX);
        }
    }

    /// The first message of a lane was taken.
    pub fn took(&mut self, lane: u32) {
        self.taken += 1;
        if let Some(seen) = self.lanes.get_mut(lane as usize) {
            seen.pos = None;
            seen.said = seen.said.max(seen.stamp);
        }
    }

    /// The lane of the oldest message that was seen (G1).
    #[must_use]
    pub fn oldest(&self) -> Option<u32> {
        let waiting = self.lanes.iter().zip(0..).filter(|(seen, _)| seen.pos.is_some());
        waiting.min_by_key(|(seen, _)| seen.stamp).map(|(_, lane)| lane)
    }

    /// The lane whose turn it is, of the first `count`: the oldest message's, unless `passes` others came before one
    /// (G4), or the oldest may be held (G3), at the time `now`.
    #[must_use]
    pub fn next(&self, count: u32, passes: u64, now: u64) -> Next {
        let Some(lane) = self.oldest() else { return Next::Nothing };
        let waiting = || self.lanes.iter().zip(0..).filter(|(seen, _)| seen.pos.is_some());
        let overdue = waiting().filter(|(seen, _)| self.taken - seen.before >= passes);
        if let Some((_, lane)) = overdue.min_by_key(|(seen, _)| seen.before) {
            return Next::Take(lane);
        }
        let stamp = self.lanes.get(lane as usize).map_or(0, |seen| seen.stamp);
        let mut lanes = self.lanes.iter().take(count as usize);
        if lanes.all(|seen| seen.pos.is_some() || seen.said >= stamp) {
            return Next::Take(lane);
        }
        // What has waited long enough goes, and all that is older before it.
        let until = waiting().map(|(seen, _)| seen.until).min().unwrap_or(0);
        if now >= until { Next::Take(lane) } else { Next::Held(until) }
    }
}

impl<const N: usize> Default for Merge<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Merge, Next};

    /// Takes what comes next of `lanes`, whose stamps are given, without holding anything.
    fn order<const N: usize>(lanes: [&[u64]; N], passes: u64) -> Vec<u64> {
        let mut merge = Merge::<N>::new();
        let mut at = [0; N];
        let mut got = Vec::new();
        loop {
            for lane in 0..N {
                match lanes[lane].get(at[lane]) {
                    Some(&stamp) if !merge.knows(lane as u32, at[lane] as u32) => {
                        merge.saw(lane as u32, at[lane] as u32, stamp, 0);
                    }
                    Some(_) => {}
                    None => merge.is_empty(lane as u32),
                }
            }
            match merge.next(N as u32, passes, 0) {
                Next::Take(lane) => {
                    got.push(lanes[lane as usize][at[lane as usize]]);
                    at[lane as usize] += 1;
                    merge.took(lane);
                }
                Next::Nothing => return got,
                Next::Held(_) => panic!("nothing is held"),
            }
        }
    }

    #[test]
    fn stamps_are_merged() {
        assert_eq!(order([&[1, 4, 6], &[2, 3, 9], &[5]], 100), [1, 2, 3, 4, 5, 6, 9]);
    }

    #[test]
    fn equal_stamps_come_in_the_order_of_lanes() {
        let mut merge = Merge::<3>::new();
        for lane in [2, 0, 1] {
            merge.saw(lane, 0, 7, 0);
        }
        assert_eq!(merge.oldest(), Some(0));
    }

    #[test]
    fn stamps_that_lie_hold_nobody_up_beyond_the_bound() {
        // Lane 1 says 0 for ever.
        let got = order([&[50, 51], &[0; 20]], 4);
        assert_eq!(got[..10], [0, 0, 0, 0, 50, 0, 0, 0, 0, 51]);
        // All others are as old: one more for each.
        let got = order([&[0; 20], &[50], &[51]], 3);
        assert_eq!(got[..5], [0, 0, 0, 50, 51]);
    }

    #[test]
    fn what_is_not_certain_is_held_by_the_own_clock_and_no_longer() {
        let mut merge = Merge::<2>::new();
        merge.saw(0, 0, 1000, 30);
        assert_eq!(merge.next(2, 100, 29), Next::Held(30));
        assert_eq!(merge.next(2, 100, 30), Next::Take(0));
        // An older one that comes goes first, and at once when the other has waited long enough.
        merge.saw(1, 0, 900, 50);
        assert_eq!(merge.next(2, 100, 29), Next::Take(1));
        merge.took(1);
        assert_eq!(merge.next(2, 100, 29), Next::Held(30), "lane 1 said 900");
        merge.saw(1, 1, 2000, 60);
        merge.took(1);
        assert_eq!(merge.next(2, 100, 29), Next::Take(0));
    }

    #[test]
    fn a_lane_that_is_left_out_is_not_waited_for() {
        let mut merge = Merge::<2>::new();
        merge.saw(0, 0, 1000, 30);
        merge.leave_out(1);
        assert_eq!(merge.next(2, 100, 0), Next::Take(0));
    }
}
