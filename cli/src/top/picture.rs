//! A region at one moment, or nearly so: what `strait top` shows of it.

use strait::Region;
use strait::format::Entry;
use strait::format::Kind;
use strait::format::inspect::{CallStage, CallState, ChannelState, calls, channel_state, fanout_state, used};
use strait::port::{Ident, Port, Probe};

use crate::inspect::name;
use crate::locks::LockPicture;
use crate::observe::{self, Member, Who};

/// A region's participants and channels.
pub struct Picture {
    pub instance: u64,
    pub participants: Vec<Member>,
    pub channels: Vec<Sample>,
}

/// A channel, one of its lanes, or one of its consumers.
pub struct Sample {
    /// The name with the number of the lane or consumer.
    pub title: String,
    pub entry: Entry,
    pub state: ChannelState,
    /// How much of the capacity is taken, in its unit.
    pub used: u32,
    pub producer: Option<Who>,
    pub consumer: Option<Who>,
    /// Whether this consumer of several leaves the producer no space.
    pub holds_up: bool,
    pub lock: Option<LockPicture>,
    pub calls: Vec<Call>,
}

/// A call that is made and not done.
pub struct Call {
    pub state: CallState,
    pub caller: Option<Who>,
    /// The server that has taken it.
    pub taken_by: Option<Who>,
}

impl Picture {
    /// Looks at a region. It takes no role and stores nothing.
    pub fn of(region: &Region) -> Self {
        let participants = observe::participants(region);
        let channels = region.channels().map(|entry| Sample::of(region, &participants, entry)).collect();
        Self { instance: region.header().instance, participants, channels }
    }

    /// How many participants are in this state.
    pub fn count(&self, probe: Probe) -> usize {
        self.participants.iter().filter(|one| one.probe == probe).count()
    }
}

impl Sample {
    fn of(region: &Region, list: &[Member], entry: Entry) -> Self {
        let (mem, line) = (region.port().mem(), region.header().line);
        let who = |ident: Option<Ident>| ident.map(|ident| Who::of(region, list, ident));
        let state = channel_state(mem, line, &entry);
        let part = fanout_state(mem, &entry);
        let calls = calls(mem, line, &entry).map(|state| {
            let taken_by = match state.stage {
                CallStage::Taken { by } => by,
                CallStage::Waiting | CallStage::Withdrawn => None,
            };
            Call { state, caller: who(state.caller), taken_by: who(taken_by) }
        });
        Self {
            title: name(&entry),
            used: used(mem, &entry),
            producer: who(state.producer),
            consumer: who(part.map_or(state.consumer, |part| part.who)),
            holds_up: part.is_some_and(|part| part.holds_up),
            lock: LockPicture::of(region, &entry, list),
            calls: calls.collect(),
            entry,
            state,
        }
    }

    /// How full it is, of 1; `None` of what holds no messages for a consumer.
    pub fn fill(&self) -> Option<f64> {
        self.of_capacity(self.used)
    }

    /// How full it has been at most, of 1.
    pub fn high_water(&self) -> Option<f64> {
        self.of_capacity(self.state.high_water).filter(|_| self.entry.kind.is_queue())
    }

    fn of_capacity(&self, count: u32) -> Option<f64> {
        let has_fill = self.entry.kind.has_two_roles() && self.entry.capacity > 0;
        has_fill.then(|| f64::from(count) / f64::from(self.entry.capacity))
    }

    /// Messages that the consumer has not taken yet, or calls that are out.
    pub fn lag(&self) -> Option<u32> {
        self.entry.kind.has_two_roles().then_some(self.state.len)
    }

    /// How often a role in it was taken over from a dead owner; of a mutex, the lock.
    pub fn takeovers(&self) -> u64 {
        match &self.lock {
            Some(lock) => lock.takeovers().into(),
            None => u64::from(self.state.producer_takeovers) + u64::from(self.state.consumer_takeovers),
        }
    }

    /// A count that grows with each message, call, value or change, and how many bits of it there are; `None` of what
    /// counts nothing, and of a consumer's part: the ring counts.
    pub fn counter(&self) -> Option<(u32, u32)> {
        match self.entry.kind {
            Kind::Semaphore | Kind::Permits | Kind::Pool => None,
            Kind::Latest | Kind::Broadcast => Some((self.state.sent, 31)),
            _ => self.entry.fanout.consumer().is_none().then_some((self.state.sent, 32)),
        }
    }
}
