//! The directory entries of a channel's lanes, and claiming a lane's producer.

use crate::endpoint::attachment::{Attachment, check_kind, check_one_consumer};
use crate::endpoint::error::ChannelError;
use crate::endpoint::producer::Producer;
use crate::endpoint::typed::{TypedProducer, check_values};
use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::lane::Lane;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;

/// The error of lanes whose entries do not belong together.
const UNLIKE: ChannelError = ChannelError::Damaged("lanes");

/// The lanes of one channel.
pub(in crate::endpoint) struct Group {
    /// The place of the first lane's entry in the directory.
    place: u32,
    /// The first lane's entry.
    pub first: Entry,
}

impl Group {
    /// The channel of this name, which may also have one producer: then it is its own only lane.
    pub fn find<P: Port>(attachment: &Attachment<P>, name: &str) -> Result<Self, ChannelError> {
        let (place, first) = attachment.find(name)?;
        if first.lane.index != 0 {
            return Err(UNLIKE);
        }
        check_one_consumer(&first)?;
        Ok(Self { place, first })
    }

    pub fn count(&self) -> u32 {
        self.first.lane.count
    }

    /// The entry of a lane, checked to be like the first.
    pub fn lane<P: Port>(&self, attachment: &Attachment<P>, index: u32) -> Result<Entry, ChannelError> {
        let count = self.count();
        if index >= count {
            return Err(ChannelError::NoLane { count });
        }
        let header = attachment.header();
        let place = self.place.checked_add(index).filter(|&place| place < header.channel_count);
        let entry = place.and_then(|place| header.entry(attachment.port().mem(), place).ok());
        entry.filter(|entry| self.has(entry, index)).ok_or(UNLIKE)
    }

    /// Whether an entry is that of lane `index`: the same as the first but for its place and its producer's domain.
    fn has(&self, entry: &Entry, index: u32) -> bool {
        let Entry { domain_a, block_a, block_b, block_c, data, wait_a, .. } = *entry;
        let lane = Lane { index, ..self.first.lane };
        *entry == Entry { lane, domain_a, block_a, block_b, block_c, data, wait_a, ..self.first }
    }

    /// Opens the first lane that is not urgent and can be opened, and returns its number.
    pub fn any<P: Port, E>(
        &self,
        attachment: &Attachment<P>,
        open: impl Fn(&Entry) -> Result<E, ChannelError>,
    ) -> Result<(u32, E), ChannelError> {
        let mut worst = None;
        for index in self.first.lane.urgent..self.count() {
            match open(&self.lane(attachment, index)?) {
                Ok(end) => return Ok((index, end)),
                // A lane of another domain, or a damaged one, says less than one that is taken.
                Err(error) if error == ChannelError::Busy || worst.is_none() => worst = Some(error),
                Err(_) => {}
            }
        }
        Err(worst.unwrap_or(ChannelError::Busy))
    }
}

impl<P: Port> Attachment<P> {
    /// The entry of a lane, from 0, of the queue of this name: for tools. Of a channel without lanes, lane 0 is
    /// the channel. Steps in proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NotFound`], `NoLane`, or `Damaged` if the lanes' entries contradict each other.
    pub fn lane(&self, name: &str, lane: u32) -> Result<Entry, ChannelError> {
        Group::find(self, name)?.lane(self, lane)
    }

    /// Claims the producer's role of a lane, from 0, of a queue of frames with several producers. If the lane's
    /// last producer is proven dead, the role is taken over, as by [`producer`](Self::producer); the other lanes
    /// are not touched. Of a queue with one producer, lane 0 is that queue.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn lane_producer(&self, name: &str, lane: u32) -> Result<Producer<P>, ChannelError> {
        Producer::open(self, &self.frames_group(name)?.lane(self, lane)?)
    }

    /// Claims the producer's role of any lane that is free, or whose producer is proven dead, and is neither
    /// urgent nor another domain's; returns the lane's number too. Steps: one claim a lane at most.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, ChannelError, Plan, StaticRegion, port::NoSystem};
    /// const PLAN: Plan =
    ///     Plan::new(&[Channel::frames("log", 256, 32).producers(3).urgent_lanes(1)]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let (motor, _motor) = region.free_lane_producer("log").unwrap();
    /// let (valve, _valve) = region.free_lane_producer("log").unwrap();
    /// assert_eq!((motor, valve), (1, 2));
    /// assert_eq!(region.free_lane_producer("log").err(), Some(ChannelError::Busy));
    /// // An urgent lane is claimed by its number alone.
    /// let mut alarm = region.lane_producer("log", 0).unwrap();
    /// assert!(alarm.try_send(1, b"overheated").is_ok());
    /// ```
    pub fn free_lane_producer(&self, name: &str) -> Result<(u32, Producer<P>), ChannelError> {
        self.frames_group(name)?.any(self, |entry| Producer::open(self, entry))
    }

    /// As [`lane_producer`](Self::lane_producer), of a queue of values.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_lane_producer<T: Message>(
        &self,
        name: &str,
        lane: u32,
    ) -> Result<TypedProducer<T, P>, ChannelError> {
        TypedProducer::open(self, &self.values_group(name, ValueType::of::<T>())?.lane(self, lane)?)
    }

    /// As [`typed_lane_producer`](Self::typed_lane_producer), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_lane_producer_of(
        &self,
        name: &str,
        values: ValueType,
        lane: u32,
    ) -> Result<TypedProducer<[u8], P>, ChannelError> {
        TypedProducer::open(self, &self.values_group(name, values)?.lane(self, lane)?)
    }

    /// As [`free_lane_producer`](Self::free_lane_producer), of a queue of values.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn typed_free_lane_producer<T: Message>(
        &self,
        name: &str,
    ) -> Result<(u32, TypedProducer<T, P>), ChannelError> {
        self.values_group(name, ValueType::of::<T>())?.any(self, |entry| TypedProducer::open(self, entry))
    }

    /// As [`typed_free_lane_producer`](Self::typed_free_lane_producer), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn typed_free_lane_producer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<(u32, TypedProducer<[u8], P>), ChannelError> {
        self.values_group(name, values)?.any(self, |entry| TypedProducer::open(self, entry))
    }

    /// The lanes of this name, which must carry frames.
    pub(in crate::endpoint) fn frames_group(&self, name: &str) -> Result<Group, ChannelError> {
        let group = Group::find(self, name)?;
        check_kind(&group.first, Kind::Frames)?;
        Ok(group)
    }

    /// The lanes of this name, which must carry values of this type.
    pub(in crate::endpoint) fn values_group(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<Group, ChannelError> {
        let group = Group::find(self, name)?;
        check_values(&group.first, values)?;
        Ok(group)
    }
}
