//! Operations that do it wrong, each in its way: their survivors must find that out.

use strait::port::RELAXED;
use strait::{Region, RegionPlace, format::Entry, port::Port};
use strait_core::ground::entry::at;

use super::lock_operations::{DIED, MUTEX, NAME as LOCK, held, survive_mutex};
use super::operation::{Act, Operation};
use super::queues::{Queue, Slots, lead_up, open, survive, value};

/// Messages sent in the right way before.
const BEFORE: u32 = 4;

/// Every wrong operation. Most send the message after [`BEFORE`] others, and it is all there
/// in the end.
pub fn all() -> Vec<Operation> {
    let of = |name, victim| Operation::new(name, Slots::PLAN, victim, survive::<Slots>).sees([0, 4], [0, 5]);
    let mutex = |name, victim| Operation::new(name, MUTEX, victim, survive_mutex).sees([1, DIED], [2, DIED]);
    vec![
        mutex("wrong-version-before-value", update_wrong),
        of("wrong-sequence-before-value", wrong::<SEQUENCE_BEFORE_VALUE>),
        of("wrong-mark-before-sequence", wrong::<MARK_BEFORE_SEQUENCE>),
        of("wrong-taken-back", wrong::<TAKEN_BACK>),
        of("wrong-never-published", wrong::<NEVER_PUBLISHED>),
    ]
}

const SEQUENCE_BEFORE_VALUE: u8 = 0;
const MARK_BEFORE_SEQUENCE: u8 = 1;
const TAKEN_BACK: u8 = 2;
const NEVER_PUBLISHED: u8 = 3;

fn wrong<const WAY: u8>(region: &RegionPlace) -> Act {
    let region = open(region);
    let ends = lead_up::<Slots>(&region, BEFORE, 2);
    let slot = Slot::of(&region);
    Box::new(move || {
        let steps: &[fn(&Slot)] = match WAY {
            SEQUENCE_BEFORE_VALUE => &[Slot::sequence, Slot::value, Slot::mark],
            MARK_BEFORE_SEQUENCE => &[Slot::value, Slot::mark, Slot::sequence],
            TAKEN_BACK => &[Slot::value, Slot::sequence, Slot::unpublish, Slot::sequence, Slot::mark],
            _ => &[Slot::value],
        };
        steps.iter().for_each(|step| step(&slot));
        Box::new((ends, region))
    })
}

/// Sets a mutex's value, with the version first.
fn update_wrong(region: &RegionPlace) -> Act {
    let region = open(region);
    let guard = held(&region);
    let entry = region.channel(LOCK).expect("it is planned");
    let next = guard.version() + 1;
    let slot = Slot { region: region.clone(), at: entry.data + next % 2 * entry.stride, entry };
    Box::new(move || {
        slot.store(slot.entry.block_a + at::VERSION, next);
        slot.value_of(2);
        Box::new(guard)
    })
}

/// The slot of the message, and the stores that send it.
struct Slot {
    region: Region,
    entry: Entry,
    at: u32,
}

impl Slot {
    fn of(region: &Region) -> Self {
        let entry = region.channel(Slots::NAME).expect("it is planned");
        Self { region: region.clone(), at: entry.data + BEFORE * entry.stride, entry }
    }

    fn store(&self, at: u32, value: u32) {
        self.region.port().mem().word(at).expect("a word of the region").store(value, RELAXED);
    }

    fn value(&self) {
        self.value_of(BEFORE);
    }

    fn value_of(&self, n: u32) {
        for (i, part) in value(n).into_iter().enumerate() {
            self.store(self.at + 8 * i as u32, part as u32);
            self.store(self.at + 8 * i as u32 + 4, (part >> 32) as u32);
        }
    }

    fn sequence(&self) {
        self.store(self.at + self.entry.stride - 4, BEFORE + 1);
    }

    fn unpublish(&self) {
        self.store(self.at + self.entry.stride - 4, 0);
    }

    fn mark(&self) {
        self.store(self.entry.block_a + at::MARK, BEFORE + 1);
    }
}
