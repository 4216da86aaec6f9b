//! The buffers of a latest value, or the slots of a broadcast, as its writer and its readers see them.

use core::ops::Deref;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::coherence::Payload;
use crate::endpoint::error::ChannelError;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::spans::{DAMAGED, Spans};
use crate::ground::entry::Entry;
use crate::ground::geometry::GRANULE;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::buffers::Buffers;
use crate::ground::sync::{Word, WordRef};
use crate::protocol::latest;

/// A channel's buffers. Headers and values are laid out apart exactly when the port has a cache that is not
/// coherent; attach refuses every other combination.
pub(in crate::endpoint) struct Seen<'b, P> {
    pub buffers: &'b Buffers,
    pub payload: &'b Payload,
    pub port: &'b P,
}

impl<'b, P: Port> Seen<'b, P> {
    #[inline(always)]
    fn split_payload(&self) -> bool {
        self.port.cache().is_some()
    }

    /// Reads tag and length.
    #[inline(always)]
    pub fn read_tag(&self, index: u32) -> [u8; 8] {
        self.buffers.read_tag(index, self.split_payload())
    }

    /// Writes tag and length.
    #[inline(always)]
    pub fn write_tag(&self, index: u32, tag: [u8; 8]) {
        self.buffers.write_tag(index, tag, self.split_payload());
    }

    /// Writes a value, and has it in memory.
    #[inline(always)]
    pub fn write(&self, index: u32, value: &[u8]) {
        self.buffers.write(index, value, self.split_payload());
        self.payload.clean(self.port, self.buffers.place(index, self.split_payload()), value.len());
    }

    /// Reads a value, or its start, from memory.
    #[inline(always)]
    pub fn read(&self, index: u32, into: &mut [u8]) {
        self.payload.invalidate(self.port, self.buffers.place(index, self.split_payload()), into.len());
        self.buffers.read(index, into, self.split_payload());
    }
}

impl<P: Port> latest::Buffers for Seen<'_, P> {
    #[inline(always)]
    fn count(&self, index: u32) -> impl Deref<Target = Word> {
        self.buffers.header(index, offset::COUNT, self.split_payload())
    }

    #[inline(always)]
    fn lap(&self, index: u32) -> impl Deref<Target = Word> {
        self.buffers.header(index, offset::LAP, self.split_payload())
    }
}

/// The parts of a channel that both sides use: its buffers, the newest count, and the readers' park word.
pub(in crate::endpoint) fn parts<P: Port>(
    attachment: &Attachment<P>,
    entry: &Entry,
) -> Result<(Buffers, WordRef, Option<ParkWord>), ChannelError> {
    let spans = Spans::of(attachment, entry)?;
    let newest = spans.a.word(offset::NEWEST).ok_or(DAMAGED)?;
    let park_word = ParkWord::new(attachment.port(), entry.wait_b, attachment.header().instance);
    let mem = attachment.port().mem();
    let headers = if entry.split_payload {
        // Checked with the entry: at most 2^16 buffers, and all of them inside.
        Some(mem.range(entry.block_a + offset::HEADERS, GRANULE * entry.capacity).ok_or(DAMAGED)?)
    } else {
        None
    };
    let buffers = Buffers::new(spans.data.clone(), headers, entry.capacity, entry.stride).ok_or(DAMAGED)?;
    Ok((buffers, newest, park_word))
}

impl<P: Port> Attachment<P> {
    /// The latest value of this name, if `suits` accepts it.
    pub(super) fn latest(
        &self,
        name: &str,
        suits: impl FnOnce(&Entry) -> bool,
    ) -> Result<Entry, ChannelError> {
        let entry = self.of_kind(name, Kind::Latest)?;
        if suits(&entry) { Ok(entry) } else { Err(ChannelError::Type) }
    }
}
