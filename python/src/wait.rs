//! Waits: without the interpreter's lock, and in slices, so that Ctrl-C ends them.

use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use strait::error::WaitAnyError;
use strait::options::WaitPolicy;
use strait::{Waitable, wait_any};

use crate::errors::TimedOut;
use crate::port::Home;

/// How long a signal waits for its handler at most.
const SLICE: Duration = Duration::from_millis(50);

/// A time-out in seconds; `None` is no limit.
pub struct Timeout(Option<Instant>);

impl Timeout {
    pub fn seconds(seconds: Option<f64>) -> PyResult<Self> {
        let Some(seconds) = seconds else { return Ok(Self(None)) };
        if seconds.is_nan() || seconds < 0.0 {
            return Err(PyValueError::new_err(
                "the time-out must be a number of seconds, 0 or more; give None to wait without a limit",
            ));
        }
        // What is more than the clock can count is no limit.
        let limit = Duration::try_from_secs_f64(seconds).ok();
        Ok(Self(limit.and_then(|limit| Instant::now().checked_add(limit))))
    }

    fn left(&self) -> Duration {
        self.0.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }
}

/// Calls `step` until it returns something. It waits for as long as it is told and returns `None` if there was
/// nothing: first not at all, and then without the interpreter's lock.
pub fn until<T: Send>(
    py: Python<'_>,
    timeout: &Timeout,
    what: &'static str,
    mut step: impl FnMut(Duration) -> PyResult<Option<T>> + Send,
) -> PyResult<T> {
    if let Some(found) = step(Duration::ZERO)? {
        return Ok(found);
    }
    loop {
        let left = timeout.left();
        if left.is_zero() {
            return Err(TimedOut::new_err(what));
        }
        let slice = left.min(SLICE);
        if let Some(found) = py.detach(|| step(slice))? {
            return Ok(found);
        }
        py.check_signals()?;
    }
}

/// Waits for a slice until `receiver` has something, and leaves that where it is. Without the interpreter's lock.
pub fn ready(py: Python<'_>, port: &Home, receiver: &mut (dyn Waitable + Send)) -> bool {
    py.detach(|| {
        let mut look = |policy| wait_any(port, &mut [&mut *receiver], policy, SLICE);
        match look(WaitPolicy::parking()) {
            // The plan does not let it sleep.
            Err(WaitAnyError::NoDoorbell) => look(WaitPolicy::polling()).is_ok(),
            found => found.is_ok(),
        }
    })
}

/// The coroutine that receives from a consumer.
pub fn awaited(py: Python<'_>, consumer: Py<PyAny>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
    Timeout::seconds(timeout)?;
    Ok(py.import("strait._aio")?.call_method1("receive", (consumer, timeout))?.unbind())
}
