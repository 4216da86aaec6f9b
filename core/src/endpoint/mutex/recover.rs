//! Recovering a mutex from its dead owner without knowing the type of its value.

use core::fmt;

use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::{Port, Probe};
use crate::ground::sync::in_order;
use crate::ground::sync::order::RELAXED;
use crate::protocol::Violation;
use crate::protocol::mutex::{self, Attempt, State};

use super::error::UnlockError;
use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::lock_word::CasMode;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::spans::DAMAGED;
use crate::endpoint::wait_policy::WakeCheck;

/// Result of [`Attachment::recover_mutex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nobody held the lock; nothing was done.
    WasFree,
    /// Its owner was dead. The value is the one last committed, and the lock is free.
    RolledBack {
        /// The dead owner.
        from: Ident,
    },
}

/// Error of [`Attachment::recover_mutex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoverError {
    /// There is no such mutex, or it cannot be used from here.
    Channel(ChannelError),
    /// Its owner lives, or cannot be proven dead. Nothing was changed.
    Held {
        /// The owner.
        owner: Ident,
        /// Its state, as far as known.
        probe: Probe,
    },
    /// Its owner died while it was editing the value in place. Nothing was changed: a program that knows
    /// the value must lock and repair it.
    InPlace {
        /// The dead owner.
        from: Ident,
    },
    /// The lock was given up, perhaps just now: a program that knows the value must re-initialise it.
    Poisoned,
    /// The lock changed hands during the call, or its hardware lock was unavailable. Try again.
    Changed,
    /// A peer wrote what no honest peer writes.
    Fault(Violation),
    /// The [hardware lock](Port::hardware_lock) was unavailable in the middle of the call: this
    /// participant holds the mutex until it ends.
    HardwareLock,
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(error) => error.fmt(f),
            Self::Held { owner, probe: Probe::Alive } => {
                write!(f, "{owner} has the lock and is alive; only a dead owner's lock is freed")
            }
            Self::Held { owner, .. } => {
                write!(f, "{owner} has the lock and is not proven dead; only a dead owner's lock is freed")
            }
            Self::InPlace { from } => {
                write!(
                    f,
                    "{from} died editing the lock's value in place; a program that knows the value must repair it"
                )
            }
            Self::Poisoned => {
                f.write_str("the lock was given up; a program that knows the value must re-initialise it")
            }
            Self::Changed => f.write_str("the lock changed hands during the call; try again"),
            Self::Fault(violation) => write!(
                f,
                "a peer broke the lock's protocol: {violation}; check that peer, and make the region anew"
            ),
            Self::HardwareLock => UnlockError::HardwareLock.fmt(f),
        }
    }
}

impl core::error::Error for RecoverError {}

impl From<ChannelError> for RecoverError {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

impl From<UnlockError> for RecoverError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::NotOwner => Self::Changed,
            UnlockError::Fault(violation) => Self::Fault(violation),
            UnlockError::HardwareLock => Self::HardwareLock,
            UnlockError::GivenUp => Self::Poisoned,
        }
    }
}

impl<P: Port> Attachment<P> {
    /// Frees a mutex whose owner is proven dead, whatever the type of its value, which is not touched:
    /// the last committed value stays. For tools; a program that uses the mutex learns of the death when
    /// it locks. One probe, and three compare-and-swaps.
    ///
    /// # Errors
    ///
    /// [`RecoverError`].
    pub fn recover_mutex(&self, name: &str) -> Result<Recovered, RecoverError> {
        let entry = self.channel(name)?;
        if entry.kind != Kind::Mutex {
            return Err(ChannelError::Kind { found: entry.kind }.into());
        }
        recover(self, &entry)
    }
}

fn recover<P: Port>(attachment: &Attachment<P>, entry: &Entry) -> Result<Recovered, RecoverError> {
    let port = attachment.port();
    let me = port.ident().ok_or(ChannelError::ReadOnly)?;
    let (means, instance) = (CasMode::of(port, entry)?, attachment.header().instance);
    let lock = ParkWord::of_lock(port, entry.block_c + offset::OWNER, instance, means).ok_or(DAMAGED)?;
    let takeovers = port.mem().word(entry.block_c + offset::TAKEOVERS).ok_or(DAMAGED)?;
    let in_place = port.mem().word(entry.block_a + offset::IN_PLACE).ok_or(DAMAGED)?;
    let changed = ParkWord::of_lock(port, entry.wait_b, instance, means);
    let word = &lock.shared(port);
    // ORDERING: Relaxed; the compare-and-swaps decide.
    let owner = match mutex::state(lock.word.load(RELAXED)) {
        State::Free => return Ok(Recovered::WasFree),
        State::Poisoned => return Err(RecoverError::Poisoned),
        State::Impossible => return Err(RecoverError::Fault(Violation::State)),
        State::Held { owner, .. } => owner,
    };
    let probe = port.probe(owner);
    if probe != Probe::Dead {
        return Err(RecoverError::Held { owner, probe });
    }
    // ORDERING: Relaxed; the proof of death synchronises with the dead owner's stores.
    if in_place.load(RELAXED) != 0 {
        return Err(RecoverError::InPlace { from: owner });
    }
    let from = match mutex::attempt(word, me, false, |who| if who == owner { probe } else { Probe::Unknown })
    {
        Attempt::OwnerDied { from } => from,
        Attempt::Poisoned => return Err(RecoverError::Poisoned),
        Attempt::Impossible => return Err(RecoverError::Fault(Violation::State)),
        Attempt::Locked => {
            // Another owner took it over and unlocked it.
            unlock(&lock, port)?;
            return Ok(Recovered::WasFree);
        }
        Attempt::Held(_) | Attempt::Deadlock | Attempt::Again => return Err(RecoverError::Changed),
    };
    // ORDERING: Relaxed; under the lock.
    takeovers.store(takeovers.load(RELAXED).wrapping_add(1), RELAXED);
    in_order();
    mutex::repaired(word, me).map_err(UnlockError::from)?;
    unlock(&lock, port)?;
    // The dead owner may have committed a change without waking its watchers, so wake them.
    if let Some(park_word) = &changed {
        park_word.wake_all(WakeCheck::Fenced, port);
    }
    Ok(Recovered::RolledBack { from })
}

fn unlock<P: Port>(lock: &ParkWord, port: &P) -> Result<(), RecoverError> {
    let me = port.ident().ok_or(ChannelError::ReadOnly)?;
    if mutex::unlock(&lock.shared(port), me).map_err(UnlockError::from)? {
        lock.wake_next(port);
    }
    Ok(())
}
