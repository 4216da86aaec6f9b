//! The words of a region that name a participant, and how far its places are worn.

use crate::ground::entry::{ENTRY_LEN, MAX_PERMITS};
use crate::ground::fanout::FANOUT;
use crate::ground::geometry::round_up;
use crate::ground::header::{HEADER_LEN, Header};
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::lane;
use crate::ground::offset;
use crate::ground::sync::Mem;
use crate::ground::sync::order::RELAXED;
use crate::protocol::mutex::{self, State};
use crate::protocol::pool;
use crate::protocol::table::{EPOCH, Names, RETIRED, STATE};

use super::call::inspect::{CallStage, CallState, calls};
use super::participants::at;

/// Where the directory's words of a channel are that this needs, from the start of its entry.
mod word {
    pub const KIND: u32 = 32;
    pub const FLAGS: u32 = 36;
    pub const CAPACITY: u32 = 44;
    pub const BLOCK_C: u32 = 80;
}

/// Whether a word of the region names `who`: a role, a lock, a permit, a block, a call that is not done. Steps in proportion to
/// the number of channels, permits and such calls. The directory is taken as it is, because its checksum was right at
/// attach, and a word outside of the region names nobody.
pub(super) fn names(mem: &Mem, header: &Header, who: Ident) -> Names {
    let mut found = Names::Free;
    for index in 0..header.channel_count {
        let read = |word| mem.setup_read(HEADER_LEN + index * ENTRY_LEN + word);
        let flags = read(word::FLAGS);
        let is_known = |kind: &Kind| [0, FANOUT, lane::place_of(*kind).0].contains(&flags);
        match Kind::from_code(read(word::KIND)).filter(is_known) {
            None => found = Names::Unknown,
            Some(kind) => {
                let (block_c, capacity) = (read(word::BLOCK_C), read(word::CAPACITY));
                if is_named(mem, header.line, kind, block_c, capacity, who)
                    || kind == Kind::Calls && is_in_a_call(mem, header, index, who)
                {
                    return Names::Named;
                }
            }
        }
    }
    found
}

/// Whether a call of a channel that is not done names `who` as its client, or as the server that has taken it: one side
/// asks whether the other lives by these words.
fn is_in_a_call(mem: &Mem, header: &Header, index: u32, who: Ident) -> bool {
    let Ok(entry) = header.entry(mem, index) else { return false };
    let names =
        |call: CallState| call.caller == Some(who) || call.stage == CallStage::Taken { by: Some(who) };
    calls(mem, header.line, &entry).any(names)
}

/// Whether a word of a channel that is taken by compare-and-swap names `who`.
pub(super) fn is_named(mem: &Mem, line: u32, kind: Kind, block_c: u32, capacity: u32, who: Ident) -> bool {
    // The second role's words, and the permits', are behind the first role's.
    let Some(role) = round_up(12, line) else { return false };
    // ORDERING: Relaxed; only `who` writes its name, and joining synchronises with the last one of that name.
    let read = |at: u32| mem.word(block_c.saturating_add(at)).map_or(0, |word| word.load(RELAXED));
    match kind {
        Kind::Frames | Kind::Slots | Kind::Compact | Kind::Calls => {
            read(offset::OWNER) == who.word() || read(role + offset::OWNER) == who.word()
        }
        Kind::Latest | Kind::Broadcast => read(offset::OWNER) == who.word(),
        Kind::Mutex => {
            matches!(mutex::state(read(offset::OWNER)), State::Held { owner, .. } if owner == who)
        }
        Kind::Semaphore => false,
        Kind::Permits => (0..capacity.min(MAX_PERMITS)).any(|index| read(role + 4 * index) == who.word()),
        // As an owner; or as the sender, where it was sent.
        Kind::Pool => (0..capacity.min(MAX_PERMITS)).any(|index| {
            let words = role + offset::BLOCK_WORDS * index;
            let state = read(words + offset::STATE);
            state == who.word()
                || pool::sent_as(state).is_some() && read(words + offset::SENDER) == who.word()
        }),
    }
}

/// How often the places of a participant table were taken. Nothing wears out: behind the highest epoch the epochs
/// of a place begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Wear {
    /// The highest epoch of any place: the joins of the place that was taken most, since its epochs began anew
    /// last.
    pub most: u32,
    /// Places whose epochs have run out under a program that did not begin them anew.
    pub retired: u32,
}

/// How often the places were taken. One load each.
///
/// # Examples
///
/// ```
/// use strait_core::format::participants::wear;
/// use strait_core::port::{NoSystem, Port};
/// use strait_core::{Channel, Plan, StaticRegion};
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("angle")]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// assert_eq!(wear(region.port().mem(), region.header()).most, 1);
/// ```
#[must_use]
pub fn wear(mem: &Mem, header: &Header) -> Wear {
    let mut wear = Wear::default();
    for place in (1..=header.participant_count).filter_map(|slot| header.participant(slot)) {
        // ORDERING: Relaxed; a snapshot for display.
        let state = mem.word(place.saturating_add(at::STATE)).map_or(0, |word| word.load(RELAXED));
        match state & STATE {
            RETIRED => wear.retired += 1,
            _ => wear.most = wear.most.max(state & EPOCH),
        }
    }
    wear
}
