//! A channel of answers: what comes in the live region is compared with what was recorded.

use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::{Value, json};
use strait::format::inspect::channel_state;
use strait::format::{Entry, Kind, ValueType};
use strait::options::ConsumerOptions;
use strait::port::Port;
use strait::{Consumer, Region, SystemPort, TypedConsumer};

use crate::error::{Error, Result};
use crate::see::Followed;
use crate::see::types::Type;

use super::Tried;
use super::expect::{Message, difference};

/// How many bytes of answers, recorded or live, wait for their counterparts at most.
const MAX_KEPT: usize = 16 << 20;
/// What a message that waits takes beside its bytes.
const EACH: usize = 64;

/// A channel of answers.
pub struct Check {
    title: String,
    ty: Option<Rc<Type>>,
    followed: Followed,
    /// Receives what was seen, where nobody else does, so that the channel does not fill up.
    drain: Option<Drain>,
    recorded: Kept,
    live: Kept,
    compared: u64,
}

/// Messages that wait.
#[derive(Default)]
struct Kept {
    messages: VecDeque<Message>,
    bytes: usize,
}

enum Drain {
    Frames(Consumer<SystemPort>, Vec<u8>),
    Values(TypedConsumer<[u8], SystemPort>, Vec<u8>),
}

impl Kept {
    fn is_full(&self) -> bool {
        self.bytes >= MAX_KEPT
    }

    fn push(&mut self, message: Message) {
        self.bytes += message.bytes.len() + EACH;
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.bytes.len() + EACH;
        Some(message)
    }
}

impl Drain {
    /// The consumer's role, if nobody has it.
    fn open(region: &Region, entry: &Entry) -> Option<Self> {
        let state = channel_state(region.port().mem(), region.header().line, entry);
        if state.consumer.is_some() || entry.lane.is_one_of_many() || entry.fanout.is_some() {
            return None;
        }
        let (name, buffer) = (entry.name()?, vec![0; entry.max_len as usize]);
        let options = ConsumerOptions::new().release_every(1);
        let values = ValueType { hash: entry.type_hash, size: entry.max_len };
        Some(match entry.kind {
            Kind::Frames => Self::Frames(region.consumer_with(name, options).ok()?, buffer),
            Kind::Slots | Kind::Compact => {
                Self::Values(region.typed_consumer_of(name, values, options).ok()?, buffer)
            }
            _ => return None,
        })
    }

    /// Receives one message, and gives its place back.
    fn receive(&mut self) {
        match self {
            Self::Frames(consumer, buffer) => {
                if consumer.try_recv(buffer).is_ok() {
                    consumer.release();
                }
            }
            Self::Values(consumer, buffer) => {
                if consumer.try_recv_into(buffer).is_ok() {
                    consumer.release();
                }
            }
        }
    }
}

impl Check {
    /// Looks at a channel from here on.
    pub fn new(region: &Region, followed: Followed, ty: Option<Rc<Type>>) -> Self {
        Self {
            title: followed.title(),
            ty,
            drain: Drain::open(region, &followed.entry),
            followed,
            recorded: Kept::default(),
            live: Kept::default(),
            compared: 0,
        }
    }

    /// Takes the next recorded answer, if there is room for it.
    pub fn expect(&mut self, message: &Message) -> Result<Tried> {
        if self.recorded.is_full() {
            return Ok(Tried::Not(format!("{}: answers have not come", self.title)));
        }
        self.recorded.push(message.clone());
        self.compare()?;
        Ok(Tried::Done)
    }

    /// Looks for answers; returns how many have come.
    pub fn look(&mut self) -> Result<usize> {
        if self.live.is_full() {
            return Ok(0);
        }
        let Self { title, followed, live, drain, .. } = self;
        let came = followed.take(|_, seen, bytes| {
            if seen.missed > 0 {
                return Err(Error::failed(format!(
                    "{title}: {} answers came too fast to be seen, so they cannot be compared; give the channel more room",
                    seen.missed
                )));
            }
            live.push(Message { tag: seen.tag, bytes: bytes.to_vec() });
            if let Some(drain) = drain {
                drain.receive();
            }
            Ok(())
        })?;
        self.compare()?;
        Ok(came)
    }

    fn compare(&mut self) -> Result<()> {
        while !self.recorded.messages.is_empty() && !self.live.messages.is_empty() {
            let (Some(recorded), Some(live)) = (self.recorded.pop(), self.live.pop()) else { break };
            self.compared += 1;
            if let Some(what) = difference(self.ty.as_ref(), &recorded, &live) {
                return Err(Error::failed(format!("{}: answer {}: {what}", self.title, self.compared)));
            }
        }
        Ok(())
    }

    /// Whether all recorded answers have come.
    pub fn is_settled(&self) -> Tried {
        if self.recorded.messages.is_empty() {
            return Tried::Done;
        }
        Tried::Not(format!(
            "{}: {} of the recorded answers have not come, after {} that are the same; waited",
            self.title,
            self.recorded.messages.len(),
            self.compared
        ))
    }

    /// Checks that no more answers have come than were recorded.
    pub fn check_surplus(&self) -> Result<()> {
        if self.live.messages.is_empty() {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{}: {} answers came after the {} that were recorded",
            self.title,
            self.live.messages.len(),
            self.compared
        )))
    }

    /// For programs, how many answers are the same.
    pub fn json(&self) -> Value {
        json!({ "channel": self.title, "same": self.compared })
    }

    /// For people, how many answers are the same.
    pub fn told(&self) -> String {
        format!("{}: {} answers are as recorded\n", self.title, self.compared)
    }
}
