//! Receiving from lanes in the order of time stamps, as far as that is known.

use core::cell::Cell;
use core::time::Duration;

use crate::endpoint::consumer::{Consumer, Received};
use crate::endpoint::error::TryRecvError;
use crate::endpoint::typed::TypedConsumer;
use crate::endpoint::wait_policy::Deadline;
use crate::ground::message::{Message, Shape};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::protocol::merge::{Merge, Next};

use super::FromLane;
use super::error::{RecvLanesError, TryRecvLanesError};
use super::frames::LanesConsumer;
use super::ring_set::{LaneConsumer, RingSet, outcome};
use super::typed::{TypedLanesConsumer, numbered};

/// Where a message has its time stamp: a `u64`, in any unit, of any clock that all producers share. Stamps of one
/// producer are meant to go up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    at: u32,
}

impl Stamp {
    /// At this offset of a frame's payload, or of a value. Read as little-endian. A frame that ends before its end has
    /// the stamp 0, and so comes at once.
    #[must_use]
    pub const fn at(offset: u32) -> Self {
        Self { at: offset }
    }

    /// In this field of the type `T`.
    ///
    /// # Panics
    ///
    /// If `T` has no field of this name and of type `u64`: at compile time, if the result is a constant.
    #[must_use]
    pub const fn field<T: Message>(name: &str) -> Self {
        if let Shape::Struct(fields, _) = T::SHAPE {
            let mut i = 0;
            while i < fields.len() {
                let is_number = matches!(fields[i].shape, Shape::Scalar(scalar) if is_same(scalar, "u64"));
                if is_number && is_same(fields[i].name, name) {
                    return Self { at: fields[i].offset as u32 };
                }
                i += 1;
            }
        }
        panic!("the type has no field of this name that is a u64; name one that is");
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
}

/// The order of time in which messages of up to `N` lanes are received, and what is known of it so far. Belongs to one
/// consumer, and is private to it.
///
/// Of the first message of each lane, the one with the lowest stamp comes first; of equals, that of the lowest lane.
/// Whether a lane is urgent, and how many messages in a row may come from it, have no meaning here.
///
/// # What is known
///
/// A lane that has a message waiting sends none that is older. A lane that is empty sends none that is older than the
/// latest that came from it: a producer that has nothing to send can say the time by a message that says nothing else.
/// A message is *certain* if each lane that is empty has said its stamp or a later one.
///
/// # Guarantees
///
/// - A message that was sent after another one was sent, and has a later stamp, never comes before it, whether the two
///   are certain or not.
/// - With [`hold`](Self::hold), one that is not certain waits until it is, up to that long after this consumer saw it, by
///   this consumer's clock. So the order is that of the stamps if each message is sent at most that long after one
///   with a later stamp was seen.
/// - Without it, nothing waits: an empty lane holds up nobody.
///
/// # If a producer dies, is silent or lies
///
/// A lane of which nothing comes costs the others the time of `hold`, and none without it; one that is damaged is left
/// out, and costs nothing. Stamps that are wrong change the order, and that within a bound: once a message was seen,
/// at most [`passes`](Self::passes) others come before it, and one more of each other lane.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, Stamp, StaticRegion, TimeOrder, TryRecvLanesError, TypedLanesConsumer, port::NoSystem};
/// strait_core::message! {
///     struct Line { time_ns: u64, code: u64 }
/// }
/// const PLAN: Plan = Plan::new(&[Channel::slots::<Line>("log", 8).producers(2)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
/// const STAMP: Stamp = Stamp::field::<Line>("time_ns");
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let [mut motor, mut valve] = [0, 1].map(|lane| region.typed_lane_producer::<Line>("log", lane).unwrap());
/// motor.try_send(&Line { time_ns: 10, code: 1 }).unwrap();
/// motor.try_send(&Line { time_ns: 30, code: 3 }).unwrap();
/// valve.try_send(&Line { time_ns: 20, code: 2 }).unwrap();
///
/// let mut log: TypedLanesConsumer<Line, _, 2> = region.typed_lanes_consumer("log").unwrap();
/// let mut order = TimeOrder::new(STAMP);
/// let codes = [(); 3].map(|()| log.try_recv_by_time(&mut order).unwrap().message.code);
/// assert_eq!(codes, [1, 2, 3]);
/// assert_eq!(log.try_recv_by_time(&mut order).err(), Some(TryRecvLanesError::Empty));
/// ```
#[derive(Clone, Debug)]
pub struct TimeOrder<const N: usize> {
    merge: Merge<N>,
    stamp: Stamp,
    hold: Duration,
    passes: Option<u32>,
}

impl<const N: usize> TimeOrder<N> {
    /// By this stamp, without holding anything.
    #[must_use]
    pub const fn new(stamp: Stamp) -> Self {
        Self { merge: Merge::new(), stamp, hold: Duration::ZERO, passes: None }
    }

    /// Holds a message that is not certain up to this long after it was seen. On a port without a clock, not at all.
    #[must_use]
    pub const fn hold(mut self, time: Duration) -> Self {
        self.hold = time;
        self
    }

    /// Lets up to `messages` others pass a message once it was seen. As many as the lanes take together, unless set: what
    /// was sent before it always may.
    #[must_use]
    pub const fn passes(mut self, messages: u32) -> Self {
        self.passes = Some(messages);
        self
    }
}

/// A lane whose messages have stamps.
pub(in crate::endpoint) trait StampedLane<P: Port>: LaneConsumer<P> {
    /// Where the next message is, or will be.
    fn position(&self) -> u32;
    /// The stamp of the next message, which stays there.
    fn stamp(&mut self, stamp: Stamp) -> Result<u64, TryRecvError>;
    /// How many messages the lane takes.
    fn capacity(&self) -> u32;
}

impl<P: Port> StampedLane<P> for Consumer<P> {
    fn position(&self) -> u32 {
        self.position()
    }

    fn stamp(&mut self, stamp: Stamp) -> Result<u64, TryRecvError> {
        self.peek_number(stamp.at)
    }

    fn capacity(&self) -> u32 {
        self.capacity() / crate::ground::geometry::GRANULE
    }
}

impl<T: Value + ?Sized, P: Port> StampedLane<P> for TypedConsumer<T, P> {
    fn position(&self) -> u32 {
        self.position()
    }

    fn stamp(&mut self, stamp: Stamp) -> Result<u64, TryRecvError> {
        self.peek_number(stamp.at)
    }

    fn capacity(&self) -> u32 {
        self.capacity()
    }
}

/// What an attempt to receive found.
enum Found<R> {
    Now(Result<FromLane<R>, TryRecvLanesError>),
    /// A message that may be held until then.
    Held(Deadline),
}

impl<E: StampedLane<P>, P: Port, const N: usize> RingSet<E, P, N> {
    /// Receives by `take` in the order of time.
    fn find_by_time<R>(
        &mut self,
        order: &mut TimeOrder<N>,
        take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Found<R> {
        self.release();
        let lane = match self.next_by_time(order) {
            Ok(Next::Take(lane)) => lane,
            Ok(Next::Nothing) => return Found::Now(Err(TryRecvLanesError::Empty)),
            Ok(Next::Held(until)) => return Found::Held(Deadline::at_ns(until)),
            Err(error) => return Found::Now(Err(error)),
        };
        let received = self.take_from(lane, take);
        if received.is_ok() {
            order.merge.took(lane);
        }
        Found::Now(received)
    }

    /// Looks at the lanes of which no message is known, until such a round finds none that is older.
    fn next_by_time(&mut self, order: &mut TimeOrder<N>) -> Result<Next, TryRecvLanesError> {
        let TimeOrder { merge, stamp, hold, passes } = order;
        let stamp = *stamp;
        let clock = self.port();
        // The moment at which this call sees what it sees.
        let (now, until) = match *hold {
            Duration::ZERO => (0, 0),
            hold => {
                let now = clock.now_ns();
                (now, now.saturating_add(u64::try_from(hold.as_nanos()).unwrap_or(u64::MAX)))
            }
        };
        let passes = passes.map_or_else(|| self.messages(), u64::from);
        let mut oldest = None;
        // G2. At most as many rounds as there are lanes: each but the last finds a message in one that had none.
        for _ in 0..=self.count() {
            self.look_at_each(|lane, end| {
                let Some(end) = end else {
                    merge.leave_out(lane);
                    return Ok(());
                };
                if merge.knows(lane, end.position()) {
                    return Ok(());
                }
                match end.stamp(stamp) {
                    Ok(stamp) => merge.saw(lane, end.position(), stamp, until),
                    Err(TryRecvError::Empty) => merge.is_empty(lane),
                    Err(error) => return Err(error),
                }
                Ok(())
            })?;
            let now_oldest = merge.oldest();
            if now_oldest == oldest {
                break;
            }
            oldest = now_oldest;
        }
        Ok(merge.next(self.count(), passes, now))
    }

    /// How many messages all lanes take together.
    fn messages(&self) -> u64 {
        let first = (0..self.count()).find_map(|lane| self.lane(lane)).map_or(0, StampedLane::capacity);
        u64::from(first) * u64::from(self.count())
    }

    fn try_by_time<R>(
        &mut self,
        order: &mut TimeOrder<N>,
        take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<FromLane<R>, TryRecvLanesError> {
        match self.find_by_time(order, take) {
            Found::Now(received) => received,
            Found::Held(_) => Err(TryRecvLanesError::Empty),
        }
    }

    /// Receives by `take` in the order of time, waiting until `deadline`.
    fn by_time_until<R>(
        &mut self,
        order: &mut TimeOrder<N>,
        deadline: Deadline,
        mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<FromLane<R>, RecvLanesError> {
        // When the message that is held need not be any longer, as far as known.
        let mut due = deadline;
        loop {
            let is_held = Cell::new(false);
            let look = |this: &mut Self| {
                is_held.set(false);
                match this.find_by_time(order, &mut take) {
                    Found::Now(received) => outcome(received).map(Ok),
                    Found::Held(until) if until < due => Some(Err(until)),
                    Found::Held(_) => {
                        is_held.set(true);
                        None
                    }
                }
            };
            // What is held comes yet.
            let replaced = || (!is_held.get()).then_some(Ok(Err(RecvLanesError::Replaced)));
            let found = self.wait_until(due, look, replaced);
            match found {
                Some(Ok(received)) => return received,
                Some(Err(until)) => due = until,
                None if due < deadline => due = deadline,
                None => return Err(RecvLanesError::TimedOut),
            }
        }
    }
}

impl<P: Port, const N: usize> LanesConsumer<P, N> {
    /// Receives a frame into `buffer`, in the [order of time](TimeOrder). Steps: two looks a lane, and one more for each
    /// of the lanes that is still empty whenever such a round finds an older frame; so in proportion to the square of
    /// the number of lanes at most. The stamp of a frame that waits is read once.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`], `Empty` also if what is there is held; nothing was received then.
    pub fn try_recv_by_time(
        &mut self,
        order: &mut TimeOrder<N>,
        buffer: &mut [u8],
    ) -> Result<FromLane<Received>, TryRecvLanesError> {
        self.set.try_by_time(order, |lane| lane.try_recv(buffer))
    }

    /// As [`try_recv_by_time`](Self::try_recv_by_time), waiting until `deadline` for a frame that need not be held.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`]; nothing was received then.
    pub fn recv_by_time_until(
        &mut self,
        order: &mut TimeOrder<N>,
        buffer: &mut [u8],
        deadline: Deadline,
    ) -> Result<FromLane<Received>, RecvLanesError> {
        self.set.by_time_until(order, deadline, |lane| lane.try_recv(buffer))
    }

    /// As [`recv_by_time_until`](Self::recv_by_time_until), up to `timeout` from now.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`]; nothing was received then.
    pub fn recv_by_time_timeout(
        &mut self,
        order: &mut TimeOrder<N>,
        buffer: &mut [u8],
        timeout: Duration,
    ) -> Result<FromLane<Received>, RecvLanesError> {
        let deadline = self.set.deadline(timeout);
        self.recv_by_time_until(order, buffer, deadline)
    }
}

impl<T: Message, P: Port, const N: usize> TypedLanesConsumer<T, P, N> {
    /// Receives a value in the [order of time](TimeOrder). Steps: two looks a lane, and one more for each of the lanes
    /// that is still empty whenever such a round finds an older value; so in proportion to the square of the number of
    /// lanes at most. The stamp of a value that waits is read once.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError::Empty`], also if what is there is held, or `Fault`.
    pub fn try_recv_by_time(&mut self, order: &mut TimeOrder<N>) -> Result<FromLane<T>, TryRecvLanesError> {
        let FromLane { lane, message: (message, sequence) } = self.set.try_by_time(order, numbered)?;
        self.sequence = sequence;
        Ok(FromLane { lane, message })
    }

    /// As [`try_recv_by_time`](Self::try_recv_by_time), waiting until `deadline` for a value that need not be held.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError::TimedOut`] or [`RecvLanesError::Fault`].
    pub fn recv_by_time_until(
        &mut self,
        order: &mut TimeOrder<N>,
        deadline: Deadline,
    ) -> Result<FromLane<T>, RecvLanesError> {
        let FromLane { lane, message: (message, sequence) } =
            self.set.by_time_until(order, deadline, numbered)?;
        self.sequence = sequence;
        Ok(FromLane { lane, message })
    }

    /// As [`recv_by_time_until`](Self::recv_by_time_until), up to `timeout` from now.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError::TimedOut`] or [`RecvLanesError::Fault`].
    pub fn recv_by_time_timeout(
        &mut self,
        order: &mut TimeOrder<N>,
        timeout: Duration,
    ) -> Result<FromLane<T>, RecvLanesError> {
        let deadline = self.set.deadline(timeout);
        self.recv_by_time_until(order, deadline)
    }
}

impl<P: Port, const N: usize> TypedLanesConsumer<[u8], P, N> {
    /// Receives a value into `value`, in the [order of time](TimeOrder); returns its lane. Steps as for values of a type
    /// that the compiler knows.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`], `Empty` also if what is there is held.
    pub fn try_recv_into_by_time(
        &mut self,
        order: &mut TimeOrder<N>,
        value: &mut [u8],
    ) -> Result<u32, TryRecvLanesError> {
        let from = self.set.try_by_time(order, |lane| {
            lane.try_recv_into(value)?;
            Ok(lane.sequence())
        })?;
        self.sequence = from.message;
        Ok(from.lane)
    }

    /// As [`try_recv_into_by_time`](Self::try_recv_into_by_time), waiting up to `timeout` for a value that need not be
    /// held.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`].
    pub fn recv_into_by_time_timeout(
        &mut self,
        order: &mut TimeOrder<N>,
        value: &mut [u8],
        timeout: Duration,
    ) -> Result<u32, RecvLanesError> {
        let deadline = self.set.deadline(timeout);
        let from = self.set.by_time_until(order, deadline, |lane| {
            lane.try_recv_into(value)?;
            Ok(lane.sequence())
        })?;
        self.sequence = from.message;
        Ok(from.lane)
    }
}
