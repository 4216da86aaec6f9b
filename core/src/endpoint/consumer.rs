//! The receiving side of a queue of frames.

use core::time::Duration;

use crate::ground::entry::{Entry, GRANULE, at};
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::sync::order::RELAXED;
use crate::ground::sync::{Span, WordRef};
use crate::protocol::bytes::{self, Found, Ring as _};
use crate::protocol::release::LazyHead;
use crate::protocol::{Nothing, Violation};

use super::attachment::Attachment;
use super::error::{ChannelError, RecvError, TryRecvError};
use super::frame_buf::FrameBuf;
use super::producer::Bytes;
use super::role::{DAMAGED, Peer, Role, Side, Spans};
use super::wait::{Bell, Deadline, Sleepers, WaitPolicy, wait_until};

/// When a received message counts as done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Delivery {
    /// With the consumer's next call, or its end. If the consumer dies while it works on a message,
    /// its successor gets that message again.
    #[default]
    AtLeastOnce,
    /// Before the receive returns. If the consumer dies while it works on a message, the message
    /// is lost; it never comes twice.
    AtMostOnce,
}

/// How a consumer receives. Kept in its handle, never in the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerOptions {
    delivery: Delivery,
    every: u32,
}

impl ConsumerOptions {
    /// At least once; a successor may see up to 64 released messages again.
    #[must_use]
    pub const fn new() -> Self {
        Self { delivery: Delivery::AtLeastOnce, every: 64 }
    }

    /// Sets when a message counts as done with.
    #[must_use]
    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Tells the region at least every `messages` releases (B): how many messages that were done
    /// with a successor may see again. 1 means none, and costs the producer a cache line a message.
    /// Whatever is asked for, a quarter of the ring is the most.
    #[must_use]
    pub const fn release_every(mut self, messages: u32) -> Self {
        self.every = if messages == 0 { 1 } else { messages };
        self
    }

    pub(crate) fn every(&self) -> u32 {
        if self.delivery == Delivery::AtMostOnce { 1 } else { self.every }
    }

    pub(crate) fn is_at_most_once(&self) -> bool {
        self.delivery == Delivery::AtMostOnce
    }
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What a consumer tells the region, and whom it wakes.
pub(crate) struct Releases {
    pub head: WordRef,
    head_sequence: WordRef,
    want: WordRef,
    own: Option<Bell>,
    peers: Option<Bell>,
}

impl Releases {
    pub fn open<P: Port>(attachment: &Attachment<P>, entry: &Entry, spans: &Spans) -> Result<Self, ChannelError> {
        let b = spans.b.as_ref().ok_or(DAMAGED)?;
        let port = attachment.port();
        let instance = attachment.header().instance;
        Ok(Self {
            head: b.word(at::HEAD).ok_or(DAMAGED)?,
            head_sequence: b.word(at::HEAD_SEQUENCE).ok_or(DAMAGED)?,
            want: spans.want.clone().ok_or(DAMAGED)?,
            own: Bell::new(port, entry.wait_b, instance),
            peers: Bell::new(port, entry.wait_a, instance),
        })
    }

    /// Whether the producer waits for space, so that every release must be told at once.
    #[inline]
    pub fn are_wanted(&self) -> bool {
        self.want.load(RELAXED) != 0 // ORDERING: Relaxed; advice, no data depends on it.
    }

    /// Stores the head, and wakes the producer if it sleeps for space.
    pub fn store(&self, head: &mut LazyHead, next_sequence: u32, port: &impl Port) {
        self.head_sequence.store(next_sequence, RELAXED); // ORDERING: Relaxed; for display.
        head.store(&self.head);
        if let Some(bell) = &self.peers {
            bell.ring(port);
        }
    }

    pub fn bell(&self) -> Option<&Bell> {
        self.own.as_ref()
    }
}

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

/// The receiving side of a queue of frames. One at a time; given back when dropped.
///
/// # If the producer dies
///
/// Every frame that it committed is delivered; one that it had not is never seen.
///
/// # If the producer lies
///
/// An impossible header latches a fault that every later call reports. A payload that changes while
/// it is copied gives mixed bytes, of the length that was checked.
pub struct Consumer<P: Port> {
    rx: bytes::Consumer,
    ring: Bytes,
    releases: Releases,
    mark_sequence: WordRef,
    /// The frame that the last receive returned and that is not released yet.
    held: Option<Found>,
    next_sequence: u32,
    options: ConsumerOptions,
    trusted: bool,
    capacity: u32,
    max_frame: u32,
    policy: WaitPolicy,
    role: Role<P>,
}

impl<P: Port> Consumer<P> {
    pub(crate) fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let releases = Releases::open(attachment, entry, &spans)?;
        let mark_sequence = spans.a.word(at::MARK_SEQUENCE).ok_or(DAMAGED)?;
        let role = Role::claim(attachment, entry, Side::B)?;
        let rx = bytes::Consumer::adopt(
            &releases.head,
            entry.capacity,
            entry.max_frame,
            options.every(),
        )
        .map_err(ChannelError::Fault)?;
        // ORDERING: Relaxed; for display.
        let next_sequence = releases.head_sequence.load(RELAXED);
        Ok(Self {
            rx,
            ring: Bytes(spans.data.clone()),
            releases,
            mark_sequence,
            held: None,
            next_sequence,
            options,
            trusted: attachment.is_trusted(),
            capacity: entry.capacity,
            max_frame: entry.max_frame,
            policy: WaitPolicy::parking(),
            role,
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
        let found = self.find()?;
        let len = found.len as usize;
        let Some(into) = buffer.get_mut(..len) else {
            return Err(TryRecvError::TooSmall { needed: len });
        };
        self.ring.0.read(found.place + GRANULE, into);
        Ok(self.take(found))
    }

    /// Receives a frame as a value of its own, of up to `N` bytes.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]; nothing was received then.
    pub fn try_recv_frame<const N: usize>(&mut self) -> Result<FrameBuf<N>, TryRecvError> {
        let mut frame = FrameBuf::new();
        let found = self.find()?;
        let len = found.len as usize;
        let ring = &self.ring.0;
        let filled = frame.fill_with(len, |into| ring.read(found.place + GRANULE, into));
        if !filled {
            return Err(TryRecvError::TooSmall { needed: len });
        }
        let received = self.take(found);
        frame.set_tag(received.tag);
        frame.set_sequence(received.sequence);
        Ok(frame)
    }

    /// Shows up to `max` frames to `each`, in order, releasing each when `each` returns. Delivery is
    /// at least once, whatever the options say. Answers how many there were.
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
                    each(&peek);
                    peek.release();
                    count += 1;
                }
                Err(error) if count == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(count)
    }

    /// Looks at the next frame where it lies. It stays there until [`Peek::release`]; a peek that
    /// is dropped changes nothing, and a consumer that dies holding one leaves the frame to its
    /// successor.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], never `TooSmall`.
    pub fn peek(&mut self) -> Result<Peek<'_, P>, TryRecvError> {
        let found = self.find()?;
        let received = self.describe(&found);
        Ok(Peek { consumer: self, found, received, read: 0 })
    }

    /// Releases what the last receive returned, without waiting for the next call.
    pub fn release(&mut self) {
        if let Some(found) = self.held.take() {
            self.advance(&found);
        }
    }

    /// Releases, and tells the region so: after it, a successor would see nothing again.
    pub fn flush(&mut self) {
        self.release();
        if self.rx.head_ref().is_behind() {
            self.store_head();
        }
    }

    #[inline]
    fn find(&mut self) -> Result<Found, TryRecvError> {
        if let Some(violation) = self.role.latched() {
            return Err(TryRecvError::Fault(violation));
        }
        self.release();
        match self.rx.peek(&self.ring) {
            Ok(found) => Ok(found),
            Err(nothing) => Err(self.nothing_slow(nothing)),
        }
    }

    #[cold]
    fn nothing_slow(&mut self, nothing: Nothing) -> TryRecvError {
        match nothing {
            Nothing::Empty => self.flush(),
            Nothing::Violation(violation) => self.role.latch(violation),
        }
        nothing.into()
    }

    #[inline]
    fn describe(&self, found: &Found) -> Received {
        let mut tag = [0; 4];
        self.ring.0.read(found.place + at::TAG, &mut tag);
        let sequence = self.ring.sequence(found.place);
        Received { tag: u32::from_le_bytes(tag), sequence, len: found.len as usize }
    }

    /// After the copy: keeps the frame until the next call, or releases it now.
    #[inline]
    fn take(&mut self, found: Found) -> Received {
        let received = self.describe(&found);
        self.next_sequence = received.sequence.wrapping_add(1);
        if self.options.is_at_most_once() {
            self.advance(&found);
        } else {
            self.held = Some(found);
        }
        received
    }

    #[inline]
    fn advance(&mut self, found: &Found) {
        if self.rx.advance(found) || self.releases.are_wanted() {
            self.store_head();
        }
    }

    fn store_head(&mut self) {
        self.releases.store(self.rx.head(), self.next_sequence, &self.role.port);
    }

    /// Receives a frame into `buffer`, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; nothing was received then.
    pub fn recv_timeout(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<Received, RecvError> {
        let deadline = Deadline::after(&self.role.port, timeout);
        self.recv_until(buffer, deadline)
    }

    /// Receives a frame into `buffer`, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; nothing was received then.
    pub fn recv_until(&mut self, buffer: &mut [u8], deadline: Deadline) -> Result<Received, RecvError> {
        let port = self.role.port.clone();
        let bell = self.releases.bell().cloned();
        let policy = self.policy;
        let look = || match self.try_recv(buffer) {
            Ok(received) => Some(Ok(received)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::TooSmall { needed }) => Some(Err(RecvError::TooSmall { needed })),
            Err(TryRecvError::Fault(violation)) => Some(Err(RecvError::Fault(violation))),
        };
        wait_until(&port, bell.as_ref(), Sleepers::One, policy, deadline, look)
            .unwrap_or(Err(RecvError::TimedOut))
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.policy = policy;
    }

    /// Frames that are waiting, the one in use not counted: a lower bound, for the producer may be
    /// sending meanwhile. A lie of the producer's is cut to what the ring can hold.
    #[must_use]
    pub fn len(&self) -> u32 {
        // ORDERING: Relaxed; a snapshot, for the caller's information.
        let published = self.mark_sequence.load(RELAXED);
        published.wrapping_sub(self.next_sequence).min(self.capacity / GRANULE)
    }

    /// Whether no frame is waiting now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the ring.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The longest payload in bytes: a buffer of that length takes any frame.
    #[must_use]
    pub fn max_frame(&self) -> u32 {
        self.max_frame
    }

    /// What is known of the producer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.role.latched()
    }

    pub(crate) fn has_data(&mut self) -> bool {
        self.find().is_ok()
    }

    pub(crate) fn bell(&self) -> Option<&Bell> {
        self.releases.bell()
    }
}

impl<P: Port> Drop for Consumer<P> {
    fn drop(&mut self) {
        if self.role.latched().is_none() {
            self.flush();
        }
    }
}

/// The next frame, where it lies in the ring.
pub struct Peek<'q, P: Port> {
    consumer: &'q mut Consumer<P>,
    found: Found,
    received: Received,
    #[cfg_attr(not(feature = "embedded-io-07"), allow(dead_code))]
    read: usize,
}

impl<P: Port> Peek<'_, P> {
    /// Tag, sequence and length.
    #[must_use]
    pub fn info(&self) -> Received {
        self.received
    }

    /// Copies the payload from `offset` on into `buffer`; answers how many bytes there were.
    pub fn copy_from(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let left = self.received.len.saturating_sub(offset);
        let len = left.min(buffer.len());
        if let Some(into) = buffer.get_mut(..len)
            && len > 0
        {
            span(self.consumer).read(self.found.place + GRANULE + offset as u32, into);
        }
        len
    }

    /// The payload itself, if the attachment [trusts its peers](Attachment::trusting_peers).
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        if !self.consumer.trusted {
            return None;
        }
        let bytes = span(self.consumer).as_ptr(self.found.place + GRANULE, self.received.len);
        // SAFETY: the range was checked, nobody writes to a frame before its release, and whoever
        // made the attachment promised that all peers keep to that.
        Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr(), self.received.len) })
    }

    /// Releases the frame.
    pub fn release(self) {
        self.consumer.next_sequence = self.received.sequence.wrapping_add(1);
        self.consumer.advance(&self.found);
    }
}

fn span<P: Port>(consumer: &Consumer<P>) -> &Span {
    &consumer.ring.0
}

#[cfg(feature = "embedded-io-07")]
mod io {
    use core::convert::Infallible;

    use embedded_io::{ErrorType, Read};

    use super::{Peek, Port};

    impl<P: Port> ErrorType for Peek<'_, P> {
        type Error = Infallible;
    }

    /// Reads the payload from its start; the frame stays until it is released.
    impl<P: Port> Read for Peek<'_, P> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            let count = self.copy_from(self.read, buffer);
            self.read += count;
            Ok(count)
        }
    }
}
