//! The messages between the plant's processes, and the region's plan.

use strait::{Channel, Message, Plan};

use super::stations::{DRIVES, LANES};

strait::message! {
    /// From the planner to a drive: go there.
    pub struct Move {
        /// The call's number, which no other call of the run has.
        pub call: u64,
        pub target: f64,
    }

    /// The drive's answer: it is there.
    pub struct Moved {
        /// The number of the call that this answers.
        pub call: u64,
        pub position: f64,
    }

    /// From the controller to all screens.
    pub struct State {
        /// Counts up from 1, also from one controller to its successor.
        pub tick: u64,
        /// When it was published, on the monotonic clock.
        pub time_ns: u64 [unit = "ns"],
        /// Whether the emergency stop is pressed.
        pub stopped: u64 [values = { running = 0, stopped = 1 }],
    }

    /// The emergency stop, for everybody. A latest value, because a process that comes later must know it too.
    pub struct Stop {
        /// 1 while it is pressed.
        pub pressed: u64 [values = { released = 0, pressed = 1 }],
    }

    /// From everybody to the recorder.
    pub struct LogLine {
        /// The number of the process that wrote it, which no other process of the run has.
        pub writer: u64,
        /// Counts that process's lines from 0.
        pub number: u64,
        /// What happened; one of the constants below.
        pub what: u64 [values = {
            started = 0, ended = 1, moved = 2, called = 3, shown = 4, ticked = 5, stopped = 6, killed = 7,
        }],
        /// What there is to say about it.
        pub values: [u64; 4],
    }
}

/// A process has its roles, and is at work.
pub const STARTED: u64 = 0;
/// A process was told to end, and does.
pub const ENDED: u64 = 1;
/// A drive has made the move of a call: its number.
pub const MOVED: u64 = 2;
/// A call is over for the planner: its number, and the [`End`](super::calls::End).
pub const CALLED: u64 = 3;
/// What a screen has received: the numbers of the first and the last state, how many states, how many lost.
pub const SHOWN: u64 = 4;
/// Where the controller is: its tick.
pub const TICKED: u64 = 5;
/// The emergency stop has changed: whether it is pressed.
pub const STOPPED: u64 = 6;
/// The supervisor has killed a process: its station and its number.
pub const KILLED: u64 = 7;

/// The drives' channels of calls.
pub const DRIVE: [&str; DRIVES] = ["drive 0", "drive 1", "drive 2"];
/// The controller's broadcast.
pub const STATE: &str = "state";
/// The emergency stop.
pub const STOP: &str = "stop";
/// Everybody's lines.
pub const LOG: &str = "log";

/// Calls that can be out at once at a drive; the planner makes one at a time, and may give some up.
const PLACES: u32 = 8;
/// States that a screen may be behind.
const STATES: u32 = 64;
/// Room in each lane for some seconds in which no recorder is at work.
const LINES: u32 = 4096;

/// The region's channels.
pub fn channels() -> [Channel<'static>; DRIVES + 3] {
    let [a, b, c] = DRIVE.map(|name| Channel::calls::<Move, Moved>(name, PLACES));
    [
        a,
        b,
        c,
        Channel::broadcast::<State>(STATE, STATES),
        Channel::latest::<Stop>(STOP),
        Channel::slots::<LogLine>(LOG, LINES)
            .producers(LANES as u32)
            .consumer_may_block()
            .producer_may_block(),
    ]
}

/// The region's plan.
pub fn plan<'a>(channels: &'a [Channel<'a>]) -> Plan<'a> {
    Plan::new(channels).participants(32).described(strait::describe!(Move, Moved, State, Stop, LogLine))
}

/// Whether a region has the plant's channels and no other.
pub fn are_ours(mut entries: impl Iterator<Item = strait::format::Entry>) -> bool {
    let drives = DRIVE.map(|name| (name, Move::HASH));
    let lanes = [(LOG, LogLine::HASH); LANES];
    let mut expected =
        drives.into_iter().chain([(STATE, State::HASH), (STOP, Stop::HASH)]).chain(lanes).map(Some);
    entries.all(|entry| expected.next().flatten() == entry.name().map(|name| (name, entry.type_hash)))
        && expected.next().is_none()
}
