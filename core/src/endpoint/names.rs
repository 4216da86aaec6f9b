//! The words of a region that name a participant, and how far its places are worn.

use crate::ground::entry::Entry;
use crate::ground::header::Header;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::sync::Mem;
use crate::ground::sync::order::RELAXED;
use crate::protocol::mutex::{self, State};
use crate::protocol::table::{EPOCH, Names, RETIRED, STATE};

use super::participants::at;

/// Whether a word of the region names `who`: a role, a lock, a permit. Steps in proportion to the number of
/// channels and permits.
pub(super) fn names(mem: &Mem, header: &Header, who: Ident) -> Names {
    let mut found = Names::Free;
    for i in 0..header.channel_count {
        match header.entry(mem, i) {
            Ok(entry) if is_named(mem, header.line, &entry, who) => return Names::Named,
            Ok(_) => {}
            Err(_) => found = Names::Unknown,
        }
    }
    found
}

/// Whether a word of the channel names `who`.
pub(super) fn is_named(mem: &Mem, line: u32, entry: &Entry, who: Ident) -> bool {
    let Some(blocks) = entry.blocks(line) else { return false };
    // ORDERING: Relaxed; only `who` writes its name, and joining synchronises with the last one of that name.
    let read = |at: u32| mem.word(entry.block_c.saturating_add(at)).map_or(0, |word| word.load(RELAXED));
    match entry.kind {
        Kind::Frames | Kind::Slots | Kind::Compact => {
            read(offset::OWNER) == who.word() || read(blocks.role_b + offset::OWNER) == who.word()
        }
        Kind::Latest => read(offset::OWNER) == who.word(),
        Kind::Mutex => {
            matches!(mutex::state(read(offset::OWNER)), State::Held { owner, .. } if owner == who)
        }
        Kind::Semaphore => false,
        Kind::Permits => (0..entry.capacity).any(|index| read(blocks.permits + 4 * index) == who.word()),
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
