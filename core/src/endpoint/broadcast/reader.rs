//! A reader of a broadcast.

use core::marker::PhantomData;
use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::coherence::Payload;
use crate::endpoint::error::ChannelError;
use crate::endpoint::latest::{Seen, ValueInfo, length, parts};
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
use crate::ground::sync::WordRef;
use crate::protocol::Violation;
use crate::protocol::broadcast::{self, Look, Start, Sync};

use super::error::{BroadcastRecvError, BroadcastTryRecvError};

/// A reader of a broadcast. Any number of them; they only load, and none takes anything from another.
///
/// A reader gets each value once, in order. One that the writer has overtaken is told how many values it has lost:
/// the values received and those lost add up to the values published. If its writer is dead, it waits for the
/// successor.
///
/// `T` is a [`Message`], or `[u8]` for the bytes of a value, whatever its type.
///
/// How it works: the diagram, the table of states and the invariants are in `core/src/protocol/broadcast.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{BroadcastStart, BroadcastTryRecvError, Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::broadcast::<u32>("steps", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut reader = region.broadcast_reader::<u32>("steps", BroadcastStart::Oldest).unwrap();
/// let mut writer = region.broadcast_writer::<u32>("steps").unwrap();
/// assert_eq!(reader.try_recv(), Err(BroadcastTryRecvError::Empty));
/// (1..=4).for_each(|step| writer.publish(&step));
/// assert_eq!(reader.try_recv(), Ok(1));
///
/// // 5, 6 and 7 take the places of 1, 2 and 3.
/// (5..=7).for_each(|step| writer.publish(&step));
/// assert_eq!(reader.try_recv(), Err(BroadcastTryRecvError::Lagged { lost: 3 }));
/// // It goes on three quarters of the ring behind the newest value.
/// assert_eq!((reader.try_recv(), reader.try_recv(), reader.try_recv()), (Ok(5), Ok(6), Ok(7)));
/// assert_eq!(reader.info().unwrap().number, 7);
/// ```
pub struct BroadcastReader<T: Value + ?Sized, P: Port> {
    /// The place of this reader.
    rx: broadcast::Reader,
    /// The slots; this side writes none.
    slots: Buffers,
    /// Names the newest version; written by the writer.
    newest: WordRef,
    /// The most bytes of a value, and of a channel with a type, the fewest as well.
    max_len: u32,
    /// Tag and number of the value that was returned last.
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
    /// Opens a reader of a broadcast; for `[u8]`, of the bytes of its values, whatever their type. Claims nothing,
    /// stores nothing: a read-only mapping will do, and any number of readers.
    ///
    /// It starts at the newest value there is, or further back, and goes on likewise when it was overtaken; see
    /// [`set_start`](BroadcastReader::set_start).
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn broadcast_reader<T: Value + ?Sized>(
        &self,
        name: &str,
        start: Start,
    ) -> Result<BroadcastReader<T, P>, ChannelError> {
        let suits = |entry: &Entry| T::TYPE.is_none_or(|values| entry.carries_type(values));
        BroadcastReader::open(self, &self.broadcast(name, suits)?, start)
    }

    /// As [`broadcast_reader`](Self::broadcast_reader), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn broadcast_reader_of(
        &self,
        name: &str,
        values: ValueType,
        start: Start,
    ) -> Result<BroadcastReader<[u8], P>, ChannelError> {
        let entry = self.broadcast(name, |entry| entry.carries_type(values))?;
        BroadcastReader::open(self, &entry, start)
    }
}

impl<T: Value + ?Sized, P: Port> BroadcastReader<T, P> {
    pub(in crate::endpoint) fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        start: Start,
    ) -> Result<Self, ChannelError> {
        let (slots, newest, park_word) = parts(attachment, entry)?;
        let port = attachment.port().clone();
        let payload = Payload::new(entry, entry.domain_a != port.domain());
        let seen = Seen { buffers: &slots, payload: &payload, port: &port };
        let rx = broadcast::Reader::start(&newest, &seen, entry.capacity, start);
        // A read-only reader, or one in another domain, cannot set the parked word, so it polls.
        let may_sleep = port.ident().is_some() && port.domain() == entry.domain_a;
        Ok(Self {
            rx,
            slots,
            newest,
            max_len: entry.max_len,
            info: None,
            park_word: park_word.filter(|_| may_sleep),
            waiting: Waiting::new(WaitPolicy::parking()),
            writer: port.mem().word_ref(entry.block_c + offset::OWNER).ok_or(DAMAGED)?,
            watch: EndWithPeer::Off,
            payload,
            port,
            values: PhantomData,
            not_sync: PhantomData,
        })
    }

    /// Receives the next value, if it is there. Five loads at most and one copy; a reader that was overtaken takes
    /// [`SYNC_TRIES`](broadcast::SYNC_TRIES) times six loads more at most to find its new place.
    ///
    /// # Errors
    ///
    /// [`BroadcastTryRecvError`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, BroadcastTryRecvError>
    where
        T: Message,
    {
        let mut value = T::new_zeroed();
        self.try_recv_into(&mut value)?;
        Ok(value)
    }

    /// Receives the next value into `into`; bytes may be fewer or more than the value has, whose length
    /// [`ValueInfo::len`] is. Steps as for [`try_recv`](Self::try_recv).
    ///
    /// # Errors
    ///
    /// [`BroadcastTryRecvError`]; what `into` holds then is of no value.
    #[inline]
    pub fn try_recv_into(&mut self, into: &mut T) -> Result<ValueInfo, BroadcastTryRecvError> {
        let (slots, max) =
            (Seen { buffers: &self.slots, payload: &self.payload, port: &self.port }, self.max_len);
        let into = into.bytes_mut();
        let (mut header, mut sound) = ([0; 8], false);
        let look = self.rx.look(&slots, |index| {
            header = slots.read_tag(index);
            let len = length(header);
            if T::SIZED {
                slots.read(index, into);
                sound = len as usize == into.len();
            } else {
                let count = into.len().min(len.min(max) as usize);
                slots.read(index, into.get_mut(..count).unwrap_or_default());
                sound = len <= max;
            }
        });
        match look {
            Look::Complete(version) if sound => {
                let [tag @ .., _, _, _, _] = header;
                let (tag, len) = (u32::from_le_bytes(tag), length(header) as usize);
                let info = ValueInfo { tag, len, number: version.number() };
                self.info = Some(info);
                Ok(info)
            }
            Look::Empty => Err(BroadcastTryRecvError::Empty),
            Look::Complete(_) => Err(BroadcastTryRecvError::Fault(Violation::Length)),
            Look::Overtaken => Err(self.sync_slow()),
        }
    }

    #[cold]
    fn sync_slow(&mut self) -> BroadcastTryRecvError {
        let slots = Seen { buffers: &self.slots, payload: &self.payload, port: &self.port };
        match self.rx.sync(&self.newest, &slots) {
            Sync::Lost(lost) => BroadcastTryRecvError::Lagged { lost },
            _ if self.port.has_forked() => BroadcastTryRecvError::Fault(Violation::Forked),
            Sync::Started | Sync::Again => BroadcastTryRecvError::Contended,
            Sync::Violation(violation) => BroadcastTryRecvError::Fault(violation),
        }
    }

    /// Whether the channel was reset, as seen where there is no value. One load.
    pub(in crate::endpoint) fn is_beyond_the_newest(&self) -> bool {
        self.rx.is_beyond(&self.newest)
    }

    /// Goes back to the first value, after a reset.
    pub(in crate::endpoint) fn start_anew(&mut self) {
        self.rx.start_anew();
    }

    /// Whether there is a value, or something to report in its place. Three loads.
    pub(in crate::endpoint) fn has_more(&self) -> bool {
        self.rx.has_more(&Seen { buffers: &self.slots, payload: &self.payload, port: &self.port })
    }

    /// The next value, or what there is to report in its place; `None` if there is nothing yet.
    pub(in crate::endpoint) fn next_into(
        &mut self,
        into: &mut T,
    ) -> Option<Result<ValueInfo, BroadcastRecvError>> {
        match self.try_recv_into(into) {
            Ok(info) => Some(Ok(info)),
            Err(BroadcastTryRecvError::Lagged { lost }) => Some(Err(BroadcastRecvError::Lagged { lost })),
            Err(BroadcastTryRecvError::Fault(violation)) => Some(Err(BroadcastRecvError::Fault(violation))),
            Err(BroadcastTryRecvError::Empty | BroadcastTryRecvError::Contended) => None,
        }
    }

    /// Receives the next value, waiting for it up to `timeout`.
    ///
    /// Sleeps where the plan lets readers block, the region is open for writing, and reader and writer are
    /// of one domain; otherwise looks once a millisecond.
    ///
    /// # Errors
    ///
    /// [`BroadcastRecvError`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, BroadcastRecvError>
    where
        T: Message,
    {
        let mut value = T::new_zeroed();
        self.recv_timeout_into(&mut value, timeout)?;
        Ok(value)
    }

    /// As [`recv_timeout`](Self::recv_timeout), into `into`, as [`try_recv_into`](Self::try_recv_into) does.
    ///
    /// # Errors
    ///
    /// [`BroadcastRecvError`]; what `into` holds then is of no value.
    pub fn recv_timeout_into(
        &mut self,
        into: &mut T,
        timeout: Duration,
    ) -> Result<ValueInfo, BroadcastRecvError> {
        let deadline = Deadline::after(&self.port, timeout);
        let (port, park_word, mut waiting) = (self.port.clone(), self.park_word.clone(), self.waiting);
        let (writer, mut watch) = (self.writer.clone(), self.watch);
        let is_on = watch.is_on();
        // A call that may not wait is no wait: it makes no system call for that.
        let asks = P::CAN_BE_REPLACED && !deadline.left(&port).is_zero();
        let gone = || {
            if is_on && watch.is_over(status(Some(&writer), &port)) {
                return Some(Err(BroadcastRecvError::PeerGone));
            }
            (asks && is_replaced(Some(&writer), &port)).then_some(Err(BroadcastRecvError::Replaced))
        };
        let gone = (is_on || asks).then_some(gone);
        let mut look = || self.next_into(into);
        let mut result = wait_and_search(
            &port,
            park_word.as_ref(),
            Sleepers::Many,
            &mut waiting,
            deadline,
            &mut look,
            gone,
        );
        if matches!(result, Some(Err(BroadcastRecvError::PeerGone | BroadcastRecvError::Replaced))) {
            // The writer may have published its last value between the look and its end.
            result = look().or(result);
        }
        (self.waiting, self.watch) = (waiting, watch);
        result.unwrap_or(Err(BroadcastRecvError::TimedOut))
    }

    /// Whether nobody can come to publish any more: see [`is_replaced`]. System calls.
    pub(in crate::endpoint) fn is_replaced(&self) -> bool {
        P::CAN_BE_REPLACED && is_replaced(Some(&self.writer), &self.port)
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        P::CAN_BE_REPLACED.then(|| Prospect::new(&self.port, self))
    }

    /// The state of the writer, as far as known. One load, and one probe if somebody has the role.
    #[must_use]
    pub fn writer(&self) -> PeerStatus {
        status(Some(&self.writer), &self.port)
    }

    /// Sets whether waits end when the writer is gone, with [`BroadcastRecvError::PeerGone`]: when it is proven dead, or
    /// was there and has left. One that has not come yet is waited for. Off unless set. Asked once a
    /// [probe period](WaitPolicy::probe), and when the time is up.
    pub fn end_with_writer(&mut self, on: bool) {
        self.watch = EndWithPeer::new(on, self.writer());
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

    /// Tag and number of the value that was received last.
    #[must_use]
    pub fn info(&self) -> Option<ValueInfo> {
        self.info
    }

    /// The number of the value that this reader receives next, if it is not overtaken. Values are numbered from 1
    /// without gaps.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.rx.next()
    }

    /// Sets where this reader goes on after the writer has overtaken it: at the newest value, or three quarters of
    /// the ring behind it. In both cases the writer has a quarter of the ring to go until it overtakes again.
    pub fn set_start(&mut self, start: Start) {
        self.rx.set_start(start);
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }

    /// The longest value in bytes: a buffer of that length takes any value.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
    }
}

impl<T: Value + ?Sized, P: Port> HasPeer for BroadcastReader<T, P> {
    fn has_peer(&self) -> bool {
        self.writer() == PeerStatus::Present
    }
}
