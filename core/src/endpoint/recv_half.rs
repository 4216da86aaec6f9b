//! The common part of the receiving sides of all queues: the role, publishing the head, and waiting for
//! more.

use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::sync::order::RELAXED;
use crate::ground::sync::{Word, WordRef};
use crate::protocol::Nothing;

use super::attachment::Attachment;
use super::error::{ChannelError, RecvError, TryRecvError};
use super::park_word::{ParkWord, Sleepers};
use super::peer_watch::{is_replaced, status};
use super::role::{Role, Side};
use super::spans::{DAMAGED, Spans};
use super::wait::{Waiting, wait_and_search};
use super::wait_policy::{Deadline, WaitPolicy, WakeCheck};

/// The consumer's role of a queue, with its words in the region.
pub(crate) struct RecvHalf<P: Port> {
    /// The position up to which everything is released; this side's word.
    head: WordRef,
    /// The sequence of the first message not released; this side's word.
    head_sequence: WordRef,
    /// How often the producer requested space, modulo 2^32; its word.
    want: WordRef,
    /// The value of `want` at the last look.
    seen_requests: u32,
    /// The value of `seen_requests` when the head was stored last.
    answered_requests: u32,
    /// The word on which this side sleeps for messages, if the plan lets it.
    own: Option<ParkWord>,
    /// The word on which the producer sleeps for space, if the plan lets it.
    peers: Option<ParkWord>,
    /// How it waits, with the learnt number of looks before a sleep.
    pub waiting: Waiting,
    /// The claimed role.
    pub role: Role<P>,
}

/// An endpoint that receives.
pub(crate) trait HasRecvHalf<P: Port> {
    fn taker(&mut self) -> &mut RecvHalf<P>;
}

impl<P: Port> RecvHalf<P> {
    /// Claims the consumer's role.
    pub fn claim(attachment: &Attachment<P>, entry: &Entry, spans: &Spans) -> Result<Self, ChannelError> {
        let b = spans.b.as_ref().ok_or(DAMAGED)?;
        let want = spans.want.clone().ok_or(DAMAGED)?;
        let role = Role::claim(attachment, entry, Side::B)?;
        let instance = attachment.header().instance;
        // ORDERING: Relaxed; as in `has_space_request`. A request to the last consumer stays open for this one.
        let answered = want.load(RELAXED).saturating_sub(1);
        Ok(Self {
            head: b.word(offset::HEAD).ok_or(DAMAGED)?,
            head_sequence: b.word(offset::HEAD_SEQUENCE).ok_or(DAMAGED)?,
            want,
            seen_requests: answered,
            answered_requests: answered,
            // The consumer of lanes sleeps for all of them at once, and has the word itself.
            own: if entry.lane.is_one_of_many() { None } else { ParkWord::of_consumer(attachment, entry) },
            peers: ParkWord::new(&role.port, entry.wait_a, instance),
            waiting: Waiting::new(WaitPolicy::parking()),
            role,
        })
    }

    /// The head in the region, our own word.
    pub fn head(&self) -> &WordRef {
        &self.head
    }

    /// The sequence of the first message not released, as the last owner of the role left it.
    pub fn head_sequence(&self) -> u32 {
        self.head_sequence.load(RELAXED) // ORDERING: Relaxed; for display.
    }

    /// Whether no fault has been latched.
    #[inline(always)]
    pub fn ready(&self) -> Result<(), Nothing> {
        self.role.latched().map_or(Ok(()), |violation| Err(Nothing::Violation(violation)))
    }

    /// Whether the producer has requested space since the head was stored last: then the next release
    /// must be published at once.
    #[inline(always)]
    pub fn has_space_request(&mut self) -> bool {
        self.seen_requests = self.want.load(RELAXED); // ORDERING: Relaxed; advice, no data depends on it.
        self.seen_requests != self.answered_requests
    }

    /// Publishes the head, up to the message of this sequence: `store` stores the head. Then wakes the
    /// producer if it sleeps for space.
    pub fn publish_head(&mut self, sequence: u32, store: impl FnOnce(&Word)) {
        // Only requests seen before this store count as answered; a later one was made without seeing
        // this head.
        self.answered_requests = self.seen_requests;
        self.head_sequence.store(sequence, RELAXED); // ORDERING: Relaxed; for display.
        store(&self.head);
        if let Some(park_word) = &self.peers {
            park_word.wake(WakeCheck::Fenced, &self.role.port);
        }
    }

    /// Sleeps on this word, which the producer rings.
    pub fn sleep_on(&mut self, word: Option<ParkWord>) {
        self.own = word;
    }

    /// The word on which this side sleeps.
    pub fn park_word(&self) -> Option<&ParkWord> {
        self.own.as_ref()
    }

    pub fn deadline(&self, timeout: Duration) -> Deadline {
        Deadline::after(&self.role.port, timeout)
    }
}

/// Receives as soon as there is something.
pub(crate) fn recv_until<P: Port, E: HasRecvHalf<P>, R>(
    end: &mut E,
    deadline: Deadline,
    mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
) -> Result<R, RecvError> {
    let taker = end.taker();
    let (port, park_word, mut waiting) = (taker.role.port.clone(), taker.own.clone(), taker.waiting);
    let (peer, mut watch) = (taker.role.peer_word(), taker.role.watch);
    let mut look = || taken(take(end));
    let is_on = watch.is_on();
    // A call that may not wait is no wait: it makes no system call for that.
    let asks = P::CAN_BE_REPLACED && !deadline.left(&port).is_zero();
    let gone = || {
        if is_on && watch.is_over(status(peer.as_ref(), &port)) {
            return Some(Err(RecvError::PeerGone));
        }
        (asks && is_replaced(peer.as_ref(), &port)).then_some(Err(RecvError::Replaced))
    };
    let gone = (is_on || asks).then_some(gone);
    let mut result =
        wait_and_search(&port, park_word.as_ref(), Sleepers::One, &mut waiting, deadline, &mut look, gone);
    if matches!(result, Some(Err(RecvError::PeerGone | RecvError::Replaced))) {
        // The producer may have published its last message between the look and its end.
        result = look().or(result);
    }
    let taker = end.taker();
    (taker.waiting, taker.role.watch) = (waiting, watch);
    result.unwrap_or(Err(RecvError::TimedOut))
}

/// The result of a wait, if this attempt to receive ends it.
pub(super) fn taken<R>(attempt: Result<R, TryRecvError>) -> Option<Result<R, RecvError>> {
    match attempt {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::TooSmall { needed }) => Some(Err(RecvError::TooSmall { needed })),
        Err(TryRecvError::WrongSize { needed }) => Some(Err(RecvError::WrongSize { needed })),
        Err(TryRecvError::Fault(violation)) => Some(Err(RecvError::Fault(violation))),
    }
}
