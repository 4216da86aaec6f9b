//! Where a Python object keeps its endpoint: used by one thread at a time, and closed at any time.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::PyResult;

use crate::errors::{Closed, InUse};

/// An endpoint, until it is closed. Python threads may share the object: a call during a call is refused, so this is
/// right with and without the interpreter's lock.
pub struct Shelf<T>(Mutex<Option<T>>);

impl<T> Shelf<T> {
    pub fn new(endpoint: T) -> Self {
        Self(Mutex::new(Some(endpoint)))
    }

    /// The place, which nobody else uses meanwhile.
    pub fn hold(&self) -> PyResult<MutexGuard<'_, Option<T>>> {
        match self.0.try_lock() {
            Ok(place) => Ok(place),
            Err(TryLockError::Poisoned(place)) => Ok(place.into_inner()),
            Err(TryLockError::WouldBlock) => Err(InUse::new_err(
                "another call uses this object now, of another thread or under a signal handler; open an endpoint \
                 for each thread",
            )),
        }
    }

    /// Uses the endpoint.
    pub fn with<R>(&self, using: impl FnOnce(&mut T) -> PyResult<R>) -> PyResult<R> {
        match &mut *self.hold()? {
            Some(endpoint) => using(endpoint),
            None => Err(closed()),
        }
    }

    /// Drops the endpoint, if it is still there.
    pub fn close(&self) -> PyResult<()> {
        drop(self.hold()?.take());
        Ok(())
    }

    /// Puts back what was taken out.
    pub fn put(&self, endpoint: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint);
    }
}

/// The error of an object that was closed.
pub fn closed() -> pyo3::PyErr {
    Closed::new_err("this object is closed; open another")
}
