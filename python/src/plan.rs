//! Plans and their channels.

use pyo3::prelude::*;
use strait::format::ValueType;
use strait::{Channel, Plan};

use crate::value::Codec;

#[derive(Clone)]
enum Kind {
    Frames { capacity: u32, max_len: u32 },
    Slots { slots: u32, values: ValueType },
    Compact { slots: u32, values: ValueType },
    Latest { values: ValueType, buffers: u32 },
    LatestBytes { max_len: u32, buffers: u32 },
    Mutex { value: ValueType },
    Semaphore { initial: u32, most: u32 },
    Permits { count: u32 },
    Event,
}

/// One channel of a plan. Made by `frames`, `slots`, `compact`, `latest`, `latest_bytes`, `mutex`, `semaphore`,
/// `permits` and `event`.
#[pyclass(frozen, module = "strait", name = "Channel")]
pub struct PyChannel {
    /// Its name.
    #[pyo3(get)]
    name: String,
    kind: Kind,
    /// The type of its values, as `strait.Type`.
    declared: Option<Py<PyAny>>,
    consumer_may_block: bool,
    producer_may_block: bool,
}

impl PyChannel {
    fn channel(&self) -> Channel<'_> {
        let name = &self.name;
        let mut channel = match self.kind {
            Kind::Frames { capacity, max_len } => Channel::frames(name, capacity, max_len),
            Kind::Slots { slots, values } => Channel::slots_of(name, slots, values),
            Kind::Compact { slots, values } => Channel::compact_of(name, slots, values),
            Kind::Latest { values, buffers } => Channel::latest_of(name, values).buffers(buffers),
            Kind::LatestBytes { max_len, buffers } => Channel::latest_bytes(name, max_len).buffers(buffers),
            Kind::Mutex { value } => Channel::mutex_of(name, value),
            Kind::Semaphore { initial, most } => Channel::semaphore(name, initial, most),
            Kind::Permits { count } => Channel::permits(name, count),
            Kind::Event => Channel::event(name),
        };
        if self.consumer_may_block {
            channel = channel.consumer_may_block();
        }
        if self.producer_may_block {
            channel = channel.producer_may_block();
        }
        channel
    }
}

/// A queue of frames: bytes of varying length, each with a tag.
///
/// `capacity` is the ring's size in bytes, a power of two; a frame has at most `max_len` bytes.
#[pyfunction]
#[pyo3(signature = (name, capacity, max_len, *, consumer_may_block=true, producer_may_block=true))]
pub fn frames(
    name: String,
    capacity: u32,
    max_len: u32,
    consumer_may_block: bool,
    producer_may_block: bool,
) -> PyChannel {
    let kind = Kind::Frames { capacity, max_len };
    PyChannel { name, kind, declared: None, consumer_may_block, producer_may_block }
}

/// A queue of values of one type, published in the slot. `slots` is a power of two.
#[pyfunction]
#[pyo3(signature = (name, slots, r#type, *, consumer_may_block=true, producer_may_block=true))]
pub fn slots(
    name: String,
    slots: u32,
    r#type: &Bound<'_, PyAny>,
    consumer_may_block: bool,
    producer_may_block: bool,
) -> PyResult<PyChannel> {
    let codec = Codec::of(r#type)?;
    let kind = Kind::Slots { slots, values: codec.values() };
    let declared = Some(codec.declared(r#type.py()));
    Ok(PyChannel { name, kind, declared, consumer_may_block, producer_may_block })
}

/// A queue of values of one type, published by index: the densest. `slots` is a power of two.
#[pyfunction]
#[pyo3(signature = (name, slots, r#type, *, consumer_may_block=true, producer_may_block=true))]
pub fn compact(
    name: String,
    slots: u32,
    r#type: &Bound<'_, PyAny>,
    consumer_may_block: bool,
    producer_may_block: bool,
) -> PyResult<PyChannel> {
    let codec = Codec::of(r#type)?;
    let kind = Kind::Compact { slots, values: codec.values() };
    let declared = Some(codec.declared(r#type.py()));
    Ok(PyChannel { name, kind, declared, consumer_may_block, producer_may_block })
}

/// The newest value of one type: one writer, any number of readers. `buffers` is a power of two.
#[pyfunction]
#[pyo3(signature = (name, r#type, *, buffers=2, readers_may_block=true))]
pub fn latest(
    name: String,
    r#type: &Bound<'_, PyAny>,
    buffers: u32,
    readers_may_block: bool,
) -> PyResult<PyChannel> {
    let codec = Codec::of(r#type)?;
    let kind = Kind::Latest { values: codec.values(), buffers };
    let declared = Some(codec.declared(r#type.py()));
    Ok(PyChannel { name, kind, declared, consumer_may_block: readers_may_block, producer_may_block: false })
}

/// The newest value of up to `max_len` bytes: one writer, any number of readers.
#[pyfunction]
#[pyo3(signature = (name, max_len, *, buffers=2, readers_may_block=true))]
pub fn latest_bytes(name: String, max_len: u32, buffers: u32, readers_may_block: bool) -> PyChannel {
    let kind = Kind::LatestBytes { max_len, buffers };
    PyChannel { name, kind, declared: None, consumer_may_block: readers_may_block, producer_may_block: false }
}

/// A value under a lock that survives its owner's death.
#[pyfunction]
#[pyo3(signature = (name, r#type))]
pub fn mutex(name: String, r#type: &Bound<'_, PyAny>) -> PyResult<PyChannel> {
    let codec = Codec::of(r#type)?;
    let kind = Kind::Mutex { value: codec.values() };
    let declared = Some(codec.declared(r#type.py()));
    Ok(PyChannel { name, kind, declared, consumer_may_block: true, producer_may_block: false })
}

/// A counting semaphore: for signals. Its count starts at `initial` and never passes `most`.
#[pyfunction]
#[pyo3(signature = (name, initial, most, *, may_block=true))]
pub fn semaphore(name: String, initial: u32, most: u32, may_block: bool) -> PyChannel {
    let kind = Kind::Semaphore { initial, most };
    PyChannel { name, kind, declared: None, consumer_may_block: may_block, producer_may_block: false }
}

/// `count` permits that come back when their holder dies.
#[pyfunction]
#[pyo3(signature = (name, count))]
pub fn permits(name: String, count: u32) -> PyChannel {
    let kind = Kind::Permits { count };
    PyChannel { name, kind, declared: None, consumer_may_block: true, producer_may_block: false }
}

/// Something that happens: one side notifies, and any number of listeners learn how often.
#[pyfunction]
#[pyo3(signature = (name, *, listeners_may_block=true))]
pub fn event(name: String, listeners_may_block: bool) -> PyChannel {
    PyChannel {
        name,
        kind: Kind::Event,
        declared: None,
        consumer_may_block: listeners_may_block,
        producer_may_block: false,
    }
}

/// Which channels a region has.
///
/// `participants` is how many may take part at once; `line` is how far words of different writers are apart, in bytes.
/// With `described` the region lists the types of its channels that `message` made, for tools and for
/// peers that do not know them.
#[pyclass(frozen, module = "strait", name = "Plan")]
pub struct PyPlan {
    channels: Vec<Py<PyChannel>>,
    participants: u32,
    line: u32,
    /// The description of its types, or nothing.
    text: String,
}

#[pymethods]
impl PyPlan {
    #[new]
    #[pyo3(signature = (channels, *, participants=32, line=128, described=false))]
    fn new(
        py: Python<'_>,
        channels: Vec<Py<PyChannel>>,
        participants: u32,
        line: u32,
        described: bool,
    ) -> PyResult<Self> {
        let text = if described {
            let declared = channels.iter().filter_map(|channel| channel.get().declared.as_ref());
            let declared: Vec<&Py<PyAny>> = declared.collect();
            py.import("strait._types")?.call_method1("description", (declared,))?.extract()?
        } else {
            String::new()
        };
        Ok(Self { channels, participants, line, text })
    }

    /// The region's size in bytes. Raises `BadPlan` if the plan cannot work.
    fn size(&self) -> PyResult<u32> {
        self.with(|plan| plan.try_size().map_err(|error| crate::errors::BadPlan::new_err(error.to_string())))
    }

    fn __len__(&self) -> usize {
        self.channels.len()
    }
}

impl PyPlan {
    /// Uses the plan as the crate has it.
    pub fn with<R>(&self, using: impl FnOnce(&Plan<'_>) -> R) -> R {
        let channels: Vec<Channel<'_>> =
            self.channels.iter().map(|channel| channel.get().channel()).collect();
        let plan = Plan::new(&channels).participants(self.participants).line(self.line);
        using(&plan.described(&self.text))
    }
}
