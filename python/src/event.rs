//! Events: something has happened, so often, and this was the last code.

use std::sync::Arc;

use pyo3::prelude::*;
use strait::value::Notified;
use strait::{Listener, Notifier};

use crate::errors::Empty;
use crate::port::{self, Home, PyAwaiting, Site};
use crate::shelf::Shelf;
use crate::wait::{Timeout, awaited, ready, until};

/// The side of an event that notifies. One at a time has the role, over all processes.
#[pyclass(frozen, module = "strait", name = "Notifier")]
pub struct PyNotifier(pub Shelf<Notifier<Home>>);

#[pymethods]
impl PyNotifier {
    /// Notifies all listeners, with a code for the newest. Never waits.
    #[pyo3(signature = (code=0))]
    fn notify(&self, code: u32) -> PyResult<()> {
        self.0.with(|notifier| {
            notifier.notify(code);
            Ok(())
        })
    }

    /// How often the event was notified, by all notifiers so far.
    #[getter]
    fn total(&self) -> PyResult<u64> {
        self.0.with(|notifier| Ok(notifier.total()))
    }

    /// The identity of the dead participant from which the role was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> PyResult<Option<u32>> {
        self.0.with(|notifier| Ok(notifier.taken_over_from().map(|ident| ident.word())))
    }

    /// Gives the role back.
    fn close(&self) -> PyResult<()> {
        self.0.close()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.0.close()
    }
}

/// What has happened since a listener looked last.
#[pyclass(frozen, get_all, module = "strait", name = "Notified")]
pub struct PyNotified {
    /// How many notifications there were.
    count: u64,
    /// The code of the newest one.
    code: u32,
}

impl From<Notified> for PyNotified {
    fn from(notified: Notified) -> Self {
        Self { count: notified.count.get(), code: notified.code }
    }
}

#[pymethods]
impl PyNotified {
    fn __repr__(&self) -> String {
        format!("Notified(count={}, code={})", self.count, self.code)
    }
}

/// A listener, and where it waits.
pub struct Listening {
    pub listener: Listener<Home>,
    pub site: Site,
}

/// A side of an event that is notified. There can be any number; it counts from the moment it is opened, and stores
/// nothing in the region.
#[pyclass(frozen, module = "strait", name = "Listener")]
pub struct PyListener(pub Arc<Shelf<Listening>>);

#[pymethods]
impl PyListener {
    /// What has been notified since the last look, without waiting. Raises `Empty` if nothing.
    fn try_wait(&self) -> PyResult<PyNotified> {
        self.0.with(|this| match this.listener.try_wait() {
            Some(notified) => Ok(notified.into()),
            None => {
                Err(Empty::new_err("nothing was notified since the last look; wait, or look again later"))
            }
        })
    }

    /// Waits for a notification for up to `timeout` seconds; without a limit if that is `None`. Raises `TimedOut`.
    #[pyo3(signature = (*, timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<PyNotified> {
        let timeout = Timeout::seconds(timeout)?;
        self.0.with(|this| {
            until(py, &timeout, "nothing was notified in the time allowed", |slice| {
                if slice.is_zero() {
                    return Ok(this.listener.try_wait().map(PyNotified::from));
                }
                Ok(this.listener.wait_timeout(slice).map(PyNotified::from))
            })
        })
    }

    /// The same in a coroutine of asyncio. One that is cancelled has counted nothing.
    #[pyo3(signature = (*, timeout=None))]
    fn await_(this: Py<Self>, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        awaited(py, this.into_any(), timeout)
    }

    /// What awaits it without a thread, if the region has a doorbell.
    fn _await(&self) -> PyResult<Option<PyAwaiting>> {
        port::event(&self.0)
    }

    /// Waits a moment until something has happened, and does not count it.
    fn _ready(&self, py: Python<'_>) -> PyResult<bool> {
        self.0.with(|this| Ok(ready(py, &this.site.home, &mut this.listener)))
    }

    /// As `wait`, without waiting.
    fn _take(&self, py: Python<'_>) -> PyResult<PyNotified> {
        self.wait(py, Some(0.0))
    }

    /// How many notifications this listener has counted, from the first that there ever was.
    #[getter]
    fn total(&self) -> PyResult<u64> {
        self.0.with(|this| Ok(this.listener.total()))
    }

    /// The notifier: "absent", "present" or "dead".
    #[getter]
    fn notifier(&self) -> PyResult<&'static str> {
        self.0.with(|this| Ok(crate::peer(this.listener.notifier())))
    }

    /// Closes the listener.
    fn close(&self) -> PyResult<()> {
        self.0.close()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.0.close()
    }
}
