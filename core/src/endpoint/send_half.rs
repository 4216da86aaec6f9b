//! The common part of the sending sides of all queues: the role, the counters in the region, requests for
//! space, and waiting for it.

use core::marker::PhantomData;
use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::release::Space;
use crate::protocol::{Refused, Violation};

use super::attachment::Attachment;
use super::error::{ChannelError, SendError, TrySendError};
use super::park_word::{ParkWord, Sleepers};
use super::peer_watch::{is_replaced, status};
use super::role::{Role, Side};
use super::spans::{DAMAGED, Spans};
use super::wait::{Waiting, wait_and_search};
use super::wait_policy::{Deadline, WaitPolicy, WakeCheck};

/// The producer's role of a queue, with its words in the region.
pub(crate) struct SendHalf<P: Port> {
    /// The position up to which the consumer has released; its word.
    head: WordRef,
    /// How often space was requested, modulo 2^32; this side's word.
    want: WordRef,
    /// An upper bound of the fill level so far, of all owners of the role; this side's word.
    high_water: WordRef,
    /// Sends refused because there was no space, of all owners of the role, modulo 2^32; this side's word.
    refused: WordRef,
    /// The head at the last request for space. While the head stays there, the request is still open.
    requested_at: Option<u32>,
    /// The value of `want`: the number of requests.
    requests: u32,
    /// The word on which this side sleeps for space, if the plan lets it.
    own: Option<ParkWord>,
    /// The word on which the consumer sleeps for messages, if the plan lets it.
    peers: Option<ParkWord>,
    /// Whether a send fences before it looks for a sleeping consumer.
    pub check: WakeCheck,
    /// How it waits, with the learnt number of looks before a sleep.
    pub waiting: Waiting,
    /// The claimed role.
    pub role: Role<P>,
}

/// An endpoint that sends.
pub(crate) trait HasSendHalf<P: Port> {
    fn sender(&mut self) -> &mut SendHalf<P>;
}

impl<P: Port> SendHalf<P> {
    /// Claims the producer's role.
    pub fn claim(attachment: &Attachment<P>, entry: &Entry, spans: &Spans) -> Result<Self, ChannelError> {
        let role = Role::claim(attachment, entry, Side::A)?;
        let instance = attachment.header().instance;
        let want = spans.want.clone().ok_or(DAMAGED)?;
        Ok(Self {
            head: spans.b.as_ref().and_then(|b| b.word(offset::HEAD)).ok_or(DAMAGED)?,
            refused: spans.a.word(offset::REFUSED).ok_or(DAMAGED)?,
            high_water: spans.a.word(offset::HIGH_WATER).ok_or(DAMAGED)?,
            requested_at: None,
            // ORDERING: Relaxed; our own word, and claiming has synchronised with its last owner.
            requests: want.load(RELAXED),
            want,
            own: ParkWord::new(&role.port, entry.wait_a, instance),
            peers: ParkWord::new(&role.port, entry.wait_b, instance),
            check: WakeCheck::default(),
            waiting: Waiting::new(WaitPolicy::parking()),
            role,
        })
    }

    /// The consumer's head.
    pub fn head(&self) -> &WordRef {
        &self.head
    }

    /// The bound of the fill level that the role's last owners left.
    pub fn high_water(&self) -> u32 {
        // ORDERING: Relaxed; our own word, and claiming has synchronised with its last owner.
        self.high_water.load(RELAXED)
    }

    /// Looks for space for `need` more units if none is known. Publishes a new bound of the fill level,
    /// or requests space from the consumer.
    #[cold]
    pub fn room_slow(&mut self, space: &mut Space, need: u32) -> Result<(), Refused> {
        if let Some(violation) = self.role.latched() {
            return Err(Refused::Violation(violation));
        }
        let highest = space.highest();
        if !space.look(need, &self.head).map_err(Refused::Violation)? {
            self.request_space(space.head());
            return Err(Refused::Full);
        }
        if space.highest() != highest {
            self.high_water.store(space.highest(), RELAXED); // ORDERING: Relaxed; for display.
        }
        Ok(())
    }

    /// Requests that the consumer store its head at its next release, once. Requesting it for every
    /// release would cost a full queue one or two cache line transfers a message.
    fn request_space(&mut self, head: u32) {
        if self.requested_at != Some(head) {
            self.requested_at = Some(head);
            // ORDERING: Relaxed; advice to the consumer, no data depends on it.
            self.requests = self.requests.wrapping_add(1);
            self.want.store(self.requests, RELAXED);
        }
    }

    /// Rings this word, on which the consumer sleeps.
    pub fn ring(&mut self, word: Option<ParkWord>) {
        self.peers = word;
    }

    /// After publications: wakes the consumer, if it sleeps.
    #[inline]
    pub fn wake_consumer(&mut self) -> Result<(), Violation> {
        match &self.peers {
            Some(park_word) if park_word.is_asleep(self.check) => self.wake_slow(),
            _ => Ok(()),
        }
    }

    #[cold]
    fn wake_slow(&mut self) -> Result<(), Violation> {
        // In a forked child somebody seems to sleep, and must go on so: the next send comes here too.
        self.role.check_ours()?;
        if let Some(park_word) = &self.peers {
            park_word.wake_slow(&self.role.port);
        }
        Ok(())
    }

    /// After a refusal: counts it if it was because there was no space, latches it if the peer broke the
    /// protocol.
    #[cold]
    pub fn refused_slow(&mut self, refused: Refused) -> TrySendError {
        match refused {
            Refused::Full => self.count_refusal(),
            Refused::TooLarge => {}
            Refused::Violation(violation) => return TrySendError::Fault(self.role.latch(violation)),
        }
        refused.into()
    }

    fn count_refusal(&mut self) {
        // ORDERING: Relaxed; our own counter.
        self.refused.store(self.refused.load(RELAXED).wrapping_add(1), RELAXED);
    }

    /// The units taken, by a fresh look at the consumer's head; a violation there is latched.
    pub fn used(&mut self, space: &mut Space) -> u32 {
        if let Err(violation) = space.refresh(&self.head) {
            self.role.latch(violation);
        }
        space.used()
    }

    /// The word on which this side sleeps.
    pub fn park_word(&self) -> Option<&ParkWord> {
        self.own.as_ref()
    }

    pub fn deadline(&self, timeout: Duration) -> Deadline {
        Deadline::after(&self.role.port, timeout)
    }

    pub fn refused(&self) -> u32 {
        self.refused.load(RELAXED) // ORDERING: Relaxed; our own counter.
    }
}

/// A batch in progress. Wakes the consumer when it ends, also by a panic: what came before that is published.
pub(crate) struct Batch<'e, P: Port, E: HasSendHalf<P>> {
    pub end: &'e mut E,
    port: PhantomData<P>,
}

impl<'e, P: Port, E: HasSendHalf<P>> Batch<'e, P, E> {
    #[inline(always)]
    pub fn of(end: &'e mut E) -> Self {
        Self { end, port: PhantomData }
    }

    /// Ends it without a wake: nothing was sent.
    pub fn end_empty(self) {
        core::mem::forget(self);
    }

    /// The end of a batch that was sent: wakes the consumer.
    #[inline(always)]
    pub fn end(self) -> Result<(), Violation> {
        let woken = self.end.sender().wake_consumer();
        core::mem::forget(self);
        woken
    }
}

impl<P: Port, E: HasSendHalf<P>> Drop for Batch<'_, P, E> {
    #[inline(always)]
    fn drop(&mut self) {
        // Nobody is left to be told of a fault, which is latched.
        let _ = self.end.sender().wake_consumer();
    }
}

/// Puts a message in as soon as there is space, and wakes the consumer.
pub(crate) fn send_until<P: Port, E: HasSendHalf<P>>(
    end: &mut E,
    deadline: Deadline,
    mut put: impl FnMut(&mut E) -> Result<(), Refused>,
) -> Result<(), SendError> {
    let sender = end.sender();
    let (port, park_word, mut waiting) = (sender.role.port.clone(), sender.own.clone(), sender.waiting);
    let (peer, mut watch) = (sender.role.peer_word(), sender.role.watch);
    let mut look = || match put(end) {
        Ok(()) => Some(Ok(())),
        Err(Refused::Full) => None,
        Err(Refused::TooLarge) => Some(Err(SendError::TooLarge)),
        Err(Refused::Violation(violation)) => Some(Err(SendError::Fault(end.sender().role.latch(violation)))),
    };
    let is_on = watch.is_on();
    // A call that may not wait is no wait: it makes no system call for that.
    let asks = P::CAN_BE_REPLACED && !deadline.left(&port).is_zero();
    let gone = || {
        if is_on && watch.is_over(status(peer.as_ref(), &port)) {
            return Some(Err(SendError::PeerGone));
        }
        (asks && is_replaced(peer.as_ref(), &port)).then_some(Err(SendError::Replaced))
    };
    let gone = (is_on || asks).then_some(gone);
    let mut result =
        wait_and_search(&port, park_word.as_ref(), Sleepers::One, &mut waiting, deadline, &mut look, gone);
    if matches!(result, Some(Err(SendError::PeerGone | SendError::Replaced))) {
        // The consumer may have released between the look and its end.
        result = look().or(result);
    }
    let sender = end.sender();
    (sender.waiting, sender.role.watch) = (waiting, watch);
    match result {
        Some(Ok(())) => sender.wake_consumer().map_err(SendError::Fault)?,
        Some(Err(error)) => return Err(error),
        None => {
            sender.count_refusal();
            return Err(SendError::TimedOut);
        }
    }
    Ok(())
}
