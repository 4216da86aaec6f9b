//! Model checking of strait's endpoints, and of your own code that uses them.
//!
//! Compile with `--cfg strait_loom`. Every endpoint then works unchanged over
//! a [`Region`] whose words are loom's atomics and whose payload bytes are tracked cells, so that a
//! read that races a write is found; waiting is scheduled by loom, so that a lost wake is a
//! deadlock that loom reports; and a participant can be [killed](Death) before any of its accesses
//! to the region.
//!
//! ```ignore
//! use strait::model::{self, loom};
//! model::each_death(|death| {
//!     let region = model::Region::new(&PLAN);
//!     let sender = region.join();
//!     let tx = loom::thread::spawn(move || {
//!         death.run(&sender.clone(), || my_sender(sender));
//!     });
//!     // ... what must hold whenever the sender dies
//! });
//! ```
//!
//! # Limits
//!
//! At most five threads. A `SeqCst` access counts as `AcqRel` (strait uses fences). A word's history
//! is seven stores long. There is no clock: a wait ends when it is woken, unless the region was made with
//! [`time_passes`](Region::time_passes). Load buffering is not modelled. Everything that a model does
//! must be the same in each of its runs: no random numbers, no real time, no other I/O.
//!
//! loom itself omits orders where a thread loads a word that others have loaded, and then stores it (its
//! issues 166 and 392). A region's words and a [`StaticQueue`](crate::StaticQueue)'s are searched in full
//! all the same; atomics of your own, taken from [`loom`], are not. And where three threads store to one
//! word, loom may report an impossible order (issue 282).

mod death;
mod port;
mod region;
mod shared;

pub use death::{Death, Died, each_death};
pub use loom;
pub use port::Port;
pub use region::Region;

pub use crate::ground::sync::used_orderings;

/// Runs `model` in every order of its threads' steps, without bound. See `loom::model`; its
/// environment variables bound the search where it takes too long.
pub fn check(model: impl Fn() + Sync + Send + 'static) {
    loom::model(model);
}
