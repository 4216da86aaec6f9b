//! Watching the other side: one incarnation of it, not just the current owner of its role.

use std::sync::atomic::{Ordering, fence};

use strait::format::inspect::channel_state;
use strait::{
    Region,
    format::Entry,
    port::{Ident, Liveness, Port, Probe},
};

use crate::error::Error;

/// A side of a transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Sender,
    Receiver,
}

impl Side {
    /// The one opposite.
    pub fn other(self) -> Self {
        match self {
            Self::Sender => Self::Receiver,
            Self::Receiver => Self::Sender,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
        }
    }
}

/// The owner of the role of `side`, and whether it is alive.
pub fn owner(attachment: &Region, entry: &Entry, side: Side) -> Option<(Ident, Probe)> {
    let port = attachment.port();
    let state = channel_state(port.mem(), attachment.header().line, entry);
    let owner = if side == Side::Sender { state.producer } else { state.consumer };
    owner.map(|who| (who, port.probe(who)))
}

/// The other side, as it was when the two met.
pub struct Watch {
    attachment: Region,
    entry: Entry,
    side: Side,
    who: Ident,
}

/// The state of the other side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Present,
    /// It has given its role back: it gave up, or is done.
    Left,
    /// It is proven dead.
    Died,
}

impl Watch {
    /// Watches the participant that has the role of `side`.
    pub fn new(attachment: &Region, entry: Entry, side: Side, who: Ident) -> Self {
        Self { attachment: attachment.clone(), entry, side, who }
    }

    /// The participant that is watched.
    pub fn who(&self) -> Ident {
        self.who
    }

    /// Looks. If the other side is gone, all that it did is visible by now.
    pub fn fate(&self) -> Fate {
        let fate = match owner(&self.attachment, &self.entry, self.side) {
            Some((who, Probe::Dead)) if who == self.who => Fate::Died,
            Some((who, _)) if who == self.who => Fate::Present,
            _ => Fate::Left,
        };
        // Its stores precede its release of the role, which was read without ordering.
        fence(Ordering::Acquire);
        fate
    }

    /// The error of a transfer that ended early, after this many bytes.
    pub fn error(&self, fate: Fate, bytes: u64) -> Error {
        let name = self.side.name();
        Error::failed(match fate {
            Fate::Died => format!("the {name} died after {bytes} bytes; start both sides again"),
            _ => {
                format!("the {name} gave up after {bytes} bytes; see its output, then start both sides again")
            }
        })
    }
}
