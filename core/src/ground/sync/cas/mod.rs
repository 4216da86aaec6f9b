//! Compare-and-swap of a word, for claims and locks. Messages never need it.

#[cfg(target_has_atomic = "32")]
mod native;
#[cfg(target_has_atomic = "32")]
pub use native::compare_exchange;

#[cfg(not(target_has_atomic = "32"))]
mod section;
#[cfg(not(target_has_atomic = "32"))]
pub use section::compare_exchange;
