//! Cancelling a thread (`pthread_cancel`) takes effect between calls of this interface, and never within one.
//!
//! A call that opens, closes or sleeps makes system calls that are cancellation points. A thread that ended in one
//! would leave a descriptor, a place in the participant table or a gate behind, or end the program, as the unwinding
//! of a cancelled thread may not pass through Rust. All other calls have no cancellation point in them.

#[cfg(all(unix, feature = "os", not(target_os = "android")))]
mod unix;
#[cfg(all(unix, feature = "os", not(target_os = "android")))]
pub(crate) use unix::HeldOff;

#[cfg(not(all(unix, feature = "os", not(target_os = "android"))))]
mod fallback;
#[cfg(not(all(unix, feature = "os", not(target_os = "android"))))]
pub(crate) use fallback::HeldOff;
