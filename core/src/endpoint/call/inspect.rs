//! Looking at the calls of a channel without a role in it.

use crate::ground::call::{CALLER, MODE, TAKEN, TAKEN_BY, WORDS, stride};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::sync::Mem;
use crate::ground::sync::order::RELAXED;
use crate::protocol::call::WITHDRAWN;
use crate::protocol::release::between;

/// A call that is made and not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallState {
    /// Its position: how many calls were made before it, modulo 2^32.
    pub position: u32,
    /// The client that made it, if its word names one.
    pub caller: Option<Ident>,
    /// How far it has got.
    pub stage: CallStage,
}

/// How far a call has got that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStage {
    /// No server has taken it.
    Waiting,
    /// No server has taken it, and the client has withdrawn it.
    Withdrawn,
    /// A server has taken it.
    Taken {
        /// The server, if its word names one.
        by: Option<Ident>,
    },
}

/// The calls of a channel that are made and not done, in their order; none of another kind. Five loads each.
///
/// # Examples
///
/// ```
/// use strait_core::format::inspect::{CallStage, calls};
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem, port::Port};
/// const PLAN: Plan = Plan::new(&[Channel::calls::<u32, u32>("drive", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut client = region.call_client::<u32, u32>("drive").unwrap();
/// let mut server = region.call_server::<u32, u32>("drive").unwrap();
/// (client.try_call(&1).unwrap(), client.try_call(&2).unwrap());
/// let (_, reply) = server.try_next().unwrap();
/// reply.keep();
///
/// let entry = region.channel("drive").unwrap();
/// let stages = calls(region.port().mem(), region.header().line, &entry).map(|call| call.stage);
/// let by = region.port().ident();
/// assert!(stages.eq([CallStage::Taken { by }, CallStage::Waiting]));
/// ```
pub fn calls<'a>(mem: &'a Mem, line: u32, entry: &Entry) -> impl Iterator<Item = CallState> + use<'a> {
    let entry = *entry;
    let read = move |block: u32, at: u32| {
        // ORDERING: Relaxed; a snapshot for display.
        mem.word(block.saturating_add(at)).map_or(0, |word| word.load(RELAXED))
    };
    let start = read(entry.block_b, offset::HEAD);
    let made = read(entry.block_a, offset::MARK);
    let count = if entry.kind == Kind::Calls { between(start, made, entry.capacity) } else { 0 };
    let answers = entry.blocks(line).map_or(0, |blocks| entry.block_b.saturating_add(blocks.answers));
    let answer_stride = stride(entry.answer.size, line).unwrap_or(WORDS);
    (0..count).map(move |i| {
        let position = start.wrapping_add(i);
        let place = position & entry.capacity.wrapping_sub(1);
        // The words of the place are the last of its stride.
        let word = |first: u32, stride: u32, at: u32| {
            let end = place.saturating_add(1).saturating_mul(stride).saturating_add(first);
            read(end.saturating_sub(WORDS), at)
        };
        let taken = word(answers, answer_stride, TAKEN) == position.wrapping_add(1);
        let stage = if taken {
            CallStage::Taken { by: Ident::from_word(word(answers, answer_stride, TAKEN_BY)) }
        } else if word(entry.data, entry.stride, MODE) == WITHDRAWN {
            CallStage::Withdrawn
        } else {
            CallStage::Waiting
        };
        let caller = Ident::from_word(word(entry.data, entry.stride, CALLER));
        CallState { position, caller, stage }
    })
}
