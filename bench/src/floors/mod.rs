//! Floors: the times that the machine itself takes, in any program.

mod atomics;
mod bandwidth;
mod copy;
mod hiccup;
mod lines;
mod ring;
mod stream;
mod system;

use serde_json::Value;

use crate::error::Result;
use crate::job::Job;

/// A floor: its name, what it is, and how it is measured.
pub struct Floor {
    /// Its name.
    pub name: &'static str,
    /// A description for readers.
    pub what: &'static str,
    /// Whether it is measured between processes too.
    pub processes: bool,
    measure: fn(&Job) -> Result<Value>,
}

/// The names by which others ask for floors.
pub const PP1_DIR: &str = "PP1-dir";
pub const PP2: &str = "PP2";
pub const LINE_STREAM: &str = "line stream";
pub const BW_4K: &str = "BW 4 KiB";
pub const BW_64K: &str = "BW 64 KiB";
pub const BW_1M: &str = "BW 1 MiB";
pub const CAS_PAIR: &str = "CAS pair";
pub const FUTEX: &str = "futex wake";
pub const PLAIN_RING: &str = "plain ring";
pub const COPY_56: &str = "copy 56 B";
pub const HICCUPS: &str = "hiccups";

const fn floor(name: &'static str, what: &'static str, measure: fn(&Job) -> Result<Value>) -> Floor {
    Floor { name, what, processes: false, measure }
}

/// All floors.
pub const ALL: &[Floor] = &[
    floor("PP1", "one line that both sides write, round trip / 2", lines::one),
    Floor {
        processes: true,
        ..floor(PP1_DIR, "one line per direction, round trip / 2", lines::per_direction)
    },
    floor("PP1-ring", "the same through 256 lines per direction, in turn", lines::ring),
    floor(PP2, "flag line and data line, round trip / 2", lines::flag_and_data),
    floor(LINE_STREAM, "56 bytes with their sequence in one line, streamed, a message", stream::one::<false>),
    floor(
        "line stream +1",
        "the same, and a store to a near line after each: what a state costs",
        stream::one::<true>,
    ),
    floor(
        "2-line stream",
        "64 bytes, their sequence in the next line, streamed, a message",
        stream::two::<false>,
    ),
    floor("2-line stream +1", "the same, and a store to a near line after each", stream::two::<true>),
    floor(BW_4K, "reading 4 KiB that the other core has just written, a line", bandwidth::measure::<4096>),
    floor(
        BW_64K,
        "reading 64 KiB that the other core has just written, a line",
        bandwidth::measure::<65_536>,
    ),
    floor(
        BW_1M,
        "reading 1 MiB that the other core has just written, a line",
        bandwidth::measure::<1_048_576>,
    ),
    floor(CAS_PAIR, "uncontended lock and unlock by two compare-and-swaps", atomics::cas_pair),
    floor("fence", "a store and a SeqCst fence", atomics::fence_after_store),
    floor(FUTEX, "a sleeper on the other core runs again, one way", system::futex_wake),
    floor("futex idle", "FUTEX_WAKE with nobody waiting", system::futex_idle),
    floor("syscall", "the cheapest system call", system::cheapest),
    floor(PLAIN_RING, "push and pop of 8 bytes by a ring that nobody shares", ring::measure),
    floor(COPY_56, "a plain copy of 56 bytes", copy::measure),
    floor(HICCUPS, "how late an empty spin is for a timetable", hiccup::measure),
];

/// Measures the floor that the job names.
pub fn measure(job: &Job) -> Result<Value> {
    let floor = ALL.iter().find(|floor| floor.name == job.who);
    let floor = floor.ok_or_else(|| format!("there is no floor `{}`", job.who))?;
    (floor.measure)(job)
}
