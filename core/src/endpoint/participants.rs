//! Joining and leaving a region's participant table, and looking at it.

use core::fmt;
use core::ops::RangeInclusive;

use crate::ground::header::{Header, PARTICIPANT_DOMAIN};
use crate::ground::ident::Ident;
use crate::ground::port::{Liveness, Probe};
use crate::ground::sync::order::RELAXED;
use crate::ground::sync::{Mem, Word};
use crate::protocol::table::{self, Names};

use super::names::names;
pub use super::names::{Wear, wear};

/// Byte offsets of the words in a participant's place.
pub mod at {
    /// State and epoch.
    pub const STATE: u32 = 0;
    /// The domain that the place belongs to; never changes once the region is published.
    pub const DOMAIN: u32 = super::PARTICIPANT_DOMAIN;
    /// The boot counter of the participant's machine, where it has one.
    pub const BOOT: u32 = 8;
    /// Process id, for display.
    pub const PID: u32 = 12;
    /// Start time in the port's units, low word, then high word; for display.
    pub const STARTED: u32 = 16;
}

/// A participant's description of itself, for display only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Card {
    /// Process id, 0 where there is none.
    pub pid: u32,
    /// Start time, in the port's units.
    pub started: u64,
    /// Boot counter, 0 where there is none.
    pub boot: u32,
}

/// No place in the participant table for one of this domain: each is taken by a participant that is not proven dead,
/// or there is none. Places do not wear out: see [`Wear`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

impl fmt::Display for TableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no place in the participant table for one of this domain: each is taken by a participant that is not \
             proven dead, or the plan has none; end one, or plan for more participants",
        )
    }
}

impl core::error::Error for TableFull {}

fn word<'m>(mem: &'m Mem, header: &Header, place: u32, at: u32) -> Option<&'m Word> {
    mem.word(header.participant(place)?.checked_add(at)?)
}

/// Joins the region: finds a free place of this domain, or one whose last occupant is proven dead,
/// takes its liveness token, and publishes. One pass over the table, 511 places at most, and one over the
/// words that name participants, of all channels. No word of another domain's place is changed.
///
/// # Errors
///
/// [`TableFull`].
pub fn join(
    mem: &Mem,
    header: &Header,
    domain: u32,
    liveness: &impl Liveness,
    card: Card,
) -> Result<Ident, TableFull> {
    join_unless(mem, header, domain, liveness, card, |who| names(mem, header, who))
}

/// As [`join`]; `names` looks for words that name an identity.
pub(super) fn join_unless(
    mem: &Mem,
    header: &Header,
    domain: u32,
    liveness: &impl Liveness,
    card: Card,
    names: impl Fn(Ident) -> Names,
) -> Result<Ident, TableFull> {
    for place in (1..=header.participant_count).filter(|&place| domain_of(mem, header, place) == Some(domain))
    {
        let Some(state) = word(mem, header, place, at::STATE) else { break };
        if let Some(me) = table::try_join(place, state, liveness, &names) {
            for (at, value) in [
                (at::BOOT, card.boot),
                (at::PID, card.pid),
                (at::STARTED, card.started as u32),
                (at::STARTED + 4, (card.started >> 32) as u32),
            ] {
                if let Some(word) = word(mem, header, place, at) {
                    word.store(value, RELAXED); // ORDERING: Relaxed; for display.
                }
            }
            return Ok(me);
        }
    }
    Err(TableFull)
}

/// The domain that a place belongs to.
fn domain_of(mem: &Mem, header: &Header, place: u32) -> Option<u32> {
    Some(mem.setup_read(header.participant(place)?.checked_add(at::DOMAIN)?))
}

/// The places of a domain, as the table is now; empty if it has none. A port whose proof of death does not
/// reach beyond its own domain reads this once, before any peer can have misbehaved, and returns
/// [`Probe::Unknown`] for all other places. One pass over the table.
#[must_use]
pub fn places_of(mem: &Mem, header: &Header, domain: u32) -> RangeInclusive<u32> {
    let is_own = |&place: &u32| domain_of(mem, header, place) == Some(domain);
    let first = (1..=header.participant_count).find(is_own).unwrap_or(header.participant_count + 1);
    let count = (first..=header.participant_count).take_while(is_own).count() as u32;
    first..=(first + count).saturating_sub(1)
}

/// Leaves the region. The caller gives the token back after this, and has dropped its endpoints
/// before it.
pub fn leave(mem: &Mem, header: &Header, me: Ident) {
    if let Some(state) = word(mem, header, me.place(), at::STATE) {
        table::leave(state, me);
    }
}

/// A participant as the table shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Its identity.
    pub ident: Ident,
    /// Whether it lives.
    pub probe: Probe,
    /// Its domain.
    pub domain: u32,
    /// Its description of itself.
    pub card: Card,
}

/// The participants that have joined and not left, dead ones included. One probe each.
///
/// # Examples
///
/// ```
/// use strait_core::format::participants::list;
/// use strait_core::port::{NoSystem, Port, Probe};
/// use strait_core::{Channel, Plan, StaticRegion};
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("angle")]).participants(4);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let other = REGION.attach(&NoSystem).unwrap();
/// let port = region.port();
/// let found = list(port.mem(), region.header(), port).map(|participant| Some(participant.ident));
/// assert!(found.eq([port.ident(), other.port().ident()]));
/// // Within one program nobody is ever proven dead.
/// assert!(list(port.mem(), region.header(), port).all(|found| found.probe == Probe::Unknown));
/// ```
pub fn list<'a>(
    mem: &'a Mem,
    header: &'a Header,
    liveness: &'a impl Liveness,
) -> impl Iterator<Item = Participant> + 'a {
    (1..=header.participant_count).filter_map(move |place| {
        // ORDERING: Relaxed; a snapshot for display.
        let read = |at| word(mem, header, place, at).map_or(0, |word| word.load(RELAXED));
        let ident = table::occupant(place, read(at::STATE))?;
        let started = u64::from(read(at::STARTED)) | u64::from(read(at::STARTED + 4)) << 32;
        let card = Card { pid: read(at::PID), started, boot: read(at::BOOT) };
        Some(Participant { ident, probe: liveness.probe(ident), domain: read(at::DOMAIN), card })
    })
}
