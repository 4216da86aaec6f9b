//! A handle on a pool.

use core::cell::Cell;
use core::time::Duration;

use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::sync::order::{RELAXED, lock};
use crate::ground::sync::{Span, WordRef};
use crate::protocol::Violation;
use crate::protocol::cas_word::CasWord;
use crate::protocol::pool::{self, Blocks, Owned};

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::lock_word::{CasMode, LockWord};
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::spans::DAMAGED;
use crate::endpoint::wait::{Waiting, wait_and_search};
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};

use super::block::{Block, RawBlock};
use super::error::PoolError;

crate::message! {
    /// A block that was sent: the message that goes through a queue, or is a field of one.
    ///
    /// Any bits are an id, and none leads outside of the pool: what does not belong to a block that was sent is refused
    /// by [`Pool::take`].
    #[derive(Eq, Hash)]
    pub struct BlockId {
        /// Which block, from 0.
        pub index: u32,
        /// The number under which it was sent.
        pub number: u32,
    }
}

/// A handle on a pool of blocks. A block has one owner at a time: it is claimed free, written, sent, taken by whoever
/// gets its [`BlockId`], read, and given back. Its bytes stay where they are.
///
/// # States of a block
///
/// | state | next |
/// |---|---|
/// | free | owned, by one that claims it |
/// | owned | free, when it is dropped; sent, by [`Block::send`]; another's, with proof of its owner's death |
/// | sent | owned, by one that takes it with its id; by one that claims it, if nothing else is free and its sender is proven dead |
///
/// # How it is sent
///
/// By any channel of the same region that carries a [`BlockId`], or a message with one in it. If the queue is full,
/// [`take`](Self::take) the block back with the id. A queue that gives a message again after its consumer's death gives
/// the id again: the successor then takes the block over from the dead consumer, unless that gave it back or wrote to it.
/// If the dead consumer sent it on, and nobody has taken it yet, it is the successor's to be sent on again. (Of bytes
/// that are sent on unchanged more than 30 times, the successor may be told that they are gone.)
///
/// # If a peer dies or misbehaves
///
/// What a dead participant owned comes back exactly once: to one that claims a block while no other is free, or to one
/// that takes it with its id. What it has sent stays where it is, as the messages of its queue do; those blocks are
/// claimed last of all. An id that is lost while its sender lives, such as one that was received at most once by a
/// consumer that died before it took the block, stays sent until the sender takes it back ([`sent`](Self::sent)), ends or dies.
/// A misbehaving peer can take, free and overwrite blocks as it likes, and its ids lead to blocks of the pool or to none.
///
/// # Several readers
///
/// A block has one owner, so it has one reader at a time, which may send it on. There is no count of readers: one that
/// dies would have to be told from those that are done, which takes a word for each reader of each block, and a fence on
/// both sides each time.
///
/// How it works: the table of states and the invariants are in `core/src/protocol/pool.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::pool::{BlockId, PoolError};
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan =
///     Plan::new(&[Channel::pool("images", 2, 4096), Channel::slots::<BlockId>("shown", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let camera = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let images = camera.pool("images").unwrap();
/// let mut block = images.try_claim().unwrap();
/// block.write(0, b"an image");
/// let id = block.send(8).unwrap();
/// camera.typed_producer("shown").unwrap().try_send(&id).unwrap();
///
/// let viewer = REGION.attach(&NoSystem).unwrap();
/// let images = viewer.pool("images").unwrap();
/// let id = viewer.typed_consumer::<BlockId>("shown").unwrap().try_recv().unwrap();
/// let image = images.take(id).unwrap();
/// let mut bytes = [0; 8];
/// image.read(0, &mut bytes);
/// assert_eq!(&bytes, b"an image");
/// drop(image); // Gives the block back.
/// assert_eq!(images.take(id).err(), Some(PoolError::Gone));
/// ```
pub struct Pool<P: Port> {
    /// Four words for each block.
    words: Span,
    /// The blocks.
    pub(super) data: Span,
    /// Bytes from one block to the next.
    pub(super) stride: u32,
    /// Bytes of a block.
    pub(super) block_len: u32,
    /// How states are changed: by compare-and-swap, or under the hardware lock.
    means: CasMode,
    /// The word on which participants sleep for a block.
    park_word: Option<ParkWord>,
    /// The first block to look at: a different one for each participant, so that they seldom collide.
    start: u32,
    /// This participant, as the blocks' words name it.
    pub(super) me: Ident,
    /// Whether slices of the blocks are given out.
    pub(super) trusted: bool,
    /// How it waits, with the learnt number of looks before a sleep. (A handle is of one thread.)
    waiting: Cell<Waiting>,
    /// The port, which is asked whether an owner is dead.
    port: P,
}

impl<P: Port> Blocks for Pool<P> {
    fn count(&self) -> u32 {
        self.words.len() / offset::BLOCK_WORDS
    }

    #[inline(always)]
    fn state(&self, index: u32) -> impl CasWord {
        LockWord { word: self.word(index, offset::STATE), port: &self.port, means: self.means }
    }

    #[inline(always)]
    fn turn(&self, index: u32) -> WordRef {
        self.word(index, offset::TURN)
    }

    #[inline(always)]
    fn sender(&self, index: u32) -> WordRef {
        self.word(index, offset::SENDER)
    }

    #[inline(always)]
    fn len(&self, index: u32) -> WordRef {
        self.word(index, offset::BLOCK_LEN)
    }
}

impl<P: Port> Attachment<P> {
    /// Opens a handle on a pool of blocks. Nothing is claimed.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn pool(&self, name: &str) -> Result<Pool<P>, ChannelError> {
        Pool::open(self, &self.of_kind(name, Kind::Pool)?)
    }
}

impl<P: Port> Pool<P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let port = attachment.port().clone();
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        let means = CasMode::of(&port, entry)?;
        let blocks = entry.blocks(attachment.header().line).ok_or(DAMAGED)?;
        let len = entry.capacity.checked_mul(offset::BLOCK_WORDS).ok_or(DAMAGED)?;
        let words = port.mem().range(entry.block_c + blocks.permits, len).ok_or(DAMAGED)?;
        let len = entry.capacity.checked_mul(entry.stride).ok_or(DAMAGED)?;
        // By `Entry::check`: `max_len` is at most the stride, so each block is inside.
        let data = port.mem().range(entry.data, len).ok_or(DAMAGED)?;
        Ok(Self {
            words,
            data,
            stride: entry.stride,
            block_len: entry.max_len,
            means,
            park_word: ParkWord::of_lock(&port, entry.wait_b, attachment.header().instance, means),
            start: me.place(),
            me,
            trusted: attachment.is_trusted(),
            waiting: Cell::new(Waiting::new(WaitPolicy::parking()).for_looks_of(entry.capacity)),
            port,
        })
    }

    fn word(&self, index: u32, at: u32) -> WordRef {
        self.words.header(index * offset::BLOCK_WORDS + at)
    }

    /// How many blocks there are.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.count()
    }

    /// Bytes of a block.
    #[must_use]
    pub fn block_len(&self) -> usize {
        self.block_len as usize
    }

    /// Claims a block: one that is free, or else one of a participant that is proven dead. A scan of N words, two with
    /// at most N probes, and a compare-and-swap for each that can be claimed. What it held is still in it.
    ///
    /// # Errors
    ///
    /// [`PoolError::Empty`].
    pub fn try_claim(&self) -> Result<Block<'_, P>, PoolError> {
        match self.claim() {
            Some(owned) => Ok(Block::claimed(self, owned)),
            None => Err(self.none(PoolError::Empty)),
        }
    }

    /// Claims a block, waiting up to `timeout` for one. A [`try_claim`](Self::try_claim) at once, once a probe period,
    /// and when the time is up; in between, scans for a free block, without probes. The time-out may be exceeded by one
    /// `try_claim`.
    ///
    /// # Errors
    ///
    /// [`PoolError::TimedOut`].
    pub fn claim_timeout(&self, timeout: Duration) -> Result<Block<'_, P>, PoolError> {
        self.claim_until(Deadline::after(&self.port, timeout))
    }

    /// Claims a block, waiting until `deadline` for one; as [`claim_timeout`](Self::claim_timeout).
    ///
    /// # Errors
    ///
    /// [`PoolError::TimedOut`].
    pub fn claim_until(&self, deadline: Deadline) -> Result<Block<'_, P>, PoolError> {
        let found = match self.claim() {
            Some(owned) => Some(owned),
            None if self.port.has_forked() => None,
            None => self.wait(deadline),
        };
        match found {
            Some(owned) => Ok(Block::claimed(self, owned)),
            None => Err(self.none(PoolError::TimedOut)),
        }
    }

    /// Takes the block that was sent as `id`: from its sender, also from this participant itself, or from a taker that
    /// is proven dead and has not written to it. Three loads, a probe and a compare-and-swap at most.
    ///
    /// # Errors
    ///
    /// [`PoolError::Gone`], or `Fault` of an id or a length that no honest peer writes.
    pub fn take(&self, id: BlockId) -> Result<Block<'_, P>, PoolError> {
        let taken = pool::take(self, id.index, id.number, self.me, |who| self.port.probe(who));
        let owned = taken.map_err(|why| self.none(why.into()))?;
        // ORDERING: Relaxed; published by the state.
        let len = self.len(owned.index).load(RELAXED);
        let block = Block::taken(self, owned, len.min(self.block_len));
        // A block of an impossible length is given back.
        if len > self.block_len { Err(PoolError::Fault(Violation::Length)) } else { Ok(block) }
    }

    /// The blocks that this participant has sent and nobody has taken yet, to [take](Self::take) them back, where it is
    /// known that their ids are lost. One or two loads for each block.
    pub fn sent(&self) -> impl Iterator<Item = BlockId> + '_ {
        (0..self.count()).filter_map(|index| {
            // ORDERING(lock): the sender's name is stored before.
            let number = pool::sent_as(self.state(index).load(lock::ACQUIRE))?;
            // ORDERING: Relaxed; published by the state.
            let is_mine = self.sender(index).load(RELAXED) == self.me.word();
            is_mine.then_some(BlockId { index, number })
        })
    }

    /// Sets how [`claim_timeout`](Self::claim_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting.set(Waiting::new(policy).for_looks_of(self.capacity()));
    }

    /// Makes a block of what [`Block::into_raw`] left of it. For interfaces of other languages.
    ///
    /// # Safety
    ///
    /// `raw` came from a block of this pool, of this participant, and is given once.
    ///
    /// # Errors
    ///
    /// [`PoolError::NotOwner`], or `Fault` of an index that no block has.
    pub unsafe fn from_raw(&self, raw: RawBlock) -> Result<Block<'_, P>, PoolError> {
        if raw.index >= self.count() || raw.len > self.block_len {
            return Err(PoolError::Fault(Violation::Index));
        }
        // ORDERING: Relaxed; our own words, unless a peer misbehaves.
        let is_mine = self.state(raw.index).load(RELAXED) == self.me.word();
        if !is_mine || self.turn(raw.index).load(RELAXED) != raw.number {
            return Err(self.none(PoolError::NotOwner));
        }
        Ok(Block::from_raw(self, raw))
    }

    /// The error where there is no block.
    #[cold]
    fn none(&self, error: PoolError) -> PoolError {
        if self.port.has_forked() { PoolError::Fault(Violation::Forked) } else { error }
    }

    fn claim(&self) -> Option<Owned> {
        self.claim_free().or_else(|| self.claim_of_dead())
    }

    fn claim_free(&self) -> Option<Owned> {
        pool::claim_free(self, self.me, self.start)
    }

    #[cold]
    fn claim_of_dead(&self) -> Option<Owned> {
        pool::claim_of_dead(self, self.me, self.start, |who| self.port.probe(who))
    }

    fn wait(&self, deadline: Deadline) -> Option<Owned> {
        let mut waiting = self.waiting.get();
        let found = wait_and_search(
            &self.port,
            self.park_word.as_ref(),
            Sleepers::Many,
            &mut waiting,
            deadline,
            || self.claim_free(),
            Some(|| self.claim_of_dead()),
        );
        self.waiting.set(waiting);
        found
    }

    /// Wakes the first participant that sleeps for a block.
    pub(super) fn wake(&self) {
        if let Some(park_word) = &self.park_word {
            park_word.wake_one(WakeCheck::Fenced, &self.port);
        }
    }
}
