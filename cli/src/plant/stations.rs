//! The plant's processes: which there are, and what each has in the region.

use crate::args::STATION_COUNT;

/// How many drives there are.
pub const DRIVES: usize = 3;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Serves the planner's calls.
    Drive,
    /// Calls the drives in turn.
    Planner,
    /// Broadcasts the plant's state.
    Controller,
    /// Shows the state, drawing each for so many microseconds.
    Screen(u64),
    /// Presses and releases the emergency stop.
    Button,
    /// Receives everybody's log lines.
    Recorder,
}

/// A place that one process has at a time: if it dies, the next one takes over.
pub struct Station {
    /// For people.
    pub name: &'static str,
    /// What the process there does.
    pub job: Job,
    /// How many roles it has in the region; its successor takes over as many.
    pub roles: u64,
}

/// All stations. One that logs has the lane of its own number.
pub const STATIONS: [Station; STATION_COUNT] = [
    Station { name: "drive 0", job: Job::Drive, roles: 2 },
    Station { name: "drive 1", job: Job::Drive, roles: 2 },
    Station { name: "drive 2", job: Job::Drive, roles: 2 },
    Station { name: "planner", job: Job::Planner, roles: DRIVES as u64 + 1 },
    Station { name: "controller", job: Job::Controller, roles: 2 },
    Station { name: "screen 0", job: Job::Screen(0), roles: 1 },
    Station { name: "screen 1", job: Job::Screen(3000), roles: 1 },
    Station { name: "stop button", job: Job::Button, roles: 2 },
    Station { name: "recorder", job: Job::Recorder, roles: LANES as u64 },
];

/// The planner's station.
pub const PLANNER: usize = 3;
/// The controller's station.
pub const CONTROLLER: usize = 4;
/// The screens' stations.
pub const SCREENS: [usize; 2] = [5, 6];
/// The emergency stop's station.
pub const BUTTON: usize = 7;
/// The recorder's station, which has no lane.
pub const RECORDER: usize = 8;

/// The supervisor's lane.
pub const SUPERVISOR: usize = 8;
/// How many lanes the log has: one each for the supervisor and the stations, but for the recorder.
pub const LANES: usize = 9;
