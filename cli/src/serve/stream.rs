//! A channel that a client has subscribed to.

use std::rc::Rc;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};
use strait::observe::Observed;

use crate::see::types::{Tree, Type};
use crate::see::value::hex;
use crate::see::{Followed, schema, value};

/// Opcode of a message of a channel, which is followed by the subscription, the time, and the message.
const MESSAGE_DATA: u8 = 1;
/// Messages that are looked at in one turn, of which most are left out.
const TURN: usize = 4096;
/// How long a share that was not used counts, in seconds.
const SHARE: f64 = 0.1;

/// A subscription.
pub struct Stream {
    pub id: u32,
    /// The number of the channel.
    pub channel: u32,
    pub topic: String,
    followed: Followed,
    /// How many messages a second the client wants at most.
    most: Option<f64>,
    /// How many of them are due.
    share: f64,
    counted: Instant,
    /// The newest that was not sent.
    kept: Option<(u32, Vec<u8>)>,
    left_out: u64,
    /// What the client was told last: missed, and left out.
    told: (u64, u64),
}

impl Stream {
    /// Begins to follow a channel.
    pub fn new(id: u32, channel: u32, topic: &str, followed: Followed, most: Option<f64>) -> Self {
        Self {
            id,
            channel,
            topic: topic.to_owned(),
            followed,
            most,
            share: most.map_or(0.0, |most| (most * SHARE).max(1.0)),
            counted: Instant::now(),
            kept: None,
            left_out: 0,
            told: (0, 0),
        }
    }

    /// The next message to send, if there is one.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        match self.most {
            Some(most) => self.next_of(most),
            None => {
                let mut next = None;
                let id = self.id;
                // What goes wrong is a damaged channel, which is reported and then has nothing more.
                let _ = self.followed.take_at_most(1, |followed, seen, bytes| {
                    next = Some(message(id, followed.ty.as_ref(), seen.tag, bytes));
                    Ok(())
                });
                next
            }
        }
    }

    fn next_of(&mut self, most: f64) -> Option<Vec<u8>> {
        let now = Instant::now();
        let due = now.duration_since(self.counted).as_secs_f64() * most;
        self.share = (self.share + due).min((most * SHARE).max(1.0));
        self.counted = now;
        let Self { followed, kept, left_out, share, .. } = self;
        if *share < 1.0 || kept.is_none() {
            let wanted = if *share < 1.0 { TURN } else { 1 };
            // What goes wrong is a damaged channel, as above.
            let _ = followed.take_at_most(wanted, |_, seen: &Observed, bytes| {
                *left_out += u64::from(kept.is_some());
                *kept = Some((seen.tag, bytes.to_vec()));
                Ok(())
            });
        }
        if self.share < 1.0 {
            return None;
        }
        let (tag, bytes) = self.kept.take()?;
        self.share -= 1.0;
        Some(message(self.id, self.followed.ty.as_ref(), tag, &bytes))
    }

    /// How many messages were missed, and left out, if that has changed since it was told; how many more were missed.
    pub fn missed(&mut self) -> Option<(Value, u64)> {
        let now = (self.followed.missed(), self.left_out);
        if now == self.told {
            return None;
        }
        let more = now.0 - self.told.0;
        self.told = now;
        Some((json!({ "topic": self.topic, "missed": now.0, "left_out": now.1 }), more))
    }
}

/// A message of a subscription, as it goes to the client.
fn message(id: u32, ty: Option<&Rc<Type>>, tag: u32, bytes: &[u8]) -> Vec<u8> {
    let object = match ty.filter(|ty| ty.tree.size() == bytes.len()) {
        Some(ty) => match ty.tree {
            Tree::Struct(_) => value::json(&ty.tree, bytes),
            _ => json!({ schema::ALONE: value::json(&ty.tree, bytes) }),
        },
        None => json!({ "tag": tag, "bytes": hex(bytes) }),
    };
    frame(id, &object)
}

/// A message of a subscription.
pub fn frame(id: u32, object: &Value) -> Vec<u8> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    let mut frame = vec![MESSAGE_DATA];
    frame.extend(id.to_le_bytes());
    frame.extend(time.to_le_bytes());
    frame.extend(object.to_string().into_bytes());
    frame
}
