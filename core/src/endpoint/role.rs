//! A claimed role: its owner, its latched fault, and how it is given back.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::{Violation, claim};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::peer_watch::{EndWithPeer, HasPeer, Prospect, is_replaced, status};
use super::spans::DAMAGED;

/// The state of a channel's other side, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerStatus {
    /// Nobody has the role. Everything its last owner did is visible to the caller.
    Absent,
    /// Its owner lives, or cannot be proven dead.
    Present,
    /// Its owner is proven dead, and nobody has taken over yet.
    Dead,
}

/// Which of a channel's two roles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
}

/// A role that this endpoint holds; given back when it is dropped.
pub(crate) struct Role<P: Port> {
    /// The port, which is asked whether the peer is dead.
    pub port: P,
    /// The participant that claimed the role.
    me: Ident,
    /// The role's word: its owner, or 0. Claimed by compare-and-swap, cleared by its owner.
    owner: WordRef,
    /// The other role's word, if the channel has one; only looked at.
    peer: Option<WordRef>,
    /// The number of the first violation that this side saw, or 0; this side's word, for display.
    fault: WordRef,
    /// The first violation that this side saw.
    latched: Option<Violation>,
    /// Whether [`wait_any`](super::wait_any) has returned this endpoint because of that.
    told: bool,
    /// The dead owner that the role was taken over from.
    from: Option<Ident>,
    /// Whether waits end when the other side is gone.
    pub watch: EndWithPeer,
    /// An endpoint is used by one thread at a time.
    not_sync: NotSync,
}

/// Makes what holds it `Send` and not `Sync`.
pub(crate) type NotSync = PhantomData<Cell<()>>;

impl<P: Port> Role<P> {
    /// Claims one role of a channel for the attachment's participant.
    pub fn claim(attachment: &Attachment<P>, entry: &Entry, side: Side) -> Result<Self, ChannelError> {
        let port = attachment.port().clone();
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        let planned = if side == Side::A { entry.domain_a } else { entry.domain_b };
        if planned != port.domain() {
            return Err(ChannelError::Domain { planned });
        }
        let blocks = entry.blocks(attachment.header().line).ok_or(DAMAGED)?;
        let role_b = (blocks.role_b != 0).then_some(blocks.role_b);
        let mem = port.mem();
        let word = |offset: u32| mem.word_ref(entry.block_c + offset).ok_or(DAMAGED);
        let (own, other) = match side {
            Side::A => (0, role_b),
            Side::B => (blocks.role_b, Some(0)),
        };
        let owner = word(own + offset::OWNER)?;
        let fault = word(own + offset::FAULT)?;
        let peer = other.map(|offset| word(offset + offset::OWNER)).transpose()?;
        let takeovers = word(own + offset::TAKEOVERS)?;
        let claimed = claim::claim(&owner, &takeovers, me, |who| port.probe(who))
            .map_err(|claim::Busy| ChannelError::Busy)?;
        // ORDERING: Relaxed; for display.
        fault.store(0, RELAXED);
        let (from, watch, not_sync, told) = (claimed.from, EndWithPeer::Off, PhantomData, false);
        Ok(Self { me, owner, peer, fault, latched: None, told, from, watch, port, not_sync })
    }

    /// Latches the first violation, in the handle and for tools in the region.
    #[cold]
    pub fn latch(&mut self, violation: Violation) -> Violation {
        // In a forked child the words are those that `disown` has left there, and no peer's.
        let violation = if self.is_ours() { violation } else { Violation::Forked };
        if self.latched.is_none() {
            self.latched = Some(violation);
            // ORDERING: Relaxed; for display.
            self.fault.store(violation as u32, RELAXED);
        }
        violation
    }

    /// Whether the role is still this process's; if not, the fault is latched. For slow paths alone.
    ///
    /// # Errors
    ///
    /// [`Violation::Forked`].
    #[cold]
    pub fn check_ours(&mut self) -> Result<(), Violation> {
        if self.is_ours() { Ok(()) } else { Err(self.latch(Violation::Forked)) }
    }

    #[inline]
    pub fn latched(&self) -> Option<Violation> {
        self.latched
    }

    /// Whether there is a latched violation that this has not returned `true` for: once, so that a receiver at fault
    /// does not keep a wait from its other receivers.
    #[cold]
    pub fn tell_fault(&mut self) -> bool {
        self.latched.is_some() && !core::mem::replace(&mut self.told, true)
    }

    pub fn taken_over_from(&self) -> Option<Ident> {
        self.from
    }

    /// One load, and one probe if somebody owns the other role.
    pub fn peer(&self) -> PeerStatus {
        status(self.peer.as_ref(), &self.port)
    }

    /// The other role's word, for waits that end with its owner.
    pub fn peer_word(&self) -> Option<WordRef> {
        self.peer.clone()
    }

    /// Whether nobody can come to take the other role: see [`is_replaced`]. System calls.
    pub fn is_replaced(&self) -> bool {
        P::CAN_BE_REPLACED && is_replaced(self.peer.as_ref(), &self.port)
    }

    /// What can still come, for a wait for several.
    pub fn prospect(&self) -> Option<Prospect<'_>> {
        P::CAN_BE_REPLACED.then(|| Prospect::new(&self.port, self))
    }

    /// Sets the other role's word, where it is not in the channel's own entry.
    pub fn set_peer(&mut self, word: WordRef) {
        self.peer = Some(word);
    }

    /// Whether a wait is over because the other side is gone.
    pub fn is_peer_gone(&mut self) -> bool {
        self.watch.is_over(status(self.peer.as_ref(), &self.port))
    }

    /// As [`is_peer_gone`](Self::is_peer_gone), for a wait for several receivers.
    pub fn finds_peer_gone(&mut self) -> bool {
        self.watch.has_found(status(self.peer.as_ref(), &self.port))
    }

    /// Sets whether waits end when the other side is gone.
    pub fn end_with_peer(&mut self, on: bool) {
        self.watch = EndWithPeer::new(on, self.peer());
    }

    /// Whether this is still the participant that claimed the role, and not its forked child.
    pub fn is_ours(&self) -> bool {
        !P::CAN_FORK || self.port.ident() == Some(self.me)
    }
}

impl<P: Port> HasPeer for Role<P> {
    fn has_peer(&self) -> bool {
        self.peer() == PeerStatus::Present
    }
}

impl<P: Port> Drop for Role<P> {
    fn drop(&mut self) {
        if self.is_ours() {
            claim::release(&self.owner, self.me);
        }
    }
}
