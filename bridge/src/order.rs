//! What came of each source before: which messages are lost, and which come again.

use std::collections::HashMap;

use crate::stamp::{Stamp, TAKEN_OVER};

/// Sources that are remembered. A network that names more is telling lies; then all are forgotten, and nothing of what
/// comes next counts as lost.
pub const MOST: usize = 1024;

/// How far back a number may be to count as one that comes again; farther, the channel was reset.
const BACK: u32 = 1 << 24;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is the next one of its source; before it so many are lost.
    Next {
        /// How many.
        lost: u32,
    },
    /// It came before.
    Again,
}

/// Where a source is.
#[derive(Clone, Copy)]
struct Last {
    run: u64,
    next: u32,
}

/// The sources of a channel.
#[derive(Default)]
pub struct Sources {
    last: HashMap<u64, Last>,
}

impl Sources {
    /// Takes a message's stamp.
    pub fn take(&mut self, stamp: &Stamp) -> Turn {
        self.reach(stamp, stamp.sequence.wrapping_add(1), true)
    }

    /// Takes the stamp of a mark, whose number is that of the message that would come next; returns how many before it
    /// are lost.
    pub fn mark(&mut self, stamp: &Stamp) -> u32 {
        match self.reach(stamp, stamp.sequence, false) {
            Turn::Next { lost } => lost,
            Turn::Again => 0,
        }
    }

    fn reach(&mut self, stamp: &Stamp, next: u32, is_message: bool) -> Turn {
        if self.last.len() >= MOST && !self.last.contains_key(&stamp.source) {
            self.last.clear();
        }
        let fresh = Last { run: stamp.run, next };
        let Some(last) = self.last.get_mut(&stamp.source) else {
            self.last.insert(stamp.source, fresh);
            return Turn::Next { lost: 0 };
        };
        let ahead = stamp.sequence.wrapping_sub(last.next);
        if ahead < 1 << 31 {
            *last = fresh;
            return Turn::Next { lost: ahead };
        }
        // A new run of a bridge that succeeded nobody and yet starts anew has a channel that was reset.
        let is_reset = stamp.run != last.run && stamp.flags & TAKEN_OVER == 0;
        if is_reset || last.next.wrapping_sub(stamp.sequence) > BACK {
            *last = fresh;
            return Turn::Next { lost: 0 };
        }
        if is_message {
            last.run = stamp.run;
        }
        Turn::Again
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Sources, Turn};
    use crate::stamp::{Stamp, TAKEN_OVER};

    fn stamp(run: u64, sequence: u32) -> Stamp {
        Stamp { source: 7, run, sequence, ..Stamp::default() }
    }

    const NEXT: Turn = Turn::Next { lost: 0 };

    #[test]
    fn gaps_are_counted_across_the_wrap_and_what_comes_again_is_told() {
        let mut sources = Sources::default();
        assert_eq!(sources.take(&stamp(1, u32::MAX - 1)), NEXT);
        assert_eq!(sources.take(&stamp(1, u32::MAX)), NEXT);
        assert_eq!(sources.take(&stamp(1, 3)), Turn::Next { lost: 3 });
        assert_eq!(sources.take(&stamp(1, 3)), Turn::Again);
        assert_eq!(sources.take(&stamp(1, 4)), NEXT);
    }

    #[test]
    fn a_mark_tells_what_is_lost_at_the_end_and_only_once() {
        let mut sources = Sources::default();
        assert_eq!(sources.take(&stamp(1, 0)), NEXT);
        assert_eq!(sources.mark(&stamp(1, 1)), 0);
        assert_eq!(sources.mark(&stamp(1, 6)), 5);
        assert_eq!(sources.mark(&stamp(1, 6)), 0);
        assert_eq!(sources.take(&stamp(1, 6)), NEXT);
    }

    #[test]
    fn a_successor_sends_again_and_a_reset_channel_begins_anew() {
        let mut sources = Sources::default();
        assert_eq!(sources.take(&stamp(1, 10)), NEXT);
        let again = Stamp { flags: TAKEN_OVER, ..stamp(2, 10) };
        assert_eq!(sources.take(&again), Turn::Again);
        assert_eq!(sources.take(&Stamp { sequence: 12, ..again }), Turn::Next { lost: 1 });
        assert_eq!(sources.take(&stamp(3, 0)), NEXT);
        assert_eq!(sources.take(&stamp(3, 1)), NEXT);
    }

    #[test]
    fn what_a_lying_network_names_takes_no_more_room_than_that() {
        let mut sources = Sources::default();
        for source in 0..10 * MOST as u64 {
            let _ = sources.take(&Stamp { source, ..Stamp::default() });
        }
        assert!(sources.last.len() <= MOST);
    }
}
