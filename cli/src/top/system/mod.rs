//! What differs between systems for a program that has the terminal to itself: signals, and what a terminal can show.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{guard, shows_unicode, stop};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{guard, shows_unicode, stop};
