//! Sending into a channel whose messages are of a type known at run time.

use std::fmt::Display;

use strait::fanout::FanoutProducer;
use strait::format::inspect::channel_state;
use strait::format::{Entry, Kind, ValueType};
use strait::port::{Ident, Port, Probe};
use strait::{BroadcastWriter, LatestWriter, Producer, Region, SystemPort, TrySendError, TypedProducer};

use crate::observe::{self, Who};

/// What an error says is a part of a line for the user.
type Result<T> = std::result::Result<T, String>;

/// The sender of a channel, or of one lane of it.
pub enum Sender {
    Frames(Producer<SystemPort>),
    Values(TypedProducer<[u8], SystemPort>),
    Fanout(Box<FanoutProducer<[u8], SystemPort>>),
    Latest(LatestWriter<[u8], SystemPort>),
    Broadcast(BroadcastWriter<[u8], SystemPort>),
}

/// Whether a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Yes,
    /// There is no space at present.
    Full,
}

/// Checks that a channel has messages.
pub fn check_kind(entry: &Entry) -> Result<()> {
    if entry.kind.is_queue() || matches!(entry.kind, Kind::Latest | Kind::Broadcast) {
        return Ok(());
    }
    Err(format!("is of kind {}, which has no messages to send", entry.kind.name()))
}

/// The lane whose sender's role nobody alive has, one that nobody has at all if there is one; 0 of a channel with one
/// sender.
pub fn free_lane(region: &Region, entry: &Entry) -> Result<u32> {
    let usual = |lane: &Entry| lane.name == entry.name && lane.lane.index >= lane.lane.urgent;
    let mut lanes: Vec<Entry> =
        region.channels().filter(|lane| usual(lane) && lane.fanout.consumer().is_none()).collect();
    lanes.sort_by_key(|lane| owner(region, lane).is_some());
    if let Some(lane) = lanes.iter().find(|lane| check_free(region, lane).is_ok()) {
        return Ok(lane.lane.index);
    }
    if entry.lane.is_one_of_many() {
        return Err(
            "each of its lanes has a sender, but for urgent ones; only a role that nobody alive has is \
                    taken: end one of them first"
                .into(),
        );
    }
    check_free(region, entry).map(|()| entry.lane.index)
}

/// Checks that nobody alive has the sender's role of this channel or lane. That of a dead one is taken over, as any
/// successor does.
pub fn check_free(region: &Region, entry: &Entry) -> Result<()> {
    let Some(owner) = owner(region, entry) else { return Ok(()) };
    let who = Who::of(region, &observe::participants(region), owner);
    if who.probe == Probe::Dead {
        return Ok(());
    }
    Err(format!("its sender is {who}; only a role that nobody alive has is taken: end that process first"))
}

fn owner(region: &Region, entry: &Entry) -> Option<Ident> {
    channel_state(region.port().mem(), region.header().line, entry).producer
}

impl Sender {
    /// Takes the sender's role of a channel, or of this lane of it.
    pub fn open(region: &Region, entry: &Entry, lane: u32) -> Result<Self> {
        fn told(error: impl Display) -> String {
            error.to_string()
        }
        let name = entry.name().unwrap_or_default();
        let values = ValueType { hash: entry.type_hash, size: entry.max_len };
        Ok(match (entry.kind, entry.type_hash) {
            (Kind::Frames, _) => Self::Frames(region.lane_producer(name, lane).map_err(told)?),
            (Kind::Latest, 0) => Self::Latest(region.latest_writer::<[u8]>(name).map_err(told)?),
            (Kind::Latest, _) => Self::Latest(region.latest_writer_of(name, values).map_err(told)?),
            (Kind::Broadcast, 0) => Self::Broadcast(region.broadcast_writer::<[u8]>(name).map_err(told)?),
            (Kind::Broadcast, _) => Self::Broadcast(region.broadcast_writer_of(name, values).map_err(told)?),
            _ if entry.fanout.is_some() => {
                Self::Fanout(Box::new(region.fanout_producer_of(name, values).map_err(told)?))
            }
            _ => Self::Values(region.typed_lane_producer_of(name, values, lane).map_err(told)?),
        })
    }

    /// Sends a message, unless there is no space.
    pub fn send(&mut self, tag: u32, bytes: &[u8]) -> Result<Sent> {
        let sent = match self {
            Self::Frames(producer) => producer.try_send(tag, bytes),
            Self::Values(producer) => producer.try_send(bytes),
            Self::Fanout(producer) => producer.try_send(bytes),
            Self::Latest(writer) => {
                return writer.publish_from(tag, bytes).map(|_| Sent::Yes).map_err(|error| error.to_string());
            }
            Self::Broadcast(writer) => {
                return writer.publish_from(tag, bytes).map(|_| Sent::Yes).map_err(|error| error.to_string());
            }
        };
        match sent {
            Ok(()) => Ok(Sent::Yes),
            Err(TrySendError::Full) => Ok(Sent::Full),
            Err(error) => Err(error.to_string()),
        }
    }
}
