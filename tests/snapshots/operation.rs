//! Operations: where each starts, what the victim does, and what its survivors check.

use std::any::Any;

use strait::{Plan, Region, RegionPlace};

/// Things that are kept, whatever they are: until the process that has them is dead.
pub type Kept = Box<dyn Any>;

/// One call of the interface, ready to be made. Returns the objects that it must not drop.
pub type Act = Box<dyn FnOnce() -> Kept>;

/// How far an operation has got as the survivors see it: each number only ever goes up.
pub type Seen = [u64; 2];

/// Which of two survivors comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The producer or writer.
    Producer,
    /// The consumer or reader.
    Consumer,
}

/// Both orders.
pub const ORDERS: [First; 2] = [First::Producer, First::Consumer];

/// The region that a victim finds.
#[derive(Clone, Copy)]
pub enum Past {
    /// No region.
    Nothing,
    /// A region whose maker has left it, unused.
    Unused,
    /// A region with the work of participants that are dead by now.
    Deaths(fn(&Region) -> Kept),
}

/// An operation at every instruction of which a victim dies.
///
/// To add one, give it a name, the plan of its region, what leads up to it, the call itself, and the
/// survivors; and what they see before it and after it. Where nothing but the call is new, the
/// survivors of another operation will do.
pub struct Operation {
    /// Its name, of letters, digits and hyphens.
    pub name: &'static str,
    /// The region's plan.
    pub plan: Plan<'static>,
    /// The region that the victim finds.
    pub past: Past,
    /// The victim: goes up to the operation, and returns it.
    pub victim: fn(&RegionPlace) -> Act,
    /// The survivors, when all others are dead: they panic if something is wrong.
    pub survivors: fn(&RegionPlace, First) -> Seen,
    /// The state that they see before the operation.
    pub before: Seen,
    /// The state that they see after it.
    pub after: Seen,
}

impl Operation {
    /// An operation in a region that nobody has used yet, which changes nothing that survivors see.
    pub fn new(
        name: &'static str,
        plan: Plan<'static>,
        victim: fn(&RegionPlace) -> Act,
        survivors: fn(&RegionPlace, First) -> Seen,
    ) -> Self {
        Self { name, plan, past: Past::Unused, victim, survivors, before: [0; 2], after: [0; 2] }
    }

    /// The region that the victim finds.
    pub fn past(mut self, past: Past) -> Self {
        self.past = past;
        self
    }

    /// The states that the survivors see before the operation and after it.
    pub fn sees(mut self, before: Seen, after: Seen) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    /// Whether the survivors may see that.
    pub fn may_see(&self, seen: Seen) -> bool {
        (0..seen.len()).all(|i| (self.before[i]..=self.after[i]).contains(&seen[i]))
    }
}
