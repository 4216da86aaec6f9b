//! The consumer's half of either publication of a queue of values.

use crate::ground::ring::Value;
use crate::ground::ring::slots::Slots;
use crate::ground::sync::WordRef;
use crate::protocol::release::LazyHead;
use crate::protocol::{Nothing, compact, slots};

/// The consumer's half of whichever publication the directory names.
pub(super) enum Rx {
    Slots(slots::Consumer),
    Compact(compact::Consumer),
}

impl Rx {
    #[inline(always)]
    pub fn look<T: Value + ?Sized>(&mut self, ring: &Slots<T>, mark: &WordRef) -> Result<u32, Nothing> {
        match self {
            Self::Slots(rx) => rx.look(ring),
            Self::Compact(rx) => rx.look(mark),
        }
    }

    /// Goes to `pos`, which is the head in the region.
    pub fn start_at(&mut self, pos: u32) {
        match self {
            Self::Slots(rx) => rx.head.start_at(pos),
            Self::Compact(rx) => rx.start_at(pos),
        }
    }

    /// Whether there is known to be a value at `pos`, the position behind one that had a value. One load at
    /// most; `false` may also mean that the word was not read.
    #[inline(always)]
    pub fn is_there<T: Value + ?Sized>(&self, pos: u32, ring: &Slots<T>) -> bool {
        match self {
            Self::Slots(_) => slots::is_there(ring, pos),
            Self::Compact(rx) => rx.is_known(pos),
        }
    }

    pub fn has_more<T: Value + ?Sized>(&self, ring: &Slots<T>, mark: &WordRef) -> bool {
        match self {
            Self::Slots(rx) => rx.look(ring) != Err(Nothing::Empty),
            Self::Compact(rx) => rx.has_more(mark),
        }
    }

    #[inline(always)]
    pub fn head(&mut self) -> &mut LazyHead {
        match self {
            Self::Slots(rx) => &mut rx.head,
            Self::Compact(rx) => &mut rx.head,
        }
    }

    #[inline(always)]
    pub fn head_ref(&self) -> &LazyHead {
        match self {
            Self::Slots(rx) => &rx.head,
            Self::Compact(rx) => &rx.head,
        }
    }
}

/// Values that were received one after the other, up to `pos`; noted when dropped. If it is not over then,
/// the one at `pos` was being shown, and that panicked.
pub(super) struct Run<'r> {
    pub rx: &'r mut Rx,
    pub panicked_at: &'r mut Option<u32>,
    pub is_over: bool,
    pub start: u32,
    pub pos: u32,
}

impl Run<'_> {
    #[inline(always)]
    pub fn count(&self) -> u32 {
        self.pos.wrapping_sub(self.start)
    }
}

impl Drop for Run<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let count = self.count();
        let _ = self.rx.head().advance(count);
        *self.panicked_at = if self.is_over { None } else { Some(self.pos) };
    }
}
