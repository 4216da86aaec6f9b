//! Systems on which nothing but a thread can wait.

use std::sync::Arc;

use pyo3::prelude::*;
use strait::{Attachment, Region, SystemPort};

use crate::any::Lent;
use crate::errors::Error;
use crate::event::Listening;
use crate::frames;
use crate::latest::Looking;
use crate::shelf::Shelf;
use crate::typed;
use crate::value::Codec;

/// The port of a region that is open.
pub type Home = SystemPort;

const NO_DOORBELLS: &str = "this system has no eventfds; open the region without doorbells";

/// There are none.
pub struct Doorbells;

impl Doorbells {
    /// Refuses those by these numbers.
    pub fn of(own: Option<i32>, peers: &[i32]) -> PyResult<Self> {
        if own.is_some() || !peers.is_empty() { Err(Error::new_err(NO_DOORBELLS)) } else { Ok(Self) }
    }

    pub fn rings(&self) -> bool {
        false
    }
}

/// The region as Python has it open.
pub fn attach(region: Region, _: Doorbells) -> PyResult<Attachment<Home>> {
    Ok(region)
}

/// The system's port.
pub fn system(home: &Home) -> &SystemPort {
    home
}

/// Makes a doorbell, and returns its descriptor. Raises `Error` here: this system has none.
#[pyfunction]
pub fn doorbell() -> PyResult<i32> {
    Err(Error::new_err(NO_DOORBELLS))
}

/// There is none here: a thread waits.
#[pyclass(frozen, module = "strait", name = "_Awaiting")]
pub struct PyAwaiting;

/// There is none here: a thread waits.
#[pyclass(frozen, module = "strait", name = "_AwaitingAny")]
pub struct PyAwaitingAny;

pub fn any(_: Vec<Box<dyn Lent>>) -> PyResult<Option<PyAwaitingAny>> {
    Ok(None)
}

pub fn frames(_: &Arc<Shelf<frames::Receiving>>) -> PyResult<Option<PyAwaiting>> {
    Ok(None)
}

pub fn values(_: &Arc<Shelf<typed::Receiving>>, _: &Arc<Codec>) -> PyResult<Option<PyAwaiting>> {
    Ok(None)
}

pub fn latest(_: &Arc<Shelf<Looking>>, _: &Option<Arc<Codec>>) -> PyResult<Option<PyAwaiting>> {
    Ok(None)
}

pub fn event(_: &Arc<Shelf<Listening>>) -> PyResult<Option<PyAwaiting>> {
    Ok(None)
}
