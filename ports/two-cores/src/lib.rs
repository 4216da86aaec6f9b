//! Two Cortex-M33 that share memory: as one domain, where they compare and swap one word, and as two,
//! where they only load and store.
//!
//! The second core is started anew again and again, at any instruction, and comes back; the first one
//! recovers what it held.
//!
//! # What an emulator cannot prove
//!
//! QEMU runs a guest's loads, stores and exclusives as the host's, on coherent memory. So that the two
//! cores of a real part are one domain (whether its bus has a global exclusive monitor that covers this
//! memory), that they see one another's stores without cache maintenance, and that its barriers reach as
//! far as they must, is for the part's manual to say, and not for this program. The lock register is a
//! word that is taken by an exclusive, which a real one is not. And QEMU cannot reset one core alone: a
//! watchdog's interrupt enters at the core's reset vector and never returns, with an empty stack. To
//! the memory that is the same, but for stores that a real reset might lose on their way: a port for
//! such a part must know whether it does.
#![no_std]

mod board;
mod port;
mod trial;

pub use trial::{Kind, first};
