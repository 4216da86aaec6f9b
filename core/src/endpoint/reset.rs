//! Making a channel as new, where nobody else can be using it.

use core::fmt;

use crate::ground::entry::{Blocks, Entry};
use crate::ground::header::Header;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::{Port, Probe};
use crate::ground::sync::order::{RELAXED, role};
use crate::ground::sync::{Mem, in_order};
use crate::protocol::{pool, table};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::names::{is_named, names};
use super::participants::{at, places_of};
use super::spans::DAMAGED;

/// Stands in the words of roles, locks and permits while a channel is being reset: it names nobody, so nobody
/// takes them. Of a mutex it is an impossible state; of a semaphore, whose word is all there is, the initial count.
const SHUT: u32 = 1 << 31;

/// Error of [`Attachment::reset_channel`]. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetError {
    /// There is no such channel, it is damaged in the directory, or it cannot be used from here.
    Channel(ChannelError),
    /// Another participant takes part in the region: it lives, it is not proven dead, or it is joining just now.
    InUse {
        /// Its place in the participant table.
        place: u32,
        /// The participant; `None` if there is no telling.
        who: Option<Ident>,
    },
    /// This participant has a role, the lock, or a permit of the channel. Drop it first.
    Held,
}

impl fmt::Display for ResetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(error) => error.fmt(f),
            Self::InUse { who: Some(who), .. } => {
                write!(
                    f,
                    "participant {who} is not proven dead; end it first, since a channel is reset only where nobody else takes part"
                )
            }
            Self::InUse { place, who: None } => {
                write!(
                    f,
                    "place {place} of the participant table is taken, or being taken; a channel is reset only where nobody else takes part"
                )
            }
            Self::Held => {
                f.write_str(
                    "this participant has a role, the lock, a permit or a block of the channel; drop it, or take back \
                     the block that it has sent, first",
                )
            }
        }
    }
}

impl core::error::Error for ResetError {}

impl From<ChannelError> for ResetError {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

impl<P: Port> Attachment<P> {
    /// Makes a channel as a new region has it: a queue empty, a value unset (of a mutex: zeros), a lock free, a
    /// semaphore at its initial count, of several producers each lane. For tools: it is the way back from a fault, and from
    /// a state that no honest peer writes.
    ///
    /// Nobody else may take part in the region, and nobody can join it meanwhile: this participant takes all
    /// other places of its domain for the time of the call. So their holders are proven dead or have left, and
    /// newcomers are told that the table is full. A program that is killed in this call leaves the channel shut, as
    /// held or impossible, and the places to be taken over; reset it again then.
    ///
    /// What the channel held is lost. Numbers that must not come twice go on: `takeovers` of roles and locks (the
    /// fencing token), and the version of a mutex's value. Handles of this participant that hold nothing, such as a
    /// [`LatestReader`](crate::LatestReader), must be opened anew, and so must readers in processes that look on without
    /// taking part. A [`Follower`](crate::observe::Follower) goes on by itself.
    ///
    /// The calls of a stream count from the start again: reset the queue of its parts first, so that no part of an old call
    /// is taken for one of a new call.
    ///
    /// Steps in proportion to the channel's length, its lanes and the number of places.
    ///
    /// # Errors
    ///
    /// [`ResetError`]; nothing was changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4)]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// region.typed_producer::<u32>("steps").unwrap().try_send(&1).unwrap();
    /// region.reset_channel("steps").unwrap();
    /// assert!(region.typed_consumer::<u32>("steps").unwrap().try_recv().is_err());
    /// ```
    pub fn reset_channel(&self, name: &str) -> Result<(), ResetError> {
        let entry = self.channel(name)?;
        let (port, header) = (self.port(), self.header());
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        // The lanes, or the consumers, of a channel have its name. One that is damaged is left out of the list.
        let parts = || self.channels().filter(|part| part.name == entry.name);
        let planned = if entry.fanout.is_some() { 1 + entry.fanout.count } else { entry.lane.count };
        if parts().count() != planned as usize {
            return Err(DAMAGED.into());
        }
        for part in parts() {
            let foreign = [part.domain_a, part.domain_b].into_iter().find(|&domain| domain != port.domain());
            if let Some(planned) = foreign {
                return Err(ChannelError::Domain { planned }.into());
            }
            if is_named(port.mem(), header.line, part.kind, part.block_c, part.capacity, me) {
                return Err(ResetError::Held);
            }
        }
        // The parts differ in where their words are, and in nothing else.
        let blocks = entry.blocks(header.line).ok_or(DAMAGED)?;
        let mut places = Places { port, header, me, taken: [0; Ident::MAX_PLACE as usize] };
        places.take()?;
        renew(|| parts().map(|entry| Words { mem: port.mem(), entry, blocks }));
        Ok(())
    }
}

/// All places of the domain but one's own, taken so that nobody can join; given back when dropped.
struct Places<'a, P: Port> {
    port: &'a P,
    header: &'a Header,
    me: Ident,
    /// The epoch under which each place, from 1, was taken; 0 if it was not.
    taken: [u32; Ident::MAX_PLACE as usize],
}

impl<P: Port> Places<'_, P> {
    fn take(&mut self) -> Result<(), ResetError> {
        let (mem, header, port) = (self.port.mem(), self.header, self.port);
        for place in places_of(mem, header, port.domain()).filter(|&place| place != self.me.place()) {
            let state =
                header.participant(place).and_then(|place| mem.word(place + at::STATE)).ok_or(DAMAGED)?;
            let Some(taken) = table::try_join(place, state, port, |who| names(mem, header, who)) else {
                // ORDERING: Relaxed; for display.
                let who = table::occupant(place, state.load(RELAXED));
                return Err(ResetError::InUse {
                    place,
                    who: who.filter(|&who| port.probe(who) != Probe::Dead),
                });
            };
            self.taken[place as usize - 1] = taken.epoch();
        }
        Ok(())
    }
}

impl<P: Port> Drop for Places<'_, P> {
    fn drop(&mut self) {
        for (place, &epoch) in (1..).zip(&self.taken) {
            let Some(who) = Ident::new(place, epoch) else { continue };
            let state =
                self.header.participant(place).and_then(|place| self.port.mem().word(place + at::STATE));
            if let Some(state) = state {
                table::leave(state, who);
            }
            // SAFETY: `take` took the token and published `who`; nothing was opened as `who`.
            unsafe { self.port.release(who) };
        }
    }
}

/// The words of a part of a channel that nobody uses: of a lane, a consumer, or the whole.
struct Words<'a> {
    mem: &'a Mem,
    entry: Entry,
    blocks: Blocks,
}

/// Renews all parts of a channel: first what others take, to [`SHUT`]; then all the rest; last what others take, to
/// free.
fn renew<'a, I: Iterator<Item = Words<'a>>>(parts: impl Fn() -> I) {
    parts().for_each(|part| part.owners(|word| part.mem.setup_write(word, SHUT)));
    // Of a program that ends from here on, a successor finds the channel shut.
    in_order();
    parts().for_each(|part| part.clear());
    for part in parts() {
        // ORDERING(role): all of the above is ordered before it.
        part.owners(|word| {
            if let Some(word) = part.mem.word(word) {
                word.store(0, role::STORE);
            }
        });
    }
}

impl Words<'_> {
    /// The words that a participant takes by compare-and-swap.
    fn owners(&self, store: impl Fn(u32)) {
        let (entry, blocks) = (&self.entry, &self.blocks);
        let first = entry.block_c + offset::OWNER;
        match entry.kind {
            Kind::Frames | Kind::Slots | Kind::Compact | Kind::Calls => {
                store(first);
                store(first + blocks.role_b);
            }
            Kind::Latest | Kind::Broadcast | Kind::Mutex | Kind::Semaphore => store(first),
            Kind::Permits => {
                (0..entry.capacity).for_each(|index| store(entry.block_c + blocks.permits + 4 * index));
            }
            Kind::Pool => (0..entry.capacity).for_each(|index| store(entry.block_state(blocks, index))),
        }
    }

    /// All the rest.
    fn clear(&self) {
        let (entry, blocks, mem) = (&self.entry, &self.blocks, self.mem);
        let zero = |from: u32, len: u32| (from..from + len).step_by(4).for_each(|at| mem.setup_write(at, 0));
        match entry.kind {
            // Its ring is another part.
            Kind::Slots | Kind::Compact if entry.fanout.consumer().is_some() => {
                zero(entry.block_b, blocks.len_b);
                mem.setup_write(entry.block_c + blocks.role_b + offset::FAULT, 0);
            }
            Kind::Frames | Kind::Slots | Kind::Compact => {
                zero(entry.block_a, blocks.data);
                zero(entry.block_b, blocks.len_b);
                // The payload of a compact queue has no words, and may be cached where it is split off.
                if entry.kind != Kind::Compact {
                    zero(entry.data, blocks.len_data);
                }
                mem.setup_write(entry.block_c + offset::FAULT, 0);
                mem.setup_write(entry.block_c + blocks.role_b + offset::FAULT, 0);
            }
            Kind::Calls => {
                zero(entry.block_a, blocks.len_a);
                zero(entry.block_b, blocks.len_b);
                mem.setup_write(entry.block_c + offset::FAULT, 0);
                mem.setup_write(entry.block_c + blocks.role_b + offset::FAULT, 0);
            }
            Kind::Latest | Kind::Broadcast => {
                // All of the headers; values without a header are not seen.
                let (first, step) = if entry.split_payload {
                    (entry.block_a + offset::HEADERS, offset::VALUE)
                } else {
                    (entry.data, entry.stride)
                };
                (0..entry.capacity).for_each(|buffer| zero(first + buffer * step, offset::VALUE));
                mem.setup_write(entry.block_a + offset::NEWEST, 0);
                mem.setup_write(entry.block_c + offset::FAULT, 0);
            }
            Kind::Mutex => {
                zero(entry.data, entry.capacity * entry.stride);
                let version = mem.setup_read(entry.block_a + offset::VERSION);
                mem.setup_write(entry.block_a + offset::VERSION, version.wrapping_add(2));
                mem.setup_write(entry.block_a + offset::IN_PLACE, 0);
                let takeovers = mem.setup_read(entry.block_c + offset::TAKEOVERS);
                mem.setup_write(entry.block_c + offset::TAKEOVERS, takeovers.wrapping_add(1));
            }
            Kind::Semaphore | Kind::Permits => {}
            // What is sent from now on has other numbers than what is still in a queue.
            Kind::Pool => (0..entry.capacity).for_each(|index| {
                let turn = entry.block_state(blocks, index) + (offset::TURN - offset::STATE);
                mem.setup_write(turn, pool::next_generation(mem.setup_read(turn)));
            }),
        }
    }
}
