//! Regions: created, opened and removed.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use strait::options::{ConsumerOptions, Delivery};
use strait::port::Port as _;
use strait::{Attachment, Region, RegionFile, RegionName, RegionOptions, RegionPlace};

use crate::described;
use crate::errors::{BadName, raised};
use crate::event::{Listening, PyListener, PyNotifier};
use crate::frames::{PyConsumer, PyProducer, Receiving};
use crate::latest::{PyLatestReader, PyLatestWriter};
use crate::mutex::PyMutex;
use crate::plan::PyPlan;
use crate::port::{self, Doorbells, Home, Site};
use crate::semaphore::{PyPermits, PySemaphore};
use crate::shelf::Shelf;
use crate::typed::{PyTypedConsumer, PyTypedProducer};
use crate::value::Codec;

/// Where a region is: a path if it holds a slash or is a path object, else a name.
fn place_of(place: &Bound<'_, PyAny>) -> PyResult<RegionPlace> {
    if let Ok(text) = place.extract::<String>() {
        if text.contains('/') {
            return Ok(RegionFile::new(&text).into());
        }
        return match RegionName::new(&text) {
            Ok(name) => Ok(name.into()),
            Err(error) => Err(BadName::new_err(error.to_string())),
        };
    }
    Ok(RegionFile::new(&place.extract::<PathBuf>()?).into())
}

/// A region that this process has open. Endpoints are opened from it, and outlive it.
///
/// Each open region is one participant. Threads that contend for a mutex need one each: open the region once a thread.
/// After a fork, the child opens the region anew.
#[pyclass(frozen, module = "strait", name = "Region")]
pub struct PyRegion {
    open: Shelf<Attachment<Home>>,
    /// Whether it was opened with a doorbell.
    rings: bool,
}

impl PyRegion {
    fn new(region: Region, bells: Doorbells) -> PyResult<Self> {
        let rings = bells.rings();
        Ok(Self { open: Shelf::new(port::attach(region, bells)?), rings })
    }

    fn with<R>(&self, using: impl FnOnce(&Attachment<Home>) -> PyResult<R>) -> PyResult<R> {
        self.open.with(|region| using(region))
    }

    /// Where receivers of the region wait.
    fn site(&self, region: &Attachment<Home>) -> Site {
        Site { home: region.port().clone(), rings: self.rings }
    }

    fn described(&self, py: Python<'_>, name: &str, making: &str) -> PyResult<Py<PyAny>> {
        let described = self.with(|region| described::of_channel(region, name))?;
        Ok(py.import("strait._described")?.call_method1(making, (described,))?.unbind())
    }

    /// The type that is declared, or else the region's own of this channel.
    fn codec(&self, py: Python<'_>, name: &str, declared: Option<&Bound<'_, PyAny>>) -> PyResult<Codec> {
        match declared {
            Some(declared) => Codec::of(declared),
            None => Codec::of(self.r#type(py, name)?.bind(py)),
        }
    }
}

fn consumer_options(at_most_once: bool, release_every: Option<u32>) -> ConsumerOptions {
    let options = ConsumerOptions::new();
    let options = if at_most_once { options.delivery(Delivery::AtMostOnce) } else { options };
    release_every.map_or(options, |messages| options.release_every(messages))
}

#[pymethods]
impl PyRegion {
    /// Creates the region that is laid out by `plan`. `place` is a name, or a path if it holds a slash or is a path
    /// object. Raises `AlreadyExists`, `BadPlan`, `BadName` or `NotPermitted`.
    #[staticmethod]
    #[pyo3(signature = (place, plan, *, prefault=false, lock=false, doorbell=None, rings=vec![]))]
    fn create(
        place: &Bound<'_, PyAny>,
        plan: &PyPlan,
        prefault: bool,
        lock: bool,
        doorbell: Option<i32>,
        rings: Vec<i32>,
    ) -> PyResult<Self> {
        let bells = Doorbells::of(doorbell, &rings)?;
        let options = RegionOptions::new().prefault(prefault).lock(lock);
        let place = place_of(place)?;
        let region = raised(plan.with(|plan| place.create(plan, &options)))?;
        Self::new(region, bells)
    }

    /// Opens the region. With `read_only` it is no participant, and reads latest values alone. Raises `NotFound`,
    /// `NotARegion`, `NotPermitted` or `TableFull`.
    ///
    /// With `doorbell`, a descriptor that `strait.doorbell` made, event loops wait for that, without threads: peers that
    /// ring it wake them at once, and what others send is found after 20 ms at the latest. `rings` are
    /// the doorbells of peers.
    #[staticmethod]
    #[pyo3(signature = (place, *, read_only=false, prefault=false, lock=false, doorbell=None, rings=vec![]))]
    fn open(
        place: &Bound<'_, PyAny>,
        read_only: bool,
        prefault: bool,
        lock: bool,
        doorbell: Option<i32>,
        rings: Vec<i32>,
    ) -> PyResult<Self> {
        let bells = Doorbells::of(doorbell, &rings)?;
        let options = RegionOptions::new().read_only(read_only).prefault(prefault).lock(lock);
        let region = raised(place_of(place)?.open(&options))?;
        Self::new(region, bells)
    }

    /// Opens the region, or creates it if it is not there. One that is there need not be of the same plan: each channel
    /// is checked as its endpoint is opened.
    #[staticmethod]
    #[pyo3(signature = (place, plan, *, prefault=false, lock=false, doorbell=None, rings=vec![]))]
    fn open_or_create(
        place: &Bound<'_, PyAny>,
        plan: &PyPlan,
        prefault: bool,
        lock: bool,
        doorbell: Option<i32>,
        rings: Vec<i32>,
    ) -> PyResult<Self> {
        let bells = Doorbells::of(doorbell, &rings)?;
        let options = RegionOptions::new().prefault(prefault).lock(lock);
        let place = place_of(place)?;
        let region = raised(plan.with(|plan| place.open_or_create(plan, &options)))?;
        Self::new(region, bells)
    }

    /// Takes the region's name away. Processes that have it open keep its memory. Raises `NotFound`.
    #[staticmethod]
    fn remove(place: &Bound<'_, PyAny>) -> PyResult<()> {
        raised(place_of(place)?.remove())
    }

    /// The names of the regions there are, sorted.
    #[staticmethod]
    fn names() -> PyResult<Vec<String>> {
        RegionName::list().map_err(|error| crate::errors::Error::new_err(error.to_string()))
    }

    /// The channels, as a list of `(name, kind)`.
    fn channels(&self) -> PyResult<Vec<(String, &'static str)>> {
        self.with(|region| {
            let listed = region.channels();
            Ok(listed.filter_map(|entry| Some((entry.name()?.to_owned(), entry.kind.name()))).collect())
        })
    }

    /// The type of a channel's values, as the region itself describes it. Values of it have their fields as attributes.
    /// Raises `NotDescribed` or `NotFound`.
    fn r#type(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.described(py, name, "type_of")
    }

    /// The same as a NumPy dtype.
    fn dtype(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.described(py, name, "dtype_of")
    }

    /// What the region's description tells of the fields of a channel's type: `{path: {"unit": .., "help": ..,
    /// "values": {number: name}}}`, each where it was given. Raises `NotDescribed` or `NotFound`.
    fn notes(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.described(py, name, "notes_of")
    }

    /// This participant's identity, or `None` where the region is read-only or was inherited by a fork.
    #[getter]
    fn ident(&self) -> PyResult<Option<u32>> {
        self.with(|region| Ok(region.port().ident().map(|ident| ident.word())))
    }

    /// Whether the region still has its name, and that names this region.
    fn is_current(&self) -> PyResult<bool> {
        self.with(|region| {
            port::system(region.port())
                .is_current()
                .map_err(|error| crate::errors::Error::new_err(error.to_string()))
        })
    }

    /// Claims the producer's role of a queue of frames. With `end_with_peer`, a wait ends with `PeerGone` when the
    /// consumer has died or left. Raises `Busy` while another has the role and is not proven dead.
    #[pyo3(signature = (name, *, end_with_peer=false))]
    fn producer(&self, name: &str, end_with_peer: bool) -> PyResult<PyProducer> {
        let mut producer = self.with(|region| raised(region.producer(name)))?;
        producer.end_with_peer(end_with_peer);
        Ok(PyProducer(Shelf::new(producer)))
    }

    /// Claims the consumer's role of a queue of frames. `at_most_once` counts a frame as done with before `recv`
    /// returns; `release_every` is how many frames a successor may receive again, 64 by default.
    #[pyo3(signature = (name, *, at_most_once=false, release_every=None, end_with_peer=false))]
    fn consumer(
        &self,
        name: &str,
        at_most_once: bool,
        release_every: Option<u32>,
        end_with_peer: bool,
    ) -> PyResult<PyConsumer> {
        let options = consumer_options(at_most_once, release_every);
        let (mut consumer, site) =
            self.with(|region| Ok((raised(region.consumer_with(name, options))?, self.site(region))))?;
        consumer.end_with_peer(end_with_peer);
        Ok(PyConsumer(Arc::new(Shelf::new(Receiving::new(consumer, site)))))
    }

    /// Claims the producer's role of a queue of values of this type: `slots` or `compact`. Without a type it is the one
    /// that the region describes. Raises `WrongType` if the channel carries another one, or `NotDescribed`.
    #[pyo3(signature = (name, r#type=None, *, end_with_peer=false))]
    fn typed_producer(
        &self,
        py: Python<'_>,
        name: &str,
        r#type: Option<&Bound<'_, PyAny>>,
        end_with_peer: bool,
    ) -> PyResult<PyTypedProducer> {
        let codec = self.codec(py, name, r#type)?;
        let mut producer = self.with(|region| raised(region.typed_producer_of(name, codec.values())))?;
        producer.end_with_peer(end_with_peer);
        Ok(PyTypedProducer::new(producer, codec))
    }

    /// Claims the consumer's role of a queue of values of this type; options as of `consumer`. Without a type it is the
    /// one that the region describes.
    #[pyo3(signature = (name, r#type=None, *, at_most_once=false, release_every=None, end_with_peer=false))]
    fn typed_consumer(
        &self,
        py: Python<'_>,
        name: &str,
        r#type: Option<&Bound<'_, PyAny>>,
        at_most_once: bool,
        release_every: Option<u32>,
        end_with_peer: bool,
    ) -> PyResult<PyTypedConsumer> {
        let (codec, options) = (self.codec(py, name, r#type)?, consumer_options(at_most_once, release_every));
        let (mut consumer, site) = self.with(|region| {
            let consumer = raised(region.typed_consumer_of(name, codec.values(), options))?;
            Ok((consumer, self.site(region)))
        })?;
        consumer.end_with_peer(end_with_peer);
        Ok(PyTypedConsumer::new(consumer, site, codec))
    }

    /// Claims the writer's role of a latest value: of this type, or of bytes if there is none.
    #[pyo3(signature = (name, r#type=None))]
    fn latest_writer(&self, name: &str, r#type: Option<&Bound<'_, PyAny>>) -> PyResult<PyLatestWriter> {
        let codec = r#type.map(Codec::of).transpose()?;
        let writer = self.with(|region| {
            raised(match &codec {
                Some(codec) => region.latest_writer_of(name, codec.values()),
                None => region.latest_writer::<[u8]>(name),
            })
        })?;
        Ok(PyLatestWriter::new(writer, codec))
    }

    /// Opens a reader of a latest value: of this type, or of whatever it is, as bytes. Claims no role.
    #[pyo3(signature = (name, r#type=None))]
    fn latest_reader(&self, name: &str, r#type: Option<&Bound<'_, PyAny>>) -> PyResult<PyLatestReader> {
        let codec = r#type.map(Codec::of).transpose()?;
        let (reader, site) = self.with(|region| {
            let reader = raised(match &codec {
                Some(codec) => region.latest_reader_of(name, codec.values()),
                None => region.latest_reader::<[u8]>(name),
            })?;
            Ok((reader, self.site(region)))
        })?;
        Ok(PyLatestReader::new(reader, site, codec))
    }

    /// Opens a mutex over a value of this type. Without a type it is the one that the region describes.
    #[pyo3(signature = (name, r#type=None))]
    fn mutex(&self, py: Python<'_>, name: &str, r#type: Option<&Bound<'_, PyAny>>) -> PyResult<PyMutex> {
        let codec = self.codec(py, name, r#type)?;
        let mutex = self.with(|region| raised(region.mutex_of(name, codec.values())))?;
        Ok(PyMutex::new(mutex, codec))
    }

    /// Claims the notifier's role of an event.
    fn notifier(&self, name: &str) -> PyResult<PyNotifier> {
        Ok(PyNotifier(Shelf::new(self.with(|region| raised(region.notifier(name)))?)))
    }

    /// Opens a listener to an event. Claims no role.
    fn listener(&self, name: &str) -> PyResult<PyListener> {
        let listening = self.with(|region| {
            Ok(Listening { listener: raised(region.listener(name))?, site: self.site(region) })
        })?;
        Ok(PyListener(Arc::new(Shelf::new(listening))))
    }

    /// Opens a semaphore.
    fn semaphore(&self, name: &str) -> PyResult<PySemaphore> {
        Ok(PySemaphore(Shelf::new(self.with(|region| raised(region.semaphore(name)))?)))
    }

    /// Opens a semaphore whose permits come back when their holder dies.
    fn permits(&self, name: &str) -> PyResult<PyPermits> {
        Ok(PyPermits::new(self.with(|region| raised(region.permits(name)))?))
    }

    /// Leaves the region. Endpoints that were opened from it stay open.
    fn close(&self) -> PyResult<()> {
        self.open.close()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.open.close()
    }
}
