//! Mutexes, and locks that are held.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Cell, PoisonError};

use pyo3::prelude::*;
use strait::LockError;

use crate::errors::{Busy, Deadlock, Poisoned, ToPython, WrongSize, raised};
use crate::held::{self, Bytes, Held, Locked, Thing, Ticket};
use crate::port::Home;
use crate::shelf::{Shelf, closed};
use crate::value::Codec;
use crate::wait::{Timeout, until};

/// ORDERING: nothing but the flag itself hangs on `is_closed`.
const RELAXED: Ordering = Ordering::Relaxed;

/// A value under a lock that survives its owner's death.
///
/// `with mutex as lock:` locks without a limit of time, `with mutex.lock(timeout=1) as lock:` with one. Threads that
/// contend for it need a region of their own each: a region is one participant, and the lock belongs to that.
#[pyclass(frozen, module = "strait", name = "Mutex")]
pub struct PyMutex {
    /// Empty while the lock is held: then the endpoint is with the lock.
    home: Arc<Shelf<Bytes>>,
    codec: Arc<Codec>,
    /// The locks that `with` took, innermost last.
    entered: Cell<Vec<Py<PyLock>>>,
    is_closed: AtomicBool,
}

impl PyMutex {
    pub fn new(mutex: strait::Mutex<[u8], Home>, codec: Codec) -> Self {
        Self {
            home: Arc::new(Shelf::new(mutex)),
            codec: Arc::new(codec),
            entered: Cell::default(),
            is_closed: false.into(),
        }
    }

    /// Why there is no endpoint.
    fn away(&self) -> PyErr {
        if self.is_closed.load(RELAXED) {
            return closed();
        }
        Deadlock::new_err(
            "this object has the lock already; unlock it first, and open a region for each thread",
        )
    }

    fn take(&self, py: Python<'_>, timeout: &Timeout) -> PyResult<PyLock> {
        held::sweep();
        if self.is_closed.load(RELAXED) {
            return Err(closed());
        }
        let mut guard = self.home.hold()?;
        let place = &mut *guard;
        if place.is_none() {
            return Err(self.away());
        }
        let home = &self.home;
        let locked = until(py, timeout, "somebody else held the lock for the whole time allowed", |slice| {
            match held::lock(place, home, slice)? {
                Ok(locked) => Ok(Some(locked)),
                Err(LockError::TimedOut | LockError::Busy) => Ok(None),
                Err(error) => Err(error.to_python()),
            }
        })?;
        let Locked { ticket, from, torn } = locked;
        Ok(PyLock {
            ticket: Cell::new(Some(ticket)),
            codec: self.codec.clone(),
            from: from.map(|ident| ident.word()),
            torn,
        })
    }
}

#[pymethods]
impl PyMutex {
    /// Locks, and waits for the lock for up to `timeout` seconds; without a limit if that is `None`. The lock is
    /// released at the end of its `with` block. Raises `TimedOut`, `Deadlock`, `Poisoned` or `Fault`.
    #[pyo3(signature = (*, timeout=None))]
    fn lock(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<PyLock> {
        self.take(py, &Timeout::seconds(timeout)?)
    }

    /// Locks without waiting. Raises `Busy`, `Deadlock`, `Poisoned` or `Fault`.
    fn try_lock(&self, py: Python<'_>) -> PyResult<PyLock> {
        let taken = self.take(py, &Timeout::seconds(Some(0.0))?);
        taken.map_err(|error| {
            if error.is_instance_of::<crate::errors::TimedOut>(py) {
                LockError::Busy.to_python()
            } else {
                error
            }
        })
    }

    /// Makes a mutex whose data was given up whole again, and locks it. Raises `Busy` if it is not poisoned.
    fn reinitialise(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let packed = self.codec.pack(value)?;
        let mut place = self.home.hold()?;
        let Some(mutex) = &mut *place else { return Err(self.away()) };
        match mutex.reinitialise(packed.as_bytes()) {
            Some(guard) => raised(guard.unlock()),
            None => {
                Err(Busy::new_err("the lock is not poisoned, so its data is whole; lock it to change it"))
            }
        }
    }

    /// Closes the mutex. A lock that is held stays so until it is released.
    fn close(&self) -> PyResult<()> {
        self.home.close()?;
        self.is_closed.store(true, RELAXED);
        Ok(())
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<Py<PyLock>> {
        let lock = Py::new(py, self.take(py, &Timeout::seconds(None)?)?)?;
        self.entered.lock().unwrap_or_else(PoisonError::into_inner).push(lock.clone_ref(py));
        Ok(lock)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        let lock = self.entered.lock().unwrap_or_else(PoisonError::into_inner).pop();
        lock.map_or(Ok(()), |lock| lock.get().close())
    }
}

/// A lock that is held, by the thread that took it.
#[pyclass(frozen, module = "strait", name = "Lock")]
pub struct PyLock {
    ticket: Cell<Option<Ticket>>,
    codec: Arc<Codec>,
    from: Option<u32>,
    torn: bool,
}

impl PyLock {
    fn with<R>(&self, using: impl FnOnce(&mut Held<'_>) -> PyResult<R>) -> PyResult<R> {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        ticket.as_ref().ok_or_else(held::given_back)?.with(|thing| match thing {
            Thing::Lock { cell, .. } => cell.with_dependent_mut(|_, held| using(held)),
            Thing::Permit { .. } => Err(held::given_back()),
        })
    }

    /// Unlocks, if that has not been done.
    fn close(&self) -> PyResult<()> {
        let mut place = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ticket) = place.take() else { return Ok(()) };
        match ticket.give_back() {
            Ok(unlocked) => unlocked,
            Err(ticket) => {
                // For its error.
                let said = ticket.with(|_| Ok(()));
                *place = Some(ticket);
                said
            }
        }
    }
}

#[pymethods]
impl PyLock {
    /// The value. Assigning stores a whole value and commits it: if this process dies later, the next owner gets it.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut bytes = self.codec.buffer();
        self.with(|held| {
            match held {
                Held::Whole(guard) => guard.get_into(&mut bytes),
                Held::Torn(recovery) => recovery.get_into(&mut bytes),
                Held::Gone => return Err(held::given_back()),
            }
            .map_err(|error| WrongSize::new_err(error.to_string()))
        })?;
        self.codec.unpack(py, &bytes)
    }

    #[setter]
    fn set_value(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let packed = self.codec.pack(value)?;
        let packed = packed.as_bytes();
        self.with(|held| match core::mem::replace(held, Held::Gone) {
            Held::Whole(mut guard) => {
                let set = guard.set_from(packed);
                *held = Held::Whole(guard);
                set.map_err(|error| WrongSize::new_err(error.to_string()))
            }
            Held::Torn(mut recovery) => {
                if let Err(error) = recovery.set_from(packed) {
                    *held = Held::Torn(recovery);
                    return Err(WrongSize::new_err(error.to_string()));
                }
                *held = Held::Whole(raised(recovery.mark_consistent())?);
                Ok(())
            }
            Held::Gone => Err(held::given_back()),
        })
    }

    /// Whether the lock was taken over from a dead owner. The value is the one that was committed last, unless
    /// `is_torn`.
    #[getter]
    fn owner_died(&self) -> bool {
        self.from.is_some()
    }

    /// The dead owner's identity, or `None`.
    #[getter]
    fn taken_over_from(&self) -> Option<u32> {
        self.from
    }

    /// Whether the dead owner was editing the value in place, so that it may be half old and half new. Assign a whole
    /// value; a lock that is released without that is poisoned. (Python never edits in place.)
    #[getter]
    fn is_torn(&self) -> PyResult<bool> {
        if !self.torn {
            return Ok(false);
        }
        self.with(|held| Ok(matches!(held, Held::Torn(_))))
    }

    /// How many times the value was committed, modulo 2^32.
    #[getter]
    fn version(&self) -> PyResult<u32> {
        self.with(|held| match held {
            Held::Whole(guard) => Ok(guard.version()),
            _ => Err(Poisoned::new_err("the dead owner left the value torn; assign a whole value first")),
        })
    }

    /// Unlocks. Raises `InUse` if another thread took the lock.
    fn unlock(&self) -> PyResult<()> {
        self.close()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.close()
    }
}

impl Drop for PyLock {
    fn drop(&mut self) {
        let place = self.ticket.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Of another thread: its entry is swept there.
        let _ = place.take().map(Ticket::give_back);
    }
}
