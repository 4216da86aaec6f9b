//! The words of locks, changed by compare-and-swap within a domain, and under the port's hardware lock
//! where two domains use them or the memory takes none.

use crate::ground::entry::Entry;
use crate::ground::port::Port;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::{Order, RELAXED};
use crate::protocol::cas_word::CasWord;

use super::error::ChannelError;

/// How the users of a lock change its words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CasMode {
    /// By compare-and-swap: its users share a domain.
    CompareExchange,
    /// By a load and a store under the hardware lock: its users are in two domains, or in memory without
    /// compare-and-swap.
    HardwareLock,
}

impl CasMode {
    /// The mode for this channel, a lock; this port is one of its users.
    pub fn of<P: Port>(port: &P, entry: &Entry) -> Result<Self, ChannelError> {
        let needs_lock = entry.domain_a != entry.domain_b || !port.has_compare_and_swap();
        if needs_lock && !port.has_hardware_lock() {
            return Err(ChannelError::NoCommonAtomics);
        }
        if port.domain() != entry.domain_a && port.domain() != entry.domain_b {
            return Err(ChannelError::Domain { planned: entry.domain_a });
        }
        Ok(if needs_lock { Self::HardwareLock } else { Self::CompareExchange })
    }
}

/// A word of a lock, and the port through which it is changed.
pub struct LockWord<'p, P> {
    pub word: WordRef,
    pub port: &'p P,
    pub means: CasMode,
}

impl<P: Port> CasWord for LockWord<'_, P> {
    #[inline(always)]
    fn load(&self, order: Order) -> u32 {
        self.word.load(order)
    }

    #[inline(always)]
    fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32> {
        if self.port.has_hardware_lock() && self.means == CasMode::HardwareLock {
            return self.change_slow(current, new);
        }
        self.word.compare_exchange(current, new, order)
    }
}

impl<P: Port> LockWord<'_, P> {
    #[cold]
    fn change_slow(&self, current: u32, new: u32) -> Result<u32, u32> {
        if !self.port.hardware_lock() {
            return Err(current);
        }
        // ORDERING: Relaxed, both; the hardware lock orders everything done under it.
        let seen = self.word.load(RELAXED);
        if seen == current {
            self.word.store(new, RELAXED);
        }
        self.port.hardware_unlock();
        if seen == current { Ok(seen) } else { Err(seen) }
    }
}
