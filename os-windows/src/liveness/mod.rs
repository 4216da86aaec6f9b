//! Proof of life and death of participants.
//!
//! A participant's token is something that the kernel takes away with the last handle of its process,
//! whatever ends it, and after its last instruction. Only the kernel's answer for that very
//! incarnation counts, so neither a process id that is used again nor a forged table matters; any
//! error is [`Probe::Unknown`].
//!
//! | region | token | so |
//! | --- | --- | --- |
//! | in a file | a lock on one byte of the file, the same as on Linux | works between sessions and containers |
//! | without a file | an event whose name holds the region's instance and the identity | works within the namespace of the region's own name |
//!
//! A process id with its creation time would be no better proof, and worse in one case: it stands in
//! the table, where a liar may put a dead process's. An abandoned mutex tells only of the end of a
//! thread.
//!
//! An exception to "the kernel takes it away": a prober holds the dead one's name or byte for the
//! moment of the question. If he is stopped just then, the dead one counts as alive until he goes on.

mod event;
mod file;

use strait_core::port::{Ident, Probe, TokenRefused};
use strait_os_base::{OsError, proof_of};

pub(crate) use event::EventTokens;
pub(crate) use file::FileTokens;

/// The tokens that this handle holds in one region, and the means to probe others.
#[derive(Debug)]
pub enum Tokens {
    File(FileTokens),
    Event(EventTokens),
}

impl Tokens {
    /// See [`strait_core::port::Liveness::acquire`].
    pub fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        match self {
            Self::File(tokens) => tokens.acquire(who),
            Self::Event(tokens) => tokens.acquire(who),
        }
    }

    /// See [`strait_core::port::Liveness::release`].
    pub fn release(&self, who: Ident) {
        match self {
            Self::File(tokens) => tokens.release(who),
            Self::Event(tokens) => tokens.release(who),
        }
    }

    /// See [`strait_core::port::Liveness::probe`], whose contract this keeps: it returns `Dead` only where the kernel
    /// finds the token gone (L1, E1, E2).
    pub fn probe(&self, who: Ident) -> Probe {
        let found = match self {
            Self::File(tokens) => tokens.is_free(who),
            Self::Event(tokens) => tokens.is_free(who),
        };
        proof_of(found.ok())
    }
}

/// The kernel gave no answer that would be a proof.
#[derive(Clone, Copy, Debug)]
struct Unproven;

impl From<OsError> for Unproven {
    fn from(_: OsError) -> Self {
        Self
    }
}
