//! Queues of values of one type, over either publication.

mod consumer;
mod producer;
mod rx;

pub use consumer::TypedConsumer;
pub use producer::TypedProducer;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::message::ValueType;
use crate::ground::port::Port;

impl<P: Port> Attachment<P> {
    /// The queue of this name, which must carry values of this type.
    fn queue_of(&self, name: &str, values: ValueType) -> Result<Entry, ChannelError> {
        let entry = self.channel(name)?;
        if !matches!(entry.kind, Kind::Slots | Kind::Compact) {
            return Err(ChannelError::Kind { found: entry.kind });
        }
        if entry.carries_type(values) { Ok(entry) } else { Err(ChannelError::Type) }
    }
}
