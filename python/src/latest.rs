//! The latest of a stream of values.

use core::time::Duration;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use strait::value::ValueInfo;
use strait::{LatestReader, LatestWriter, Reading};

use crate::errors::{Contended, Empty, raised};
use crate::port::{self, Home, PyAwaiting, Site};
use crate::shelf::Shelf;
use crate::value::{Codec, bytes_of};
use crate::wait::{Timeout, awaited, ready, until};

/// The writing end of a latest value. One at a time has the role, over all processes.
#[pyclass(frozen, module = "strait", name = "LatestWriter")]
pub struct PyLatestWriter {
    end: Shelf<LatestWriter<[u8], Home>>,
    codec: Option<Codec>,
}

impl PyLatestWriter {
    pub fn new(end: LatestWriter<[u8], Home>, codec: Option<Codec>) -> Self {
        Self { end: Shelf::new(end), codec }
    }
}

#[pymethods]
impl PyLatestWriter {
    /// Publishes a value with a tag, without waiting. Returns how many have been published.
    #[pyo3(signature = (value, tag=0))]
    fn publish(&self, value: &Bound<'_, PyAny>, tag: u32) -> PyResult<u64> {
        let packed = match &self.codec {
            Some(codec) => codec.pack(value)?,
            None => bytes_of(value)?,
        };
        self.end.with(|writer| Ok(raised(writer.publish_from(tag, packed.as_bytes()))?.number()))
    }

    /// How many values have been published.
    #[getter]
    fn published(&self) -> PyResult<u64> {
        self.end.with(|writer| Ok(writer.published()))
    }

    /// The identity of the dead participant from which the role was taken over, or `None`.
    #[getter]
    fn taken_over_from(&self) -> PyResult<Option<u32>> {
        self.end.with(|writer| Ok(writer.taken_over_from().map(|ident| ident.word())))
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

/// A latest value that was read.
#[pyclass(frozen, get_all, module = "strait", name = "Reading")]
pub struct PyReading {
    /// The value.
    value: Py<PyAny>,
    /// Whether this reader had not read it before.
    fresh: bool,
    /// How many values were published up to this one.
    number: u64,
    /// The writer's tag.
    tag: u32,
}

#[pymethods]
impl PyReading {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let value = self.value.bind(py).repr()?;
        let fresh = if self.fresh { "True" } else { "False" };
        Ok(format!("Reading(value={value}, fresh={fresh}, number={}, tag={})", self.number, self.tag))
    }
}

/// A reader, and the bytes into which it reads.
pub struct Looking {
    pub reader: LatestReader<[u8], Home>,
    pub site: Site,
    pub buffer: Vec<u8>,
}

/// A reading end of a latest value. There can be any number; reading stores nothing in the region.
#[pyclass(frozen, module = "strait", name = "LatestReader")]
pub struct PyLatestReader {
    end: Arc<Shelf<Looking>>,
    codec: Option<Arc<Codec>>,
}

impl PyLatestReader {
    pub fn new(reader: LatestReader<[u8], Home>, site: Site, codec: Option<Codec>) -> Self {
        let buffer = vec![0; reader.max_len() as usize];
        Self { end: Arc::new(Shelf::new(Looking { reader, site, buffer })), codec: codec.map(Arc::new) }
    }

    pub fn end(&self) -> &Arc<Shelf<Looking>> {
        &self.end
    }

    fn reading(&self, py: Python<'_>, bytes: &[u8], info: &ValueInfo, fresh: bool) -> PyResult<PyReading> {
        reading(py, self.codec.as_deref(), bytes, info, fresh)
    }
}

/// What was read, as an object.
pub fn reading(
    py: Python<'_>,
    codec: Option<&Codec>,
    bytes: &[u8],
    info: &ValueInfo,
    fresh: bool,
) -> PyResult<PyReading> {
    let bytes = bytes.get(..info.len).unwrap_or(bytes);
    let value = match codec {
        Some(codec) => codec.unpack(py, bytes)?,
        None => PyBytes::new(py, bytes).into_any(),
    };
    Ok(PyReading { value: value.unbind(), fresh, number: info.number, tag: info.tag })
}

#[pymethods]
impl PyLatestReader {
    /// Reads the newest value, without waiting. Raises `Empty` before the first one, and `Contended` if the writer was
    /// faster than all of the reader's tries.
    fn read(&self, py: Python<'_>) -> PyResult<PyReading> {
        let (bytes, info, fresh) = self.end.with(|this| {
            let (info, fresh) = match this.reader.read_into(&mut this.buffer) {
                Reading::Fresh(info) => (info, true),
                Reading::Stale(info) => (info, false),
                Reading::Empty => {
                    return Err(Empty::new_err("no value has been published yet; try again later"));
                }
                Reading::Contended => {
                    return Err(Contended::new_err(
                        "the writer was faster than all tries to read; read again",
                    ));
                }
            };
            Ok((this.buffer.clone(), info, fresh))
        })?;
        self.reading(py, &bytes, &info, fresh)
    }

    /// Waits for a value that this reader has not read, for up to `timeout` seconds; without a limit if that is `None`.
    /// Raises `TimedOut`.
    #[pyo3(signature = (*, timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<PyReading> {
        let timeout = Timeout::seconds(timeout)?;
        let (bytes, info) = self.end.with(|this| {
            let info = until(py, &timeout, "no new value was published in the time allowed", |slice| {
                let read = if slice == Duration::ZERO {
                    this.reader.read_into(&mut this.buffer)
                } else {
                    this.reader.wait_for_change_into(&mut this.buffer, slice)
                };
                Ok(if let Reading::Fresh(info) = read { Some(info) } else { None })
            })?;
            Ok((this.buffer.clone(), info))
        })?;
        self.reading(py, &bytes, &info, true)
    }

    /// The same in a coroutine of asyncio. One that is cancelled has read nothing.
    #[pyo3(signature = (*, timeout=None))]
    fn await_(this: Py<Self>, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        awaited(py, this.into_any(), timeout)
    }

    /// What awaits a value without a thread, if the region has a doorbell.
    fn _await(&self) -> PyResult<Option<PyAwaiting>> {
        port::latest(&self.end, &self.codec)
    }

    /// Waits a moment until there is a value that was not read, and does not read it.
    fn _ready(&self, py: Python<'_>) -> PyResult<bool> {
        self.end.with(|this| Ok(ready(py, &this.site.home, &mut this.reader)))
    }

    /// As `wait`, without waiting.
    fn _take(&self, py: Python<'_>) -> PyResult<PyReading> {
        self.wait(py, Some(0.0))
    }

    /// The writer: "absent", "present" or "dead".
    #[getter]
    fn writer(&self) -> PyResult<&'static str> {
        self.end.with(|this| Ok(crate::peer(this.reader.writer())))
    }

    /// Closes the reader.
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
