//! A reader of a latest value.

use core::marker::PhantomData;
use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::coherence::Payload;
use crate::endpoint::error::ChannelError;
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::peer_watch::{EndWithPeer, HasPeer, Prospect, is_replaced, status};
use crate::endpoint::role::{NotSync, PeerStatus};
use crate::endpoint::spans::DAMAGED;
use crate::endpoint::wait::{Waiting, wait_and_search};
use crate::endpoint::wait_policy::{Deadline, WaitPolicy};
use crate::ground::entry::Entry;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::buffers::Buffers;
use crate::ground::sync::{WordRef, spin_loop};
use crate::protocol::latest::{self, Attempt, Version};

use super::buffers::{Seen, parts};
use super::reading::{Reading, ValueInfo};

/// How often a reader tries before it returns [`Reading::Contended`].
pub const READ_TRIES: u32 = 8;

/// A reader of a latest value. Any number of them; they only load.
///
/// `T` is a [`Message`], or `[u8]` for the bytes of a value, whatever its type.
///
/// It cannot publish:
///
/// ```compile_fail,E0599
/// fn publish<P: strait_core::port::Port>(reader: &mut strait_core::LatestReader<u32, P>) {
///     reader.publish(&1);
/// }
/// ```
///
/// How it works: the diagram, the table of states and the invariants are in `core/src/protocol/latest.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, Reading, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("angle")]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut reader = region.latest_reader::<f64>("angle").unwrap();
/// assert_eq!(reader.read(), Reading::Empty);
/// region.latest_writer::<f64>("angle").unwrap().publish(&0.5);
/// assert_eq!(reader.read(), Reading::Fresh(0.5));
/// assert_eq!(reader.read(), Reading::Stale(0.5));
/// ```
///
/// The bytes of a value, with its tag, length and number:
///
/// ```
/// use strait_core::{Channel, Plan, Reading, StaticRegion, ValueInfo, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::latest_bytes("state", 8)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut reader = region.latest_reader::<[u8]>("state").unwrap();
/// region.latest_writer::<[u8]>("state").unwrap().publish_from(3, b"idle").unwrap();
/// let mut buffer = [0; 8];
/// let info = ValueInfo { tag: 3, len: 4, number: 1 };
/// assert_eq!(reader.read_into(&mut buffer), Reading::Fresh(info));
/// assert_eq!(&buffer[..4], b"idle");
/// ```
pub struct LatestReader<T: Value + ?Sized, P: Port> {
    /// The buffers; this side writes none.
    buffers: Buffers,
    /// Names the newest version; written by the writer.
    newest: WordRef,
    /// How many buffers there are.
    capacity: u32,
    /// The most bytes of a value, and of a channel with a type, the fewest as well.
    max_len: u32,
    /// The version read last.
    seen: Option<Version>,
    /// Tag and number of the value that [`read`](Self::read) returned last.
    info: Option<ValueInfo>,
    /// The word on which this reader sleeps, if it may.
    pub(in crate::endpoint) park_word: Option<ParkWord>,
    /// How it waits, with the learnt number of looks before a sleep.
    pub(in crate::endpoint) waiting: Waiting,
    /// The writer's role: its owner, or 0; only looked at.
    writer: WordRef,
    /// Whether waits end when the writer is gone.
    watch: EndWithPeer,
    /// Whether a value must be dropped from a cache before it is read.
    payload: Payload,
    /// The port; this side has no role, which would hold one.
    pub(in crate::endpoint) port: P,
    values: PhantomData<fn(&T)>,
    not_sync: NotSync,
}

impl<P: Port> Attachment<P> {
    /// Opens a reader of a latest value; for `[u8]`, of its bytes, whatever its type. Claims nothing, stores
    /// nothing: a read-only mapping will do, and any number of readers.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn latest_reader<T: Value + ?Sized>(&self, name: &str) -> Result<LatestReader<T, P>, ChannelError> {
        let suits = |entry: &Entry| T::TYPE.is_none_or(|values| entry.carries_type(values));
        LatestReader::open(self, &self.latest(name, suits)?)
    }

    /// As [`latest_reader`](Self::latest_reader), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn latest_reader_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<LatestReader<[u8], P>, ChannelError> {
        LatestReader::open(self, &self.latest(name, |entry| entry.carries_type(values))?)
    }
}

impl<T: Value + ?Sized, P: Port> LatestReader<T, P> {
    pub(in crate::endpoint) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let (buffers, newest, park_word) = parts(attachment, entry)?;
        let port = attachment.port().clone();
        // A read-only reader, or one in another domain, cannot set the parked word, so it polls.
        let may_sleep = port.ident().is_some() && port.domain() == entry.domain_a;
        Ok(Self {
            buffers,
            newest,
            capacity: entry.capacity,
            max_len: entry.max_len,
            seen: None,
            info: None,
            park_word: park_word.filter(|_| may_sleep),
            waiting: Waiting::new(WaitPolicy::parking()).for_looks_of(entry.max_len / 64),
            writer: port.mem().word_ref(entry.block_c + offset::OWNER).ok_or(DAMAGED)?,
            watch: EndWithPeer::Off,
            payload: Payload::new(entry, entry.domain_a != port.domain()),
            port,
            values: PhantomData,
            not_sync: PhantomData,
        })
    }

    /// Reads the newest value. At most [`READ_TRIES`] tries of five loads and the copy.
    // Always, here and below: with several callers in one program it would be called, 32 instructions more.
    #[inline(always)]
    pub fn read(&mut self) -> Reading<T>
    where
        T: Message,
    {
        let mut value = T::new_zeroed();
        let reading = self.read_into(&mut value);
        self.keep(reading, value)
    }

    /// Reads the newest value into `into`; bytes may be fewer or more than the value has, whose length
    /// [`ValueInfo::len`] is. Steps as for [`read`](Self::read).
    #[inline(always)]
    pub fn read_into(&mut self, into: &mut T) -> Reading<ValueInfo> {
        if T::SIZED { self.read_exact(into.bytes_mut()) } else { self.read_start(into.bytes_mut()) }
    }

    /// Reads the newest value if this reader has not read it. `None` if it has, if nothing was ever published, or if the
    /// writer was faster in all tries, or misbehaves: call it again. A program that keeps a copy of the value and looks
    /// often uses this. Two loads where the newest value has been read; else steps as for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("angle")]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut reader = region.latest_reader::<f64>("angle").unwrap();
    /// assert_eq!(reader.read_fresh(), None);
    /// region.latest_writer::<f64>("angle").unwrap().publish(&0.5);
    /// assert_eq!(reader.read_fresh(), Some(0.5));
    /// assert_eq!(reader.read_fresh(), None);
    /// ```
    #[inline]
    pub fn read_fresh(&mut self) -> Option<T>
    where
        T: Message,
    {
        let mut value = T::new_zeroed();
        let info = self.read_fresh_into(&mut value)?;
        self.info = Some(info);
        Some(value)
    }

    /// As [`read_fresh`](Self::read_fresh), into `into`, as [`read_into`](Self::read_into) does. Where nothing is new,
    /// `into` stays as it is; a read in which the writer was faster may have written to it.
    #[inline]
    pub fn read_fresh_into(&mut self, into: &mut T) -> Option<ValueInfo> {
        if !self.has_fresh() {
            return None;
        }
        match self.read_into(into) {
            Reading::Fresh(info) => Some(info),
            _ => None,
        }
    }

    /// Tag and number of the value that [`read`](Self::read), [`read_fresh`](Self::read_fresh) or
    /// [`wait_for_change`](Self::wait_for_change) returned last.
    #[must_use]
    pub fn info(&self) -> Option<ValueInfo>
    where
        T: Message,
    {
        self.info
    }

    #[inline(always)]
    fn keep(&mut self, reading: Reading<ValueInfo>, value: T) -> Reading<T>
    where
        T: Message,
    {
        reading.map(|info| {
            self.info = Some(info);
            value
        })
    }

    /// Reads the newest value, of at most the channel's maximum, or as much of it as fits `buffer`.
    fn read_start(&mut self, buffer: &mut [u8]) -> Reading<ValueInfo> {
        let max = self.max_len;
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

    /// Reads by `copy`, which gets a buffer and the length in its header, and returns whether that length
    /// is possible. An impossible one counts as a failed try.
    #[inline(always)]
    fn read_by(&mut self, mut copy: impl FnMut(&Seen<'_, P>, u32, u32) -> bool) -> Reading<ValueInfo> {
        let buffers = &Seen { buffers: &self.buffers, payload: &self.payload, port: &self.port };
        for _ in 0..READ_TRIES {
            let mut header = [0; 8];
            let mut sound = false;
            let attempt = latest::attempt(&self.newest, buffers, self.capacity, |index| {
                header = buffers.read_tag(index);
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
                Attempt::Complete(_) | Attempt::Again => spin_loop(),
            }
        }
        Reading::Contended
    }

    /// Whether the newest value may be one that this reader has not seen. Two loads.
    #[inline]
    pub(in crate::endpoint) fn has_fresh(&self) -> bool {
        let buffers = &Seen { buffers: &self.buffers, payload: &self.payload, port: &self.port };
        !self.seen.is_some_and(|seen| latest::is_newest(&self.newest, buffers, self.capacity, seen))
    }

    /// Whether anything has ever been published. Two loads.
    pub(in crate::endpoint) fn is_published(&self) -> bool {
        let buffers = &Seen { buffers: &self.buffers, payload: &self.payload, port: &self.port };
        !latest::is_newest(&self.newest, buffers, self.capacity, Version { lap: 0, count: 0 })
    }

    pub(in crate::endpoint) fn ends_with_peer(&self) -> bool {
        self.watch.is_on()
    }

    /// Whether a wait is over because the writer is gone.
    pub(in crate::endpoint) fn is_writer_gone(&mut self) -> bool {
        let writer = self.writer();
        self.watch.is_over(writer)
    }

    pub(in crate::endpoint) fn finds_peer_gone(&mut self) -> bool {
        let writer = self.writer();
        self.watch.has_found(writer)
    }

    pub(in crate::endpoint) fn tell_writer_gone(&mut self) -> bool {
        self.watch.tell()
    }

    /// Waits up to `timeout` for a value that this reader has not seen; then returns whatever there is. The
    /// value is copied when it has changed, and once more when the time is up.
    ///
    /// Sleeps where the plan lets readers block, the region is open for writing, and reader and writer are
    /// of one domain; otherwise looks once a millisecond.
    pub fn wait_for_change(&mut self, timeout: Duration) -> Reading<T>
    where
        T: Message,
    {
        let deadline = Deadline::after(&self.port, timeout);
        self.wait_for_change_until(deadline)
    }

    /// As [`wait_for_change`](Self::wait_for_change), waiting until `deadline`.
    pub fn wait_for_change_until(&mut self, deadline: Deadline) -> Reading<T>
    where
        T: Message,
    {
        let mut value = T::new_zeroed();
        let reading = self.wait_for_change_into_until(&mut value, deadline);
        self.keep(reading, value)
    }

    /// As [`wait_for_change`](Self::wait_for_change), into `into`, as [`read_into`](Self::read_into) does.
    pub fn wait_for_change_into(&mut self, into: &mut T, timeout: Duration) -> Reading<ValueInfo> {
        let deadline = Deadline::after(&self.port, timeout);
        self.wait_for_change_into_until(into, deadline)
    }

    /// As [`wait_for_change_into`](Self::wait_for_change_into), waiting until `deadline`.
    pub fn wait_for_change_into_until(&mut self, into: &mut T, deadline: Deadline) -> Reading<ValueInfo> {
        let (port, park_word, mut waiting) = (self.port.clone(), self.park_word.clone(), self.waiting);
        let (writer, mut watch) = (self.writer.clone(), self.watch);
        let is_on = watch.is_on();
        // A call that may not wait is no wait: it makes no system call for that.
        let asks = P::CAN_BE_REPLACED && !deadline.left(&port).is_zero();
        let gone = || {
            let is_over = is_on && watch.is_over(status(Some(&writer), &port));
            (is_over || asks && is_replaced(Some(&writer), &port)).then_some(None)
        };
        let gone = (is_on || asks).then_some(gone);
        let look = || self.read_fresh_into(into).map(Some);
        let result =
            wait_and_search(&port, park_word.as_ref(), Sleepers::Many, &mut waiting, deadline, look, gone);
        (self.waiting, self.watch) = (waiting, watch);
        match result {
            Some(Some(info)) => Reading::Fresh(info),
            Some(None) | None => self.read_into(into),
        }
    }

    /// The state of the writer, as far as known. One load, and one probe if somebody has the role.
    #[must_use]
    pub fn writer(&self) -> PeerStatus {
        status(Some(&self.writer), &self.port)
    }

    /// Whether nobody can come to publish any more: the region was [removed, or made anew](Port::is_current), and the writer
    /// is absent or dead. Then waits end within a probe period, as if the time were up; open the region again. System
    /// calls: ask where a wait has found nothing new.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        P::CAN_BE_REPLACED && is_replaced(Some(&self.writer), &self.port)
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        P::CAN_BE_REPLACED.then(|| Prospect::new(&self.port, self))
    }

    /// Sets whether waits end when the writer is gone, as if the time were up: when it is proven dead, or was there
    /// and has left. One that has not come yet is waited for. Off unless set. Asked once a
    /// [probe period](WaitPolicy::probe), and when the time is up; [`writer`](Self::writer) says whether it was that.
    pub fn end_with_writer(&mut self, on: bool) {
        self.watch = EndWithPeer::new(on, self.writer());
    }

    /// Sets how [`wait_for_change`](Self::wait_for_change) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy).for_looks_of(self.max_len / 64);
    }

    /// The longest value in bytes: a buffer of that length takes any value.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
    }
}

impl<T: Value + ?Sized, P: Port> HasPeer for LatestReader<T, P> {
    fn has_peer(&self) -> bool {
        self.writer() == PeerStatus::Present
    }
}

/// The value's length, from its header.
#[inline(always)]
pub(in crate::endpoint) fn length(header: [u8; 8]) -> u32 {
    let [_, _, _, _, length @ ..] = header;
    u32::from_le_bytes(length)
}
