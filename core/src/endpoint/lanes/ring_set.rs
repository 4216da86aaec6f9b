//! The common part of consumers of lanes: their consumers, their turns, and waiting for all of them.

use core::cell::Cell;
use core::time::Duration;

use heapless::Vec;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::{ChannelError, TryRecvError};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::peer_watch::{EndWithPeer, HasPeer, Prospect, is_deserted};
use crate::endpoint::role::{PeerStatus, Role, Side};
use crate::endpoint::tasks::{Due, WakerRegistration};
use crate::endpoint::wait::{Waiting, wait_and_search};
use crate::endpoint::wait_policy::{Deadline, WaitPolicy};
use crate::ground::entry::Entry;
use crate::ground::port::Port;
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::Violation;
use crate::protocol::lanes::Sweep;

use super::FromLane;
use super::error::{RecvLanesError, TryRecvLanesError};
use super::group::Group;
use super::options::LanesOptions;

/// The consumer of one lane, or its server: an ordinary one.
pub(in crate::endpoint) trait LaneConsumer<P: Port>: Sized {
    fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError>;
    fn has_data(&mut self) -> bool;
    fn has_more(&self) -> bool;
    fn release(&mut self);
    fn flush(&mut self);
    fn fault(&self) -> Option<Violation>;
    fn peer(&self) -> PeerStatus;
}

/// A lane, from its consumer's side.
enum Lane<E, P: Port> {
    /// Messages may come.
    Open(E),
    /// Its words contradict each other, and nothing can be received from it. The role is held all the same,
    /// unless its word is damaged too.
    Damaged { violation: Violation, _role: Option<Role<P>> },
}

/// A lane, and whether its fault was returned.
struct Place<E, P: Port> {
    lane: Lane<E, P>,
    is_left_out: bool,
}

impl<E: LaneConsumer<P>, P: Port> Place<E, P> {
    fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let is_first = entry.lane.index == 0;
        let lane = match E::open(attachment, entry, options) {
            Ok(end) => Lane::Open(end),
            Err(ChannelError::Fault(violation)) => match Role::claim(attachment, entry, Side::B) {
                Ok(role) => Lane::Damaged { violation, _role: Some(role) },
                Err(error) if is_first => return Err(error),
                Err(_) => Lane::Damaged { violation, _role: None },
            },
            // The holder of the first lane's role finds the others free or their owners dead, in honest regions.
            Err(ChannelError::Busy) if !is_first => {
                Lane::Damaged { violation: Violation::State, _role: None }
            }
            Err(error) => return Err(error),
        };
        Ok(Self { lane, is_left_out: false })
    }

    fn end(&mut self) -> Option<&mut E> {
        match &mut self.lane {
            Lane::Open(end) => Some(end),
            Lane::Damaged { .. } => None,
        }
    }

    /// Receives by `take`; `None` if there is nothing, or the lane is left out.
    #[inline(always)]
    fn receive<R>(
        &mut self,
        take: &mut impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Option<Result<R, TryRecvError>> {
        if self.is_left_out {
            return None;
        }
        let received = match &mut self.lane {
            Lane::Open(end) => take(end),
            Lane::Damaged { violation, .. } => Err(TryRecvError::Fault(*violation)),
        };
        match received {
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Fault(_)) => {
                self.is_left_out = true;
                Some(received)
            }
            _ => Some(received),
        }
    }

    /// Whether the next receive would return something from here.
    fn has_news(&mut self) -> bool {
        if self.is_left_out {
            return false;
        }
        match &mut self.lane {
            Lane::Open(end) => end.has_data(),
            Lane::Damaged { .. } => true,
        }
    }
}

/// The lanes of a channel, from the side of their one consumer.
pub(in crate::endpoint) struct RingSet<E: LaneConsumer<P>, P: Port, const N: usize> {
    /// The lanes, 1 to `N`, in the order of their numbers. The first one's role stands for all, so it is opened first and dropped last.
    places: Vec<Place<E, P>, N>,
    /// Whose turn it is.
    sweep: Sweep,
    /// The lane of the message received last, if it may still be in use.
    last: Option<u32>,
    /// The word on which this side sleeps for all lanes, if the plan lets it.
    park_word: Option<ParkWord>,
    /// How it waits, with the learnt number of looks before a sleep.
    waiting: Waiting,
    /// Whether waits end when all producers are gone.
    watch: EndWithPeer,
    port: P,
}

impl<E: LaneConsumer<P>, P: Port, const N: usize> RingSet<E, P, N> {
    /// Claims the consumer's roles of all lanes.
    pub fn open(
        attachment: &Attachment<P>,
        group: &Group,
        options: LanesOptions,
    ) -> Result<Self, ChannelError> {
        let (count, urgent) = (group.count(), group.first.lane.urgent);
        if count as usize > N {
            return Err(ChannelError::TooManyLanes { count });
        }
        let mut set = Self {
            places: Vec::new(),
            sweep: Sweep::new(count, urgent, options.limit()),
            last: None,
            park_word: ParkWord::of_consumer(attachment, &group.first),
            waiting: Waiting::new(WaitPolicy::parking()).for_looks_of(count),
            watch: EndWithPeer::Off,
            port: attachment.port().clone(),
        };
        for index in 0..count {
            let place = Place::open(attachment, &group.lane(attachment, index)?, options.consumer())?;
            // There is room: `count` is `N` at most.
            let _ = set.places.push(place);
        }
        Ok(set)
    }

    /// The lane whose turn goes on, and its consumer: the short way to the next message of a busy channel. The caller says
    /// that it [took one](Self::took_one), or goes on to [`try_recv`](Self::try_recv).
    #[inline(always)]
    pub fn going_on(&mut self) -> Option<(u32, &mut E)> {
        let lane = self.sweep.goes_on()?;
        match self.places.get_mut(lane as usize) {
            Some(Place { lane: Lane::Open(end), is_left_out: false }) => Some((lane, end)),
            _ => None,
        }
    }

    /// A message was received from the lane that [goes on](Self::going_on).
    #[inline(always)]
    pub fn took_one(&mut self, lane: u32) {
        self.sweep.took_one();
        if self.last != Some(lane) {
            self.note_slow(lane);
        }
    }

    /// A message of this lane is in use from now on, and none of another.
    #[cold]
    fn note_slow(&mut self, lane: u32) {
        self.release();
        self.last = Some(lane);
    }

    /// Receives by `take` from the lane whose turn it is.
    #[inline]
    pub fn try_recv<R>(
        &mut self,
        mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<FromLane<R>, TryRecvLanesError> {
        let Self { places, sweep, .. } = self;
        let Some((lane, received)) = sweep.find(|lane| places.get_mut(lane as usize)?.receive(&mut take))
        else {
            // Each lane was looked at, and so has released everything.
            self.last = None;
            return Err(TryRecvLanesError::Empty);
        };
        if self.last.is_some_and(|last| last != lane) {
            self.release();
        }
        match received {
            Ok(message) => {
                self.last = Some(lane);
                Ok(FromLane { lane, message })
            }
            Err(error) => Err(TryRecvLanesError::in_lane(lane, error)),
        }
    }

    /// Receives by `take` from one lane after the other, up to `max` messages and as many in a row from one lane as ever;
    /// `take` gets the lane, its consumer and the most that it may take, and returns how many it took. Returns how many
    /// there were.
    pub fn recv_batch(
        &mut self,
        max: usize,
        mut take: impl FnMut(u32, &mut E, usize) -> Result<usize, TryRecvError>,
    ) -> Result<usize, TryRecvLanesError> {
        self.release();
        let Self { places, sweep, .. } = self;
        let mut count = 0;
        while count < max {
            let most = (sweep.most() as usize).min(max - count);
            let found = sweep.find(|lane| {
                let place = places.get_mut(lane as usize)?;
                place.receive(&mut |end: &mut E| take(lane, end, most))
            });
            match found {
                Some((lane, Ok(taken))) => {
                    count += taken;
                    sweep.took(lane, u32::try_from(taken.saturating_sub(1)).unwrap_or(u32::MAX));
                }
                Some((lane, Err(error))) if count == 0 => {
                    return Err(TryRecvLanesError::in_lane(lane, error));
                }
                // A fault is returned once: at the next call.
                Some((lane, Err(_))) => {
                    if let Some(place) = places.get_mut(lane as usize) {
                        place.is_left_out = false;
                    }
                    break;
                }
                None if count == 0 => return Err(TryRecvLanesError::Empty),
                None => break,
            }
        }
        Ok(count)
    }

    /// The lane whose turn it is and which has something, by `peek`, which leaves it there.
    pub fn next_lane<R>(
        &mut self,
        mut peek: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<u32, TryRecvLanesError> {
        let found = self.try_recv(|end| peek(end).map(drop))?;
        // Nothing was received that could be in use.
        self.last = None;
        Ok(found.lane)
    }

    /// Shows each lane to `look`, or `None` in place of one that is left out. A fault ends that, and leaves its lane out.
    pub fn look_at_each(
        &mut self,
        mut look: impl FnMut(u32, Option<&mut E>) -> Result<(), TryRecvError>,
    ) -> Result<(), TryRecvLanesError> {
        for (place, lane) in self.places.iter_mut().zip(0..) {
            if place.is_left_out {
                // Nothing comes from there.
                let _ = look(lane, None);
            } else if let Some(Err(error)) = place.receive(&mut |end: &mut E| look(lane, Some(end))) {
                return Err(TryRecvLanesError::in_lane(lane, error));
            }
        }
        Ok(())
    }

    /// Receives by `take` from this lane, in which something was seen.
    pub fn take_from<R>(
        &mut self,
        lane: u32,
        mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<FromLane<R>, TryRecvLanesError> {
        let place = self.places.get_mut(lane as usize);
        match place.and_then(|place| place.receive(&mut take)) {
            Some(Ok(message)) => {
                self.last = Some(lane);
                Ok(FromLane { lane, message })
            }
            Some(Err(error)) => Err(TryRecvLanesError::in_lane(lane, error)),
            None => Err(TryRecvLanesError::Empty),
        }
    }

    /// Looks by `look` until it returns something, or the deadline has passed, asleep in between. Also returns what
    /// `replaced` does, if no producer is there and none can come.
    pub fn wait_until<R>(
        &mut self,
        deadline: Deadline,
        mut look: impl FnMut(&mut Self) -> Option<R>,
        replaced: impl Fn() -> Option<R>,
    ) -> Option<R> {
        let (port, park_word, mut waiting) = (self.port.clone(), self.park_word.clone(), self.waiting);
        let is_due = Cell::new(false);
        let mut look = || {
            let found = look(self);
            if found.is_none() && is_due.replace(false) && self.is_replaced() {
                // As in `end_of_wait`.
                return look(self).or_else(&replaced);
            }
            found
        };
        let search = || {
            is_due.set(true);
            None
        };
        let search = (P::CAN_BE_REPLACED && !deadline.left(&port).is_zero()).then_some(search);
        let (word, one) = (park_word.as_ref(), Sleepers::One);
        let mut found = wait_and_search(&port, word, one, &mut waiting, deadline, &mut look, search);
        if found.is_none() && is_due.get() {
            found = look();
        }
        self.waiting = waiting;
        found
    }

    /// Receives by `take` as soon as there is something in any lane.
    pub fn recv_until<R>(
        &mut self,
        deadline: Deadline,
        mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<FromLane<R>, RecvLanesError> {
        let (port, park_word, mut waiting) = (self.port.clone(), self.park_word.clone(), self.waiting);
        // A call that may not wait is no wait: it makes no system call.
        let asks = P::CAN_BE_REPLACED && !deadline.left(&port).is_zero();
        let is_on = self.watch.is_on() || asks;
        // Set once a probe period: the next look asks whether the producers are gone.
        let is_due = Cell::new(false);
        let look = || match outcome(self.try_recv(&mut take)) {
            None if is_due.replace(false) => self.end_of_wait(asks, &mut take),
            found => found,
        };
        let search = || {
            is_due.set(true);
            None
        };
        let search = is_on.then_some(search);
        let (word, one) = (park_word.as_ref(), Sleepers::One);
        let mut result = wait_and_search(&port, word, one, &mut waiting, deadline, look, search);
        if result.is_none() && is_due.get() {
            // The time was up when it was due.
            result = self.end_of_wait(asks, &mut take);
        }
        self.waiting = waiting;
        result.unwrap_or(Err(RecvLanesError::TimedOut))
    }

    /// How a wait ends that has found nothing, if all producers are gone, or, where it asks for that, none can come.
    #[cold]
    fn end_of_wait<R>(
        &mut self,
        asks: bool,
        take: &mut impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Option<Result<FromLane<R>, RecvLanesError>> {
        let error = if self.watch.is_on() && self.is_over() {
            RecvLanesError::PeerGone
        } else if asks && self.is_replaced() {
            RecvLanesError::Replaced
        } else {
            return None;
        };
        // A producer may have published its last message between the look and its end.
        outcome(self.try_recv(take)).or(Some(Err(error)))
    }

    fn is_over(&mut self) -> bool {
        let peers = self.peers();
        self.watch.is_over(peers)
    }

    /// Whether no producer is there, and none can come. System calls: the region first, which is one for all lanes.
    fn is_replaced(&self) -> bool {
        is_deserted(&self.port) && self.peers() != PeerStatus::Present
    }

    /// What can still come, for a wait for several.
    pub fn prospect(&self) -> Option<Prospect<'_>> {
        P::CAN_BE_REPLACED.then(|| Prospect::new(&self.port, self))
    }

    /// The state of all producers together: present if one is, and else dead if one is. One load a lane, and one probe a
    /// lane at most.
    fn peers(&self) -> PeerStatus {
        let mut peers = PeerStatus::Absent;
        for place in &self.places {
            match &place.lane {
                Lane::Damaged { .. } => {}
                Lane::Open(end) => match end.peer() {
                    PeerStatus::Present => return PeerStatus::Present,
                    PeerStatus::Dead => peers = PeerStatus::Dead,
                    PeerStatus::Absent => {}
                },
            }
        }
        peers
    }

    pub fn end_with_peer(&mut self, on: bool) {
        self.watch = EndWithPeer::new(on, self.peers());
    }

    pub fn ends_with_peer(&self) -> bool {
        self.watch.is_on()
    }

    pub fn finds_peer_gone(&mut self) -> bool {
        let peers = self.peers();
        self.watch.has_found(peers)
    }

    /// Receives by `take` in a task.
    pub async fn recv<R>(
        &mut self,
        mut take: impl FnMut(&mut E) -> Result<R, TryRecvError>,
    ) -> Result<FromLane<R>, RecvLanesError>
    where
        P: AsyncWait,
    {
        let who = WaiterId::of(self);
        let (port, park_word, policy) = (self.port.clone(), self.park_word.clone(), self.waiting.policy);
        let mut due = Due::of(&port, policy);
        let waiter = WakerRegistration { port, park_word, sleepers: Sleepers::One, policy, who };
        let look = || {
            let found = outcome(self.try_recv(&mut take));
            if found.is_some() {
                return found;
            }
            let asks = due.asks();
            if asks || self.watch.is_on() { self.end_of_wait(asks, &mut take) } else { None }
        };
        waiter.until(look).await
    }

    pub fn deadline(&self, timeout: Duration) -> Deadline {
        Deadline::after(&self.port, timeout)
    }

    pub fn port(&self) -> &P {
        &self.port
    }

    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy).for_looks_of(self.count());
    }

    /// Releases the message that was received last.
    pub fn release(&mut self) {
        let last = self.last.take();
        if let Some(end) = last.and_then(|last| self.places.get_mut(last as usize)?.end()) {
            end.release();
        }
    }

    /// Releases everything received, and publishes the heads.
    pub fn flush(&mut self) {
        self.last = None;
        self.each().for_each(LaneConsumer::flush);
    }

    /// Whether the next receive returns a message or a fault.
    pub fn has_data(&mut self) -> bool {
        self.release();
        self.places.iter_mut().any(Place::has_news) || self.watch.tell()
    }

    /// Whether no lane has a message or a fault to return now.
    pub fn is_empty(&self) -> bool {
        self.places.iter().all(|place| match &place.lane {
            _ if place.is_left_out => true,
            Lane::Open(end) => !end.has_more(),
            Lane::Damaged { .. } => false,
        })
    }

    pub fn count(&self) -> u32 {
        self.places.len() as u32
    }

    pub fn park_word(&self) -> Option<&ParkWord> {
        self.park_word.as_ref()
    }

    /// The consumer of a lane, if there is that lane and it could be opened.
    pub fn lane(&self, index: u32) -> Option<&E> {
        match &self.places.get(index as usize)?.lane {
            Lane::Open(end) => Some(end),
            Lane::Damaged { .. } => None,
        }
    }

    /// As [`lane`](Self::lane), to be used.
    pub fn lane_mut(&mut self, index: u32) -> Option<&mut E> {
        self.places.get_mut(index as usize)?.end()
    }

    /// The lanes that could be opened.
    pub fn each(&mut self) -> impl Iterator<Item = &mut E> {
        self.places.iter_mut().filter_map(Place::end)
    }

    /// What is wrong in a lane, if something is.
    pub fn fault(&self, index: u32) -> Option<Violation> {
        match &self.places.get(index as usize)?.lane {
            Lane::Open(end) => end.fault(),
            Lane::Damaged { violation, .. } => Some(*violation),
        }
    }
}

/// The result of a look while waiting.
pub(super) fn outcome<R>(received: Result<R, TryRecvLanesError>) -> Option<Result<R, RecvLanesError>> {
    match received {
        Ok(received) => Some(Ok(received)),
        Err(error) => error.while_waiting().map(Err),
    }
}

impl<E: LaneConsumer<P>, P: Port, const N: usize> HasPeer for RingSet<E, P, N> {
    fn has_peer(&self) -> bool {
        self.peers() == PeerStatus::Present
    }
}

impl<E: LaneConsumer<P>, P: Port, const N: usize> Drop for RingSet<E, P, N> {
    fn drop(&mut self) {
        // The last lane first, because the first one's role stands for all.
        while let Some(place) = self.places.pop() {
            drop(place);
        }
    }
}
