//! Receiving from lanes several messages at once, or in place.

use crate::endpoint::consumer::Consumer;
use crate::endpoint::peek::Peek;
use crate::ground::message::Message;
use crate::ground::port::Port;

use super::FromLane;
use super::error::TryRecvLanesError;
use super::frames::LanesConsumer;
use super::typed::TypedLanesConsumer;

impl<P: Port, const N: usize> LanesConsumer<P, N> {
    /// Looks at the next frame in place, of the lane whose turn it is. It stays there until [`Peek::release`]; a peek that
    /// is dropped changes nothing but the turn, so the next call may show another lane's frame. Steps: two looks a lane at
    /// most.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`], never `TooSmall`.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, LanesConsumer, Plan, StaticRegion, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32).producers(2)]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut motor = region.lane_producer("log", 0).unwrap();
    /// let mut valve = region.lane_producer("log", 1).unwrap();
    /// valve.try_send(7, b"valve open").unwrap();
    /// let mut log: LanesConsumer<_, 2> = region.lanes_consumer("log").unwrap();
    /// let frame = log.peek().unwrap();
    /// assert_eq!((frame.lane, frame.message.info().len), (1, 10));
    /// frame.message.release();
    ///
    /// motor.try_send(8, b"motor on").unwrap();
    /// valve.try_send(9, b"valve shut").unwrap();
    /// let mut tags = vec![];
    /// assert_eq!(log.recv_batch(9, |frame| tags.push((frame.lane, frame.message.info().tag))), Ok(2));
    /// assert_eq!(tags, [(1, 9), (0, 8)]);
    /// ```
    pub fn peek(&mut self) -> Result<FromLane<Peek<'_, P>>, TryRecvLanesError> {
        self.set.release();
        let lane = self.set.next_lane(|lane| lane.peek().map(drop))?;
        let Some(consumer) = self.set.lane_mut(lane) else { return Err(TryRecvLanesError::Empty) };
        match consumer.peek() {
            Ok(message) => Ok(FromLane { lane, message }),
            Err(error) => Err(TryRecvLanesError::in_lane(lane, error)),
        }
    }

    /// Shows up to `max` frames to `each`, releasing each when `each` returns. Turns and steps are those of as many calls of
    /// [`try_recv`](Self::try_recv); delivery, and a panic in `each`, are as for
    /// [`Consumer::recv_batch`](crate::Consumer::recv_batch). Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`] if there is not even one. A fault behind others shows at the next call.
    pub fn recv_batch(
        &mut self,
        max: usize,
        mut each: impl FnMut(&FromLane<&Peek<'_, P>>),
    ) -> Result<usize, TryRecvLanesError> {
        self.set.recv_batch(max, |lane, consumer: &mut Consumer<P>, most| {
            consumer.recv_batch(most, |message| each(&FromLane { lane, message }))
        })
    }
}

impl<T: Message, P: Port, const N: usize> TypedLanesConsumer<T, P, N> {
    /// Passes up to `max` values to `each`, with their lanes. Each value is done with when `each` returns. Turns and steps
    /// are those of as many calls of [`try_recv`](Self::try_recv), with as many values in a row from one lane as
    /// [`burst`](crate::LanesOptions::burst) says; delivery, and a panic in `each`, are as for
    /// [`TypedConsumer::recv_batch`](crate::TypedConsumer::recv_batch). Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`] if there is not even one. A fault behind others shows at the next call.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, LanesOptions, Plan, StaticRegion, TypedLanesConsumer, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 8).producers(2)]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut producers = [0, 1].map(|lane| region.typed_lane_producer::<u32>("steps", lane).unwrap());
    /// producers[0].try_send_batch([1, 2, 3]).unwrap();
    /// producers[1].try_send_batch([4, 5, 6]).unwrap();
    ///
    /// let options = LanesOptions::new().burst(2);
    /// let mut steps: TypedLanesConsumer<u32, _, 2> = region.typed_lanes_consumer_with("steps", options).unwrap();
    /// let mut got = vec![];
    /// assert_eq!(steps.recv_batch(5, |from| got.push((from.lane, from.message))), Ok(5));
    /// assert_eq!(got, [(0, 1), (0, 2), (1, 4), (1, 5), (0, 3)]);
    /// ```
    pub fn recv_batch(
        &mut self,
        max: usize,
        mut each: impl FnMut(FromLane<T>),
    ) -> Result<usize, TryRecvLanesError> {
        let Self { set, sequence, .. } = self;
        set.recv_batch(max, |lane, consumer, most| {
            let count = consumer.recv_batch(most, |message| each(FromLane { lane, message }))?;
            *sequence = consumer.sequence();
            Ok(count)
        })
    }
}
