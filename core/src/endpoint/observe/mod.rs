//! Following a channel without a role in it.

use core::marker::PhantomData;

use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::bytes::Bytes;
use crate::ground::ring::slots::Slots;
use crate::ground::sync::{WordRef, spin_loop};
use crate::protocol::Violation;
use crate::protocol::observe::{Frames, Look, Sides, Values, Whole};

use super::attachment::Attachment;
use super::broadcast::{BroadcastReader, BroadcastStart, BroadcastTryRecvError};
use super::coherence::Payload;
use super::error::ChannelError;
use super::latest::{LatestReader, Reading, ValueInfo};
use super::role::NotSync;
use super::spans::{DAMAGED, Spans};

/// How often a follower that was overtaken looks for a new place in one call.
pub const FOLLOW_TRIES: u32 = 8;

/// Where a follower starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Of a queue, at the first message that its consumer has not released; of a broadcast, three quarters of the ring
    /// behind the newest value; of a latest value, at the newest.
    Oldest,
    /// Of a queue, at the first message that is sent from now on; otherwise at the newest value.
    Newest,
}

/// A message that a follower has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The sender's tag; 0 of queues of values.
    pub tag: u32,
    /// Its length in bytes. If that is more than the buffer given, the buffer holds its beginning.
    pub len: usize,
    /// Its number: of queues from 0, modulo 2^32; of latest values and broadcasts from 1.
    pub number: u64,
    /// How many messages before it were missed since the one seen last.
    pub missed: u64,
}

/// Follows a channel: a queue or a lane of one, a latest value, or a broadcast. It claims nothing, stores nothing and
/// wakes nobody; a read-only mapping will do, and no participant can tell that it is there.
///
/// Nobody waits for a follower either. One that is too slow misses messages, and counts exactly how many: the messages
/// seen and those missed add up to those sent, as long as it looks once in 2^31 messages. After a
/// [reset](Attachment::reset_channel) it goes on with the first message after that, under its new number; what it had not
/// seen before the reset is not counted.
/// What it has seen is whole. How far it may fall behind depends on the kind of channel:
///
/// | kind | seen as long as |
/// | --- | --- |
/// | frames, slots | it is in the ring, on x86; elsewhere, it is not released |
/// | compact | it is not released when the follower comes by |
/// | broadcast | it is in the ring |
/// | latest | it is the newest |
///
/// How it works, and on which machines: `core/src/protocol/observe.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::observe::{Begin, Follower};
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 8)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.typed_producer::<u32>("steps").unwrap();
/// let mut follower = Follower::open(&region, &region.channel("steps").unwrap(), Begin::Oldest).unwrap();
/// let mut value = [0; 4];
/// assert_eq!(follower.look(&mut value), Ok(None));
/// producer.try_send_batch([5, 6]).unwrap();
/// assert_eq!(follower.look(&mut value).unwrap().unwrap().number, 0);
/// assert_eq!(u32::from_le_bytes(value), 5);
/// assert_eq!(follower.missed(), 0);
/// ```
pub struct Follower<P: Port> {
    what: What<P>,
    /// Missed, and not yet reported with a message.
    pending: u64,
    missed: u64,
    max_len: u32,
    not_sync: NotSync,
    port: PhantomData<P>,
}

enum What<P: Port> {
    Slots(Ring<P>, Values),
    Compact(Ring<P>, Values),
    Frames(Bytes, Words, Frames),
    Latest(LatestReader<[u8], P>, Option<u64>),
    Broadcast(BroadcastReader<[u8], P>),
}

/// The words of a queue's two sides.
struct Words {
    mark: WordRef,
    head: WordRef,
}

/// A queue of values.
struct Ring<P> {
    slots: Slots<[u8]>,
    words: Words,
    payload: Payload,
    port: P,
}

impl Words {
    fn of(spans: &Spans, entry: &Entry) -> Option<Self> {
        let head = if entry.fanout.is_some() { offset::FLOOR } else { offset::HEAD };
        Some(Self { mark: spans.a.word(offset::MARK)?, head: spans.b.as_ref()?.word(head)? })
    }

    fn sides(&self) -> Sides<'_> {
        Sides { mark: &self.mark, head: &self.head }
    }
}

impl<P: Port> Ring<P> {
    fn of(attachment: &Attachment<P>, entry: &Entry, spans: &Spans) -> Option<Self> {
        let make = if entry.kind == Kind::Slots { Slots::with_sequences } else { Slots::new };
        let port = attachment.port().clone();
        Some(Self {
            slots: make(spans.data.clone(), entry.capacity, entry.stride, entry.max_len)?,
            words: Words::of(spans, entry)?,
            payload: Payload::new(entry, entry.domain_a != port.domain()),
            port,
        })
    }

    fn copy(&self, pos: u32, into: &mut [u8]) {
        let len = into.len().min(self.slots.size() as usize);
        self.payload.invalidate(&self.port, self.slots.at(pos), len);
        self.slots.read_part(pos, 0, into);
    }
}

impl<P: Port> What<P> {
    fn of(attachment: &Attachment<P>, entry: &Entry, begin: Begin) -> Result<Self, ChannelError> {
        let is_newest = begin == Begin::Newest;
        match entry.kind {
            Kind::Latest => return Ok(Self::Latest(LatestReader::open(attachment, entry)?, None)),
            Kind::Broadcast => {
                let start = if is_newest { BroadcastStart::Newest } else { BroadcastStart::Oldest };
                return Ok(Self::Broadcast(BroadcastReader::open(attachment, entry, start)?));
            }
            kind if !kind.is_queue() => return Err(ChannelError::Kind { found: kind }),
            // The messages are in the ring, which is another part.
            _ if entry.fanout.consumer().is_some() => {
                return Err(ChannelError::Consumers { count: entry.fanout.count });
            }
            _ => {}
        }
        let spans = Spans::of(attachment, entry)?;
        if entry.kind == Kind::Frames {
            let ring = Bytes::new(spans.data.clone(), entry.capacity).ok_or(DAMAGED)?;
            let words = Words::of(&spans, entry).ok_or(DAMAGED)?;
            // No sound entry has longer frames.
            let max_len = entry.max_len.min(entry.capacity / 2);
            let frames = Frames::start(&words.sides(), max_len, is_newest);
            return Ok(Self::Frames(ring, words, frames));
        }
        let ring = Ring::of(attachment, entry, &spans).ok_or(DAMAGED)?;
        let values = Values::start(&ring.words.sides(), is_newest);
        Ok(if entry.kind == Kind::Slots { Self::Slots(ring, values) } else { Self::Compact(ring, values) })
    }
}

impl<P: Port> Follower<P> {
    /// Follows the channel of this entry; of one with several producers, that lane.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Kind`] of calls and locks, `Consumers` of a consumer's part of a queue with several, or `Damaged`.
    pub fn open(attachment: &Attachment<P>, entry: &Entry, begin: Begin) -> Result<Self, ChannelError> {
        let what = What::of(attachment, entry, begin)?;
        let max_len = entry.max_len;
        Ok(Self { what, pending: 0, missed: 0, max_len, not_sync: PhantomData, port: PhantomData })
    }

    /// Copies the next message into `into`, or its beginning; `None` if there is nothing new, or the sender was faster
    /// in all tries. At most [`FOLLOW_TRIES`] looks, each a fixed number of loads and a copy.
    ///
    /// # Errors
    ///
    /// [`Violation`]: a participant has broken the protocol, or the memory is damaged.
    pub fn look(&mut self, into: &mut [u8]) -> Result<Option<Observed>, Violation> {
        for _ in 0..FOLLOW_TRIES {
            match self.what.step(into) {
                Step::Nothing => break,
                Step::Again => spin_loop(),
                Step::Missed(count) => self.count(count),
                Step::Fault(violation) => return Err(violation),
                Step::Seen(mut seen) => {
                    self.count(seen.missed);
                    seen.missed = core::mem::take(&mut self.pending);
                    return Ok(Some(seen));
                }
            }
        }
        Ok(None)
    }

    fn count(&mut self, missed: u64) {
        self.pending = self.pending.saturating_add(missed);
        self.missed = self.missed.saturating_add(missed);
    }

    /// How many messages were missed, as far as is known yet: of queues of values since the follower's start, of others
    /// since the first message that it saw, and of frames and latest values up to the last one.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The longest message in bytes: a buffer of that length takes any.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
    }
}

/// The outcome of one look at a channel of any kind.
enum Step {
    Nothing,
    Again,
    Missed(u64),
    Fault(Violation),
    Seen(Observed),
}

impl From<Look> for Step {
    fn from(look: Look) -> Self {
        match look {
            Look::Empty => Self::Nothing,
            Look::Overtaken(missed) => Self::Missed(u64::from(missed)),
            Look::Fault(violation) => Self::Fault(violation),
            Look::Whole(Whole { len, tag, sequence, missed }) => Self::Seen(Observed {
                tag,
                len: len as usize,
                number: u64::from(sequence),
                missed: u64::from(missed),
            }),
        }
    }
}

impl<P: Port> What<P> {
    fn step(&mut self, into: &mut [u8]) -> Step {
        match self {
            Self::Slots(ring, values) => {
                values.look_slots(&ring.slots, &ring.words.sides(), |pos| ring.copy(pos, into)).into()
            }
            Self::Compact(ring, values) => {
                values.look_compact(&ring.slots, &ring.words.sides(), |pos| ring.copy(pos, into)).into()
            }
            Self::Frames(ring, words, frames) => {
                let copy = |pos, len: u32| {
                    let count = into.len().min(len as usize);
                    ring.read(pos, into.get_mut(..count).unwrap_or_default());
                };
                frames.look(ring, &words.sides(), copy).into()
            }
            Self::Latest(reader, last) => match reader.read_into(into) {
                Reading::Fresh(ValueInfo { tag, len, number }) => {
                    let missed = last.map_or(0, |last| number.saturating_sub(last).saturating_sub(1));
                    *last = Some(number);
                    Step::Seen(Observed { tag, len, number, missed })
                }
                Reading::Stale(_) | Reading::Empty | Reading::Contended => Step::Nothing,
            },
            Self::Broadcast(reader) => match reader.try_recv_into(into) {
                Ok(ValueInfo { tag, len, number }) => Step::Seen(Observed { tag, len, number, missed: 0 }),
                // The second is what a reader says of numbers that have gone back.
                Err(error)
                    if error == BroadcastTryRecvError::Empty && reader.is_beyond_the_newest()
                        || error == BroadcastTryRecvError::Fault(Violation::Sequence) =>
                {
                    reader.start_anew();
                    Step::Again
                }
                Err(BroadcastTryRecvError::Empty) => Step::Nothing,
                Err(BroadcastTryRecvError::Lagged { lost }) => Step::Missed(lost),
                Err(BroadcastTryRecvError::Contended) => Step::Again,
                Err(BroadcastTryRecvError::Fault(violation)) => Step::Fault(violation),
            },
        }
    }
}
