//! The latest of a stream of values: one writer, any number of readers.

use core::marker::PhantomData;
use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::frame::{Frame, ValueType};
use crate::ground::geometry::GRANULE;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::buffers::Buffers;
use crate::ground::sync::{Span, WordRef};
use crate::protocol::latest::{self, Attempt, Version};

use super::attachment::Attachment;
use super::coherence::Payload;
use super::error::ChannelError;
use super::park_word::{Bell, Sleepers};
use super::role::{NotSync, Role, Side};
use super::spans::{DAMAGED, Spans};
use super::wait::{Waiting, wait_until};
use super::wait_policy::{Deadline, WaitPolicy, WakeCheck};

/// A channel's buffers, and how they lie: values apart where the port's cache is not coherent, for only
/// such regions are attached then, and no others.
struct Seen<'b, P> {
    buffers: &'b Buffers,
    payload: &'b Payload,
    port: &'b P,
}

impl<'b, P: Port> Seen<'b, P> {
    #[inline(always)]
    fn apart(&self) -> bool {
        self.port.cache().is_some()
    }

    /// The place of tag and length.
    #[inline(always)]
    fn tag(&self, index: u32) -> (&'b Span, u32) {
        self.buffers.in_header(index, offset::VALUE_TAG, self.apart())
    }

    /// Writes a value, and has it in memory.
    #[inline(always)]
    fn write(&self, index: u32, value: &[u8]) {
        let (span, place) = self.buffers.value(index, self.apart());
        span.write_racing(place, value);
        self.payload.clean(self.port, place, value.len());
    }

    /// Reads a value, or its start, from memory.
    #[inline(always)]
    fn read(&self, index: u32, into: &mut [u8]) {
        let (span, place) = self.buffers.value(index, self.apart());
        self.payload.invalidate(self.port, place, into.len());
        span.read_racing(place, into);
    }
}

impl<P: Port> latest::Buffers for Seen<'_, P> {
    #[inline(always)]
    fn count(&self, index: u32) -> WordRef {
        self.buffers.header(index, offset::COUNT, self.apart())
    }

    #[inline(always)]
    fn lap(&self, index: u32) -> WordRef {
        self.buffers.header(index, offset::LAP, self.apart())
    }
}

/// What both sides need of a channel: its buffers, the newest count, and the readers' bell.
fn parts<P: Port>(
    attachment: &Attachment<P>,
    entry: &Entry,
) -> Result<(Buffers, WordRef, Option<Bell>), ChannelError> {
    if entry.kind != Kind::Latest {
        return Err(ChannelError::Kind { found: entry.kind });
    }
    let spans = Spans::of(attachment, entry)?;
    let newest = spans.a.word(offset::NEWEST).ok_or(DAMAGED)?;
    let bell = Bell::new(attachment.port(), entry.wait_b, attachment.header().instance);
    let mem = attachment.port().mem();
    let headers = if entry.apart {
        // Checked with the entry: at most 2^16 buffers, and all of them inside.
        Some(mem.span(entry.block_a + offset::HEADERS, GRANULE * entry.capacity).ok_or(DAMAGED)?)
    } else {
        None
    };
    let buffers = Buffers::new(spans.data.clone(), headers, entry.capacity, entry.stride).ok_or(DAMAGED)?;
    Ok((buffers, newest, bell))
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
    check: WakeCheck,
    payload: Payload,
    role: Role<P>,
}

impl<P: Port> Attachment<P> {
    /// Claims the writer's role of a latest value.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_writer<T: Frame>(&self, name: &str) -> Result<LatestWriter<T, P>, ChannelError> {
        Ok(LatestWriter::new(self.latest_writer_of(name, ValueType::of::<T>())?))
    }

    /// Claims the writer's role of a latest value of a type that is known at run time. Each value must be
    /// of that type's size: readers of the type take a value of another length for a lie.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_writer_of(&self, name: &str, values: ValueType) -> Result<BytesWriter<P>, ChannelError> {
        BytesWriter::open(self, &self.of_type(name, Kind::Latest, values)?)
    }

    /// Claims the writer's role of a latest value of bytes. A channel with a type is refused.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_bytes_writer(&self, name: &str) -> Result<BytesWriter<P>, ChannelError> {
        let entry = self.of_kind(name, Kind::Latest)?;
        if entry.type_hash != 0 {
            return Err(ChannelError::Type);
        }
        BytesWriter::open(self, &entry)
    }
}

impl<P: Port> BytesWriter<P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let (buffers, newest, bell) = parts(attachment, entry)?;
        let role = Role::claim(attachment, entry, Side::A)?;
        // Its readers may be anywhere.
        let payload = Payload::new(entry, true);
        let seen = Seen { buffers: &buffers, payload: &payload, port: &role.port };
        let tx = latest::Writer::adopt(&newest, &seen, entry.capacity);
        let (max_frame, check) = (entry.max_frame, WakeCheck::default());
        Ok(Self { tx, buffers, newest, max_frame, bell, check, payload, role })
    }

    /// Publishes a value with its format tag. Four stores, a fence, and the copy.
    ///
    /// # Errors
    ///
    /// [`ValueTooLarge`] if it is longer than the channel's maximum; nothing has changed then.
    #[inline(always)]
    pub fn publish(&mut self, tag: u32, value: &[u8]) -> Result<Version, ValueTooLarge> {
        if value.len() > self.max_frame as usize {
            return Err(ValueTooLarge);
        }
        let buffers = Seen { buffers: &self.buffers, payload: &self.payload, port: &self.role.port };
        let index = self.tx.begin(&buffers);
        let mut header = [0; 8];
        header[..4].copy_from_slice(&tag.to_le_bytes());
        header[4..].copy_from_slice(&(value.len() as u32).to_le_bytes());
        let (span, place) = buffers.tag(index);
        span.write_racing(place, &header);
        buffers.write(index, value);
        let version = self.tx.publish(&self.newest, &buffers);
        if let Some(bell) = &self.bell {
            bell.ring_all(self.check, &self.role.port);
        }
        Ok(version)
    }

    /// Sets how a publication finds out whether a reader sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.check = check;
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
    capacity: u32,
    max_frame: u32,
    seen: Option<Version>,
    pub(super) bell: Option<Bell>,
    pub(super) waiting: Waiting,
    payload: Payload,
    pub(super) port: P,
    not_sync: NotSync,
}

impl<P: Port> Attachment<P> {
    /// Opens a reader of a latest value. Claims nothing, stores nothing: a read-only mapping will
    /// do, and any number of readers.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn latest_reader<T: Frame>(&self, name: &str) -> Result<LatestReader<T, P>, ChannelError> {
        Ok(LatestReader::new(BytesReader::open(
            self,
            &self.of_type(name, Kind::Latest, ValueType::of::<T>())?,
        )?))
    }

    /// Opens a reader of a latest value as bytes, whatever its type.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn latest_bytes_reader(&self, name: &str) -> Result<BytesReader<P>, ChannelError> {
        BytesReader::open(self, &self.of_kind(name, Kind::Latest)?)
    }
}

impl<P: Port> BytesReader<P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let (buffers, newest, bell) = parts(attachment, entry)?;
        let port = attachment.port().clone();
        // One who may not store, or not compare and swap with the others, cannot say that it sleeps.
        let may_ask = port.ident().is_some() && port.domain() == entry.domain_a;
        let bell = bell.filter(|_| may_ask);
        let waiting = Waiting::new(WaitPolicy::parking());
        Ok(Self {
            buffers,
            newest,
            capacity: entry.capacity,
            max_frame: entry.max_frame,
            seen: None,
            bell,
            waiting,
            payload: Payload::new(entry, entry.domain_a != port.domain()),
            port,
            not_sync: PhantomData,
        })
    }

    /// Reads the newest value into `buffer`. At most [`READ_TRIES`] tries of five loads and the
    /// copy.
    #[inline]
    pub fn read(&mut self, buffer: &mut [u8]) -> Reading<ValueInfo> {
        let max = self.max_frame;
        self.read_by(|buffers, index, len| {
            let count = buffer.len().min(len.min(max) as usize);
            if let Some(into) = buffer.get_mut(..count) {
                buffers.read(index, into);
            }
            len <= max
        })
    }

    /// Reads the newest value, of exactly the channel's size, into `into`.
    #[inline(always)]
    fn read_exact(&mut self, into: &mut [u8]) -> Reading<ValueInfo> {
        self.read_by(|buffers, index, len| {
            buffers.read(index, into);
            len as usize == into.len()
        })
    }

    /// Reads by `copy`, which is given a buffer and the length said there, and answers whether that
    /// length is possible. One that is not is a lie, and counts as a try.
    #[inline(always)]
    fn read_by(&mut self, mut copy: impl FnMut(&Seen<'_, P>, u32, u32) -> bool) -> Reading<ValueInfo> {
        let buffers = &Seen { buffers: &self.buffers, payload: &self.payload, port: &self.port };
        for _ in 0..READ_TRIES {
            let mut header = [0; 8];
            let mut sound = false;
            let attempt = latest::attempt(&self.newest, buffers, self.capacity, |index| {
                let (span, place) = buffers.tag(index);
                span.read_racing(place, &mut header);
                sound = copy(buffers, index, length(header));
            });
            match attempt {
                Attempt::Empty => return Reading::Empty,
                Attempt::Complete(version) if sound => {
                    let [tag @ .., _, _, _, _] = header;
                    let (tag, len) = (u32::from_le_bytes(tag), length(header) as usize);
                    let info = ValueInfo { tag, len, number: version.number() };
                    if self.seen == Some(version) {
                        return Reading::Stale(info);
                    }
                    self.seen = Some(version);
                    return Reading::Fresh(info);
                }
                Attempt::Complete(_) | Attempt::Again => crate::ground::sync::spin_loop(),
            }
        }
        Reading::Contended
    }

    /// Waits up to `timeout` for a value that this reader has not seen; then answers with whatever
    /// there is.
    ///
    /// Sleeps where the plan lets readers block, the region is open for writing, and reader and writer are
    /// of one domain; otherwise looks once a millisecond.
    pub fn wait_for_change(&mut self, buffer: &mut [u8], timeout: Duration) -> Reading<ValueInfo> {
        self.wait_by(timeout, |this| this.read(buffer))
    }

    fn wait_by(
        &mut self,
        timeout: Duration,
        mut read: impl FnMut(&mut Self) -> Reading<ValueInfo>,
    ) -> Reading<ValueInfo> {
        let deadline = Deadline::after(&self.port, timeout);
        let (port, bell, mut waiting) = (self.port.clone(), self.bell.clone(), self.waiting);
        let look = || match read(self) {
            Reading::Fresh(info) => Some(info),
            _ => None,
        };
        let result = wait_until(&port, bell.as_ref(), Sleepers::Many, &mut waiting, deadline, look);
        self.waiting = waiting;
        match result {
            Some(info) => Reading::Fresh(info),
            None => read(self),
        }
    }

    /// Sets how [`wait_for_change`](Self::wait_for_change) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }

    /// The longest value in bytes: a buffer of that length takes any value.
    #[must_use]
    pub fn max_frame(&self) -> u32 {
        self.max_frame
    }
}

/// The value's length, as its header says.
#[inline(always)]
fn length(header: [u8; 8]) -> u32 {
    let [_, _, _, _, length @ ..] = header;
    u32::from_le_bytes(length)
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

    /// Sets how a publication finds out whether a reader sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.inner.set_wake_check(check);
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
    pub(super) inner: BytesReader<P>,
    info: Option<ValueInfo>,
    values: PhantomData<T>,
}

impl<T: Frame, P: Port> LatestReader<T, P> {
    pub(crate) fn new(inner: BytesReader<P>) -> Self {
        Self { inner, info: None, values: PhantomData }
    }

    /// Reads the newest value. At most [`READ_TRIES`] tries of five loads and the copy.
    #[inline]
    pub fn read(&mut self) -> Reading<T> {
        let mut value = T::new_zeroed();
        let reading = self.inner.read_exact(value.as_mut_bytes());
        self.keep(reading, value)
    }

    /// Waits up to `timeout` for a value that this reader has not seen; then answers with whatever
    /// there is. See [`BytesReader::wait_for_change`].
    pub fn wait_for_change(&mut self, timeout: Duration) -> Reading<T> {
        let mut value = T::new_zeroed();
        let reading = self.inner.wait_by(timeout, |inner| inner.read_exact(value.as_mut_bytes()));
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
