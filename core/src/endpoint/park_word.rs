//! The word on which one side of a channel sleeps until the other side wakes it.

use crate::ground::entry::Entry;
use crate::ground::port::{Port, WaitPoint};
use crate::ground::sync::{Word, WordRef};
use crate::protocol::{park, semaphore};

use super::attachment::Attachment;
use super::lock_word::{CasMode, LockWord};
use super::wait_policy::WakeCheck;

/// The word on which one side of a channel sleeps.
#[derive(Clone)]
pub struct ParkWord {
    /// The word: set by a side that is about to sleep, cleared by one that wakes it.
    pub word: WordRef,
    /// Its offset in the region; names it to the port.
    offset: u32,
    /// The region's instance; names it to the port.
    instance: u64,
    /// How waiters and wakers update the word: by compare-and-swap, or under the hardware lock.
    means: CasMode,
    /// What a side that sleeps alone, or on a shared doorbell, stores there: on a doorbell a value of its
    /// own (P6).
    asleep: u32,
}

impl ParkWord {
    pub fn new(port: &impl Port, offset: u32, instance: u64) -> Option<Self> {
        if offset == 0 {
            return None;
        }
        let (word, means) = (port.mem().word_ref(offset)?, CasMode::CompareExchange);
        Some(Self { word, offset, instance, means, asleep: park::PARKED })
    }

    /// The word on which the consumer of this queue sleeps, perhaps shared with other channels.
    pub fn of_consumer<P: Port>(attachment: &Attachment<P>, entry: &Entry) -> Option<Self> {
        let park_word = Self::new(attachment.port(), entry.wait_b, attachment.header().instance)?;
        // The lanes of a channel, which have one name, have one consumer.
        let is_shared =
            attachment.channels().any(|other| other.wait_b == entry.wait_b && other.name != entry.name);
        // The channel's first block is its own, and starts at a multiple of four. Of a queue with several consumers,
        // which share a word in any case, it is the second.
        let asleep = match entry.fanout.is_some() {
            true => entry.block_b | park::PARKED,
            false if is_shared => entry.block_a | park::PARKED,
            false => park::PARKED,
        };
        Some(Self { asleep, ..park_word })
    }

    /// The park word of a lock, whose users change it in this mode.
    pub fn of_lock(port: &impl Port, offset: u32, instance: u64, means: CasMode) -> Option<Self> {
        Some(Self { means, ..Self::new(port, offset, instance)? })
    }

    /// The word, to be changed by compare-and-swap.
    #[inline(always)]
    pub fn shared<'p, P: Port>(&self, port: &'p P) -> LockWord<'p, P> {
        LockWord { word: self.word.clone(), port, means: self.means }
    }

    /// Whether it is the same word, of the same mapping: instances of different regions may be equal.
    pub fn is(&self, other: &Self) -> bool {
        self.offset == other.offset
            && self.instance == other.instance
            && core::ptr::eq::<Word>(&*self.word, &*other.word)
    }

    pub fn point(&self) -> WaitPoint<'_> {
        WaitPoint { word: &self.word, instance: self.instance, offset: self.offset }
    }

    /// The sleeper's step before it looks again; returns the value to sleep on.
    pub(crate) fn park(&self, sleepers: Sleepers, port: &impl Port) -> u32 {
        match sleepers {
            Sleepers::Many => park::enlist(&self.shared(port)),
            Sleepers::One => {
                park::prepare(&self.word, self.asleep);
                self.asleep
            }
        }
    }

    /// The last step of a thread that slept, or was about to: nobody needs to wake it any more.
    pub(crate) fn done(&self, sleepers: Sleepers) {
        if sleepers == Sleepers::One && self.asleep == park::PARKED {
            park::done(&self.word);
        }
    }

    /// The sender's step after publishing: wakes the sleepers, if there are any.
    #[inline(always)]
    pub fn wake(&self, check: WakeCheck, port: &impl Port) {
        if self.is_asleep(check) {
            self.wake_slow(port);
        }
    }

    /// Whether somebody may sleep here, for [`wake_slow`](Self::wake_slow).
    #[inline(always)]
    pub fn is_asleep(&self, check: WakeCheck) -> bool {
        if check == WakeCheck::Fenced {
            park::order_before_look();
        }
        park::is_parked(&self.word)
    }

    /// As [`wake`](Self::wake), for a word with several sleepers, all of one domain or with its hardware
    /// lock.
    #[inline]
    pub fn wake_all(&self, check: WakeCheck, port: &impl Port) {
        if check == WakeCheck::Fenced {
            park::order_before_look();
        }
        if park::is_parked(&self.word) {
            self.wake_all_slow(port);
        }
    }

    /// As [`wake_all`](Self::wake_all), where only one of the sleepers can take what was given back: wakes the first.
    #[inline]
    pub fn wake_one(&self, check: WakeCheck, port: &impl Port) {
        if check == WakeCheck::Fenced {
            park::order_before_look();
        }
        if park::is_parked(&self.word) {
            self.wake_one_slow(port);
        }
    }

    #[cold]
    fn wake_one_slow(&self, port: &impl Port) {
        park::summon(&self.shared(port));
        if !port.wake_first(self.point(), 1) {
            // P7: nobody is left, but for those that came since.
            self.wake_all_slow(port);
        }
    }

    #[cold]
    pub fn wake_all_slow(&self, port: &impl Port) {
        if park::dismiss(&self.shared(port)) {
            port.wake(self.point());
        }
    }

    #[cold]
    pub fn wake_slow(&self, port: &impl Port) {
        park::unpark(&self.word);
        port.wake(self.point());
    }

    /// Wakes all sleepers on a lock's own word, which was changed before: each has something to see.
    #[cold]
    pub fn wake_waiters(&self, port: &impl Port) {
        port.wake(self.point());
    }

    /// Wakes the first sleeper on a lock's own word, which was changed before: only one can lock.
    #[cold]
    pub fn wake_next(&self, port: &impl Port) {
        port.wake_first(self.point(), 1);
    }

    /// Wakes as many sleepers on a semaphore's own word as were released before.
    #[cold]
    pub fn wake_released(&self, released: u32, port: &impl Port) {
        let word = self.shared(port);
        let seen = semaphore::seen(&word);
        if !port.wake_first(self.point(), released) && semaphore::nobody_waits(&word, seen) {
            // E2: those that came since.
            port.wake(self.point());
        }
    }
}

/// Who may sleep on the same word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sleepers {
    /// One, or the consumers of a shared doorbell; senders wake them by [`ParkWord::wake`].
    One,
    /// Many of one domain; senders wake them by [`ParkWord::wake_all`].
    Many,
}
