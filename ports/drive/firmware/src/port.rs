//! The port: shared memory, a mailbox, and a core that is alone in its domain and comes back after a reset. This is
//! what to supply for a board of your own.

use core::fmt;
use core::ops::RangeInclusive;
use core::ptr::NonNull;
use core::time::Duration;

use strait_core::format::participants::{self, Card, TableFull};
use strait_core::{
    Attachment,
    format::{AttachError, Header},
    port::{Clock, Ident, Liveness, Mem, Port, Probe, RELAXED, TokenRefused, Wait, WaitPoint},
};

use crate::mailbox::Mailbox;
use crate::table::Shared;

/// Why the region could not be joined.
#[derive(Debug)]
pub enum JoinError {
    /// The content of the memory.
    Attach(AttachError),
    /// No place left.
    Table(TableFull),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attach(error) => error.fmt(f),
            Self::Table(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JoinError {}

/// A participant that is the whole program of its core.
pub struct Board {
    mem: Mem,
    domain: u32,
    /// The domain's places in the participant table: this core's, boot after boot.
    own: RangeInclusive<u32>,
    me: Option<Ident>,
    mailbox: &'static dyn Mailbox,
    /// How often this core has joined, this time included.
    pub boot: u32,
}

impl Clone for Board {
    fn clone(&self) -> Self {
        // SAFETY: it is memory for as long as there is power.
        let mem = unsafe { self.mem.share() };
        Self { mem, own: self.own.clone(), ..*self }
    }
}

impl Board {
    /// Takes part in the region in this memory, as the one program of `domain`; sleeps, and wakes the others, by this
    /// mailbox.
    ///
    /// # Errors
    ///
    /// [`JoinError`]; `Attach(Uninitialised)` until the region's creator is done.
    ///
    /// # Safety
    ///
    /// It must be memory that nothing else in this program touches. No other program may join as `domain`
    /// for as long as this one runs: on one core that is a matter of giving the core a domain of its own.
    pub unsafe fn join(
        shared: Shared,
        domain: u32,
        mailbox: &'static dyn Mailbox,
    ) -> Result<Attachment<Self>, JoinError> {
        let base = NonNull::new(shared.start).ok_or(JoinError::Attach(AttachError::Uninitialised))?;
        // SAFETY: the caller's promise; it is memory for as long as there is power.
        let mem = unsafe { Mem::from_raw(base, shared.len) };
        let header = Header::check(&mem).map_err(JoinError::Attach)?;
        let own = participants::places_of(&mem, &header, domain);
        let mut board = Self { mem, domain, own, me: None, mailbox, boot: 0 };
        let last = participants::list(&board.mem, &header, &board)
            .filter(|one| one.domain == domain)
            .map(|one| one.card.boot)
            .max();
        board.boot = last.unwrap_or(0).wrapping_add(1);
        let card = Card { boot: board.boot, ..Card::default() };
        let me = participants::join(&board.mem, &header, domain, &board, card).map_err(JoinError::Table)?;
        board.me = Some(me);
        Attachment::attach(board).map_err(JoinError::Attach)
    }
}

/// A mailbox is one for all words: whoever sleeps looks again when it rings.
impl Wait for Board {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.wait_any(&[(point, expected)], timeout);
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        // ORDERING: Relaxed; the caller looks again at what it waits for, with its own ordering.
        self.mailbox
            .sleep(timeout, &|| points.iter().all(|(point, expected)| point.word.load(RELAXED) == *expected));
    }

    fn wake(&self, _: WaitPoint<'_>) {
        self.mailbox.ring();
    }

    fn pause(&self, how_long: Duration) {
        self.mailbox.sleep(how_long, &|| true);
    }
}

impl Clock for Board {
    fn now_ns(&self) -> u64 {
        self.mailbox.now_ns()
    }
}

// SAFETY: only this core joins as its domain, and it runs one program at a time, this one. So the
// previous holder of one of the domain's places is this core before its last reset, and is no more; and its
// stores, which went straight to the memory, came before the reset. It proves nothing of other domains.
unsafe impl Liveness for Board {
    unsafe fn acquire(&self, _: Ident) -> Result<(), TokenRefused> {
        Ok(())
    }

    unsafe fn release(&self, _: Ident) {}

    fn probe(&self, who: Ident) -> Probe {
        match self.me {
            _ if !self.own.contains(&who.place()) => Probe::Unknown,
            Some(me) if me == who => Probe::Alive,
            _ => Probe::Dead,
        }
    }
}

// SAFETY: the memory is there for as long as there is power, and never moves. The identity is set once,
// before anybody else sees the port, and nobody else can get it.
unsafe impl Port for Board {
    // Nothing forks here.
    const CAN_FORK: bool = false;

    fn mem(&self) -> &Mem {
        &self.mem
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }

    fn domain(&self) -> u32 {
        self.domain
    }
}
