//! The latest of a stream of values: one writer, any number of readers.

use core::marker::PhantomData;
use core::time::Duration;

use crate::ground::entry::{Entry, Kind, at};
use crate::ground::frame::Frame;
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::sync::{Span, WordRef};
use crate::protocol::latest::{self, Attempt, Version};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::role::{DAMAGED, NotSync, Role, Side, Spans};
use super::wait::{Bell, Deadline, Sleepers, WaitPolicy, wait_until};

/// The buffers of a channel.
struct Buffers {
    span: Span,
    stride: u32,
    capacity: u32,
}

impl latest::Buffers for Buffers {
    #[inline(always)]
    fn count(&self, index: u32) -> WordRef {
        self.span.header(index * self.stride + at::COUNT)
    }

    #[inline(always)]
    fn lap(&self, index: u32) -> WordRef {
        self.span.header(index * self.stride + at::LAP)
    }
}

impl Buffers {
    fn open<P: Port>(
        attachment: &Attachment<P>,
        entry: &Entry,
    ) -> Result<(Self, WordRef, Option<Bell>), ChannelError> {
        if entry.kind != Kind::Latest {
            return Err(ChannelError::Kind { found: entry.kind });
        }
        let spans = Spans::of(attachment, entry)?;
        let newest = spans.a.word(at::NEWEST).ok_or(DAMAGED)?;
        let bell = Bell::new(attachment.port(), entry.wait_b, attachment.header().instance);
        let buffers = Self { span: spans.data.clone(), stride: entry.stride, capacity: entry.capacity };
        Ok((buffers, newest, bell))
    }
}

/// The value is longer than the channel's maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueTooLarge;

impl core::fmt::Display for ValueTooLarge {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the value is longer than the channel's maximum")
    }
}

impl core::error::Error for ValueTooLarge {}

/// The writer of a latest value of bytes. One at a time; given back when dropped.
///
/// The writer never waits and never loops; its steps do not depend on the readers. If it dies in
/// the middle of a write, the previous value stays readable.
pub struct BytesWriter<P: Port> {
    tx: latest::Writer,
    buffers: Buffers,
    newest: WordRef,
    max_frame: u32,
    bell: Option<Bell>,
    role: Role<P>,
}

impl<P: Port> BytesWriter<P> {
    pub(crate) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let (buffers, newest, bell) = Buffers::open(attachment, entry)?;
        let role = Role::claim(attachment, entry, Side::A)?;
        let tx = latest::Writer::adopt(&newest, &buffers, entry.capacity);
        Ok(Self { tx, buffers, newest, max_frame: entry.max_frame, bell, role })
    }

    /// Publishes a value with its format tag. Four stores, a fence, and the copy.
    ///
    /// # Errors
    ///
    /// [`ValueTooLarge`] if it is longer than the channel's maximum; nothing has changed then.
    #[inline]
    pub fn publish(&mut self, tag: u32, value: &[u8]) -> Result<Version, ValueTooLarge> {
        let len = u32::try_from(value.len()).ok().filter(|&len| len <= self.max_frame);
        let len = len.ok_or(ValueTooLarge)?;
        let index = self.tx.begin(&self.buffers);
        let base = index * self.buffers.stride;
        let mut header = [0; 8];
        header[..4].copy_from_slice(&tag.to_le_bytes());
        header[4..].copy_from_slice(&len.to_le_bytes());
        self.buffers.span.write_racing(base + at::VALUE_TAG, &header);
        self.buffers.span.write_racing(base + at::VALUE, value);
        let version = self.tx.publish(&self.newest, &self.buffers);
        if let Some(bell) = &self.bell {
            bell.ring(&self.role.port);
        }
        Ok(version)
    }

    /// The longest value in bytes.
    #[must_use]
    pub fn max_frame(&self) -> u32 {
        self.max_frame
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

/// What a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// A value that this reader had not seen.
    Fresh(T),
    /// The value that this reader saw last is still the latest.
    Stale(T),
    /// Nothing has ever been published.
    Empty,
    /// The writer was faster in all of the reader's tries (or lies). Ask again.
    Contended,
}

impl<T> Reading<T> {
    /// The value, fresh or stale.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Fresh(value) | Self::Stale(value) => Some(value),
            Self::Empty | Self::Contended => None,
        }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Fresh(value) => Reading::Fresh(change(value)),
            Self::Stale(value) => Reading::Stale(change(value)),
            Self::Empty => Reading::Empty,
            Self::Contended => Reading::Contended,
        }
    }
}

/// A value of bytes that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueInfo {
    /// The writer's format tag.
    pub tag: u32,
    /// The value's length in bytes. If that is more than the buffer given, the buffer holds its
    /// beginning.
    pub len: usize,
    /// How many values had been published, this one included.
    pub number: u64,
}

/// How often a reader tries before it says [`Reading::Contended`].
pub const READ_TRIES: u32 = 8;

/// A reader of a latest value of bytes. Any number of them; they only load.
pub struct BytesReader<P: Port> {
    buffers: Buffers,
    newest: WordRef,
    max_frame: u32,
    /// Of a typed value: any other length is a lie.
    exact: bool,
    seen: Option<Version>,
    bell: Option<Bell>,
    policy: WaitPolicy,
    port: P,
    not_sync: NotSync,
}

impl<P: Port> BytesReader<P> {
    pub(crate) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let (buffers, newest, bell) = Buffers::open(attachment, entry)?;
        let port = attachment.port().clone();
        // One who may not store cannot say that it sleeps.
        let bell = if port.ident().is_some() { bell } else { None };
        let policy = WaitPolicy::parking();
        Ok(Self {
            buffers,
            newest,
            max_frame: entry.max_frame,
            exact: false,
            seen: None,
            bell,
            policy,
            port,
            not_sync: PhantomData,
        })
    }

    /// Reads the newest value into `buffer`. At most [`READ_TRIES`] tries of five loads and the
    /// copy.
    #[inline]
    pub fn read(&mut self, buffer: &mut [u8]) -> Reading<ValueInfo> {
        for _ in 0..READ_TRIES {
            let mut header = [0; 8];
            let mut len = 0;
            let (span, stride, max) = (&self.buffers.span, self.buffers.stride, self.max_frame);
            let copy = |index: u32| {
                let base = index * stride;
                span.read_racing(base + at::VALUE_TAG, &mut header);
                let [_, _, _, _, length @ ..] = header;
                len = u32::from_le_bytes(length);
                let count = buffer.len().min(len.min(max) as usize);
                if let Some(into) = buffer.get_mut(..count) {
                    span.read_racing(base + at::VALUE, into);
                }
            };
            let capacity = self.buffers.capacity;
            let exact = self.exact;
            match latest::attempt(&self.newest, &self.buffers, capacity, copy) {
                Attempt::Empty => return Reading::Empty,
                Attempt::Complete(version) if len == max || len < max && !exact => {
                    let [tag @ .., _, _, _, _] = header;
                    let tag = u32::from_le_bytes(tag);
                    let info = ValueInfo { tag, len: len as usize, number: version.number() };
                    if self.seen == Some(version) {
                        return Reading::Stale(info);
                    }
                    self.seen = Some(version);
                    return Reading::Fresh(info);
                }
                // An impossible length is a lie; it counts as a try.
                Attempt::Complete(_) | Attempt::Again => crate::ground::sync::spin_loop(),
            }
        }
        Reading::Contended
    }

    /// Waits up to `timeout` for a value that this reader has not seen; then answers with whatever
    /// there is.
    ///
    /// Sleeps where the plan lets readers block and the region is open for writing; otherwise looks
    /// once a millisecond.
    pub fn wait_for_change(&mut self, buffer: &mut [u8], timeout: Duration) -> Reading<ValueInfo> {
        let deadline = Deadline::after(&self.port, timeout);
        let (port, bell, policy) = (self.port.clone(), self.bell.clone(), self.policy);
        let look = || match self.read(buffer) {
            Reading::Fresh(info) => Some(info),
            _ => None,
        };
        match wait_until(&port, bell.as_ref(), Sleepers::Many, policy, deadline, look) {
            Some(info) => Reading::Fresh(info),
            None => self.read(buffer),
        }
    }

    /// Sets how [`wait_for_change`](Self::wait_for_change) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.policy = policy;
    }

    /// The longest value in bytes: a buffer of that length takes any value.
    #[must_use]
    pub fn max_frame(&self) -> u32 {
        self.max_frame
    }
}

/// The writer of a latest value of type `T`. See [`BytesWriter`].
pub struct LatestWriter<T: Frame, P: Port> {
    inner: BytesWriter<P>,
    values: PhantomData<T>,
}

impl<T: Frame, P: Port> LatestWriter<T, P> {
    pub(crate) fn new(inner: BytesWriter<P>) -> Self {
        Self { inner, values: PhantomData }
    }

    /// Publishes a value. Four stores, a fence, and the copy; never waits.
    #[inline]
    pub fn publish(&mut self, value: &T) {
        self.publish_tagged(0, value);
    }

    /// Publishes a value with a format tag beside it.
    #[inline]
    pub fn publish_tagged(&mut self, tag: u32, value: &T) {
        // The size was checked against the channel when it was opened, so this cannot fail.
        let _ = self.inner.publish(tag, value.as_bytes());
    }

    /// How many values have been published, by all writers of this channel so far.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.inner.published()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.inner.taken_over_from()
    }
}

/// A reader of a latest value of type `T`. See [`BytesReader`].
///
/// It cannot publish:
///
/// ```compile_fail,E0599
/// fn publish<P: strait_core::Port>(reader: &mut strait_core::LatestReader<u32, P>) {
///     reader.publish(&1);
/// }
/// ```
pub struct LatestReader<T: Frame, P: Port> {
    inner: BytesReader<P>,
    info: Option<ValueInfo>,
    values: PhantomData<T>,
}

impl<T: Frame, P: Port> LatestReader<T, P> {
    pub(crate) fn new(mut inner: BytesReader<P>) -> Self {
        inner.exact = true;
        Self { inner, info: None, values: PhantomData }
    }

    /// Reads the newest value. At most [`READ_TRIES`] tries of five loads and the copy.
    #[inline]
    pub fn read(&mut self) -> Reading<T> {
        let mut value = T::new_zeroed();
        let reading = self.inner.read(value.as_mut_bytes());
        self.keep(reading, value)
    }

    /// Waits up to `timeout` for a value that this reader has not seen; then answers with whatever
    /// there is. See [`BytesReader::wait_for_change`].
    pub fn wait_for_change(&mut self, timeout: Duration) -> Reading<T> {
        let mut value = T::new_zeroed();
        let reading = self.inner.wait_for_change(value.as_mut_bytes(), timeout);
        self.keep(reading, value)
    }

    #[inline]
    fn keep(&mut self, reading: Reading<ValueInfo>, value: T) -> Reading<T> {
        reading.map(|info| {
            self.info = Some(info);
            value
        })
    }

    /// Tag and number of the value read last.
    #[must_use]
    pub fn info(&self) -> Option<ValueInfo> {
        self.info
    }

    /// Sets how [`wait_for_change`](Self::wait_for_change) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.inner.set_wait_policy(policy);
    }
}
