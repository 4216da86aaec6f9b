//! The writer of a latest value.

use core::fmt;
use core::marker::PhantomData;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::coherence::Payload;
use crate::endpoint::error::{ChannelError, WrongSize};
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::role::{Role, Side};
use crate::endpoint::wait_policy::WakeCheck;
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::buffers::Buffers;
use crate::ground::sync::{Word, WordRef};
use crate::protocol::Violation;
use crate::protocol::latest::{self, Version};

use super::buffers::{Seen, parts};

/// Error of a publication. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The channel is one of bytes, and these are more than its maximum.
    TooLarge {
        /// The most bytes that a value may have.
        max: u32,
    },
    /// The bytes are not as many as the channel's values have.
    WrongSize {
        /// How many they have.
        needed: u32,
    },
    /// This process is a forked child of the one that opened the region, and readers are none the wiser. Open the region
    /// anew in the child. Told only where the plan lets readers sleep: elsewhere a publication looks at nothing.
    Forked,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { max } => {
                write!(
                    f,
                    "the value is longer than the channel's maximum of {max} bytes; publish less, or plan for more"
                )
            }
            Self::WrongSize { needed } => WrongSize { needed: *needed }.fmt(f),
            Self::Forked => Violation::Forked.fmt(f),
        }
    }
}

impl core::error::Error for PublishError {}

/// The writer of a latest value. One at a time; given back when dropped.
///
/// The writer never waits and never loops; its steps do not depend on the readers. If it dies in
/// the middle of a write, the previous value stays readable.
///
/// `T` is a [`Message`], or `[u8]`: for a channel of bytes, and for a type that is known only at run
/// time.
///
/// How it works: the diagram, the table of states and the invariants are in `core/src/protocol/latest.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("angle")]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut writer = region.latest_writer::<f64>("angle").unwrap();
/// writer.publish(&0.25);
/// writer.publish(&0.5);
/// assert_eq!(writer.published(), 2);
/// ```
///
/// Values of varying length, each with a tag that identifies its format:
///
/// ```
/// use strait_core::{Channel, Plan, PublishError, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::latest_bytes("state", 8)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut writer = region.latest_writer::<[u8]>("state").unwrap();
/// writer.publish_from(3, b"idle").unwrap();
/// assert_eq!(writer.publish_from(3, &[0; 9]), Err(PublishError::TooLarge { max: 8 }));
/// ```
pub struct LatestWriter<T: Value + ?Sized, P: Port> {
    /// The version that comes next.
    tx: latest::Writer,
    /// The buffers, two at least: this side writes one that is not the newest.
    buffers: Buffers,
    /// Names the newest version; written by this side alone.
    newest: WordRef,
    /// The most bytes of a value, and of a channel with a type, the fewest as well.
    max_len: u32,
    /// Whether the channel has a type: then every value has `max_len` bytes.
    is_typed: bool,
    /// The word on which readers sleep, if the plan lets them.
    park_word: Option<ParkWord>,
    /// Whether a publication fences before it looks for sleeping readers.
    check: WakeCheck,
    /// Whether a value must be cleaned from a cache before it is published.
    payload: Payload,
    /// The claimed role.
    role: Role<P>,
    values: PhantomData<fn(&T)>,
}

impl<P: Port> Attachment<P> {
    /// Claims the writer's role of a latest value; for `[u8]`, of one of bytes, without a type.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_writer<T: Value + ?Sized>(&self, name: &str) -> Result<LatestWriter<T, P>, ChannelError> {
        let suits = |entry: &Entry| match T::TYPE {
            Some(values) => entry.carries_type(values),
            None => entry.type_hash == 0,
        };
        LatestWriter::open(self, &self.latest(name, suits)?)
    }

    /// As [`latest_writer`](Self::latest_writer), of a type that is known at run time. Each value must have
    /// that type's size.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_writer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<LatestWriter<[u8], P>, ChannelError> {
        LatestWriter::open(self, &self.latest(name, |entry| entry.carries_type(values))?)
    }
}

impl<T: Value + ?Sized, P: Port> LatestWriter<T, P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let adopt =
            |newest: &Word, buffers: &Seen<'_, P>| latest::Writer::adopt(newest, buffers, entry.capacity);
        Self::open_by(attachment, entry, adopt)
    }

    /// Opens the writer of a ring of buffers, which `adopt` takes up where the last writer left it.
    pub(in crate::endpoint) fn open_by(
        attachment: &Attachment<P>,
        entry: &Entry,
        adopt: impl FnOnce(&Word, &Seen<'_, P>) -> latest::Writer,
    ) -> Result<Self, ChannelError> {
        let (buffers, newest, park_word) = parts(attachment, entry)?;
        let role = Role::claim(attachment, entry, Side::A)?;
        // Its readers may be in any domain.
        let payload = Payload::new(entry, true);
        let seen = Seen { buffers: &buffers, payload: &payload, port: &role.port };
        let tx = adopt(&newest, &seen);
        Ok(Self {
            tx,
            buffers,
            newest,
            max_len: entry.max_len,
            is_typed: entry.type_hash != 0,
            park_word,
            check: WakeCheck::default(),
            payload,
            role,
            values: PhantomData,
        })
    }

    /// Publishes a value. Four stores, a fence, and the copy; never waits.
    #[inline]
    pub fn publish(&mut self, value: &T)
    where
        T: Message,
    {
        self.publish_tagged(0, value);
    }

    /// Publishes a value with a format tag beside it.
    #[inline]
    pub fn publish_tagged(&mut self, tag: u32, value: &T)
    where
        T: Message,
    {
        // It cannot fail but in a forked child, where it reaches nobody, as the port's documentation says.
        let _ = self.put(tag, value.bytes());
    }

    /// As [`publish_tagged`](Self::publish_tagged), also for `[u8]`. Returns the version of the value.
    ///
    /// # Errors
    ///
    /// [`PublishError`], only for `[u8]`.
    #[inline]
    pub fn publish_from(&mut self, tag: u32, value: &T) -> Result<Version, PublishError> {
        self.check_size(value)?;
        self.put(tag, value.bytes())
    }

    #[inline]
    fn check_size(&self, value: &T) -> Result<(), PublishError> {
        let (len, max) = (value.bytes().len(), self.max_len);
        if T::SIZED || len == max as usize {
            Ok(())
        } else if self.is_typed {
            Err(PublishError::WrongSize { needed: max })
        } else if len > max as usize {
            Err(PublishError::TooLarge { max })
        } else {
            Ok(())
        }
    }

    /// Publishes bytes that the channel takes.
    #[inline(always)]
    fn put(&mut self, tag: u32, value: &[u8]) -> Result<Version, PublishError> {
        let buffers = Seen { buffers: &self.buffers, payload: &self.payload, port: &self.role.port };
        let index = self.tx.begin(&buffers);
        let mut header = [0; 8];
        header[..4].copy_from_slice(&tag.to_le_bytes());
        header[4..].copy_from_slice(&(value.len() as u32).to_le_bytes());
        buffers.write_tag(index, header);
        buffers.write(index, value);
        let version = self.tx.publish(&self.newest, &buffers);
        match &self.park_word {
            Some(park_word) if park_word.is_asleep(self.check) => self.wake_slow(version),
            _ => Ok(version),
        }
    }

    #[cold]
    fn wake_slow(&mut self, version: Version) -> Result<Version, PublishError> {
        // In a forked child somebody seems to sleep, and must go on so: the next publication comes here too.
        if self.role.check_ours().is_err() {
            return Err(PublishError::Forked);
        }
        if let Some(park_word) = &self.park_word {
            park_word.wake_all_slow(&self.role.port);
        }
        Ok(version)
    }

    /// Sets how a publication finds out whether a reader sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.check = check;
    }

    /// The longest value in bytes.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
    }

    /// How many values have been published, by all writers of this channel so far.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.tx.newest().number()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.role.taken_over_from()
    }
}
