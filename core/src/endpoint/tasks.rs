//! Waiting in tasks: `recv().await`, `send().await` and `changed().await`, on any executor, without a heap.
//!
//! A task looks; has the port [keep its waker](AsyncWait::keep), which the sender's port wakes; sets the
//! parked word; and looks again. A thread sleeps in the same way, except for the order: the waker is
//! registered before the word is set, because the word is not compared again when a task becomes pending.
//!
//! # Guarantees
//!
//! - No wake is lost (P1 and P5 of [`park`](crate::protocol::park)), whenever and for whatever reason a
//!   task is polled.
//! - The port wakes the task after the [probe period](WaitPolicy::probe) at the latest, if it has timers;
//!   so a sender that died between its publication and its wake, or a peer that misbehaves, costs that
//!   period.
//! - A future that is dropped has received and sent nothing, and leaves no waker behind. (One
//!   that is leaked leaves it until the next wake.)
//! - Each poll takes two looks and one search of the port's table at most.
//!
//! # Trade-offs
//!
//! - These wait without a bound, also for a peer that is dead or silent. Put a timer of the executor
//!   beside the future, drop the future when it fires, ask `peer()`, and wait again. With `end_with_peer` the
//!   futures of queues end when the peer is gone, if the port has timers. All end as replaced as waits of threads do; those of
//!   latest values and events with a [`ChangeError`](crate::ChangeError).
//! - A task does not spin, and leaves the parked word set if something came before it slept: the next
//!   sender then makes one unneeded wake.
//! - If the plan does not let this side block, the port wakes the task after a millisecond; if the policy
//!   does not allow sleep, the task is polled again at once.

use core::future::poll_fn;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::Refused;

use super::broadcast::{BroadcastReader, BroadcastRecvError};
use super::consumer::{Consumer, Received};
use super::error::{RecvError, SendError, TryRecvError};
use super::latest::ValueInfo;
use super::park_word::{ParkWord, Sleepers};
use super::producer::Producer;
use super::recv_half::{HasRecvHalf, taken};
use super::send_half::HasSendHalf;
use super::typed::{TypedConsumer, TypedProducer};
use super::wait_any::sealed::Place;
use super::wait_any::{Ready, WaitAnyError, Waitable, check, look, look_or_replaced, search};
use super::wait_policy::{Deadline, WaitPolicy};

/// A pending task's registration; dropping it removes the waker from the port.
pub(in crate::endpoint) struct WakerRegistration<P: AsyncWait> {
    pub port: P,
    pub park_word: Option<ParkWord>,
    pub sleepers: Sleepers,
    pub policy: WaitPolicy,
    pub who: WaiterId,
}

impl<P: Port + AsyncWait> WakerRegistration<P> {
    /// Waits until there is something.
    pub async fn until<T>(self, mut look: impl FnMut() -> Option<T>) -> T {
        poll_fn(|context| self.poll(context, &mut look)).await
    }

    fn poll<T>(&self, context: &Context<'_>, look: &mut impl FnMut() -> Option<T>) -> Poll<T> {
        if let Some(found) = look() {
            return Poll::Ready(found);
        }
        let (waker, probe) = (context.waker(), self.policy.probe);
        match &self.park_word {
            _ if !self.policy.park => waker.wake_by_ref(),
            None => self.port.keep(self.who, None, waker, probe.min(Duration::from_millis(1))),
            Some(park_word) => {
                self.port.keep(self.who, Some(park_word.point()), waker, probe);
                // The sender that wakes takes the waker, so there is no word to compare.
                let _ = park_word.park(self.sleepers, &self.port);
                if let Some(found) = look() {
                    return Poll::Ready(found);
                }
            }
        }
        Poll::Pending
    }
}

impl<P: AsyncWait> Drop for WakerRegistration<P> {
    fn drop(&mut self) {
        self.port.forget(self.who);
    }
}

/// When a task that waits is to ask what is dear, whether its peer is dead or its region was replaced: once a probe period,
/// from the first look that found nothing.
pub(in crate::endpoint) struct Due<P> {
    port: P,
    probe: Duration,
    next: Option<Deadline>,
}

impl<P: Port> Due<P> {
    pub fn of(port: &P, policy: WaitPolicy) -> Self {
        Self { port: port.clone(), probe: policy.probe, next: None }
    }

    /// Called after a look that found nothing.
    pub fn is_now(&mut self) -> bool {
        let is_now = self.next.is_some_and(|next| next.left(&self.port).is_zero());
        if is_now || self.next.is_none() {
            self.next = Some(Deadline::after(&self.port, self.probe));
        }
        is_now
    }

    /// As [`is_now`](Self::is_now), for what is asked about the region alone: never where no port is replaced.
    pub fn asks(&mut self) -> bool {
        P::CAN_BE_REPLACED && self.is_now()
    }
}

async fn recv<P: Port + AsyncWait, E: HasRecvHalf<P>, R>(
    end: &mut E,
    mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
) -> Result<R, RecvError> {
    let who = WaiterId::of(end);
    let taker = end.taker();
    let (port, park_word, policy) =
        (taker.role.port.clone(), taker.park_word().cloned(), taker.waiting.policy);
    let mut due = Due::of(&port, policy);
    let look = || {
        let found = taken(take(end));
        if found.is_some() {
            return found;
        }
        let role = &mut end.taker().role;
        let error = if role.watch.is_on() && role.is_peer_gone() {
            RecvError::PeerGone
        } else if due.asks() && role.is_replaced() {
            RecvError::Replaced
        } else {
            return None;
        };
        // The producer may have published its last message between the look and its end.
        taken(take(end)).or(Some(Err(error)))
    };
    WakerRegistration { port, park_word, sleepers: Sleepers::One, policy, who }.until(look).await
}

async fn send<P: Port + AsyncWait, E: HasSendHalf<P>>(
    end: &mut E,
    mut put: impl FnMut(&mut E) -> Result<(), Refused>,
) -> Result<(), SendError> {
    let who = WaiterId::of(end);
    let sender = end.sender();
    let (port, park_word, policy) =
        (sender.role.port.clone(), sender.park_word().cloned(), sender.waiting.policy);
    let mut due = Due::of(&port, policy);
    let mut attempt = |end: &mut E| match put(end) {
        Ok(()) => Some(end.sender().wake_consumer().map_err(SendError::Fault)),
        Err(Refused::Full) => None,
        Err(Refused::TooLarge) => Some(Err(SendError::TooLarge)),
        Err(Refused::Violation(violation)) => Some(Err(SendError::Fault(end.sender().role.latch(violation)))),
    };
    let look = || {
        let found = attempt(end);
        if found.is_some() {
            return found;
        }
        let role = &mut end.sender().role;
        let error = if role.watch.is_on() && role.is_peer_gone() {
            SendError::PeerGone
        } else if due.asks() && role.is_replaced() {
            SendError::Replaced
        } else {
            return None;
        };
        // The consumer may have released between the look and its end.
        attempt(end).or(Some(Err(error)))
    };
    WakerRegistration { port, park_word, sleepers: Sleepers::One, policy, who }.until(look).await
}

impl<P: Port + AsyncWait> Consumer<P> {
    /// Receives a frame into `buffer`, waiting for it as long as it takes. If the future is dropped before it
    /// is ready, nothing was received.
    ///
    /// If the producer is dead, this waits for its successor: see [`peer`](Self::peer).
    ///
    /// # Errors
    ///
    /// [`RecvError`], never `TimedOut`; nothing was received then.
    pub async fn recv(&mut self, buffer: &mut [u8]) -> Result<Received, RecvError> {
        recv(self, |this| this.try_recv(buffer)).await
    }
}

impl<T: Message, P: Port + AsyncWait> TypedConsumer<T, P> {
    /// Receives a value, waiting for it as long as it takes. If the future is dropped before it is ready,
    /// nothing was received.
    ///
    /// If the producer is dead, this waits for its successor: see [`peer`](Self::peer).
    ///
    /// # Errors
    ///
    /// [`RecvError`], never `TimedOut`; nothing was received then.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        recv(self, Self::try_recv).await
    }
}

impl<T: Value + ?Sized, P: Port + AsyncWait> TypedConsumer<T, P> {
    /// As [`recv`](Self::recv), into `value`, as [`try_recv_into`](Self::try_recv_into) does.
    ///
    /// # Errors
    ///
    /// As there; never `TimedOut`.
    pub async fn recv_into(&mut self, value: &mut T) -> Result<(), RecvError> {
        recv(self, |this| this.try_recv_into(value)).await
    }
}

impl<P: Port + AsyncWait> Producer<P> {
    /// Sends a frame, waiting for space as long as it takes. If the future is dropped before it is ready,
    /// nothing was sent, and no refusal is counted.
    ///
    /// If the consumer is dead, this waits for its successor: see [`peer`](Self::peer).
    ///
    /// # Errors
    ///
    /// [`SendError`], never `TimedOut`; nothing was sent then.
    pub async fn send(&mut self, tag: u32, payload: &[u8]) -> Result<(), SendError> {
        send(self, |this| this.put(tag, payload)).await
    }
}

impl<T: Message, P: Port + AsyncWait> TypedProducer<T, P> {
    /// Sends a value, waiting for space as long as it takes. If the future is dropped before it is ready,
    /// nothing was sent, and no refusal is counted.
    ///
    /// If the consumer is dead, this waits for its successor: see [`peer`](Self::peer).
    ///
    /// # Errors
    ///
    /// [`SendError`], never `TimedOut`; nothing was sent then.
    pub async fn send(&mut self, value: &T) -> Result<(), SendError> {
        send(self, |this| this.put(value)).await
    }
}

impl<T: Value + ?Sized, P: Port + AsyncWait> BroadcastReader<T, P> {
    /// Receives the next value, waiting for it as long as it takes. If the future is dropped before it is
    /// ready, nothing was received, and no loss was reported.
    ///
    /// # Errors
    ///
    /// [`BroadcastRecvError`], never `TimedOut`.
    pub async fn recv(&mut self) -> Result<T, BroadcastRecvError>
    where
        T: Message,
    {
        let mut value = T::new_zeroed();
        self.recv_into(&mut value).await?;
        Ok(value)
    }

    /// As [`recv`](Self::recv), into `into`, as [`try_recv_into`](Self::try_recv_into) does.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn recv_into(&mut self, into: &mut T) -> Result<ValueInfo, BroadcastRecvError> {
        let (port, park_word, policy) = (self.port.clone(), self.park_word.clone(), self.waiting.policy);
        let who = WaiterId::of(self);
        let mut due = Due::of(&port, policy);
        let registration = WakerRegistration { port, park_word, sleepers: Sleepers::Many, policy, who };
        let look = || {
            let found = self.next_into(into);
            if found.is_some() {
                return found;
            }
            let error = if self.ends_with_peer() && self.is_writer_gone() {
                BroadcastRecvError::PeerGone
            } else if due.asks() && self.is_replaced() {
                BroadcastRecvError::Replaced
            } else {
                return None;
            };
            // The writer may have published its last value between the look and its end.
            self.next_into(into).or(Some(Err(error)))
        };
        registration.until(look).await
    }
}

/// As [`wait_ready`](crate::wait_ready), in a task, as long as it takes. If the future is dropped before it is ready,
/// nothing was received.
///
/// Each receiver takes a waker of the port, which is the port of all of them. Those that share a
/// [doorbell](crate::Channel::doorbell) each take one too.
///
/// # Errors
///
/// [`WaitAnyError`], never `TimedOut`.
pub async fn ready<P: Port + AsyncWait>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    policy: WaitPolicy,
) -> Result<Ready, WaitAnyError> {
    check(receivers, policy)?;
    Registrations { port, receivers, policy, due: Due::of(port, policy) }.ready().await
}

/// The registrations of a task that waits for several receivers; dropping it removes the wakers from the port.
struct Registrations<'a, 'r, P: Port + AsyncWait> {
    port: &'a P,
    receivers: &'a mut [&'r mut dyn Waitable],
    policy: WaitPolicy,
    /// When peers are looked for that have died, and regions that were replaced.
    due: Due<P>,
}

impl<P: Port + AsyncWait> Registrations<'_, '_, P> {
    async fn ready(mut self) -> Result<Ready, WaitAnyError> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Result<Ready, WaitAnyError>> {
        if let Some(ready) = look(self.receivers) {
            return Poll::Ready(Ok(ready));
        }
        let searches = self.receivers.iter().any(|receiver| receiver.searches());
        if (searches || P::CAN_BE_REPLACED) && self.due.is_now() {
            if searches
                && search(self.receivers)
                && let Some(ready) = look(self.receivers)
            {
                return Poll::Ready(Ok(ready));
            }
            if P::CAN_BE_REPLACED
                && let Some(found) = look_or_replaced(self.receivers, &mut look)
            {
                return Poll::Ready(found);
            }
        }
        let (waker, probe) = (context.waker(), self.policy.probe);
        if !self.policy.park {
            waker.wake_by_ref();
            return Poll::Pending;
        }
        for receiver in &*self.receivers {
            let who = receiver.who();
            match receiver.place() {
                Place::Word(word, sleepers) => {
                    self.port.keep(who, Some(word.point()), waker, probe);
                    let _ = word.park(sleepers, self.port);
                }
                _ => self.port.keep(who, None, waker, probe.min(Duration::from_millis(1))),
            }
        }
        look(self.receivers).map_or(Poll::Pending, |ready| Poll::Ready(Ok(ready)))
    }
}

impl<P: Port + AsyncWait> Drop for Registrations<'_, '_, P> {
    fn drop(&mut self) {
        self.receivers.iter().for_each(|receiver| self.port.forget(receiver.who()));
    }
}
