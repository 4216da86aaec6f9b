//! The receiving end of a channel of the region, whatever its kind.

use std::thread;
use std::time::Duration;

use strait::error::TryRecvLanesError;
use strait::fanout::FanoutConsumer;
use strait::format::{Entry, Kind, ValueType};
use strait::observe::{Begin, Follower};
use strait::options::{ConsumerOptions, LanesOptions, WaitPolicy};
use strait::{
    BroadcastReader, ChannelError, Consumer, LanesConsumer, LatestReader, Reading, Region, SystemPort,
    TryRecvError, TypedConsumer, TypedLanesConsumer, Waitable, broadcast::BroadcastStart,
    broadcast::BroadcastTryRecvError, wait_any,
};

use crate::stamp::TAKEN_OVER;

/// The most lanes of a channel.
pub const MOST_LANES: usize = 256;

/// How long to sleep at a channel at which nobody can be woken.
pub const PAUSE: Duration = Duration::from_millis(1);

/// A message that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its tag.
    pub tag: u32,
    /// Its length.
    pub len: usize,
    /// The lane it was in.
    pub lane: u32,
    /// Its number.
    pub sequence: u32,
    /// How many before it were missed.
    pub missed: u64,
}

/// The outcome of one look.
pub enum Look {
    /// Nothing now.
    Nothing,
    /// A message, whose bytes are in the buffer.
    Seen(Item),
    /// A lane is damaged; the others go on.
    Damaged(String),
    /// The channel is damaged.
    Fault(String),
}

/// A receiver.
pub struct Source {
    what: What,
    /// Whether somebody wakes it.
    is_woken: bool,
    port: SystemPort,
    /// The flags of its stamps.
    pub flags: u32,
    pending: u64,
}

enum What {
    Frames(Consumer<SystemPort>),
    FramesOfLanes(Box<LanesConsumer<SystemPort, MOST_LANES>>),
    Values(TypedConsumer<[u8], SystemPort>),
    ValuesOfLanes(Box<TypedLanesConsumer<[u8], SystemPort, MOST_LANES>>),
    Fanout(FanoutConsumer<[u8], SystemPort>),
    Latest(LatestReader<[u8], SystemPort>, Option<u64>),
    Broadcast(BroadcastReader<[u8], SystemPort>),
    /// Without a role: each lane with its number.
    Followed(Vec<(u32, Follower<SystemPort>)>),
}

/// The type of a channel's messages.
pub fn type_of(entry: &Entry) -> ValueType {
    ValueType { hash: entry.type_hash, size: entry.max_len }
}

impl Source {
    /// Takes the receiver's role of a channel, or follows it without one.
    pub fn open(region: &Region, entry: &Entry, observes: bool) -> Result<Self, ChannelError> {
        let name = entry.name().unwrap_or_default();
        let is_queue = entry.kind.is_queue();
        let what = match entry.kind {
            _ if is_queue && observes => What::Followed(followers(region, name)?),
            Kind::Latest => What::Latest(region.latest_reader(name)?, None),
            Kind::Broadcast => What::Broadcast(region.broadcast_reader(name, BroadcastStart::Newest)?),
            Kind::Frames if entry.lane.is_one_of_many() => {
                What::FramesOfLanes(Box::new(region.lanes_consumer(name)?))
            }
            Kind::Frames => What::Frames(region.consumer(name)?),
            _ if entry.fanout.is_some() => {
                What::Fanout(region.free_fanout_consumer_of(name, type_of(entry))?.1)
            }
            _ if is_queue && entry.lane.is_one_of_many() => {
                let consumer = region.typed_lanes_consumer_of(name, type_of(entry), LanesOptions::new())?;
                What::ValuesOfLanes(Box::new(consumer))
            }
            _ if is_queue => {
                What::Values(region.typed_consumer_of(name, type_of(entry), ConsumerOptions::new())?)
            }
            found => return Err(ChannelError::Kind { found }),
        };
        let is_taken_over = match &what {
            What::Frames(consumer) => consumer.taken_over_from().is_some(),
            What::FramesOfLanes(lanes) => {
                (0..lanes.lanes()).any(|lane| lanes.taken_over_from(lane).is_some())
            }
            What::Values(consumer) => consumer.taken_over_from().is_some(),
            What::ValuesOfLanes(lanes) => {
                (0..lanes.lanes()).any(|lane| lanes.taken_over_from(lane).is_some())
            }
            What::Fanout(consumer) => consumer.taken_over_from().is_some(),
            What::Latest(..) | What::Broadcast(_) | What::Followed(_) => false,
        };
        let is_woken = !matches!(what, What::Followed(_)) && (!is_queue || entry.wait_b != 0);
        let flags = if is_taken_over { TAKEN_OVER } else { 0 };
        Ok(Self { what, is_woken, port: region.port().clone(), flags, pending: 0 })
    }

    /// Takes the next message into `buffer`, which must be as long as the channel's longest message. The message before
    /// it is released by that.
    pub fn look(&mut self, buffer: &mut [u8]) -> Look {
        let seen = |tag, len, lane, sequence| Look::Seen(Item { tag, len, lane, sequence, missed: 0 });
        let size = buffer.len();
        match &mut self.what {
            What::Frames(consumer) => match consumer.try_recv(buffer) {
                Ok(frame) => seen(frame.tag, frame.len, 0, frame.sequence),
                Err(error) => nothing(&error),
            },
            What::FramesOfLanes(lanes) => match lanes.try_recv(buffer) {
                Ok(from) => seen(from.message.tag, from.message.len, from.lane, from.message.sequence),
                Err(error) => nothing_of_lanes(&error),
            },
            What::Values(consumer) => match consumer.try_recv_into(buffer) {
                Ok(()) => seen(0, size, 0, consumer.sequence()),
                Err(error) => nothing(&error),
            },
            What::ValuesOfLanes(lanes) => match lanes.try_recv_into(buffer) {
                Ok(lane) => seen(0, size, lane, lanes.sequence()),
                Err(error) => nothing_of_lanes(&error),
            },
            What::Fanout(consumer) => match consumer.try_recv_into(buffer) {
                Ok(()) => seen(0, size, 0, consumer.sequence()),
                Err(error) => nothing(&error),
            },
            What::Latest(reader, last) => match reader.read_into(buffer) {
                Reading::Fresh(info) => {
                    let missed = last.map_or(0, |last| info.number.saturating_sub(last).saturating_sub(1));
                    *last = Some(info.number);
                    let sequence = info.number as u32;
                    Look::Seen(Item { tag: info.tag, len: info.len, lane: 0, sequence, missed })
                }
                Reading::Stale(_) | Reading::Empty | Reading::Contended => Look::Nothing,
            },
            What::Broadcast(reader) => match reader.try_recv_into(buffer) {
                Ok(info) => {
                    let missed = std::mem::take(&mut self.pending);
                    let sequence = info.number as u32;
                    Look::Seen(Item { tag: info.tag, len: info.len, lane: 0, sequence, missed })
                }
                Err(BroadcastTryRecvError::Lagged { lost }) => {
                    self.pending += lost;
                    Look::Nothing
                }
                Err(BroadcastTryRecvError::Fault(violation)) => Look::Fault(violation.to_string()),
                Err(_) => Look::Nothing,
            },
            What::Followed(followers) => follow(followers, buffer),
        }
    }

    /// Waits up to `timeout` for a message.
    pub fn wait(&mut self, timeout: Duration) {
        let receiver: &mut dyn Waitable = match &mut self.what {
            _ if !self.is_woken => return thread::sleep(PAUSE.min(timeout)),
            What::Frames(consumer) => consumer,
            What::FramesOfLanes(lanes) => &mut **lanes,
            What::Values(consumer) => consumer,
            What::ValuesOfLanes(lanes) => &mut **lanes,
            What::Fanout(consumer) => consumer,
            What::Latest(reader, _) => reader,
            What::Broadcast(reader) => reader,
            What::Followed(_) => return thread::sleep(PAUSE.min(timeout)),
        };
        // It sleeps at once: to look a thousand times first would take more of a core than all that Zenoh does with a message.
        let policy = WaitPolicy { spin: 0, ..WaitPolicy::parking() };
        // Whatever came, the next look tells.
        let _ = wait_any(&self.port, &mut [receiver], policy, timeout);
    }

    /// Releases all that was taken, so that a successor does not see it again.
    pub fn flush(&mut self) {
        match &mut self.what {
            What::Frames(consumer) => consumer.flush(),
            What::FramesOfLanes(lanes) => lanes.flush(),
            What::Values(consumer) => consumer.flush(),
            What::ValuesOfLanes(lanes) => lanes.flush(),
            What::Fanout(consumer) => consumer.flush(),
            What::Latest(..) | What::Broadcast(_) | What::Followed(_) => {}
        }
    }
}

/// Followers of all lanes of a queue.
fn followers(region: &Region, name: &str) -> Result<Vec<(u32, Follower<SystemPort>)>, ChannelError> {
    let lanes =
        region.channels().filter(|lane| lane.name() == Some(name) && lane.fanout.consumer().is_none());
    lanes.map(|lane| Ok((lane.lane.index, Follower::open(region, &lane, Begin::Newest)?))).collect()
}

fn follow(followers: &mut Vec<(u32, Follower<SystemPort>)>, buffer: &mut [u8]) -> Look {
    for index in 0..followers.len() {
        let (lane, follower) = &mut followers[index];
        match follower.look(buffer) {
            Ok(None) => {}
            Ok(Some(seen)) => {
                let (len, sequence) = (seen.len.min(buffer.len()), seen.number as u32);
                let item = Item { tag: seen.tag, len, lane: *lane, sequence, missed: seen.missed };
                // Each lane has its turn.
                followers.rotate_left(index + 1);
                return Look::Seen(item);
            }
            Err(violation) => {
                let text = format!("lane {lane}: {violation}");
                followers.remove(index);
                return if followers.is_empty() { Look::Fault(text) } else { Look::Damaged(text) };
            }
        }
    }
    Look::Nothing
}

fn nothing(error: &TryRecvError) -> Look {
    match error {
        TryRecvError::Empty => Look::Nothing,
        error => Look::Fault(error.to_string()),
    }
}

fn nothing_of_lanes(error: &TryRecvLanesError) -> Look {
    match error {
        TryRecvLanesError::Empty => Look::Nothing,
        error => Look::Damaged(error.to_string()),
    }
}
