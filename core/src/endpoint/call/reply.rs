//! The reply that a server owes.

use crate::endpoint::error::WrongSize;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::role::Role;
use crate::endpoint::wait_policy::WakeCheck;
use crate::ground::ident::Ident;
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::places::Places;
use crate::ground::sync::WordRef;
use crate::protocol::call::{self, Status, Take};

/// The part of a server that answers.
pub(super) struct Half<Ans: Value + ?Sized, P: Port> {
    /// The position of the first call that is not done.
    pub rx: call::Server,
    /// The server's places.
    pub answers: Places<Ans>,
    /// The position of the first call that is not done; this side's word.
    pub head: WordRef,
    /// The call that was taken and is not done, with its client's identity.
    pub current: Option<(Take, Option<Ident>)>,
    /// The word on which the client sleeps for answers.
    pub client: Option<ParkWord>,
    /// Whether an answer fences before it looks for a sleeping client.
    pub check: WakeCheck,
    /// The claimed role.
    pub role: Role<P>,
}

impl<Ans: Value + ?Sized, P: Port> Half<Ans, P> {
    /// Ends the call that was taken, and wakes the client if it sleeps.
    pub fn finish(&mut self, status: Status) {
        self.current = None;
        self.rx.finish(&self.head, &self.answers, status);
        if let Some(client) = &self.client {
            client.wake(self.check, &self.role.port);
        }
    }

    /// Refuses the call that was taken and not answered, if there is one.
    pub fn refuse_current(&mut self) {
        if self.current.is_some() {
            self.finish(Status::Refused(0));
        }
    }
}

/// The reply to a request, which its server owes. One that is dropped, also in a panic, refuses the request with code 0.
pub struct Reply<'s, Ans: Value + ?Sized, P: Port> {
    half: &'s mut Half<Ans, P>,
}

impl<'s, Ans: Value + ?Sized, P: Port> Reply<'s, Ans, P> {
    pub(super) fn new(half: &'s mut Half<Ans, P>) -> Self {
        Self { half }
    }

    /// Answers the request, and wakes the client if it sleeps. Never waits. Three stores, a fence, and the copy; of a
    /// [post](Self::is_post), the answer is not copied.
    pub fn answer(self, answer: &Ans)
    where
        Ans: Message,
    {
        self.put(answer);
    }

    /// As [`answer`](Self::answer), also for `[u8]`.
    ///
    /// # Errors
    ///
    /// [`WrongSize`], only for `[u8]`. The request is not refused then: [`CallServer::reply`](crate::CallServer::reply)
    /// gives the reply back.
    pub fn answer_from(self, answer: &Ans) -> Result<(), WrongSize> {
        if self.half.answers.values().takes(answer) {
            self.put(answer);
            return Ok(());
        }
        let needed = self.half.answers.values().size();
        self.keep();
        Err(WrongSize { needed })
    }

    fn put(self, answer: &Ans) {
        if let Some((take, _)) = self.half.current {
            if !take.posted {
                self.half.answers.values().write(take.pos, answer);
            }
            self.half.finish(Status::Answered);
        }
    }

    /// Refuses the request, with a number that the client sees.
    pub fn refuse(self, code: u16) {
        self.half.finish(Status::Refused(code));
    }

    /// Leaves the request unanswered for now; [`CallServer::reply`](crate::CallServer::reply) gives the reply back.
    /// The next request is taken only after this one is answered, or else refuses it.
    pub fn keep(self) {
        core::mem::forget(self);
    }

    /// Whether the client wants no answer.
    #[must_use]
    pub fn is_post(&self) -> bool {
        self.half.current.is_some_and(|(take, _)| take.posted)
    }

    /// Whether a server that died had taken the request, so that it may have run before. Such requests come only with
    /// [`Interrupted::Again`](crate::Interrupted::Again).
    #[must_use]
    pub fn is_again(&self) -> bool {
        self.half.current.is_some_and(|(take, _)| take.again)
    }

    /// The client that made the call; `None` if its word names nobody. It may have died since.
    #[must_use]
    pub fn caller(&self) -> Option<Ident> {
        self.half.current.and_then(|(_, caller)| caller)
    }
}

impl<Ans: Value + ?Sized, P: Port> Drop for Reply<'_, Ans, P> {
    fn drop(&mut self) {
        self.half.refuse_current();
    }
}
