//! Shared by the programs here: the board, the port, and what the loader tells them.
#![no_std]

mod board;
pub mod mailbox;
mod port;
pub mod table;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub use board::entry;
pub use port::{Board, JoinError};

use drive_link::{CORE, Link};
use strait_core::{
    Attachment,
    format::{AttachError, Contents, FormatError, initialise},
    port::Mem,
};

/// How often the other side has rung this core.
static RUNG: AtomicU32 = AtomicU32::new(0);

/// Returns how often the other side's mailbox has rung, in this boot.
#[must_use]
pub fn rung() -> u32 {
    RUNG.load(Relaxed)
}

/// Notes that it has, where the board finds a ring.
#[cfg_attr(board = "cortex_m33", expect(dead_code, reason = "it has no mailbox"))]
fn note_ring() {
    RUNG.store(rung().wrapping_add(1), Relaxed); // No handler runs, so nobody else stores.
}

/// Looks for a region that somebody else has yet to create, before it is given up.
const LOOKS: u32 = 100_000_000;

/// Lays the region out for a controller that is firmware, whatever was there. Before anybody joins it.
///
/// # Errors
///
/// [`FormatError`].
///
/// # Panics
///
/// If no loader has said where the memory is.
pub fn create() -> Result<(), FormatError> {
    let shared = table::shared().unwrap_or_else(|error| panic!("{error}"));
    let base = core::ptr::NonNull::new(shared.start).expect("an address");
    // SAFETY: this memory belongs to the region alone, on every board here.
    let mem = unsafe { Mem::from_raw(base, shared.len) };
    initialise(&mem, &Link::<CORE>::PLAN, 1, Contents::Unknown)
}

/// Joins the region as the one program of `domain`, once it is there.
///
/// # Errors
///
/// [`JoinError`].
///
/// # Panics
///
/// If no loader has said where the memory is.
pub fn join(domain: u32) -> Result<Attachment<Board>, JoinError> {
    let shared = table::shared().unwrap_or_else(|error| panic!("{error}"));
    let mailbox = board::mailbox();
    let mut looks = 0;
    loop {
        // SAFETY: this memory belongs to the region alone, on every board here, and each program here
        // has a core and a domain of its own.
        match unsafe { Board::join(shared, domain, mailbox) } {
            Err(JoinError::Attach(AttachError::Uninitialised)) if looks < LOOKS => looks += 1,
            joined => return joined,
        }
    }
}
