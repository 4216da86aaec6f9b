//! Ending a wait when the other side is gone.

use crate::ground::header::Header;
use crate::ground::ident::Ident;
use crate::ground::port::{Port, Probe};
use crate::ground::sync::WordRef;
use crate::ground::sync::fence;
use crate::ground::sync::order::role;

use super::participants::{self, Participant};
use super::role::PeerStatus;

/// What is known of the owner of a role, by its word. One load, and one probe if there is an owner.
pub(crate) fn status(owner: Option<&WordRef>, port: &impl Port) -> PeerStatus {
    // ORDERING(role): everything that an owner did is ordered before it left.
    match owner.map_or(0, |word| word.load(role::LOAD)) {
        0 => PeerStatus::Absent,
        word => match Ident::from_word(word).map(|who| port.probe(who)) {
            Some(Probe::Dead) => PeerStatus::Dead,
            _ => PeerStatus::Present,
        },
    }
}

/// Whether no other participant can ever take the other side's role, which `owner` names: this one does not have it, and the
/// region is deserted. System calls.
#[cold]
pub(crate) fn is_replaced(owner: Option<&WordRef>, port: &impl Port) -> bool {
    is_deserted(port) && status(owner, port) != PeerStatus::Present
}

/// Whether nobody but this participant can ever change anything in the region: no other one is left in it that may live,
/// whatever it has open, and it cannot be joined any more. System calls, one a participant at most.
#[cold]
pub(crate) fn is_deserted(port: &impl Port) -> bool {
    let is_deserted = port.is_current() == Some(false)
        && Header::check(port.mem()).is_ok_and(|header| {
            let is_other =
                |found: Participant| Some(found.ident) != port.ident() && found.probe != Probe::Dead;
            !participants::list(port.mem(), &header, port).any(is_other)
        });
    // ORDERING(role): everything that the participants did is ordered before they left. The waits look once more.
    fence(role::LOAD);
    is_deserted
}

/// How to ask what can still come to a receiver. A wait for several asks once a probe period: first the region, which is one
/// question for all of its receivers, and the other sides only where nobody else is left in it.
#[derive(Clone, Copy)]
pub struct Prospect<'a> {
    /// Tells regions apart.
    pub region: usize,
    /// The port, to be asked whether anybody can come.
    pub port: &'a dyn IsDeserted,
    /// The receiver, to be asked whether its other side is there.
    pub receiver: &'a dyn HasPeer,
}

impl<'a> Prospect<'a> {
    /// Asks nothing yet.
    pub fn new<P: Port>(port: &'a P, receiver: &'a dyn HasPeer) -> Self {
        Self { region: core::ptr::from_ref(port.mem()).addr(), port, receiver }
    }
}

/// A receiver, as far as it tells whether its other side is there.
pub trait HasPeer {
    /// One load and one probe, or so many a lane.
    fn has_peer(&self) -> bool;
}

/// A port, as far as it tells whether anybody can come to its region.
pub trait IsDeserted {
    /// See [`is_deserted`].
    fn is_deserted(&self) -> bool;
}

impl<P: Port> IsDeserted for P {
    fn is_deserted(&self) -> bool {
        is_deserted(self)
    }
}

/// An endpoint's wish that its waits end with the other side. Off, unless it is set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum EndWithPeer {
    /// Waits go on until their deadline.
    #[default]
    Off,
    /// They end, if the other side is dead.
    NotMet,
    /// They end, if the other side is dead or absent: it was there.
    Met,
    /// As `Met`. A wait for several receivers has found the other side gone, and is yet to return this endpoint for
    /// that.
    Gone,
    /// As `Met`. Such a wait has returned this endpoint, which it does once for each time that the other side is gone.
    Told,
}

impl EndWithPeer {
    /// The wish of an endpoint whose peer is so now.
    pub fn new(on: bool, peer: PeerStatus) -> Self {
        match peer {
            _ if !on => Self::Off,
            PeerStatus::Absent => Self::NotMet,
            _ => Self::Met,
        }
    }

    pub fn is_on(self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Whether a wait is over because the other side, which is so now, is gone.
    pub fn is_over(&mut self, peer: PeerStatus) -> bool {
        match (*self, peer) {
            (Self::Off, _) => false,
            (_, PeerStatus::Dead) => true,
            (met, PeerStatus::Absent) => !matches!(met, Self::NotMet),
            (_, PeerStatus::Present) => {
                *self = Self::Met;
                false
            }
        }
    }

    /// As [`is_over`](Self::is_over), for a wait for several receivers: whether there is something to
    /// [tell](Self::tell).
    pub fn has_found(&mut self, peer: PeerStatus) -> bool {
        let is_news = self.is_over(peer) && !matches!(self, Self::Told);
        if is_news {
            *self = Self::Gone;
        }
        is_news
    }

    /// Whether the other side was found gone, and this has not returned `true` for that.
    #[inline(always)]
    pub fn tell(&mut self) -> bool {
        let is_news = matches!(self, Self::Gone);
        if is_news {
            *self = Self::Told;
        }
        is_news
    }
}
