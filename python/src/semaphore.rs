//! Semaphores and permits.

use std::sync::{Arc, Mutex as Cell, PoisonError};

use pyo3::prelude::*;
use strait::error::SemaphoreError;
use strait::{Permits, Semaphore};

use crate::errors::{Deadlock, ToPython, raised};
use crate::held::{self, Acquired, Ticket};
use crate::port::Home;
use crate::shelf::Shelf;
use crate::wait::{Timeout, until};

const TIMED_OUT: &str = "nothing could be acquired in the time allowed";

/// A counting semaphore: for signals. What a dead process acquired stays acquired; see `Permits`.
#[pyclass(frozen, module = "strait", name = "Semaphore")]
pub struct PySemaphore(pub Shelf<Semaphore<Home>>);

#[pymethods]
impl PySemaphore {
    /// Takes one, without waiting. Raises `Empty` or `Contended`.
    fn try_acquire(&self) -> PyResult<()> {
        self.0.with(|semaphore| raised(semaphore.try_acquire()))
    }

    /// Takes one, and waits for it for up to `timeout` seconds; without a limit if that is `None`. Raises `TimedOut`.
    #[pyo3(signature = (*, timeout=None))]
    fn acquire(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = Timeout::seconds(timeout)?;
        self.0.with(|semaphore| {
            until(py, &timeout, TIMED_OUT, |slice| match semaphore.acquire_timeout(slice) {
                Ok(()) => Ok(Some(())),
                Err(SemaphoreError::TimedOut | SemaphoreError::Empty | SemaphoreError::Contended) => Ok(None),
                Err(error) => Err(error.to_python()),
            })
        })
    }

    /// Adds `count`. Raises `Overflow` if the count would pass its maximum.
    #[pyo3(signature = (count=1))]
    fn release(&self, count: u32) -> PyResult<()> {
        self.0.with(|semaphore| raised(semaphore.release(count)))
    }

    /// The count now.
    #[getter]
    fn count(&self) -> PyResult<u32> {
        self.0.with(|semaphore| Ok(semaphore.count()))
    }

    /// Closes the endpoint.
    fn close(&self) -> PyResult<()> {
        self.0.close()
    }
}

/// A semaphore whose permits come back when their holder dies. An object holds one permit at a time.
#[pyclass(frozen, module = "strait", name = "Permits")]
pub struct PyPermits {
    /// Empty while a permit is held: then the endpoint is with the permit.
    home: Arc<Shelf<Permits<Home>>>,
}

impl PyPermits {
    pub fn new(permits: Permits<Home>) -> Self {
        Self { home: Arc::new(Shelf::new(permits)) }
    }
}

#[pymethods]
impl PyPermits {
    /// Takes a permit, and waits for it for up to `timeout` seconds; without a limit if that is `None`, not at all if it
    /// is 0. It is given back at the end of its `with` block. Raises `TimedOut`.
    #[pyo3(signature = (*, timeout=None))]
    fn acquire(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<PyPermit> {
        let timeout = Timeout::seconds(timeout)?;
        held::sweep();
        let mut guard = self.home.hold()?;
        let place = &mut *guard;
        if place.is_none() {
            return Err(Deadlock::new_err("this object holds a permit already; release it, or open another"));
        }
        let home = &self.home;
        let acquired = until(py, &timeout, TIMED_OUT, |slice| match held::acquire(place, home, slice)? {
            Ok(acquired) => Ok(Some(acquired)),
            Err(SemaphoreError::TimedOut | SemaphoreError::Empty | SemaphoreError::Contended) => Ok(None),
            Err(error) => Err(error.to_python()),
        })?;
        let Acquired { ticket, index, from } = acquired;
        Ok(PyPermit { ticket: Cell::new(Some(ticket)), index, from: from.map(|ident| ident.word()) })
    }
}

/// A permit that is held, by the thread that took it.
#[pyclass(frozen, module = "strait", name = "Permit")]
pub struct PyPermit {
    ticket: Cell<Option<Ticket>>,
    /// Which permit, from 0.
    #[pyo3(get)]
    index: u32,
    from: Option<u32>,
}

#[pymethods]
impl PyPermit {
    /// The identity of the dead holder from which the permit was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> Option<u32> {
        self.from
    }

    /// Gives the permit back. Raises `InUse` if another thread took it.
    fn release(&self) -> PyResult<()> {
        let mut place = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ticket) = place.take() else { return Ok(()) };
        match ticket.give_back() {
            Ok(released) => released,
            Err(ticket) => {
                // For its error.
                let said = ticket.with(|_| Ok(()));
                *place = Some(ticket);
                said
            }
        }
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.release()
    }
}

impl Drop for PyPermit {
    fn drop(&mut self) {
        let place = self.ticket.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Of another thread: its entry is swept there.
        let _ = place.take().map(Ticket::give_back);
    }
}
