//! A word of a lock, which several participants change by compare-and-swap.

use crate::ground::sync::order::Order;
use crate::ground::sync::{Word, WordRef};

/// A word of a lock, as the protocols see it: a [`Word`] if all users share a domain, a word under a
/// hardware lock if they do not.
pub trait CasWord {
    /// Loads the word.
    fn load(&self, order: Order) -> u32;

    /// Replaces `current` by `new`, in a bounded number of steps.
    ///
    /// # Errors
    ///
    /// The value found. That is `current` if the hardware lock was unavailable.
    fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32>;
}

impl CasWord for Word {
    #[inline(always)]
    fn load(&self, order: Order) -> u32 {
        self.load(order)
    }

    #[inline(always)]
    fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32> {
        self.compare_exchange(current, new, order)
    }
}

impl CasWord for WordRef {
    #[inline(always)]
    fn load(&self, order: Order) -> u32 {
        Word::load(self, order)
    }

    #[inline(always)]
    fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32> {
        Word::compare_exchange(self, current, new, order)
    }
}
