//! Shared by the programs here: the board and the port.
#![no_std]

mod board;
mod port;

pub use board::entry;
pub use port::{Board, JoinError};

use drive_link::{CORE, Link};
use strait_core::{
    Attachment,
    format::{AttachError, Contents, FormatError, initialise},
    port::Mem,
};

/// Bytes of the shared memory that are kept for the region.
const SHARED_LEN: u32 = 1 << 20;
const _: () = assert!(Link::<CORE>::PLAN.size() <= SHARED_LEN as usize);

/// Looks for a region that somebody else has yet to create, before it is given up.
const LOOKS: u32 = 100_000_000;

/// Lays the region out for a controller that is firmware, whatever was there. Before anybody joins it.
///
/// # Errors
///
/// [`FormatError`].
pub fn create() -> Result<(), FormatError> {
    let base = core::ptr::NonNull::new(board::SHARED).expect("an address");
    // SAFETY: this memory belongs to the region alone, on every board here.
    let mem = unsafe { Mem::from_raw(base, SHARED_LEN) };
    initialise(&mem, &Link::<CORE>::PLAN, 1, Contents::Unknown)
}

/// Joins the region as the one program of `domain`, once it is there.
///
/// # Errors
///
/// [`JoinError`].
pub fn join(domain: u32) -> Result<Attachment<Board>, JoinError> {
    let mut looks = 0;
    loop {
        // SAFETY: this memory belongs to the region alone, on every board here, and each program here
        // has a core and a domain of its own.
        match unsafe { Board::join(board::SHARED, SHARED_LEN, domain) } {
            Err(JoinError::Attach(AttachError::Uninitialised)) if looks < LOOKS => looks += 1,
            joined => return joined,
        }
    }
}
