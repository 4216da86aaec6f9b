//! What a successor in a queue with several consumers can know of the messages between the dead consumer's head and the
//! producer's floor.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use strait_core::ground::entry::at;
use strait_core::ground::sync::order::{RELAXED, join};
use strait_core::ground::sync::{WordRef, fence};
use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::port::{Port as _, Probe};
use strait_core::protocol::fanout::{Member, Members};
use strait_core::{Attachment, Channel, Plan};

use crate::models;
use crate::search::up_to;

models! {
    "a_window_looks_like_a_death" => a_window_looks_like_a_death(),
}

const PLAN: Plan<'static> = Plan::new(&[Channel::slots::<u32>("q", 1).consumers(1)]).line(4).participants(3);

/// The words of a ring, and of its consumer.
struct Words {
    mark: WordRef,
    least: WordRef,
    floor: WordRef,
    joined: WordRef,
    head: WordRef,
}

impl Words {
    fn of(at: &Attachment<Port>) -> Self {
        let (ring, entry) = (at.channel("q").unwrap(), at.consumer_entry("q", 0).unwrap());
        let word = |offset: u32| at.port().mem().word_ref(offset).unwrap();
        Self {
            mark: word(ring.block_a + at::MARK),
            least: word(ring.block_b + at::HEAD),
            floor: word(ring.block_b + at::FLOOR),
            joined: word(entry.block_c + at::JOINED),
            head: word(entry.block_b + at::HEAD),
        }
    }
}

/// Everything that a successor can load, and how many messages the producer keeps at the end.
type Outcome = ([u32; 4], u32);

/// The outcomes, of one message that was sent, if a consumer that was promised it died either before the producer looked,
/// which has a proof of that, or between the producer's two looks.
fn outcomes(is_proven: bool) -> BTreeSet<Outcome> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let found = seen.clone();
    up_to(3).never_quick().check(move || {
        let region = Region::new(&PLAN);
        let (here, dead, heir) = (region.join(), region.join(), region.join());
        let who = dead.port().ident().unwrap();
        let Words { mark, joined, .. } = Words::of(&here);
        // ORDERING: Relaxed; before there are others.
        mark.store(1, RELAXED);
        if is_proven {
            // ORDERING: as above.
            joined.store(who.word(), RELAXED);
        }
        let producer = thread::spawn(move || {
            let Words { least, floor, joined, head, .. } = Words::of(&here);
            let mut members = Members::new(0, least, floor);
            members.add(Member::new(joined, head));
            if is_proven {
                members.leave_out_dead(1, |one| if one == who { Probe::Dead } else { Probe::Alive });
            } else {
                members.look(1);
            }
            members.used(1)
        });
        if !is_proven {
            // The dead one's steps: its head is 0 already.
            Words::of(&dead).joined.store(who.word(), join::STORE); // ORDERING(join): as `Joining::join`.
        }
        let Words { mark, least, floor, joined, head } = Words::of(&heir);
        joined.store(heir.port().ident().unwrap().word(), join::STORE); // ORDERING(join): as above.
        fence(join::CONSUMER_FENCE); // ORDERING(join): as above.
        // ORDERING(join): as above; the others relaxed, as loads that may show anything the heir could rely on.
        let loaded = [floor.load(join::LOAD), mark.load(RELAXED), least.load(RELAXED), head.load(RELAXED)];
        let used = producer.join().unwrap();
        found.lock().expect("nobody panics with it").insert((loaded, used));
    });
    Arc::try_unwrap(seen).map_or_else(|seen| seen.lock().unwrap().clone(), |seen| seen.into_inner().unwrap())
}

/// A successor that finds the floor beyond the dead one's head loads the same words in both cases: in one the producer is
/// about to overwrite the messages between, in the other it keeps them. So what it starts behind is lost to it, and is
/// counted as missed; to tell the two apart takes a word more, or a wait for the producer. Up to three preemptions.
///
/// ```text
///   producer                          the dead one          its heir
///   (dead?) joined? floor, fence      joined
///   joined? least                                           joined, fence, floor? mark? least? head?
/// ```
fn a_window_looks_like_a_death() {
    let (proven, window) = (outcomes(true), outcomes(false));
    let is_beyond = |loaded: &[u32; 4]| loaded[0] == 1 && loaded[3] == 0;
    let same = proven.iter().filter(|(loaded, used)| is_beyond(loaded) && *used == 0);
    let same: Vec<_> = same.filter(|(loaded, _)| window.contains(&(*loaded, 1))).collect();
    assert!(!same.is_empty(), "of {proven:?} and {window:?}, all differ: the count could be exact");
}
