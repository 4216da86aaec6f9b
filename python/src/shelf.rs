//! Where a Python object keeps its endpoint: used by one thread at a time, and closed at any time.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::PyResult;

use crate::errors::{Closed, InUse};

/// ORDERING: `is_lent` only chooses the words of an error, and is changed and read under the lock.
const RELAXED: Ordering = Ordering::Relaxed;

/// An endpoint, until it is closed. Python threads may share the object: a call during a call is refused, so this is
/// right with and without the interpreter's lock.
pub struct Shelf<T> {
    place: Mutex<Option<T>>,
    /// Whether the endpoint is away with a wait, and comes back.
    is_lent: AtomicBool,
}

impl<T> Shelf<T> {
    pub fn new(endpoint: T) -> Self {
        Self { place: Mutex::new(Some(endpoint)), is_lent: false.into() }
    }

    /// The place, which nobody else uses meanwhile.
    pub fn hold(&self) -> PyResult<MutexGuard<'_, Option<T>>> {
        let place = match self.place.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(place)) => place.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(in_use()),
        };
        if self.is_lent.load(RELAXED) { Err(in_use()) } else { Ok(place) }
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
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(endpoint);
        self.is_lent.store(false, RELAXED);
    }

    /// Takes the endpoint away for a wait. Until it is back, others get `InUse`.
    pub fn lend(this: &Arc<Self>) -> PyResult<Lease<T>> {
        let mut place = this.hold()?;
        let endpoint = place.take().ok_or_else(closed)?;
        this.is_lent.store(true, RELAXED);
        Ok(Lease { endpoint: Some(endpoint), home: this.clone() })
    }
}

/// An endpoint that is away from its shelf. Dropping this puts it back.
pub struct Lease<T> {
    /// There until the drop.
    endpoint: Option<T>,
    home: Arc<Shelf<T>>,
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.endpoint.as_ref().expect("only the drop takes it")
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.endpoint.as_mut().expect("only the drop takes it")
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.home.put(endpoint);
        }
    }
}

fn in_use() -> pyo3::PyErr {
    InUse::new_err(
        "another call uses this object now, of another thread, under a signal handler or awaited; open an endpoint for \
         each",
    )
}

/// The error of an object that was closed.
pub fn closed() -> pyo3::PyErr {
    Closed::new_err("this object is closed; open another")
}
