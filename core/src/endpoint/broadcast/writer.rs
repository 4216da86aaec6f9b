//! The writer of a broadcast.

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::latest::{LatestWriter, PublishError, Seen};
use crate::endpoint::wait_policy::WakeCheck;
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::sync::Word;
use crate::protocol::broadcast;

/// The writer of a broadcast. One at a time; given back when dropped.
///
/// The writer never waits and never loops; its steps do not depend on the readers. If it dies in the middle of
/// a value, the readers get all values before that one, and wait there; its successor goes on with the same
/// number.
///
/// `T` is a [`Message`], or `[u8]`: for a channel of bytes, and for a type that is known only at run time.
///
/// How it works: the diagram, the table of states and the invariants are in `core/src/protocol/broadcast.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{BroadcastStart, Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::broadcast::<f64>("state", 8)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut writer = region.broadcast_writer::<f64>("state").unwrap();
/// let mut screens = [(); 2].map(|()| {
///     region.broadcast_reader::<f64>("state", BroadcastStart::Newest).unwrap()
/// });
/// writer.publish(&0.25);
/// writer.publish(&0.5);
/// for screen in &mut screens {
///     assert_eq!((screen.try_recv(), screen.try_recv()), (Ok(0.25), Ok(0.5)));
/// }
/// ```
pub struct BroadcastWriter<T: Value + ?Sized, P: Port> {
    /// It takes the same steps in the same words.
    ring: LatestWriter<T, P>,
}

impl<P: Port> Attachment<P> {
    /// Claims the writer's role of a broadcast; for `[u8]`, of one of bytes, without a type.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn broadcast_writer<T: Value + ?Sized>(
        &self,
        name: &str,
    ) -> Result<BroadcastWriter<T, P>, ChannelError> {
        let suits = |entry: &Entry| match T::TYPE {
            Some(values) => entry.carries_type(values),
            None => entry.type_hash == 0,
        };
        BroadcastWriter::open(self, &self.broadcast(name, suits)?)
    }

    /// As [`broadcast_writer`](Self::broadcast_writer), of a type that is known at run time. Each value must
    /// have that type's size.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn broadcast_writer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<BroadcastWriter<[u8], P>, ChannelError> {
        BroadcastWriter::open(self, &self.broadcast(name, |entry| entry.carries_type(values))?)
    }
}

impl<T: Value + ?Sized, P: Port> BroadcastWriter<T, P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let adopt = |newest: &Word, slots: &Seen<'_, P>| broadcast::adopt(newest, slots, entry.capacity);
        Ok(Self { ring: LatestWriter::open_by(attachment, entry, adopt)? })
    }

    /// Publishes a value. Four stores, a fence, and the copy; never waits.
    #[inline]
    pub fn publish(&mut self, value: &T)
    where
        T: Message,
    {
        self.ring.publish(value);
    }

    /// Publishes a value with a format tag beside it.
    #[inline]
    pub fn publish_tagged(&mut self, tag: u32, value: &T)
    where
        T: Message,
    {
        self.ring.publish_tagged(tag, value);
    }

    /// As [`publish_tagged`](Self::publish_tagged), also for `[u8]`. Returns the number of the value, from 1.
    ///
    /// # Errors
    ///
    /// [`PublishError`], only for `[u8]`.
    #[inline]
    pub fn publish_from(&mut self, tag: u32, value: &T) -> Result<u64, PublishError> {
        Ok(self.ring.publish_from(tag, value)?.number())
    }

    /// Sets how a publication finds out whether a reader sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.ring.set_wake_check(check);
    }

    /// The longest value in bytes.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.ring.max_len()
    }

    /// How many values have been published, by all writers of this channel so far.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.ring.published()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.ring.taken_over_from()
    }
}
