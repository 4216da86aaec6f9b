//! One ring with several consumers: who bounds the producer, and how a consumer joins.
//!
//! ```text
//!   producer, when its space is used up        consumer i, to join
//!   first = least head of those that joined    head_i = newest - 1, or the head of the dead one before
//!   floor = first                              joined_i = me
//!   fence (join.PRODUCER_FENCE)                fence (join.CONSUMER_FENCE)
//!   second = least head of those that joined   start = newest, or that head, if it is floor or beyond; else floor
//!   least = the lesser; free up to             head_i = start
//!           least + capacity
//! ```
//!
//! # Invariants
//!
//! - F1. `least` never goes back, and `floor` is never less than the `least` before it.
//! - F2. The producer is bounded by each consumer whose joining it sees in its second look. One whose joining
//!   it does not see there sees the floor of that look, or a later one (the two fences are in one total order), and
//!   starts at it or beyond. So nothing from a consumer's start on is overwritten before it was released.
//! - F3. A head that is not between `least` and the tail counts as `least`: of a consumer that is about to join, or
//!   of one that misbehaves and holds the producer up, as one that stopped would.
//! - F4. A word of a consumer is written by the owner of its role alone. `floor` and `least` are the producer's.
//! - F5. At each look at the consumers the producer's mark is its tail. So a consumer that sees a floor sees every
//!   slot below it as published, and the sequence of one that is less than a capacity beyond it as that of this lap or
//!   the one before. What a dead consumer has received its successor sees as published too.
//! - F6. A consumer that is proven dead is left out by its identity, until `joined_i` names another.
//!
//! # If a peer dies
//!
//! A consumer that is dead keeps its place until the producer has a proof of its death, for which it asks only
//! when its space is used up. A successor starts at the head of the dead one: nothing is lost, unless the producer
//! has gone on meanwhile. A producer's successor starts with `least`, which no consumer that joined is behind.
//!
//! A consumer that joins and dies between the producer's two looks is taken for one left out by a successor that comes
//! before the producer has lowered the floor again: messages that are still there count as missed then.
//!
//! An identity that comes again (after 2^20 joins in one place of the participant table) while a producer that found it
//! dead has not looked at its consumers once would be taken for the dead one.
//!
//! # Used by
//!
//! [`FanoutProducer`](crate::FanoutProducer) and [`FanoutConsumer`](crate::FanoutConsumer).

use heapless::Vec;

use crate::ground::fanout::MAX_CONSUMERS;
use crate::ground::ident::Ident;
use crate::ground::port::Probe;
use crate::ground::sync::order::{RELAXED, join, release};
use crate::ground::sync::{Word, WordRef, fence};

/// How far a position can be behind another; one that seems further behind is ahead.
const FURTHEST: u32 = u32::MAX / 2;

/// A consumer's words, as its producer looks at them.
pub struct Member {
    /// The identity of the consumer that has joined, or 0; its word.
    pub joined: WordRef,
    /// The position up to which it has released; its word.
    pub head: WordRef,
    /// The identity that was proven dead last, or 0.
    gone: u32,
}

impl Member {
    /// The words of a consumer that nothing is known of.
    #[must_use]
    pub fn new(joined: WordRef, head: WordRef) -> Self {
        Self { joined, head, gone: 0 }
    }

    /// Who has joined, if it is not proven dead. One load.
    fn who(&self) -> Option<u32> {
        // ORDERING(join): its first head is ordered before it, or all its reads if it has left.
        let who = self.joined.load(join::LOAD);
        (who != 0 && who != self.gone).then_some(who)
    }

    /// How far its head is from `least`, which it cannot be behind (F3).
    fn ahead(&self, least: u32, tail: u32) -> u32 {
        // ORDERING(release): it is done with everything before its head.
        let ahead = self.head.load(release::LOAD).wrapping_sub(least);
        if ahead > tail.wrapping_sub(least) { 0 } else { ahead }
    }
}

/// The consumer that bounds the producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Its number, from 0.
    pub index: u32,
    /// The word by which it joined: its identity.
    pub who: u32,
    /// How many messages it has not released.
    pub lag: u32,
}

/// The consumers, from their producer's side.
pub struct Members {
    list: Vec<Member, { MAX_CONSUMERS as usize }>,
    /// Everything before it is released by all.
    least: u32,
    /// The word of `least`, from which a successor starts.
    least_word: WordRef,
    /// Announced before it becomes `least`, for consumers that join.
    floor: WordRef,
}

impl Members {
    /// No consumers yet, in a ring of which everything before `least` is released.
    #[must_use]
    pub fn new(least: u32, least_word: WordRef, floor: WordRef) -> Self {
        Self { list: Vec::new(), least, least_word, floor }
    }

    /// Adds the next consumer; there is no room for more than [`MAX_CONSUMERS`].
    pub fn add(&mut self, member: Member) {
        let _ = self.list.push(member);
    }

    /// How many there may be.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.list.len() as u32
    }

    /// How many messages are not released by all, as far as known.
    #[inline]
    #[must_use]
    pub fn used(&self, tail: u32) -> u32 {
        tail.wrapping_sub(self.least)
    }

    /// Looks at the consumers' heads, and stores `least`. `tail` is the producer's, and its mark is stored (F5). Four
    /// loads a consumer at most.
    pub fn look(&mut self, tail: u32) {
        for member in &mut self.list {
            // ORDERING: Relaxed; F6. The looks below load it again.
            if member.joined.load(RELAXED) != member.gone {
                member.gone = 0;
            }
        }
        let first = self.slowest(tail);
        // ORDERING(join): F5.
        self.floor.store(self.least.wrapping_add(first), join::STORE);
        fence(join::PRODUCER_FENCE); // ORDERING(join): F2.
        let second = self.slowest(tail);
        self.least = self.least.wrapping_add(first.min(second));
        if second < first {
            // One has joined between the looks. Its successor is not to take what is announced for one left out.
            self.floor.store(self.least, join::STORE); // ORDERING(join): F5.
        }
        // ORDERING: Relaxed; read by a successor alone, which synchronises with our end, and for display.
        self.least_word.store(self.least, RELAXED);
    }

    /// How far `least` may go on: no consumer is ahead of the tail.
    fn slowest(&self, tail: u32) -> u32 {
        let joined = self.list.iter().filter(|member| member.who().is_some());
        joined.fold(self.used(tail), |slowest, member| slowest.min(member.ahead(self.least, tail)))
    }

    /// Asks whether the consumers that bound the producer live, and leaves out those that are proven dead; returns whether
    /// there were any. One probe a consumer at most, one in all if the slowest one lives.
    pub fn leave_out_dead(&mut self, tail: u32, mut probe: impl FnMut(Ident) -> Probe) -> bool {
        let mut some = false;
        loop {
            let mut found = false;
            let least = self.least;
            for member in &mut self.list {
                let Some(who) = member.who().filter(|_| member.ahead(least, tail) == 0) else { continue };
                if Ident::from_word(who).is_some_and(|who| probe(who) == Probe::Dead) {
                    member.gone = who;
                    found = true;
                }
            }
            if !found {
                return some;
            }
            some = true;
            self.look(tail);
            if self.least != least {
                return true;
            }
        }
    }

    /// How many messages a consumer has not released, with the identity by which it joined; `None` if none has, or
    /// it is proven dead. Two loads.
    #[must_use]
    pub fn lag(&self, index: u32, tail: u32) -> Option<Bound> {
        let member = self.list.get(index as usize)?;
        let who = member.who()?;
        Some(Bound { index, who, lag: self.used(tail) - member.ahead(self.least, tail) })
    }

    /// The consumer that is furthest behind. Two loads a consumer.
    #[must_use]
    pub fn slowest_member(&self, tail: u32) -> Option<Bound> {
        (0..self.count()).filter_map(|index| self.lag(index, tail)).max_by_key(|bound| bound.lag)
    }
}

/// The words with which a consumer joins.
pub struct Joining<'w> {
    /// Its own: who has joined.
    pub joined: &'w Word,
    /// Its own: the position up to which it has released.
    pub head: &'w Word,
    /// The producer's: published up to here, or one publication or batch beyond.
    pub mark: &'w Word,
    /// The producer's: the announced bound.
    pub floor: &'w Word,
}

/// Where a consumer starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The position that it receives first.
    pub at: u32,
    /// Messages between the head of the dead one before it and `at`, at most: they are lost to both.
    pub missed: u32,
}

impl Joining<'_> {
    /// Joins as `me`, who owns the role: at the newest message, or where a dead owner before it was. Eight loads and
    /// stores.
    #[must_use]
    pub fn join(&self, me: Ident, capacity: u32) -> Start {
        // ORDERING: Relaxed; our own word, and claiming the role has synchronised with its last owner.
        let succeeds = self.joined.load(RELAXED) != 0;
        // ORDERING: Relaxed; the first as above, the second is a sample: F2 makes it safe.
        let first = if succeeds { self.head.load(RELAXED) } else { self.mark.load(RELAXED) };
        if !succeeds {
            // One less than the newest, in case that it starts there. ORDERING: Relaxed; the next store orders it.
            self.head.store(first.wrapping_sub(1), RELAXED);
        }
        self.joined.store(me.word(), join::STORE); // ORDERING(join): the head is ordered before it.
        fence(join::CONSUMER_FENCE); // ORDERING(join): F2.
        let floor = self.floor.load(join::LOAD); // ORDERING(join): F5.
        // ORDERING: Relaxed; a bound of honest heads. The floor's load shows that it is no less than that (F5).
        let newest = self.mark.load(RELAXED);
        let most = newest.wrapping_sub(floor).min(capacity);
        let at = match first.wrapping_sub(floor) {
            ahead if ahead > most => floor,
            // The slot there is not known to be seen as published a lap before (F5); the one before it is. The head
            // that we announced is no higher (F2).
            ahead if ahead == capacity && !succeeds => first.wrapping_sub(1),
            _ => first,
        };
        self.head.store(at, release::STORE); // ORDERING(release): our predecessor's reads are ordered before it.
        Start { at, missed: if succeeds { lost(first, at) } else { 0 } }
    }
}

/// How many messages are between the head of a dead consumer and the start of its successor, at most. Sequence numbers
/// are compared by half of their range: a head ahead of the start is no honest one, and then everything before the
/// start may be lost, but no more.
fn lost(head: u32, start: u32) -> u32 {
    let behind = start.wrapping_sub(head);
    if behind > FURTHEST { start.min(FURTHEST) } else { behind }
}

/// Leaves: from here on the consumer bounds nobody. Its head is not needed any more. One store.
pub fn leave(joined: &Word) {
    joined.store(0, join::STORE); // ORDERING(join): all our reads are ordered before it.
}
