//! The real backend: words are atomics in raw memory.
//!
//! # Invariants
//!
//! - M1. `Mem::base` points to `len` bytes, valid for reads (and for writes, unless nothing is ever
//!   stored) for as long as any handle made from it is used ([`Mem::from_raw`]). Attaching checks their
//!   alignment; a word checks it again.
//! - M2. All access to those bytes is atomic, so a peer that writes at any moment causes wrong
//!   values at worst, never a data race.
//! - M3. Every offset is checked against the length before it becomes a pointer.
//! - M4. What is handed out of this crate borrows its `Mem`. The handles without a lifetime ([`WordRef`] of a
//!   region, [`Span`], a second `Mem`) are made within this crate alone, by endpoints that keep a clone of the
//!   port beside them, or by an unsafe function.

mod cell;
mod mem;
mod span;
mod word;

pub use cell::Cell;
pub use core::hint::spin_loop;
pub use mem::{Mem, Part};
pub use span::Span;
pub use word::{Word, WordRef, fence, in_order};

/// How often to look before anything else.
#[inline(always)]
#[must_use]
pub fn spins(asked: u32) -> u32 {
    asked
}

/// A point before a store to shared memory, at which a test can end the program.
#[inline(always)]
fn crash_point() {
    #[cfg(strait_crash_points)]
    super::crash::point();
}

/// Whether slices of the memory itself are available at all.
pub const HAS_SLICES: bool = true;

/// A `const fn` where the backend allows it.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis const fn $($rest)*
    };
}
pub(crate) use const_fn;
