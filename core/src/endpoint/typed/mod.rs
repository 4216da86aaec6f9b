//! Queues of values of one type, over either publication.

mod consumer;
mod producer;
mod rx;

pub use consumer::TypedConsumer;
pub use producer::TypedProducer;

use crate::endpoint::attachment::{Attachment, check_alone};
use crate::endpoint::error::ChannelError;
use crate::endpoint::spans::Spans;
use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::message::ValueType;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::slots::Slots;

/// The ring of a queue of values: with sequences, if that is how the queue publishes.
fn ring_of<T: Value + ?Sized>(spans: &Spans, entry: &Entry) -> Option<Slots<T>> {
    let Entry { capacity, stride, max_len, .. } = *entry;
    if entry.kind == Kind::Slots {
        Slots::with_sequences(spans.data.clone(), capacity, stride, max_len)
    } else {
        Slots::new(spans.data.clone(), capacity, stride, max_len)
    }
}

impl<P: Port> Attachment<P> {
    /// The queue of this name, which must have one producer and carry values of this type.
    fn queue_of(&self, name: &str, values: ValueType) -> Result<Entry, ChannelError> {
        let entry = self.channel(name)?;
        check_values(&entry, values)?;
        check_alone(&entry)?;
        Ok(entry)
    }
}

/// Checks that a channel is a queue of values of this type.
pub(in crate::endpoint) fn check_values(entry: &Entry, values: ValueType) -> Result<(), ChannelError> {
    if !matches!(entry.kind, Kind::Slots | Kind::Compact) {
        return Err(ChannelError::Kind { found: entry.kind });
    }
    if entry.carries_type(values) { Ok(()) } else { Err(ChannelError::Type) }
}
