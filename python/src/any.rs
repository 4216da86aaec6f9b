//! Waiting for several receivers at once.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use strait::Waitable;
use strait::error::WaitAnyError;
use strait::options::WaitPolicy;

use crate::errors::Error;
use crate::event::{Listening, PyListener};
use crate::frames::{self, PyConsumer};
use crate::latest::{Looking, PyLatestReader};
use crate::port::{self, PyAwaitingAny, Site};
use crate::shelf::{Lease, Shelf};
use crate::typed::{self, PyTypedConsumer};
use crate::wait::{Timeout, until};

/// A receiver that was taken off its shelf for the time of the wait.
pub trait Lent: Send {
    fn receiver(&mut self) -> &mut dyn Waitable;
    fn site(&self) -> &Site;
}

macro_rules! lent {
    ($($held:ty, $field:ident;)+) => {$(
        impl Lent for Lease<$held> {
            fn receiver(&mut self) -> &mut dyn Waitable {
                &mut self.$field
            }

            fn site(&self) -> &Site {
                &self.site
            }
        }
    )+};
}
lent! {
    frames::Receiving, consumer;
    typed::Receiving, consumer;
    Looking, reader;
    Listening, listener;
}

fn lend(object: &Bound<'_, PyAny>) -> PyResult<Box<dyn Lent>> {
    fn boxed<T: Send + 'static>(end: &Arc<Shelf<T>>) -> PyResult<Box<dyn Lent>>
    where
        Lease<T>: Lent,
    {
        Ok(Box::new(Shelf::lend(end)?))
    }
    if let Ok(consumer) = object.cast::<PyConsumer>() {
        return boxed(&consumer.get().0);
    }
    if let Ok(consumer) = object.cast::<PyTypedConsumer>() {
        return boxed(consumer.get().end());
    }
    if let Ok(reader) = object.cast::<PyLatestReader>() {
        return boxed(reader.get().end());
    }
    if let Ok(listener) = object.cast::<PyListener>() {
        return boxed(&listener.get().0);
    }
    Err(PyTypeError::new_err("a receiver is a Consumer, TypedConsumer, LatestReader or Listener"))
}

/// Waits for up to `timeout` seconds until one of these receivers has something, and returns the first that has;
/// without a limit if that is `None`. What it has is still to be received. Raises `TimedOut`.
///
/// Receivers are consumers, readers of latest values and listeners to events, of one region or several. Put the urgent
/// ones in front; `wait_ready` lets none starve. One whose waits end with its peer counts as having something when that
/// peer is gone.
#[pyfunction]
#[pyo3(signature = (receivers, *, timeout=None))]
pub fn wait_any(
    py: Python<'_>,
    receivers: Vec<Bound<'_, PyAny>>,
    timeout: Option<f64>,
) -> PyResult<Py<PyAny>> {
    let found = wait(py, &receivers, timeout, |site, waiting, policy, slice| {
        strait::wait_any(&site.home, waiting, policy, slice)
    })?;
    receivers
        .into_iter()
        .nth(found)
        .map(Bound::unbind)
        .ok_or_else(|| Error::new_err("there is no such receiver"))
}

/// As `wait_any`, and returns a list of all receivers that have something. At most 128 at once.
#[pyfunction]
#[pyo3(signature = (receivers, *, timeout=None))]
pub fn wait_ready(
    py: Python<'_>,
    receivers: Vec<Bound<'_, PyAny>>,
    timeout: Option<f64>,
) -> PyResult<Vec<Py<PyAny>>> {
    let found = wait(py, &receivers, timeout, |site, waiting, policy, slice| {
        strait::wait::wait_ready(&site.home, waiting, policy, slice)
    })?;
    let ready = receivers.into_iter().enumerate().filter(|(index, _)| found.contains(*index));
    Ok(ready.map(|(_, receiver)| receiver.unbind()).collect())
}

/// As `wait_any`, in a coroutine of asyncio: the event loop goes on meanwhile. What the receiver has is still to be
/// received; one that is cancelled has received nothing. Without a thread if all receivers, at most 128, are of one region
/// that has a doorbell.
#[pyfunction]
#[pyo3(signature = (receivers, *, timeout=None))]
pub fn await_any(
    py: Python<'_>,
    receivers: Vec<Bound<'_, PyAny>>,
    timeout: Option<f64>,
) -> PyResult<Py<PyAny>> {
    awaited_at(py, "any_of", receivers, timeout)
}

/// As `await_any`, and returns a list of all receivers that have something.
#[pyfunction]
#[pyo3(signature = (receivers, *, timeout=None))]
pub fn await_ready(
    py: Python<'_>,
    receivers: Vec<Bound<'_, PyAny>>,
    timeout: Option<f64>,
) -> PyResult<Py<PyAny>> {
    awaited_at(py, "all_of", receivers, timeout)
}

fn awaited_at(
    py: Python<'_>,
    coroutine: &str,
    receivers: Vec<Bound<'_, PyAny>>,
    timeout: Option<f64>,
) -> PyResult<Py<PyAny>> {
    Timeout::seconds(timeout)?;
    Ok(py.import("strait._aio")?.call_method1(coroutine, (receivers, timeout))?.unbind())
}

/// What awaits several receivers without a thread, if that can be.
#[pyfunction]
pub fn _await_any(receivers: Vec<Bound<'_, PyAny>>) -> PyResult<Option<PyAwaitingAny>> {
    port::any(receivers.iter().map(lend).collect::<PyResult<_>>()?)
}

fn wait<R: Send>(
    py: Python<'_>,
    receivers: &[Bound<'_, PyAny>],
    timeout: Option<f64>,
    look: impl Fn(&Site, &mut [&mut dyn Waitable], WaitPolicy, core::time::Duration) -> Result<R, WaitAnyError>
    + Sync,
) -> PyResult<R> {
    let timeout = Timeout::seconds(timeout)?;
    let mut lent = receivers.iter().map(lend).collect::<PyResult<Vec<_>>>()?;
    let Some(site) = lent.first().map(|first| first.site().clone()) else {
        return Err(PyValueError::new_err("there is no receiver to wait for; give one at least"));
    };
    until(py, &timeout, "all receivers had nothing in the time allowed", |slice| {
        let mut waiting: Vec<&mut dyn Waitable> = lent.iter_mut().map(|one| one.receiver()).collect();
        let mut found = look(&site, &mut waiting, WaitPolicy::parking(), slice);
        if found.as_ref().err() == Some(&WaitAnyError::NoDoorbell) {
            // The plan of one does not let it sleep.
            found = look(&site, &mut waiting, WaitPolicy::polling(), slice);
        }
        match found {
            Ok(found) => Ok(Some(found)),
            Err(WaitAnyError::TimedOut) => Ok(None),
            Err(error) => Err(Error::new_err(error.to_string())),
        }
    })
}
