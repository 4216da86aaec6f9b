//! The buffers of a latest value, as the protocol sees them and as a test sets them.

use strait_core::format::Entry;
use strait_core::ground::entry::at;
use strait_core::ground::sync::WordRef;
use strait_core::protocol::latest::Buffers;

use super::Region;

/// The buffers of a channel.
pub struct Words<'a>(pub &'a Region, pub &'a Entry);

impl Words<'_> {
    fn word(&self, index: u32, at: u32) -> WordRef {
        self.0.mem().word(self.1.data + index * self.1.stride + at).expect("an index below the capacity")
    }

    /// The word that names the newest count.
    pub fn newest(&self) -> WordRef {
        self.0.mem().word(self.1.block_a + at::NEWEST).expect("inside the region")
    }
}

impl Buffers for Words<'_> {
    fn count(&self, index: u32) -> WordRef {
        self.word(index, at::COUNT)
    }

    fn lap(&self, index: u32) -> WordRef {
        self.word(index, at::LAP)
    }
}

/// Makes `content` the newest version, complete, as if this many had been published before it.
pub fn set_version(region: &Region, entry: &Entry, lap: u32, count: u32, content: &[u8]) {
    let buffer = entry.data + ((count / 2) & (entry.capacity - 1)) * entry.stride;
    region.poke(buffer + at::COUNT, count);
    region.poke(buffer + at::LAP, lap);
    region.poke(buffer + at::VALUE_TAG, 0);
    region.poke(buffer + at::VALUE_LEN, content.len() as u32);
    region.write(buffer + at::VALUE, content);
    region.poke(entry.block_a + at::NEWEST, count);
}
