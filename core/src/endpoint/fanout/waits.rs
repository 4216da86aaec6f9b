//! Waiting for space at all consumers, and for messages, in threads and in tasks.

use core::cell::Cell;
use core::time::Duration;

use crate::endpoint::error::{RecvError, SendError};
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::send_half::HasSendHalf;
use crate::endpoint::tasks::WakerRegistration;
use crate::endpoint::wait::wait_and_search;
use crate::endpoint::wait_any::sealed::{Place, Sealed};
use crate::endpoint::wait_any::{Waitable, place_of_consumer};
use crate::endpoint::wait_policy::Deadline;
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::Refused;

use super::{FanoutConsumer, FanoutProducer};

impl<T: Value + ?Sized, P: Port> FanoutProducer<T, P> {
    /// Sends a value, waiting up to `timeout` for space.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] or [`SendError::Fault`], or (only for `[u8]`) `WrongSize`; nothing was
    /// sent then.
    pub fn send_timeout(&mut self, value: &T, timeout: Duration) -> Result<(), SendError> {
        let deadline = self.inner.sender().deadline(timeout);
        self.send_until(value, deadline)
    }

    /// Sends a value, waiting until `deadline` for space.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] or [`SendError::Fault`], or (only for `[u8]`) `WrongSize`; nothing was
    /// sent then.
    pub fn send_until(&mut self, value: &T, deadline: Deadline) -> Result<(), SendError> {
        if !self.takes(value) {
            return Err(SendError::WrongSize);
        }
        let sender = self.inner.sender();
        let (port, park_word, mut waiting) =
            (sender.role.port.clone(), sender.park_word().cloned(), sender.waiting);
        let _ = self.leave_out_dead_if_due();
        // Set once a probe period: the next look asks who is dead.
        let is_due = Cell::new(false);
        let look = || {
            let found = self.attempt(value);
            if found.is_none() && is_due.replace(false) && self.leave_out_dead() {
                return self.attempt(value);
            }
            found
        };
        let search = || {
            is_due.set(true);
            None
        };
        let result = wait_and_search(
            &port,
            park_word.as_ref(),
            Sleepers::One,
            &mut waiting,
            deadline,
            look,
            Some(search),
        );
        let result = match result {
            // The time was up when it was due.
            None if is_due.get() && self.leave_out_dead() => self.attempt(value),
            result => result,
        };
        self.inner.sender().waiting = waiting;
        self.sent(result.unwrap_or(Err(SendError::TimedOut)))
    }

    /// Puts a value in; `None` if there is no space.
    fn attempt(&mut self, value: &T) -> Option<Result<(), SendError>> {
        match self.put(value) {
            Ok(()) => Some(Ok(())),
            Err(Refused::Full) => None,
            Err(Refused::TooLarge) => Some(Err(SendError::TooLarge)),
            Err(Refused::Violation(violation)) => {
                Some(Err(SendError::Fault(self.inner.sender().role.latch(violation))))
            }
        }
    }

    /// The end of a wait: wakes the consumers, or counts a refusal.
    fn sent(&mut self, result: Result<(), SendError>) -> Result<(), SendError> {
        match result {
            Ok(()) => self.inner.sender().wake_consumer().map_err(SendError::Fault)?,
            Err(SendError::TimedOut) => {
                self.inner.sender().refused_slow(Refused::Full);
            }
            Err(_) => {}
        }
        result
    }
}

impl<T: Message, P: Port + AsyncWait> FanoutProducer<T, P> {
    /// Sends a value, waiting in a task for space as long as it takes. If the future is dropped before it is ready,
    /// nothing was sent, and no refusal is counted.
    ///
    /// # Errors
    ///
    /// [`SendError::Fault`]; nothing was sent then.
    pub async fn send(&mut self, value: &T) -> Result<(), SendError> {
        let who = WaiterId::of(self);
        let sender = self.inner.sender();
        let (port, park_word, policy) =
            (sender.role.port.clone(), sender.park_word().cloned(), sender.waiting.policy);
        let look = || match self.attempt(value) {
            None if self.leave_out_dead_if_due() => self.attempt(value),
            found => found,
        };
        let result =
            WakerRegistration { port, park_word, sleepers: Sleepers::One, policy, who }.until(look).await;
        self.sent(result)
    }
}

impl<T: Message, P: Port + AsyncWait> FanoutConsumer<T, P> {
    /// Receives a value, waiting in a task for it as long as it takes. If the future is dropped before it is ready,
    /// nothing was received.
    ///
    /// # Errors
    ///
    /// [`RecvError`], never `TimedOut`.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        self.inner.recv().await
    }
}

impl<T: Value + ?Sized, P: Port> FanoutConsumer<T, P> {
    fn park_word(&self) -> Option<&ParkWord> {
        self.inner.park_word()
    }
}

impl<T: Value + ?Sized, P: Port> Waitable for FanoutConsumer<T, P> {}
impl<T: Value + ?Sized, P: Port> Sealed for FanoutConsumer<T, P> {
    fn has_data(&mut self) -> bool {
        self.inner.has_data()
    }

    fn place(&self) -> Place<'_> {
        place_of_consumer(self.park_word())
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.inner.prospect()
    }

    fn searches(&self) -> bool {
        self.inner.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.inner.finds_peer_gone()
    }
}
