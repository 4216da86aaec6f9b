//! The reply to a request of a stream: parts, and an end.

use core::marker::PhantomData;
use core::time::Duration;

use crate::endpoint::error::{SendError, TrySendError};
use crate::endpoint::producer::Producer;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::protocol::Violation;

use super::super::server::CallServer;
use super::PartError;

/// A client's queue of parts, as its server has it.
pub(super) struct Outgoing<P: Port> {
    /// The queue, or what is wrong in it.
    queue: Result<Producer<P>, Violation>,
    /// How many parts of the request that is taken were sent.
    sent: u32,
    /// How long a part is.
    len: usize,
    /// How often a send that waits for room asks whether the client has cancelled.
    probe: Duration,
}

impl<P: Port> Outgoing<P> {
    pub fn new(queue: Producer<P>, len: usize) -> Self {
        Self { queue: Ok(queue), sent: 0, len, probe: WaitPolicy::parking().probe }
    }

    /// In place of a queue whose role cannot be taken up: every send returns this.
    pub fn damaged(violation: Violation, len: usize) -> Self {
        Self { queue: Err(violation), sent: 0, len, probe: WaitPolicy::parking().probe }
    }

    fn queue(&mut self) -> Result<&mut Producer<P>, PartError> {
        self.queue.as_mut().map_err(|violation| PartError::Fault(*violation))
    }

    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.probe = policy.probe;
        if let Ok(queue) = &mut self.queue {
            queue.set_wait_policy(policy);
        }
    }

    pub fn set_wake_check(&mut self, check: WakeCheck) {
        if let Ok(queue) = &mut self.queue {
            queue.set_wake_check(check);
        }
    }

    pub fn fault(&self) -> Option<Violation> {
        match &self.queue {
            Ok(queue) => queue.fault(),
            Err(violation) => Some(*violation),
        }
    }
}

/// The reply to a request, which its server owes: any number of parts, and an end. One that is dropped, also in a panic,
/// refuses the request with code 0; the parts that were sent come before that.
pub struct Parts<'s, Req: Value + ?Sized, Part: Value + ?Sized, P: Port> {
    calls: &'s mut CallServer<Req, [u8], P>,
    out: &'s mut Outgoing<P>,
    part: PhantomData<fn(&Part)>,
}

impl<'s, Req: Value + ?Sized, Part: Value + ?Sized, P: Port> Parts<'s, Req, Part, P> {
    /// The reply to the request that these calls have taken and keep.
    pub(super) fn begin(calls: &'s mut CallServer<Req, [u8], P>, out: &'s mut Outgoing<P>) -> Self {
        out.sent = 0;
        Self::resume(calls, out)
    }

    /// The same, after parts that were sent.
    pub(super) fn resume(calls: &'s mut CallServer<Req, [u8], P>, out: &'s mut Outgoing<P>) -> Self {
        Self { calls, out, part: PhantomData }
    }

    /// Sends a part, and wakes the client if it sleeps. Never waits. Steps: a load, and a send into a queue of frames.
    ///
    /// # Errors
    ///
    /// [`PartError::Full`], `Cancelled` or `Fault`, or `WrongSize`, only for `[u8]`; it was not sent then.
    pub fn send(&mut self, part: &Part) -> Result<(), PartError> {
        let tag = self.tag(part)?;
        let sent = self.out.queue()?.try_send(tag, part.bytes());
        match sent {
            Ok(()) => {
                self.out.sent = self.out.sent.wrapping_add(1);
                Ok(())
            }
            Err(TrySendError::Fault(violation)) => Err(PartError::Fault(violation)),
            Err(_) => Err(PartError::Full),
        }
    }

    /// Sends a part, waiting up to `timeout` for room. That the client has cancelled meanwhile is found within a probe
    /// period.
    ///
    /// # Errors
    ///
    /// [`PartError::TimedOut`], `Cancelled` or `Fault`, or `WrongSize`, only for `[u8]`; it was not sent then.
    pub fn send_timeout(&mut self, part: &Part, timeout: Duration) -> Result<(), PartError> {
        let probe = self.out.probe;
        let deadline = Deadline::after(self.port(), timeout);
        loop {
            let tag = self.tag(part)?;
            let until = deadline.within(self.port(), probe);
            let sent = self.out.queue()?.send_until(tag, part.bytes(), until);
            match sent {
                Ok(()) => {
                    self.out.sent = self.out.sent.wrapping_add(1);
                    return Ok(());
                }
                Err(SendError::Fault(violation)) => return Err(PartError::Fault(violation)),
                // No client is there to take it, and none can come.
                Err(SendError::Replaced) => return Err(PartError::Cancelled),
                Err(_) if deadline.left(self.port()).is_zero() => return Err(PartError::TimedOut),
                Err(_) => {}
            }
        }
    }

    fn port(&mut self) -> &P {
        &self.calls.parts().0.role.port
    }

    /// The tag of this call's parts, unless its client wants none.
    fn tag(&mut self, part: &Part) -> Result<u32, PartError> {
        if part.bytes().len() != self.out.len {
            return Err(PartError::WrongSize);
        }
        if self.calls.is_unwanted() {
            return Err(PartError::Cancelled);
        }
        let (take, _) = self.calls.parts().0.current.ok_or(PartError::Cancelled)?;
        Ok(take.pos.wrapping_add(1))
    }

    /// Ends the answer, and wakes the client if it sleeps. Returns how many parts there were. Never waits.
    pub fn end(self) -> u32 {
        let sent = self.out.sent;
        if let Some(reply) = self.calls.reply() {
            // The plan's answer has this size.
            let _ = reply.answer_from(&sent.to_le_bytes());
        }
        sent
    }

    /// Refuses the request, or the rest of its parts, with a number that the client sees.
    pub fn refuse(self, code: u16) {
        if let Some(reply) = self.calls.reply() {
            reply.refuse(code);
        }
    }

    /// Leaves the request open for now; [`StreamServer::parts`](crate::StreamServer::parts) gives the reply back. The next request is taken only
    /// after this one is ended, or else refuses it.
    pub fn keep(self) {
        core::mem::forget(self);
    }

    /// Whether the client wants no more parts: it has cancelled the call. One load.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.calls.is_unwanted()
    }

    /// The client that made the call; `None` if its word names nobody. It may have died since.
    #[must_use]
    pub fn caller(&mut self) -> Option<Ident> {
        self.calls.parts().0.current.and_then(|(_, caller)| caller)
    }
}

impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port> Drop for Parts<'_, Req, Part, P> {
    fn drop(&mut self) {
        // A reply that is dropped refuses its request; there is none after an end.
        drop(self.calls.reply());
    }
}
