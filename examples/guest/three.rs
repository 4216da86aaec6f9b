//! What the three parties have in common: a host and two guests, one of ARM and one of x86, each a domain of its own.

use std::time::Duration;

use strait::{Channel, Plan};

/// How many they are; each is known by its domain.
pub const PARTIES: usize = 3;
pub const NAMES: [&str; PARTIES] = ["host", "ARM", "x86"];
pub const HOST: usize = 0;
pub const ARM: usize = 1;
pub const X86: usize = 2;

/// The parameter by which the kernel's command line makes a guest one of the three.
pub const PARTY: &str = "party";

/// Between two looks at something that must come.
pub const LOOK: Duration = Duration::from_micros(200);

/// Calls of one party to another that are out at a time.
pub const CALLS: u32 = 4;
/// Places of a broadcast, few enough that its readers are overtaken.
pub const STEPS: u32 = 8;
/// The longest frame: its number, and a pattern.
pub const LONGEST: usize = 256;

strait::message! {
    /// What the host's first process asks of all: a phase, and the party that it is about.
    pub struct Order {
        pub phase: u32,
        pub party: u32,
    }

    /// A value of a broadcast.
    pub struct Step {
        pub number: u64,
        pub run: u32,
        pub sum: u32,
    }

    /// A request: in which run of its client, and the how manieth of that run.
    pub struct Ask {
        pub run: u32,
        pub number: u32,
    }

    /// Its answer, and in which run of the server it was given.
    pub struct Told {
        pub sum: u32,
        pub by: u32,
    }

    /// What a party has done with one of the others, in this run unless something else is said.
    pub struct With {
        /// Values of the other's broadcast that this one was too slow for.
        pub lost: u64,
        /// The number of the newest value of that broadcast that was received or lost.
        pub step: u64,
        /// How often the other's event has happened, in all runs of it.
        pub notified: u64,
        /// Frames to the other, in all runs.
        pub sent: u32,
        /// The newest frame's run, and the number of the next one; kept for the next run of the receiver.
        pub run: u32,
        pub next: u32,
        /// Frames that came again, as a run before had not released them.
        pub repeated: u32,
        /// The newest request's run, and the least number of the next one; kept for the next run of the server.
        pub asked_run: u32,
        pub asked: u32,
        /// Answers, and the run of the server that gave the last.
        pub answered: u32,
        pub by: u32,
        /// Calls that the other's death has broken off.
        pub interrupted: u32,
        /// Calls that ran out of time while nobody knew of that death.
        pub overdue: u32,
    }

    /// What a party has done, all of it: it is published after each step, so the next run goes on where this one was.
    pub struct Report {
        pub run: u32,
        pub state: u32,
        pub rounds: u32,
        pub sum: u32,
        /// Values of the broadcast, in all runs.
        pub published: u64,
        /// Notifications of the event, in all runs.
        pub notified: u64,
        pub with: [With; PARTIES],
    }
}

/// What is asked of the parties.
pub mod phase {
    /// To exchange everything with everybody.
    pub const RUN: u32 = 0;
    /// The party that is named: to begin something of every kind, and to end none of it.
    pub const HANG: u32 = 1;
    /// The party that is named has been killed.
    pub const DEAD: u32 = 2;
    /// To begin nothing new, and to receive the rest.
    pub const DRAIN: u32 = 3;
    /// To leave.
    pub const END: u32 = 4;
}

/// What a party says of itself.
pub mod state {
    pub const RUNS: u32 = 0;
    /// It is in the midst of everything, and goes no further.
    pub const HANGS: u32 = 1;
    /// It sends nothing any more, and all its calls have ended.
    pub const STILL: u32 = 2;
    /// It has received all that the others have sent, too.
    pub const DONE: u32 = 3;
}

pub const PLAN: Plan<'static> = Plan::new(&[
    Channel::latest::<Order>("order").domains(0, 1),
    Channel::frames("frames 0 1", 4096, LONGEST as u32).domains(0, 1),
    Channel::frames("frames 0 2", 4096, LONGEST as u32).domains(0, 2),
    Channel::frames("frames 1 0", 4096, LONGEST as u32).domains(1, 0),
    Channel::frames("frames 1 2", 4096, LONGEST as u32).domains(1, 2),
    Channel::frames("frames 2 0", 4096, LONGEST as u32).domains(2, 0),
    Channel::frames("frames 2 1", 4096, LONGEST as u32).domains(2, 1),
    Channel::calls::<Ask, Told>("calls 0 1", CALLS).domains(0, 1),
    Channel::calls::<Ask, Told>("calls 0 2", CALLS).domains(0, 2),
    Channel::calls::<Ask, Told>("calls 1 0", CALLS).domains(1, 0),
    Channel::calls::<Ask, Told>("calls 1 2", CALLS).domains(1, 2),
    Channel::calls::<Ask, Told>("calls 2 0", CALLS).domains(2, 0),
    Channel::calls::<Ask, Told>("calls 2 1", CALLS).domains(2, 1),
    Channel::broadcast::<Step>("steps 0", STEPS).domains(0, 1),
    Channel::broadcast::<Step>("steps 1", STEPS).domains(1, 2),
    Channel::broadcast::<Step>("steps 2", STEPS).domains(2, 0),
    Channel::event("event 0").domains(0, 1),
    Channel::event("event 1").domains(1, 2),
    Channel::event("event 2").domains(2, 0),
    Channel::latest::<Report>("report 0").domains(0, 1),
    Channel::latest::<Report>("report 1").domains(1, 2),
    Channel::latest::<Report>("report 2").domains(2, 0),
]);

/// What follows from two numbers, so that a value of which a part is another's shows.
pub fn sum(number: u32, run: u32) -> u32 {
    number.wrapping_mul(0x9E37_79B1) ^ run.wrapping_mul(0x85EB_CA6B)
}
