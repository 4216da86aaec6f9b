//! The parts of the tool that differ between systems.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{
    apart, ending, has_started, longest_file, pin, real_time, sync_directory, to_join, was_killed,
};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{
    apart, ending, has_started, longest_file, pin, real_time, sync_directory, to_join, was_killed,
};
