"""Queues, latest values and locks in a piece of shared memory, for real-time control.

A `Plan` lists channels; `Region.create`, `open` and `open_or_create` lay a region out by it or find it; the region opens
endpoints. A peer may be killed at any instruction or write garbage: a successor takes its roles over, and calls return
errors or sane data.

>>> import strait
>>> @strait.message
... class Torque:
...     axis: strait.u32
...     newton_metres: strait.f32
>>> plan = strait.Plan([strait.slots("torque", 64, Torque)])
>>> region = strait.Region.open_or_create("arm", plan)
>>> with region.typed_producer("torque", Torque) as torque:
...     torque.send(Torque(2, 0.5), timeout=1.0)

Waits take `timeout=` in seconds, run without the interpreter's lock, and end on Ctrl-C. Everything is copied in and out.
An endpoint is used by one thread at a time; a second one gets `InUse`.
"""

from ._errors import (
    AlreadyExists,
    BadName,
    BadPlan,
    Busy,
    Closed,
    Contended,
    Damaged,
    Deadlock,
    Empty,
    Error,
    Fault,
    Full,
    InUse,
    NotARegion,
    NotDescribed,
    NotFound,
    NotOwner,
    NotPermitted,
    Overflow,
    PeerGone,
    Poisoned,
    ReadOnly,
    TableFull,
    TimedOut,
    TooLarge,
    WrongKind,
    WrongSize,
    WrongType,
)
from ._strait import (
    Channel,
    Consumer,
    LatestReader,
    LatestWriter,
    Listener,
    Lock,
    Mutex,
    Notified,
    Notifier,
    Permit,
    Permits,
    Plan,
    Producer,
    Reading,
    Region,
    Semaphore,
    TypedConsumer,
    TypedProducer,
    await_any,
    await_ready,
    compact,
    doorbell,
    event,
    frames,
    latest,
    latest_bytes,
    mutex,
    permits,
    semaphore,
    slots,
    wait_any,
    wait_ready,
)
from ._types import Type, f32, f64, i8, i16, i32, i64, message, type_of, u8, u16, u32, u64

__all__ = [name for name in dir() if not name.startswith("_")]
