//! The parts of the tool that differ between systems.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{
    apart, ending, has_started, longest_file, no_signal_for_long_files, pin, real_time, replace,
    sync_directory, was_killed,
};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{
    apart, ending, has_started, longest_file, no_signal_for_long_files, pin, real_time, replace,
    sync_directory, was_killed,
};
