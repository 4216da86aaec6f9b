//! The port of a region that Python has open: on Linux one through which the tasks of an event loop can sleep.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod linux_any;
#[cfg(target_os = "linux")]
pub use linux::{Doorbells, Home, PyAwaiting, attach, doorbell, event, frames, latest, system, values};
#[cfg(target_os = "linux")]
pub use linux_any::{PyAwaitingAny, any};

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub use other::{
    Doorbells, Home, PyAwaiting, PyAwaitingAny, any, attach, doorbell, event, frames, latest, system, values,
};

/// Where a receiver waits.
#[derive(Clone)]
pub struct Site {
    pub home: Home,
    /// Whether its senders ring the region's doorbell, so that an event loop can wait without a thread.
    pub rings: bool,
}
