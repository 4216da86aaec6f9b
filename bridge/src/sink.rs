//! The sending end of a channel of the region, whatever its kind.

use strait::error::PublishError;
use strait::fanout::FanoutProducer;
use strait::format::{Entry, Kind};
use strait::{
    BroadcastWriter, ChannelError, LatestWriter, Producer, Region, SystemPort, TrySendError, TypedProducer,
};

use crate::source::type_of;

/// A sender.
pub struct Sink {
    what: What,
    max_len: usize,
    is_exact: bool,
}

enum What {
    Frames(Producer<SystemPort>),
    Values(TypedProducer<[u8], SystemPort>),
    Fanout(Box<FanoutProducer<[u8], SystemPort>>),
    Latest(LatestWriter<[u8], SystemPort>),
    Broadcast(BroadcastWriter<[u8], SystemPort>),
}

/// The outcome of a write.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the region.
    Done,
    /// The queue is full.
    Full,
    /// The channel does not take it, or is damaged.
    Failed(String),
}

impl Sink {
    /// Takes the sender's role of a channel, or of a free lane of it.
    pub fn open(region: &Region, entry: &Entry) -> Result<Self, ChannelError> {
        let name = entry.name().unwrap_or_default();
        let values = type_of(entry);
        let is_untyped = entry.type_hash == 0;
        let what = match entry.kind {
            Kind::Latest if is_untyped => What::Latest(region.latest_writer(name)?),
            Kind::Latest => What::Latest(region.latest_writer_of(name, values)?),
            Kind::Broadcast if is_untyped => What::Broadcast(region.broadcast_writer(name)?),
            Kind::Broadcast => What::Broadcast(region.broadcast_writer_of(name, values)?),
            Kind::Frames if entry.lane.is_one_of_many() => What::Frames(region.free_lane_producer(name)?.1),
            Kind::Frames => What::Frames(region.producer(name)?),
            _ if entry.fanout.is_some() => What::Fanout(Box::new(region.fanout_producer_of(name, values)?)),
            kind if kind.is_queue() && entry.lane.is_one_of_many() => {
                What::Values(region.typed_free_lane_producer_of(name, values)?.1)
            }
            kind if kind.is_queue() => What::Values(region.typed_producer_of(name, values)?),
            found => return Err(ChannelError::Kind { found }),
        };
        let is_exact = matches!(what, What::Values(_) | What::Fanout(_)) || !is_untyped;
        Ok(Self { what, max_len: entry.max_len as usize, is_exact })
    }

    /// Whether a message of this length fits the channel.
    pub fn takes(&self, len: usize) -> bool {
        if self.is_exact { len == self.max_len } else { len <= self.max_len }
    }

    /// Writes a message, without waiting.
    pub fn write(&mut self, tag: u32, bytes: &[u8]) -> Written {
        let sent = match &mut self.what {
            What::Frames(producer) => producer.try_send(tag, bytes),
            What::Values(producer) => producer.try_send(bytes),
            What::Fanout(producer) => producer.try_send(bytes),
            What::Latest(writer) => return published(writer.publish_from(tag, bytes).map(drop)),
            What::Broadcast(writer) => return published(writer.publish_from(tag, bytes).map(drop)),
        };
        match sent {
            Ok(()) => Written::Done,
            Err(TrySendError::Full) => Written::Full,
            Err(error) => Written::Failed(error.to_string()),
        }
    }
}

fn published(result: Result<(), PublishError>) -> Written {
    result.map_or_else(|error| Written::Failed(error.to_string()), |()| Written::Done)
}
