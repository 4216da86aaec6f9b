//! The directory entries of a queue with several consumers.

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::typed::check_values;
use crate::ground::entry::Entry;
use crate::ground::fanout::Fanout;
use crate::ground::message::ValueType;
use crate::ground::port::Port;

/// The error of entries that do not belong together.
const UNLIKE: ChannelError = ChannelError::Damaged("consumers");

/// A queue with several consumers.
pub(in crate::endpoint) struct Group {
    /// The place of the ring's entry in the directory.
    place: u32,
    /// The ring's entry, with the producer's role.
    pub ring: Entry,
}

impl Group {
    /// The queue of this name, which must have several consumers.
    pub fn find<P: Port>(attachment: &Attachment<P>, name: &str) -> Result<Self, ChannelError> {
        let (place, ring) = attachment.find(name)?;
        if !ring.fanout.is_some() {
            return Err(ChannelError::NoConsumer { count: 0 });
        }
        if ring.fanout.index != 0 {
            return Err(UNLIKE);
        }
        Ok(Self { place, ring })
    }

    /// The queue of this name, which must carry values of this type too.
    pub fn of_values<P: Port>(
        attachment: &Attachment<P>,
        name: &str,
        values: ValueType,
    ) -> Result<Self, ChannelError> {
        let group = Self::find(attachment, name)?;
        check_values(&group.ring, values)?;
        Ok(group)
    }

    pub fn count(&self) -> u32 {
        self.ring.fanout.count
    }

    /// The entry of a consumer, checked to be of the same ring.
    pub fn consumer<P: Port>(&self, attachment: &Attachment<P>, index: u32) -> Result<Entry, ChannelError> {
        let count = self.count();
        if index >= count {
            return Err(ChannelError::NoConsumer { count });
        }
        let header = attachment.header();
        let place = self.place.checked_add(index + 1).filter(|&place| place < header.channel_count);
        let entry = place.and_then(|place| header.entry(attachment.port().mem(), place).ok());
        entry.filter(|entry| self.has(entry, index)).ok_or(UNLIKE)
    }

    /// Whether an entry is that of a consumer: the same as the ring but for its own words and its domain.
    fn has(&self, entry: &Entry, index: u32) -> bool {
        let Entry { domain_b, block_b, block_c, .. } = *entry;
        let fanout = Fanout { index: index + 1, ..self.ring.fanout };
        *entry == Entry { fanout, domain_b, block_b, block_c, ..self.ring }
    }
}

impl<P: Port> Attachment<P> {
    /// The entry of a consumer, from 0, of the queue of this name with several consumers: for tools. Steps in
    /// proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NotFound`], `NoConsumer`, or `Damaged` if the entries contradict each other.
    pub fn consumer_entry(&self, name: &str, consumer: u32) -> Result<Entry, ChannelError> {
        Group::find(self, name)?.consumer(self, consumer)
    }
}
