//! The native half of the Python package `strait`. The other half, in `python/strait`, declares types and exceptions.
//!
//! Every object keeps its endpoint behind a lock that is tried and never waited for (see `shelf`), and waits run
//! without the interpreter's lock. There is no `unsafe` code here but for a line in `port/linux.rs`.

mod any;
mod described;
mod errors;
mod event;
mod frames;
mod held;
mod latest;
mod mutex;
mod plan;
mod port;
mod region;
mod semaphore;
mod shelf;
mod typed;
mod value;
mod wait;

use pyo3::prelude::*;
use strait::PeerStatus;

/// The other end of a channel, in a word.
fn peer(status: PeerStatus) -> &'static str {
    match status {
        PeerStatus::Absent => "absent",
        PeerStatus::Present => "present",
        PeerStatus::Dead => "dead",
    }
}

/// The module `strait._strait`.
#[pymodule(gil_used = false)]
mod _strait {
    #[pymodule_export]
    use super::any::{_await_any, await_any, await_ready, wait_any, wait_ready};
    #[pymodule_export]
    use super::event::{PyListener, PyNotified, PyNotifier};
    #[pymodule_export]
    use super::frames::{PyConsumer, PyProducer};
    #[pymodule_export]
    use super::latest::{PyLatestReader, PyLatestWriter, PyReading};
    #[pymodule_export]
    use super::mutex::{PyLock, PyMutex};
    #[pymodule_export]
    use super::plan::{
        PyChannel, PyPlan, compact, event, frames, latest, latest_bytes, mutex, permits, semaphore, slots,
    };
    #[pymodule_export]
    use super::port::{PyAwaiting, PyAwaitingAny, doorbell};
    #[pymodule_export]
    use super::region::PyRegion;
    #[pymodule_export]
    use super::semaphore::{PyPermit, PyPermits, PySemaphore};
    #[pymodule_export]
    use super::typed::{PyTypedConsumer, PyTypedProducer};
    #[pymodule_export]
    use super::value::shape_hash;
}
