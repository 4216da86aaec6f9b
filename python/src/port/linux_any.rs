//! Linux: an event loop waits for several receivers of one region, by its doorbell.

use std::cell::RefCell;
use std::future::Future;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::time::Duration;

use pyo3::prelude::*;
use strait::Waitable;
use strait::error::WaitAnyError;
use strait::options::WaitPolicy;

use super::Site;
use super::linux::{Home, PyAwaiting, polled};
use crate::any::Lent;
use crate::errors::Error;

/// Finds the numbers of the receivers that have something.
type Task = Pin<Box<dyn Future<Output = PyResult<Vec<usize>>>>>;

/// A wait of an event loop for several receivers, for `strait._aio`, as `_Awaiting` is one for one. It stays in the
/// loop's thread.
#[pyclass(unsendable, module = "strait", name = "_AwaitingAny")]
pub struct PyAwaitingAny {
    task: RefCell<Option<Task>>,
    home: Home,
}

#[pymethods]
impl PyAwaitingAny {
    /// The numbers of the receivers that have something, in a tuple; `None` if none has yet: then `wake` is called, from
    /// any thread, when it is time to ask again.
    fn poll(&self, wake: Py<PyAny>) -> PyResult<Option<(Vec<usize>,)>> {
        Ok(polled(&mut self.task.borrow_mut(), wake)?.map(|found| (found,)))
    }

    /// What the loop watches.
    fn bell(&self) -> PyAwaiting {
        PyAwaiting::bell_of(self.home.clone())
    }

    /// Gives the receivers back.
    fn close(&self) {
        *self.task.borrow_mut() = None;
    }
}

/// Awaits something at these receivers. `None` where a thread must wait: without a doorbell, with
/// receivers of several regions, and with one whose plan does not let it sleep.
pub fn any(mut lent: Vec<Box<dyn Lent>>) -> PyResult<Option<PyAwaitingAny>> {
    let Some(Site { home, rings: true }) = lent.first().map(|one| one.site().clone()) else {
        return Ok(None);
    };
    if lent.iter().any(|one| one.site().home.as_raw_fd() != home.as_raw_fd()) {
        return Ok(None);
    }
    {
        let mut waiting: Vec<&mut dyn Waitable> = lent.iter_mut().map(|one| one.receiver()).collect();
        let found = strait::wait::wait_ready(&home, &mut waiting, WaitPolicy::parking(), Duration::ZERO);
        if found.err() == Some(WaitAnyError::NoDoorbell) {
            return Ok(None);
        }
    }
    let port = home.clone();
    let task: Task = Box::pin(async move {
        let mut waiting: Vec<&mut dyn Waitable> = lent.iter_mut().map(|one| one.receiver()).collect();
        let found = strait::wait::ready(&port, &mut waiting, WaitPolicy::parking())
            .await
            .map_err(|error| Error::new_err(error.to_string()))?;
        Ok((0..waiting.len()).filter(|&index| found.contains(index)).collect())
    });
    Ok(Some(PyAwaitingAny { task: RefCell::new(Some(task)), home }))
}
