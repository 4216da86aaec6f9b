//! The channels of a plan.

use core::time::Duration;

use crate::ground::call;
use crate::ground::entry::NAME_LEN;
use crate::ground::geometry::{
    GRANULE, Geometry, MAX_REGION, MAX_RING, block_stride, latest_stride, round_up, slot_stride,
};
use crate::ground::kind::Kind;
use crate::ground::lane::MAX_LANES;
use crate::ground::message::{Message, ValueType};

use super::error::Fault;

/// The values of an event: the notifier's code.
pub(crate) const EVENT: ValueType = ValueType::of::<u32>();

/// A channel of a plan.
///
/// # Examples
///
/// A constructor names the kind; options set how its sides wait, and where they are:
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[
///     // The consumer may sleep for a command, the producer for space.
///     Channel::frames("commands", 1024, 64).consumer_may_block().producer_may_block(),
///     // One receiver can wait for both of these.
///     Channel::slots::<u32>("stop", 4).doorbell(1),
///     Channel::compact::<u16>("samples", 16).doorbell(1),
///     // A reader may be interrupted for three writes before it has to try again.
///     Channel::latest::<f64>("angle").buffers(4),
///     Channel::mutex::<[f32; 2]>("gains"),
///     Channel::semaphore("ticks", 0, 10),
///     Channel::permits("buses", 2),
/// ]);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let names = region.channels().map(|entry| entry.name().unwrap().len());
/// assert!(names.eq([8, 4, 7, 5, 5, 5, 5]));
/// assert_eq!(region.channel("angle").unwrap().capacity, 4);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Channel<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) capacity: u32,
    pub(super) max_len: usize,
    pub(super) type_hash: u64,
    /// Of calls: the answers' type.
    pub(super) answer: ValueType,
    pub(super) producer_may_block: bool,
    pub(super) consumer_may_block: bool,
    pub(super) doorbell: u32,
    pub(super) domains: (u32, u32),
    /// How often a change is expected, in microseconds; 0 if that is not said, `None` of what no word holds.
    period_us: Option<u32>,
    /// How many producers or clients there may be at once, each with a lane of its own.
    pub(super) lanes: u32,
    /// How many lanes are urgent, from the first.
    pub(super) urgent: u32,
    /// The domain of each lane's producer; none if all are the channel's.
    pub(super) lane_domains: &'a [u32],
    /// How many consumers there may be at once, each of which gets every message; `None` of an ordinary queue.
    pub(super) consumers: Option<u32>,
    /// The domain of each of those consumers; none if all are the channel's.
    pub(super) consumer_domains: &'a [u32],
}

impl<'a> Channel<'a> {
    pub(super) const fn new(
        name: &'a str,
        kind: Kind,
        capacity: u32,
        max_len: usize,
        type_hash: u64,
    ) -> Self {
        Self {
            name,
            kind,
            capacity,
            max_len,
            type_hash,
            answer: ValueType::NONE,
            producer_may_block: false,
            consumer_may_block: false,
            doorbell: 0,
            domains: (0, 0),
            period_us: Some(0),
            lanes: 1,
            urgent: 0,
            lane_domains: &[],
            consumers: None,
            consumer_domains: &[],
        }
    }

    /// A queue of frames of up to `max_len` bytes in a ring of `capacity` bytes, a power of two.
    ///
    /// A frame takes 16 bytes more than its payload, rounded up to 16, and may take half the ring
    /// at most. 16 bytes of the ring always stay free, and a frame does not wrap around the ring's end: what
    /// is left there is skipped. So the smallest ring, of 64 bytes, holds one frame of 8 bytes and not two,
    /// although [`capacity`](crate::Producer::capacity) less [`len`](crate::Producer::len) says that 32 bytes
    /// are free; one twice as large as the frames to hold has room for them. Every byte of a ring is used
    /// in turn, so a ring larger than the CPU caches is slower than one that is just large enough.
    #[must_use]
    pub const fn frames(name: &'a str, capacity: u32, max_len: u32) -> Self {
        Self::new(name, Kind::Frames, capacity, max_len as usize, 0)
    }

    /// A queue of up to `slots` values, a power of two, published in the slot: the fast one between
    /// cores with caches.
    ///
    /// A type with forbidden bit patterns cannot be sent:
    ///
    /// ```compile_fail,E0277
    /// let flags = strait_core::Channel::slots::<bool>("flags", 4);
    /// ```
    #[must_use]
    pub const fn slots<T: Message>(name: &'a str, slots: u32) -> Self {
        Self::new(name, Kind::Slots, slots, size_of::<T>(), T::HASH)
    }

    /// As [`slots`](Self::slots), of a type that is known at run time.
    #[must_use]
    pub const fn slots_of(name: &'a str, slots: u32, values: ValueType) -> Self {
        Self::new(name, Kind::Slots, slots, values.size as usize, values.hash)
    }

    /// A queue of up to `slots` values, a power of two, published by index: no word per slot, for
    /// small values on one core or where memory is short.
    #[must_use]
    pub const fn compact<T: Message>(name: &'a str, slots: u32) -> Self {
        Self::new(name, Kind::Compact, slots, size_of::<T>(), T::HASH)
    }

    /// As [`compact`](Self::compact), of a type that is known at run time.
    #[must_use]
    pub const fn compact_of(name: &'a str, slots: u32, values: ValueType) -> Self {
        Self::new(name, Kind::Compact, slots, values.size as usize, values.hash)
    }

    /// The latest value of type `T`, in two buffers.
    #[must_use]
    pub const fn latest<T: Message>(name: &'a str) -> Self {
        Self::new(name, Kind::Latest, 2, size_of::<T>(), T::HASH)
    }

    /// As [`latest`](Self::latest), of a type that is known at run time.
    #[must_use]
    pub const fn latest_of(name: &'a str, values: ValueType) -> Self {
        Self::new(name, Kind::Latest, 2, values.size as usize, values.hash)
    }

    /// The latest value of up to `max_len` bytes, in two buffers.
    #[must_use]
    pub const fn latest_bytes(name: &'a str, max_len: u32) -> Self {
        Self::new(name, Kind::Latest, 2, max_len as usize, 0)
    }

    /// An event: one side [notifies](crate::Notifier), any number of [listeners](crate::Listener) each learn how often.
    ///
    /// In memory it is a latest value of 4 bytes, the notifier's code; the listeners count its versions, so
    /// there is nothing that could overflow. Listeners may sleep for it.
    #[must_use]
    pub const fn event(name: &'a str) -> Self {
        Self::latest_of(name, EVENT).consumer_may_block()
    }

    /// A stream of values of type `T` from one writer to any number of readers, in a ring of `slots`, a power
    /// of two from 2 to 65536. Each reader gets every value as long as it keeps up; one that falls behind by
    /// more than the ring is told how many it has lost. The writer never waits.
    ///
    /// The ring keeps the newest `slots` values, one less while the writer is at the next. So with one reader
    /// this is the queue that drops the oldest value when it is full.
    #[must_use]
    pub const fn broadcast<T: Message>(name: &'a str, slots: u32) -> Self {
        Self::new(name, Kind::Broadcast, slots, size_of::<T>(), T::HASH)
    }

    /// As [`broadcast`](Self::broadcast), of a type that is known at run time.
    #[must_use]
    pub const fn broadcast_of(name: &'a str, slots: u32, values: ValueType) -> Self {
        Self::new(name, Kind::Broadcast, slots, values.size as usize, values.hash)
    }

    /// As [`broadcast`](Self::broadcast), of up to `max_len` bytes each. Every slot has room for that many.
    #[must_use]
    pub const fn broadcast_bytes(name: &'a str, slots: u32, max_len: u32) -> Self {
        Self::new(name, Kind::Broadcast, slots, max_len as usize, 0)
    }

    /// A value of type `T` under a lock.
    #[must_use]
    pub const fn mutex<T: Message>(name: &'a str) -> Self {
        Self::new(name, Kind::Mutex, 2, size_of::<T>(), T::HASH)
    }

    /// As [`mutex`](Self::mutex), of a type that is known at run time.
    #[must_use]
    pub const fn mutex_of(name: &'a str, value: ValueType) -> Self {
        Self::new(name, Kind::Mutex, 2, value.size as usize, value.hash)
    }

    /// A semaphore that counts from `initial` up to `most`, 1 to 2^30. Nobody owns the count: what a
    /// process has acquired is lost if it dies.
    #[must_use]
    pub const fn semaphore(name: &'a str, initial: u32, most: u32) -> Self {
        Self::new(name, Kind::Semaphore, most, initial as usize, 0)
    }

    /// A semaphore of `count` permits, 1 to 4096, each of which knows its holder and is taken over if the
    /// holder dies.
    #[must_use]
    pub const fn permits(name: &'a str, count: u32) -> Self {
        Self::new(name, Kind::Permits, count, 0, 0).consumer_may_block()
    }

    /// A pool of `count` blocks of `len` bytes each, 1 to 4096 of them: for large messages, which are written into a
    /// block once and then handed over by its [number](crate::pool::BlockId), through any queue. Nobody copies them. See
    /// [`Pool`](crate::pool::Pool).
    #[must_use]
    pub const fn pool(name: &'a str, count: u32, len: u32) -> Self {
        Self::new(name, Kind::Pool, count, len as usize, 0).consumer_may_block()
    }

    /// Keeps a latest value in `count` buffers, a power of two: a reader may be interrupted for
    /// `count - 1` writes before it has to try again.
    #[must_use]
    pub const fn buffers(mut self, count: u32) -> Self {
        if matches!(self.kind, Kind::Latest) {
            self.capacity = count;
        }
        self
    }

    /// Lets the consumer (of a latest value or a broadcast: readers that can write to the region) sleep for data.
    /// The sender then looks at one more word after each send. Of a mutex: lets participants sleep until
    /// the value changes.
    #[must_use]
    pub const fn consumer_may_block(mut self) -> Self {
        self.consumer_may_block = true;
        self
    }

    /// Lets the producer sleep for space.
    #[must_use]
    pub const fn producer_may_block(mut self) -> Self {
        self.producer_may_block = true;
        self
    }

    /// Lets the consumer of a queue, or the server of calls, sleep on doorbell `number` (from 1), which all
    /// channels with that number share, so that one receiver can wait for any of them with [`wait_any`](crate::wait_any).
    ///
    /// A send to any of them wakes every thread and task that waits at the doorbell, so it should belong to
    /// one receiver. If several consumers wait there, each gets its own messages in time, at the
    /// cost of the wakes that were for others. A plan that gives another kind of channel a doorbell is
    /// [refused](crate::PlanError): nothing can wait for such a channel and a queue at once.
    #[must_use]
    pub const fn doorbell(mut self, number: u32) -> Self {
        self.consumer_may_block = true;
        self.doorbell = number;
        self
    }

    /// Assigns the producer's (or writer's) and the consumer's role to domains: 0 and 0 unless set. A role
    /// is claimed, and taken over from the dead, within its domain alone. A latest value and a broadcast may
    /// be read from anywhere. A lock of two domains needs a port with a [hardware lock](crate::port::Port::hardware_lock).
    #[must_use]
    pub const fn domains(mut self, producer: u32, consumer: u32) -> Self {
        self.domains = (producer, consumer);
        self
    }

    /// Says how often the producer or writer is meant to send, up to 71 minutes. A [`Heartbeat`](crate::Heartbeat) then
    /// tells a reader when it is late; nothing is done about it.
    #[must_use]
    pub const fn expected_every(mut self, period: Duration) -> Self {
        let micros = period.as_nanos().div_ceil(1000);
        self.period_us = if micros > u32::MAX as u128 { None } else { Some(micros as u32) };
        self
    }

    /// The period in microseconds, rounded up.
    pub(super) const fn period_us(&self) -> Result<u32, Fault> {
        match self.period_us {
            Some(micros) if micros == 0 || !self.kind.is_lock() => Ok(micros),
            _ => Err(Fault::Period),
        }
    }

    /// Lets `count` producers at once, 1 to 256, send into one queue: each has a lane, which is a ring of its
    /// own of the capacity given. One consumer receives from all of them, see
    /// [`LanesConsumer`](crate::LanesConsumer) and [`TypedLanesConsumer`](crate::TypedLanesConsumer).
    ///
    /// Order holds within a lane. A producer that is stopped or dead holds up nobody else, and its lane is taken
    /// over like any producer's role. With 1 this is the ordinary queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, Plan, StaticRegion, TypedLanesConsumer, port::NoSystem};
    /// const PLAN: Plan =
    ///     Plan::new(&[Channel::slots::<u32>("log", 64).producers(4).consumer_may_block()]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut motor = region.typed_lane_producer::<u32>("log", 0).unwrap();
    /// let (lane, mut valve) = region.typed_free_lane_producer::<u32>("log").unwrap();
    /// assert_eq!(lane, 1);
    /// motor.try_send(&10).unwrap();
    /// valve.try_send(&20).unwrap();
    ///
    /// let mut log: TypedLanesConsumer<u32, _, 4> = region.typed_lanes_consumer("log").unwrap();
    /// let both = [log.try_recv().unwrap(), log.try_recv().unwrap()];
    /// assert_eq!(both.map(|from| (from.lane, from.message)), [(0, 10), (1, 20)]);
    /// ```
    #[must_use]
    pub const fn producers(mut self, count: u32) -> Self {
        self.lanes = if self.kind.is_queue() { count } else { 0 };
        self.lane_domains = &[];
        self
    }

    /// As [`producers`](Self::producers), one for each of these domains: lane `i` is claimed, and taken over, in
    /// `domains[i]` alone. So firmware and a process can send into one queue.
    #[must_use]
    pub const fn producers_in(mut self, domains: &'a [u32]) -> Self {
        // More than `u32` holds is too many in any case.
        self.lanes = if self.kind.is_queue() { lanes_in(domains) } else { 0 };
        self.lane_domains = domains;
        self
    }

    /// Makes the first `count` lanes urgent: each receive looks at them first, in their order, so that a message
    /// there waits for no message of another lane. A producer that keeps an urgent lane full keeps the consumer
    /// from the other lanes. A search for a free lane leaves urgent lanes out.
    #[must_use]
    pub const fn urgent_lanes(mut self, count: u32) -> Self {
        self.urgent = count;
        self
    }

    /// The domain of a lane's producer or client.
    pub(super) const fn producer_domain(&self, lane: u32) -> u32 {
        if self.lane_domains.is_empty() { self.domains.0 } else { self.lane_domains[lane as usize] }
    }

    pub(super) const fn geometry(&self, line: u32, split_payload: bool) -> Result<Geometry, Fault> {
        if split_payload && !self.kind.can_split_payload() {
            return Err(Fault::Apart);
        }
        if self.doorbell != 0 && !self.kind.has_two_roles() {
            return Err(Fault::Doorbell);
        }
        if self.period_us().is_err() {
            return Err(Fault::Period);
        }
        if self.lanes == 0
            || self.lanes > MAX_LANES
            || self.urgent > self.lanes
            || self.lanes > 1 && !self.kind.has_two_roles()
        {
            return Err(Fault::Lanes);
        }
        if !self.consumers_are_sound() {
            return Err(Fault::Consumers);
        }
        if self.max_len >= MAX_REGION as usize {
            return Err(Fault::TooLarge);
        }
        let max_len = self.max_len as u32;
        let stride = match self.kind {
            Kind::Frames => Some(GRANULE),
            Kind::Slots => slot_stride(max_len, line),
            Kind::Compact => Some(max_len),
            Kind::Latest | Kind::Broadcast => latest_stride(max_len, line, split_payload),
            Kind::Mutex => round_up(max_len, if line > 8 { line } else { 8 }),
            Kind::Semaphore | Kind::Permits => Some(0),
            Kind::Pool => block_stride(max_len, line),
            Kind::Calls => call::stride(max_len, line),
        };
        let Some(stride) = stride else { return Err(Fault::TooLarge) };
        let Self { kind, capacity, answer: ValueType { size: answer, .. }, .. } = *self;
        let geometry = Geometry { kind, capacity, stride, max_len, answer, split_payload };
        let counts = matches!(self.kind, Kind::Semaphore | Kind::Permits | Kind::Pool);
        if counts && !geometry.is_sound(line) {
            return Err(Fault::Count);
        }
        if !self.capacity.is_power_of_two() && !self.kind.is_lock() || self.capacity > MAX_RING {
            return Err(Fault::Capacity);
        }
        if !geometry.is_sound(line) {
            return Err(Fault::Geometry);
        }
        Ok(geometry)
    }

    pub(super) const fn padded_name(&self) -> Result<[u8; NAME_LEN], Fault> {
        let bytes = self.name.as_bytes();
        if bytes.is_empty() || bytes.len() >= NAME_LEN {
            return Err(Fault::Name);
        }
        let mut name = [0; NAME_LEN];
        let mut i = 0;
        while i < bytes.len() {
            if bytes[i] == 0 || bytes[i] == b'/' {
                return Err(Fault::Name);
            }
            name[i] = bytes[i];
            i += 1;
        }
        Ok(name)
    }
}

/// How many lanes there are with one for each of these domains; 0, which is refused, if they are too many.
pub(super) const fn lanes_in(domains: &[u32]) -> u32 {
    if domains.len() > MAX_LANES as usize { 0 } else { domains.len() as u32 }
}
