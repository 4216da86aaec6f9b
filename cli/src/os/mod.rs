//! The parts of the tool that differ between systems.

#[cfg(unix)]
mod unix;
#[cfg(all(unix, feature = "record"))]
pub use unix::standard_output;
#[cfg(unix)]
pub use unix::{
    apart, ending, has_started, longest_file, no_signal_for_long_files, pin, real_time, replace,
    sync_directory, to_join, was_killed,
};

#[cfg(windows)]
mod windows;
#[cfg(all(windows, feature = "record"))]
pub use windows::standard_output;
#[cfg(windows)]
pub use windows::{
    apart, ending, has_started, longest_file, no_signal_for_long_files, pin, real_time, replace,
    sync_directory, to_join, was_killed,
};
