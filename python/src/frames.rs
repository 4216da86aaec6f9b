//! Queues of frames.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use strait::{Consumer, Producer, Received, RecvError, SendError, TryRecvError};

use crate::errors::{ToPython, raised};
use crate::port::{self, Home, PyAwaiting, Site};
use crate::shelf::Shelf;
use crate::value::bytes_of;
use crate::wait::{Timeout, awaited, ready, until};

/// The sending end of a queue of frames. One at a time has the role, over all processes.
///
/// Closed by `close()`, at the end of a `with` block, or with the last reference. Used by one thread at a time: a
/// second one gets `InUse`.
#[pyclass(frozen, module = "strait", name = "Producer")]
pub struct PyProducer(pub Shelf<Producer<Home>>);

#[pymethods]
impl PyProducer {
    /// Sends a frame with a tag, without waiting. Raises `Full`, `TooLarge` or `Fault`.
    #[pyo3(signature = (payload, tag=0))]
    fn try_send(&self, payload: &Bound<'_, PyAny>, tag: u32) -> PyResult<()> {
        let payload = bytes_of(payload)?;
        self.0.with(|producer| raised(producer.try_send(tag, payload.as_bytes())))
    }

    /// Sends a frame, and waits for space for up to `timeout` seconds; without a limit if that is `None`. Raises
    /// `TimedOut`, `PeerGone`, `TooLarge` or `Fault`.
    #[pyo3(signature = (payload, tag=0, *, timeout=None))]
    fn send(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        tag: u32,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let (payload, timeout) = (bytes_of(payload)?, Timeout::seconds(timeout)?);
        let bytes = payload.as_bytes();
        self.0.with(|producer| {
            until(py, &timeout, "the queue stayed full for the time allowed", |slice| {
                match producer.send_timeout(tag, bytes, slice) {
                    Ok(()) => Ok(Some(())),
                    Err(SendError::TimedOut) => Ok(None),
                    Err(error) => Err(error.to_python()),
                }
            })
        })
    }

    /// The most bytes that a frame may have.
    #[getter]
    fn max_len(&self) -> PyResult<u32> {
        self.0.with(|producer| Ok(producer.max_len()))
    }

    /// The consumer: "absent", "present" or "dead".
    #[getter]
    fn peer(&self) -> PyResult<&'static str> {
        self.0.with(|producer| Ok(crate::peer(producer.peer())))
    }

    /// The identity of the dead participant from which the role was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> PyResult<Option<u32>> {
        self.0.with(|producer| Ok(producer.taken_over_from().map(|ident| ident.word())))
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

/// A consumer, and the bytes into which it receives.
pub struct Receiving {
    pub consumer: Consumer<Home>,
    pub site: Site,
    pub buffer: Vec<u8>,
    pub sequence: Option<u32>,
}

impl Receiving {
    pub fn new(consumer: Consumer<Home>, site: Site) -> Self {
        Self { consumer, site, buffer: vec![0; 256], sequence: None }
    }

    /// Receives by `take`, with a longer buffer if the frame needs one.
    fn take<E>(
        &mut self,
        needs: impl Fn(&E) -> Option<usize>,
        mut take: impl FnMut(&mut Consumer<Home>, &mut [u8]) -> Result<Received, E>,
    ) -> Result<Received, E> {
        loop {
            match take(&mut self.consumer, &mut self.buffer) {
                Err(error) => match needs(&error) {
                    Some(needed) if needed > self.buffer.len() => self.buffer.resize(needed, 0),
                    _ => return Err(error),
                },
                Ok(received) => {
                    self.sequence = Some(received.sequence);
                    return Ok(received);
                }
            }
        }
    }

    fn frame<'py>(&self, py: Python<'py>, received: &Received) -> (u32, Bound<'py, PyBytes>) {
        let payload = self.buffer.get(..received.len).unwrap_or(&self.buffer);
        (received.tag, PyBytes::new(py, payload))
    }
}

/// The receiving end of a queue of frames. One at a time has the role, over all processes.
///
/// A frame that was received counts as done with at the next call, so that a successor of a killed consumer receives it
/// again; `release` and `flush` tell so earlier. Iterating receives without a limit of time.
#[pyclass(frozen, module = "strait", name = "Consumer")]
pub struct PyConsumer(pub Arc<Shelf<Receiving>>);

#[pymethods]
impl PyConsumer {
    /// Receives a frame as `(tag, bytes)`, without waiting. Raises `Empty` or `Fault`.
    fn try_recv<'py>(&self, py: Python<'py>) -> PyResult<(u32, Bound<'py, PyBytes>)> {
        self.0.with(|this| {
            let needs = |error: &TryRecvError| match error {
                TryRecvError::TooSmall { needed } => Some(*needed),
                _ => None,
            };
            let received = raised(this.take(needs, Consumer::try_recv))?;
            Ok(this.frame(py, &received))
        })
    }

    /// Receives a frame as `(tag, bytes)`, and waits for it for up to `timeout` seconds; without a limit if that is
    /// `None`. Raises `TimedOut`, `PeerGone` or `Fault`.
    #[pyo3(signature = (*, timeout=None))]
    fn recv<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<(u32, Bound<'py, PyBytes>)> {
        let timeout = Timeout::seconds(timeout)?;
        self.0.with(|this| {
            let needs = |error: &RecvError| match error {
                RecvError::TooSmall { needed } => Some(*needed),
                _ => None,
            };
            let received = until(py, &timeout, "the queue stayed empty for the time allowed", |slice| {
                match this.take(needs, |consumer, buffer| consumer.recv_timeout(buffer, slice)) {
                    Ok(received) => Ok(Some(received)),
                    Err(RecvError::TimedOut) => Ok(None),
                    Err(error) => Err(error.to_python()),
                }
            })?;
            Ok(this.frame(py, &received))
        })
    }

    /// Receives a frame as `(tag, bytes)` in a coroutine of asyncio, and waits for it for up to `timeout` seconds; without
    /// a limit if that is `None`. The event loop goes on meanwhile: it watches the region's doorbell, or a thread sleeps.
    /// One that is cancelled has received nothing. Raises `TimedOut`, `PeerGone` or `Fault`.
    #[pyo3(signature = (*, timeout=None))]
    fn arecv(this: Py<Self>, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        awaited(py, this.into_any(), timeout)
    }

    /// What awaits a frame without a thread, if the region has a doorbell.
    fn _await(&self) -> PyResult<Option<PyAwaiting>> {
        port::frames(&self.0)
    }

    /// Waits a moment until something is there to receive, and leaves it there. For `arecv`.
    fn _ready(&self, py: Python<'_>) -> PyResult<bool> {
        self.0.with(|this| Ok(ready(py, &this.site.home, &mut this.consumer)))
    }

    /// As `recv`, without waiting.
    fn _take<'py>(&self, py: Python<'py>) -> PyResult<(u32, Bound<'py, PyBytes>)> {
        self.recv(py, Some(0.0))
    }

    /// The number of the frame received last, counting up by one a frame, modulo 2^32; `None` before the first.
    #[getter]
    fn sequence(&self) -> PyResult<Option<u32>> {
        self.0.with(|this| Ok(this.sequence))
    }

    /// The producer: "absent", "present" or "dead".
    #[getter]
    fn peer(&self) -> PyResult<&'static str> {
        self.0.with(|this| Ok(crate::peer(this.consumer.peer())))
    }

    /// The identity of the dead participant from which the role was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> PyResult<Option<u32>> {
        self.0.with(|this| Ok(this.consumer.taken_over_from().map(|ident| ident.word())))
    }

    /// Counts what was received as done with.
    fn release(&self) -> PyResult<()> {
        self.0.with(|this| {
            this.consumer.release();
            Ok(())
        })
    }

    /// Counts what was received as done with, and tells the region so: a successor receives none of it again.
    fn flush(&self) -> PyResult<()> {
        self.0.with(|this| {
            this.consumer.flush();
            Ok(())
        })
    }

    /// Releases all that was received, and gives the role back.
    fn close(&self) -> PyResult<()> {
        self.0.close()
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<(u32, Bound<'py, PyBytes>)> {
        self.recv(py, None)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.0.close()
    }
}
