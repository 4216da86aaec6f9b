//! The receiving side of a queue of frames.

use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::geometry::GRANULE;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::bytes::Bytes;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::frames::{self, Found};
use crate::protocol::release::between;
use crate::protocol::{Nothing, Violation};

use super::attachment::Attachment;
use super::error::{ChannelError, RecvError, TryRecvError};
use super::frame_buf::FrameBuf;
use super::options::ConsumerOptions;
use super::park_word::ParkWord;
use super::peek::{Peek, Shown};
use super::peer_watch::Prospect;
use super::recv_half::{HasRecvHalf, RecvHalf, recv_until};
use super::role::PeerStatus;
use super::spans::{DAMAGED, Spans};
use super::wait::Waiting;
use super::wait_policy::{Deadline, WaitPolicy};

/// A frame that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The sender's tag.
    pub tag: u32,
    /// The frame's number, counting up by one a frame, modulo 2^32. A gap is a loss; a number seen
    /// before is a frame delivered again.
    pub sequence: u32,
    /// Its length in bytes.
    pub len: usize,
}

/// A position that is not one of a frame: those are multiples of 16.
const NOWHERE: u32 = 1;
/// The bit that says that a batch panicked over the frame at a position.
const PANICKED: u32 = 2;

/// The receiving side of a queue of frames. One at a time; given back when dropped.
///
/// # If the producer dies
///
/// Every frame that it committed is delivered; one that it did not commit is never seen.
///
/// # If the producer misbehaves
///
/// An impossible header latches a fault that every later call reports. A payload that changes while
/// it is copied gives mixed bytes, of the length that was checked.
///
/// How it works: the diagram, the table of states and the invariants are in `core/src/protocol/frames.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, TryRecvError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.producer("log").unwrap();
/// let mut consumer = region.consumer("log").unwrap();
/// producer.try_send(7, b"motor on").unwrap();
///
/// let mut buffer = [0; 32];
/// let received = consumer.try_recv(&mut buffer).unwrap();
/// assert_eq!((received.tag, received.sequence), (7, 0));
/// assert_eq!(&buffer[..received.len], b"motor on");
/// assert_eq!(consumer.try_recv(&mut buffer), Err(TryRecvError::Empty));
/// ```
pub struct Consumer<P: Port> {
    /// The position, and the part of it that the region knows; changed by each receive and release.
    rx: frames::Consumer,
    /// The ring's bytes: this side reads from its head up to the producer's tail, and writes none.
    ring: Bytes,
    /// The sequence up to which the producer has sent at least; its word.
    mark_sequence: WordRef,
    /// The sequence that follows the frame received last.
    next_sequence: u32,
    /// Where the frame starts that was peeked at last, and [`PANICKED`] if a batch panicked over it; no frame
    /// starts at [`NOWHERE`].
    peeked: u32,
    /// Whether peeked frames may show the memory itself; as set in the attachment.
    trusted: bool,
    /// Bytes of the ring: a power of two.
    capacity: u32,
    /// The longest payload; 0 to half the ring less two granules.
    max_len: u32,
    /// The claimed role, with the common part of all consumers.
    taker: RecvHalf<P>,
}

impl<P: Port> HasRecvHalf<P> for Consumer<P> {
    fn taker(&mut self) -> &mut RecvHalf<P> {
        &mut self.taker
    }
}

impl<P: Port> Attachment<P> {
    /// Claims the consumer's role of a queue of frames, with the default options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn consumer(&self, name: &str) -> Result<Consumer<P>, ChannelError> {
        self.consumer_with(name, ConsumerOptions::new())
    }

    /// Claims the consumer's role of a queue of frames.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn consumer_with(&self, name: &str, options: ConsumerOptions) -> Result<Consumer<P>, ChannelError> {
        Consumer::open(self, &self.of_kind(name, Kind::Frames)?, options)
    }
}

impl<P: Port> Consumer<P> {
    pub(super) fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark_sequence = spans.a.word(offset::MARK_SEQUENCE).ok_or(DAMAGED)?;
        let (capacity, max_len) = (entry.capacity, entry.max_len);
        let ring = Bytes::new(spans.data.clone(), capacity).ok_or(DAMAGED)?;
        let taker = RecvHalf::claim(attachment, entry, &spans)?;
        let (release_every, hold_last) = (options.release_limit(), options.holds_last());
        let rx = frames::Consumer::adopt(taker.head(), capacity, max_len, release_every, hold_last)
            .map_err(ChannelError::Fault)?;
        Ok(Self {
            rx,
            ring,
            mark_sequence,
            next_sequence: taker.head_sequence(),
            peeked: NOWHERE,
            trusted: attachment.is_trusted(),
            capacity,
            max_len,
            taker,
        })
    }

    /// Receives a frame into `buffer`. Steps: in proportion to the frame's length, which the
    /// channel's maximum bounds.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]; nothing was received then.
    #[inline]
    pub fn try_recv(&mut self, buffer: &mut [u8]) -> Result<Received, TryRecvError> {
        let found = match self.look() {
            Ok(found) => found,
            Err(nothing) => return Err(self.nothing(nothing)),
        };
        let len = found.len as usize;
        let Some(into) = buffer.get_mut(..len) else {
            return Err(self.too_small_slow(len));
        };
        self.ring.read(found.pos, into);
        Ok(self.take(found))
    }

    /// Receives a frame as a value of its own, of up to `N` bytes.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]; nothing was received then.
    pub fn try_recv_frame<const N: usize>(&mut self) -> Result<FrameBuf<N>, TryRecvError> {
        let mut frame = FrameBuf::new();
        let found = match self.look() {
            Ok(found) => found,
            Err(nothing) => return Err(self.nothing(nothing)),
        };
        let len = found.len as usize;
        if !frame.fill_with(len, |into| self.ring.read(found.pos, into)) {
            return Err(self.too_small_slow(len));
        }
        let received = self.take(found);
        frame.set_tag(received.tag);
        frame.set_sequence(received.sequence);
        Ok(frame)
    }

    /// Shows up to `max` frames to `each`, in order, releasing each when `each` returns. Delivery is
    /// at least once, whatever the options say. If `each` panics, its frame comes again, unless the panic
    /// drops the consumer too: then it counts as received. If this process is killed in `each`, its successor gets
    /// that frame again, and as many before it as [`release_every`](ConsumerOptions::release_every) says. Returns
    /// how many there were.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] if there is not even one. A fault behind others shows at the next call.
    pub fn recv_batch(
        &mut self,
        max: usize,
        mut each: impl FnMut(&Peek<'_, P>),
    ) -> Result<usize, TryRecvError> {
        let mut count = 0;
        while count < max {
            match self.peek() {
                Ok(peek) => {
                    let mut shown = Shown(Some(peek));
                    shown.0.iter().for_each(&mut each);
                    shown.release();
                    count += 1;
                }
                Err(error) if count == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(count)
    }

    /// Looks at the next frame in place. It stays there until [`Peek::release`]; a peek that is dropped
    /// changes nothing, and a consumer that dies holding one leaves the frame to its successor. If a
    /// panic drops the consumer, the frame that it peeked at last counts as received, as far as the port
    /// [notices](Port::is_unwinding).
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], never `TooSmall`.
    pub fn peek(&mut self) -> Result<Peek<'_, P>, TryRecvError> {
        let found = match self.look() {
            Ok(found) => found,
            Err(nothing) => return Err(self.nothing(nothing)),
        };
        self.release();
        // That may have found out that this is a forked child.
        self.taker.ready()?;
        self.peeked = found.pos;
        let received = self.describe(&found);
        Ok(Peek { consumer: self, found, received, read: 0 })
    }

    /// Releases the frame that the last receive returned, without waiting for the next call.
    pub fn release(&mut self) {
        if self.rx.release() || self.taker.has_space_request() {
            self.publish_head_slow();
        }
    }

    /// Releases everything received and publishes the head, so that a successor sees no message twice.
    #[cold]
    pub fn flush(&mut self) {
        let _ = self.rx.release();
        self.publish_head_slow();
    }

    #[inline(always)]
    fn look(&mut self) -> Result<Found, Nothing> {
        self.taker.ready()?;
        self.rx.look(&self.ring)
    }

    #[cold]
    fn too_small_slow(&mut self, needed: usize) -> TryRecvError {
        self.release();
        TryRecvError::TooSmall { needed }
    }

    /// The error for a look that found nothing. Polling an empty queue takes this path each time.
    #[inline]
    fn nothing(&mut self, mut nothing: Nothing) -> TryRecvError {
        match &mut nothing {
            Nothing::Empty if self.rx.head_ref().is_published() => {}
            Nothing::Empty => self.flush(),
            Nothing::Violation(violation) => *violation = self.taker.role.latch(*violation),
        }
        nothing.into()
    }

    #[inline(always)]
    fn describe(&self, found: &Found) -> Received {
        let tag = self.ring.header(found.pos, offset::TAG).read_plain();
        Received { tag, sequence: self.ring.sequence(found.pos), len: found.len as usize }
    }

    /// After the copy: what was received before is done with; this one as the options set.
    #[inline(always)]
    fn take(&mut self, found: Found) -> Received {
        let received = self.describe(&found);
        self.next_sequence = received.sequence.wrapping_add(1);
        // In a forked child there always is a request. This receive returns what it found; that latches the fault.
        if self.rx.advance(&found) || self.taker.has_space_request() {
            self.publish_head_slow();
        }
        received
    }

    #[cold]
    fn publish_head_slow(&mut self) {
        if !P::CAN_FORK || self.rx.head_ref().is_stored(self.taker.head()) {
            self.publish_head();
        } else if self.taker.role.check_ours().is_ok() {
            // The head is not where this side has stored it: somebody misbehaves. Or this is a forked child.
            self.publish_head();
        }
    }

    #[inline(always)]
    fn publish_head(&mut self) {
        if self.rx.head_ref().is_behind() {
            let sequence = self.next_sequence.wrapping_sub(u32::from(self.rx.head_ref().holds()));
            self.taker.publish_head(sequence, |word| self.rx.store(word));
        }
    }

    /// Receives a frame into `buffer`, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; nothing was received then.
    pub fn recv_timeout(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<Received, RecvError> {
        let deadline = self.taker.deadline(timeout);
        self.recv_until(buffer, deadline)
    }

    /// Receives a frame into `buffer`, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; nothing was received then.
    pub fn recv_until(&mut self, buffer: &mut [u8], deadline: Deadline) -> Result<Received, RecvError> {
        recv_until(self, deadline, |this| this.try_recv(buffer))
    }

    /// Sets whether waits end when the producer is gone, with [`RecvError::PeerGone`]: when it is proven dead, or was
    /// there and has left. One that has not come yet is waited for. Off unless set: a wait then goes on until its
    /// deadline, and a successor may end it. Asked once a [probe period](WaitPolicy::probe), so a wait lasts that
    /// much longer than the peer at most; and when the time is up.
    pub fn end_with_peer(&mut self, on: bool) {
        self.taker.role.end_with_peer(on);
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.taker.waiting = Waiting::new(policy);
    }

    /// Frames that are waiting, the one in use not counted: a lower bound, because the producer may be
    /// sending at the same time, and updates its counter after it has sent. Sequence numbers that the
    /// producer skipped count as frames. The result is clamped to what the ring can hold.
    #[must_use]
    pub fn len(&self) -> u32 {
        // ORDERING: Relaxed; a snapshot, for the caller's information.
        let published = self.mark_sequence.load(RELAXED);
        between(self.next_sequence, published, self.capacity / GRANULE)
    }

    /// Whether the next receive would find nothing now. One load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.rx.has_more(&self.ring)
    }

    /// Bytes of the ring.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The longest payload in bytes: a buffer of that length takes any frame.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
    }

    /// The producer's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
        self.taker.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.taker.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.taker.role.latched()
    }

    /// Where the next frame is, or will be.
    pub(super) fn position(&self) -> u32 {
        self.rx.head_ref().pos()
    }

    /// The eight bytes at `at` of the next frame's payload, as a number; 0 if it is not so long. It stays there.
    pub(super) fn peek_number(&mut self, at: u32) -> Result<u64, TryRecvError> {
        let found = match self.look() {
            Ok(found) => found,
            Err(nothing) => return Err(self.nothing(nothing)),
        };
        let mut bytes = [0; 8];
        if found.len.checked_sub(at).is_some_and(|left| left >= 8) {
            let (span, place) = self.ring.place(found.pos);
            span.read(place + at, &mut bytes);
        }
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn ring(&self) -> &Bytes {
        &self.ring
    }

    pub(super) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The payload of the next frame, which is there, if the attachment trusts its peers.
    #[cfg(feature = "embedded-io-07")]
    pub(super) fn next_slice(&mut self) -> Option<&[u8]> {
        let found = self.look().ok()?;
        self.release();
        super::peek::slice_of(self, &found)
    }

    pub(super) fn release_peeked(&mut self, found: &Found, sequence: u32) {
        self.next_sequence = sequence.wrapping_add(1);
        let _ = self.rx.advance(found);
        self.release();
    }

    /// A batch panics over the frame that was peeked at last.
    pub(super) fn note_panic(&mut self) {
        self.peeked |= PANICKED;
    }

    /// The frame that was peeked at last and not released may be what the consumer panicked over, and must
    /// not come for ever.
    #[cold]
    fn release_unwinding(&mut self) {
        let panicked = self.peeked & PANICKED != 0 || self.taker.role.port.is_unwinding();
        if panicked
            && let Ok(found) = self.look()
            && found.pos == self.peeked & !PANICKED
        {
            let sequence = self.describe(&found).sequence;
            self.release_peeked(&found, sequence);
        }
    }

    /// Whether the next receive returns a message or a fault.
    pub(crate) fn has_data(&mut self) -> bool {
        match self.look() {
            Ok(_) => {
                self.release();
                true
            }
            Err(nothing) if self.nothing(nothing) == TryRecvError::Empty => self.taker.role.watch.tell(),
            Err(_) => self.taker.role.tell_fault(),
        }
    }

    pub(crate) fn ends_with_peer(&self) -> bool {
        self.taker.role.watch.is_on()
    }

    pub(crate) fn finds_peer_gone(&mut self) -> bool {
        self.taker.role.finds_peer_gone()
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        self.taker.role.prospect()
    }

    /// Sleeps on another word than the plan's.
    pub(super) fn sleep_on(&mut self, word: Option<ParkWord>) {
        self.taker.sleep_on(word);
    }

    pub(crate) fn park_word(&self) -> Option<&ParkWord> {
        self.taker.park_word()
    }
}

impl<P: Port> Drop for Consumer<P> {
    fn drop(&mut self) {
        if self.taker.role.latched().is_none() && self.taker.role.is_ours() {
            if self.peeked != NOWHERE {
                self.release_unwinding();
            }
            self.flush();
        }
    }
}
