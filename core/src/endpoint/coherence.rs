//! Payload in cached memory that nobody keeps coherent: cleaned before it is published, invalidated
//! before it is read.
//!
//! It compiles to nothing for a port without a cache, because the compiler knows that.

use crate::ground::entry::Entry;
use crate::ground::port::Port;

/// The offset of a channel's payload, and whether the other side is in another domain. Within one domain
/// caches are coherent, and dropping lines would lose data that a neighbour has just written.
pub(crate) struct Payload {
    data: u32,
    crosses: bool,
}

impl Payload {
    pub fn new(entry: &Entry, crosses: bool) -> Self {
        Self { data: entry.data, crosses }
    }

    /// Between the last store to a payload, `at` in the channel's data, and the store that publishes it.
    #[inline(always)]
    pub fn clean<P: Port>(&self, port: &P, at: u32, len: usize) {
        if port.cache().is_some() && self.crosses && len > 0 {
            port.clean(self.data + at, len as u32);
        }
    }

    /// Between the load that shows a payload and the first load of it.
    #[inline(always)]
    pub fn invalidate<P: Port>(&self, port: &P, at: u32, len: usize) {
        if port.cache().is_some() && self.crosses && len > 0 {
            port.invalidate(self.data + at, len as u32);
        }
    }
}
