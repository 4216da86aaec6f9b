//! Linux: a peer's wake reaches an event loop through an eventfd, with no thread between.

use std::fs;
use std::future::Future;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use strait::linux::EventPort;
use strait::{Attachment, RecvError, Region, SystemPort};

use super::Site;
use crate::errors::{Error, ToPython, raised};
use crate::event::{Listening, PyNotified};
use crate::frames;
use crate::latest::{Looking, reading};
use crate::shelf::{Lease, Shelf};
use crate::typed;
use crate::value::Codec;

/// The port of a region that is open.
pub type Home = EventPort;

/// The doorbells that a region is opened with: its own, and those of its peers.
pub struct Doorbells {
    own: Option<OwnedFd>,
    peers: Vec<OwnedFd>,
}

impl Doorbells {
    /// Copies those by these numbers.
    pub fn of(own: Option<i32>, peers: &[i32]) -> PyResult<Self> {
        let peers = peers.iter().map(|&number| copied(number)).collect::<PyResult<_>>()?;
        Ok(Self { own: own.map(copied).transpose()?, peers })
    }

    /// Whether the region has one of its own.
    pub fn rings(&self) -> bool {
        self.own.is_some()
    }
}

/// The region as Python has it open. Without a doorbell it gets one that nobody rings.
pub fn attach(region: Region, bells: Doorbells) -> PyResult<Attachment<Home>> {
    let own = bells.own.map_or_else(new_doorbell, Ok)?;
    let home = EventPort::new(region.port().clone(), own, bells.peers);
    Attachment::attach(home).map_err(|error| Error::new_err(error.to_string()))
}

/// The system's port.
pub fn system(home: &Home) -> &SystemPort {
    home.system()
}

fn new_doorbell() -> PyResult<OwnedFd> {
    strait::linux::doorbell().map_err(|error| Error::new_err(error.to_string()))
}

/// Makes a doorbell, and returns its descriptor, which the caller closes by `os.close`. A region that is opened with it
/// as `doorbell` waits for it in event loops; peers get it over a Unix socket (`socket.send_fds`) or as children, and
/// open their region with it among `rings`.
#[pyfunction]
pub fn doorbell() -> PyResult<i32> {
    Ok(new_doorbell()?.into_raw_fd())
}

/// A copy of a doorbell that the caller has by its number.
fn copied(number: i32) -> PyResult<OwnedFd> {
    // What is none might block the thread that rings it.
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let flags =
        about.lines().find_map(|line| i64::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    const NONBLOCK: i64 = 0o4000;
    if !about.contains("eventfd-count:") || flags.is_none_or(|flags| flags & NONBLOCK == 0) {
        return Err(PyValueError::new_err(format!(
            "the descriptor {number} is no doorbell; give one that strait.doorbell() made, in this process or a peer"
        )));
    }
    #[expect(unsafe_code, reason = "Python has descriptors as numbers")]
    // SAFETY: the number was that of an open eventfd a moment ago, and is not kept. Should another thread close it just
    // now, then the system refuses to copy it, or copies what took its place; the copy is ours alone in any case.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    borrowed.try_clone_to_owned().map_err(|error| {
        Error::new_err(format!("the doorbell {number} cannot be copied: {error}; close descriptors"))
    })
}

/// Makes what was awaited an object of Python.
type Found = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
/// Awaits something at an endpoint, which it has meanwhile.
type Task = Pin<Box<dyn Future<Output = PyResult<Found>> + Send>>;

/// A wait of an event loop for one endpoint, for `strait._aio`. While it is there, the endpoint is in use; when it is
/// dropped or closed before anything was found, nothing was received.
#[pyclass(frozen, module = "strait", name = "_Awaiting")]
pub struct PyAwaiting {
    task: Mutex<Option<Task>>,
    home: Home,
}

impl PyAwaiting {
    /// A region's doorbell alone.
    pub(super) fn bell_of(home: Home) -> Self {
        Self { task: Mutex::new(None), home }
    }
}

/// Wakes by calling an object of Python.
struct Call(Py<PyAny>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        // Not while the interpreter ends: then no loop runs that could be woken.
        let _ = Python::try_attach(|py| self.0.call0(py));
    }
}

#[pymethods]
impl PyAwaiting {
    /// What was found, in a tuple; `None` if there is nothing yet: then `wake` is called, from any thread, when it is
    /// time to ask again.
    fn poll(&self, py: Python<'_>, wake: Py<PyAny>) -> PyResult<Option<(Py<PyAny>,)>> {
        let mut place = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match polled(&mut place, wake)? {
            Some(found) => found(py).map(|found| Some((found,))),
            None => Ok(None),
        }
    }

    /// What the loop watches.
    fn bell(this: Py<Self>) -> Py<Self> {
        this
    }

    /// Gives the endpoint back.
    fn close(&self) {
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The region's doorbell, for the loop to watch.
    fn fileno(&self) -> i32 {
        self.home.as_raw_fd()
    }

    /// Silences the doorbell, and wakes those that wait for it.
    fn turn(&self) {
        self.home.turn(Duration::ZERO);
    }

    /// In how many seconds `turn` is to be called although nobody rang; `None` while nobody waits.
    fn due(&self) -> Option<f64> {
        self.home.due().map(|due| due.as_secs_f64())
    }
}

/// Polls a task, and takes it away when it is done.
pub(super) fn polled<T, F: Future<Output = PyResult<T>> + ?Sized>(
    place: &mut Option<Pin<Box<F>>>,
    wake: Py<PyAny>,
) -> PyResult<Option<T>> {
    let waker = Waker::from(Arc::new(Call(wake)));
    let Some(task) = place else {
        return Err(Error::new_err("this wait has ended; wait again"));
    };
    let Poll::Ready(found) = task.as_mut().poll(&mut Context::from_waker(&waker)) else {
        return Ok(None);
    };
    *place = None;
    found.map(Some)
}

fn awaiting<T: Send + 'static>(
    end: &Arc<Shelf<T>>,
    site: impl FnOnce(&T) -> &Site,
    task: impl FnOnce(Lease<T>) -> Task,
) -> PyResult<Option<PyAwaiting>> {
    let Site { home, rings } = end.with(|this| Ok(site(this).clone()))?;
    if !rings {
        return Ok(None);
    }
    let task = Mutex::new(Some(task(Shelf::lend(end)?)));
    Ok(Some(PyAwaiting { task, home }))
}

/// Awaits a frame.
pub fn frames(end: &Arc<Shelf<frames::Receiving>>) -> PyResult<Option<PyAwaiting>> {
    awaiting(end, |this| &this.site, |lease| Box::pin(frame(lease)))
}

async fn frame(mut lease: Lease<frames::Receiving>) -> PyResult<Found> {
    let this = &mut *lease;
    let received = loop {
        match this.consumer.recv(&mut this.buffer).await {
            Err(RecvError::TooSmall { needed }) if needed > this.buffer.len() => {
                this.buffer.resize(needed, 0)
            }
            received => break raised(received)?,
        }
    };
    this.sequence = Some(received.sequence);
    let payload = this.buffer.get(..received.len).unwrap_or(&this.buffer).to_vec();
    Ok(Box::new(move |py| {
        Ok((received.tag, PyBytes::new(py, &payload)).into_pyobject(py)?.into_any().unbind())
    }))
}

/// Awaits a value of a queue.
pub fn values(end: &Arc<Shelf<typed::Receiving>>, codec: &Arc<Codec>) -> PyResult<Option<PyAwaiting>> {
    let codec = codec.clone();
    awaiting(end, |this| &this.site, |lease| Box::pin(value(lease, codec)))
}

async fn value(mut lease: Lease<typed::Receiving>, codec: Arc<Codec>) -> PyResult<Found> {
    let this = &mut *lease;
    this.consumer.recv_into(&mut this.buffer[..]).await.map_err(ToPython::to_python)?;
    let bytes = this.buffer.clone();
    Ok(Box::new(move |py| Ok(codec.unpack(py, &bytes)?.unbind())))
}

/// Awaits a latest value that the reader has not read.
pub fn latest(end: &Arc<Shelf<Looking>>, codec: &Option<Arc<Codec>>) -> PyResult<Option<PyAwaiting>> {
    let codec = codec.clone();
    awaiting(end, |this| &this.site, |lease| Box::pin(newest(lease, codec)))
}

async fn newest(mut lease: Lease<Looking>, codec: Option<Arc<Codec>>) -> PyResult<Found> {
    let this = &mut *lease;
    let info = raised(this.reader.changed_into(&mut this.buffer[..]).await)?;
    let bytes = this.buffer.clone();
    Ok(Box::new(move |py| {
        let read = reading(py, codec.as_deref(), &bytes, &info, true)?;
        Ok(Py::new(py, read)?.into_any())
    }))
}

/// Awaits an event.
pub fn event(end: &Arc<Shelf<Listening>>) -> PyResult<Option<PyAwaiting>> {
    awaiting(end, |this| &this.site, |lease| Box::pin(happening(lease)))
}

async fn happening(mut lease: Lease<Listening>) -> PyResult<Found> {
    let notified = PyNotified::from(raised(lease.listener.wait().await)?);
    Ok(Box::new(move |py| Ok(Py::new(py, notified)?.into_any())))
}
