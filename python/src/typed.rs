//! Queues of values of one type.

use std::sync::Arc;

use pyo3::prelude::*;
use strait::{RecvError, SendError, TypedConsumer, TypedProducer};

use crate::errors::{ToPython, raised};
use crate::port::{self, Home, PyAwaiting, Site};
use crate::shelf::Shelf;
use crate::value::Codec;
use crate::wait::{Timeout, awaited, ready, until};

/// The sending end of a queue of values. One at a time has the role, over all processes.
#[pyclass(frozen, module = "strait", name = "TypedProducer")]
pub struct PyTypedProducer {
    end: Shelf<TypedProducer<[u8], Home>>,
    codec: Codec,
}

impl PyTypedProducer {
    pub fn new(end: TypedProducer<[u8], Home>, codec: Codec) -> Self {
        Self { end: Shelf::new(end), codec }
    }
}

#[pymethods]
impl PyTypedProducer {
    /// Sends a value, without waiting: of the type itself, a dict or a tuple. Raises `Full` or `Fault`.
    fn try_send(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let packed = self.codec.pack(value)?;
        self.end.with(|producer| raised(producer.try_send(packed.as_bytes())))
    }

    /// Sends a value, and waits for space for up to `timeout` seconds; without a limit if that is `None`. Raises
    /// `TimedOut`, `PeerGone` or `Fault`.
    #[pyo3(signature = (value, *, timeout=None))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let (packed, timeout) = (self.codec.pack(value)?, Timeout::seconds(timeout)?);
        let bytes = packed.as_bytes();
        self.end.with(|producer| {
            until(py, &timeout, "the queue stayed full for the time allowed", |slice| {
                match producer.send_timeout(bytes, slice) {
                    Ok(()) => Ok(Some(())),
                    Err(SendError::TimedOut) => Ok(None),
                    Err(error) => Err(error.to_python()),
                }
            })
        })
    }

    /// The type, as `strait.Type`.
    #[getter]
    fn r#type(&self, py: Python<'_>) -> Py<PyAny> {
        self.codec.declared(py)
    }

    /// The consumer: "absent", "present" or "dead".
    #[getter]
    fn peer(&self) -> PyResult<&'static str> {
        self.end.with(|producer| Ok(crate::peer(producer.peer())))
    }

    /// The identity of the dead participant from which the role was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> PyResult<Option<u32>> {
        self.end.with(|producer| Ok(producer.taken_over_from().map(|ident| ident.word())))
    }

    /// Gives the role back.
    fn close(&self) -> PyResult<()> {
        self.end.close()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.end.close()
    }
}

/// A consumer, and the bytes into which it receives.
pub struct Receiving {
    pub consumer: TypedConsumer<[u8], Home>,
    pub site: Site,
    pub buffer: Vec<u8>,
}

/// The receiving end of a queue of values. One at a time has the role, over all processes.
///
/// A value that was received counts as done with at the next call, so that a successor of a killed consumer receives it
/// again; `release` and `flush` tell so earlier. Iterating receives without a limit of time.
#[pyclass(frozen, module = "strait", name = "TypedConsumer")]
pub struct PyTypedConsumer {
    end: Arc<Shelf<Receiving>>,
    codec: Arc<Codec>,
}

impl PyTypedConsumer {
    pub fn new(consumer: TypedConsumer<[u8], Home>, site: Site, codec: Codec) -> Self {
        let buffer = codec.buffer();
        Self { end: Arc::new(Shelf::new(Receiving { consumer, site, buffer })), codec: codec.into() }
    }

    pub fn end(&self) -> &Arc<Shelf<Receiving>> {
        &self.end
    }
}

#[pymethods]
impl PyTypedConsumer {
    /// Receives a value, without waiting. Raises `Empty` or `Fault`.
    fn try_recv<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self.end.with(|this| {
            raised(this.consumer.try_recv_into(&mut this.buffer))?;
            Ok(this.buffer.clone())
        })?;
        self.codec.unpack(py, &bytes)
    }

    /// Receives a value, and waits for it for up to `timeout` seconds; without a limit if that is `None`. Raises
    /// `TimedOut`, `PeerGone` or `Fault`.
    #[pyo3(signature = (*, timeout=None))]
    fn recv<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        let timeout = Timeout::seconds(timeout)?;
        let bytes = self.end.with(|this| {
            until(py, &timeout, "the queue stayed empty for the time allowed", |slice| {
                match this.consumer.recv_into_timeout(&mut this.buffer, slice) {
                    Ok(()) => Ok(Some(())),
                    Err(RecvError::TimedOut) => Ok(None),
                    Err(error) => Err(error.to_python()),
                }
            })?;
            Ok(this.buffer.clone())
        })?;
        self.codec.unpack(py, &bytes)
    }

    /// Receives a value in a coroutine of asyncio, and waits for it for up to `timeout` seconds; without a limit if
    /// that is `None`. The event loop goes on meanwhile: it watches the region's doorbell, or a thread sleeps. One that
    /// is cancelled has received nothing. Raises `TimedOut`, `PeerGone` or `Fault`.
    #[pyo3(signature = (*, timeout=None))]
    fn arecv(this: Py<Self>, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        awaited(py, this.into_any(), timeout)
    }

    /// What awaits a value without a thread, if the region has a doorbell.
    fn _await(&self) -> PyResult<Option<PyAwaiting>> {
        port::values(&self.end, &self.codec)
    }

    /// Waits a moment until something is there to receive, and leaves it there. For `arecv`.
    fn _ready(&self, py: Python<'_>) -> PyResult<bool> {
        self.end.with(|this| Ok(ready(py, &this.site.home, &mut this.consumer)))
    }

    /// As `recv`, without waiting.
    fn _take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.recv(py, Some(0.0))
    }

    /// The number of the value received last, counting up by one a value, modulo 2^32.
    #[getter]
    fn sequence(&self) -> PyResult<u32> {
        self.end.with(|this| Ok(this.consumer.sequence()))
    }

    /// The type, as `strait.Type`.
    #[getter]
    fn r#type(&self, py: Python<'_>) -> Py<PyAny> {
        self.codec.declared(py)
    }

    /// The producer: "absent", "present" or "dead".
    #[getter]
    fn peer(&self) -> PyResult<&'static str> {
        self.end.with(|this| Ok(crate::peer(this.consumer.peer())))
    }

    /// The identity of the dead participant from which the role was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> PyResult<Option<u32>> {
        self.end.with(|this| Ok(this.consumer.taken_over_from().map(|ident| ident.word())))
    }

    /// Counts what was received as done with.
    fn release(&self) -> PyResult<()> {
        self.end.with(|this| {
            this.consumer.release();
            Ok(())
        })
    }

    /// Counts what was received as done with, and tells the region so: a successor receives none of it again.
    fn flush(&self) -> PyResult<()> {
        self.end.with(|this| {
            this.consumer.flush();
            Ok(())
        })
    }

    /// Releases all that was received, and gives the role back.
    fn close(&self) -> PyResult<()> {
        self.end.close()
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.recv(py, None)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.end.close()
    }
}
