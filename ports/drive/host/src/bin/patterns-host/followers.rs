//! The Linux threads beside the caller: one logs, one reads the log, and two follow the broadcast.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use drive_link::patterns::{DRIVE_LANE, LINUX_LANE, Line, State};
use strait::broadcast::{BroadcastStart, BroadcastTryRecvError};
use strait::error::TryRecvLanesError;
use strait::{Region, RegionOptions, RegionPlace, TrySendError, TypedLanesConsumer};

/// Lines that are sent without a pause.
const BURST: u32 = 8;

/// Whether the others have ended: what is there then is all there is.
pub type Ended = AtomicBool;

fn rest() {
    // Firmware wakes nobody.
    sleep(Duration::from_micros(50));
}

fn open(place: &RegionPlace) -> Region {
    place.open(&RegionOptions::new()).expect("the region was made")
}

/// Sends lines until the end; returns how many.
pub fn log(place: &RegionPlace, ended: &Ended) -> u32 {
    let mut lane = open(place).typed_lane_producer::<Line>("log", LINUX_LANE).expect("nobody has the lane");
    while !ended.load(Ordering::Acquire) {
        for _ in 0..BURST {
            match lane.try_send(&Line::new(lane.next_sequence(), 0)) {
                Ok(()) => {}
                Err(TrySendError::Full) => break,
                Err(error) => panic!("the log: {error}"),
            }
        }
        rest();
    }
    lane.next_sequence()
}

/// Reads both lanes to the end; returns how many lines came in each.
pub fn read_log(place: &RegionPlace, ended: &Ended) -> [u32; 2] {
    let region = open(place);
    let mut log: TypedLanesConsumer<Line, _, 2> =
        region.typed_lanes_consumer("log").expect("nobody reads it");
    let (mut lines, mut boot) = ([0; 2], 0);
    loop {
        // Before the look: what came in between is found by another one.
        let is_end = ended.load(Ordering::Acquire);
        match log.try_recv() {
            Ok(from) => {
                let (next, line) = (&mut lines[from.lane as usize], from.message);
                assert_eq!(
                    (line.number, log.sequence()),
                    (*next, *next),
                    "lane {}: lost or doubled",
                    from.lane
                );
                assert_eq!(line.triple, line.number.wrapping_mul(3), "half a line");
                *next += 1;
                if from.lane == DRIVE_LANE {
                    assert!(line.boot >= boot, "a line of boot {} after boot {boot}", line.boot);
                    boot = line.boot;
                } else {
                    assert_eq!(line.boot, 0, "the drive sent in another lane than its own");
                }
            }
            Err(TryRecvLanesError::Empty) if is_end => return lines,
            Err(TryRecvLanesError::Empty) => rest(),
            Err(error) => panic!("the log: {error}"),
        }
    }
}

/// Follows the broadcast to the end, in a mapping that cannot be written; returns how many states it received, and
/// how many it lost.
pub fn follow(place: &RegionPlace, ended: &Ended) -> [u32; 2] {
    let region = place.open(&RegionOptions::new().read_only(true)).expect("the region was made");
    let mut states =
        region.broadcast_reader::<State>("state", BroadcastStart::Oldest).expect("anybody may read");
    let [mut received, mut lost] = [0; 2];
    loop {
        let is_end = ended.load(Ordering::Acquire);
        match states.try_recv() {
            Ok(state) => {
                let number = states.info().expect("it was received").number as u32;
                assert_eq!((state.number, received + lost + 1), (number, number), "lost unseen, or doubled");
                assert_eq!(state.triple, number.wrapping_mul(3), "half a state");
                received += 1;
            }
            Err(BroadcastTryRecvError::Lagged { lost: more }) => lost += more as u32,
            Err(BroadcastTryRecvError::Contended) => {}
            Err(BroadcastTryRecvError::Empty) if is_end => return [received, lost],
            Err(BroadcastTryRecvError::Empty) => rest(),
            Err(error) => panic!("the broadcast: {error}"),
        }
    }
}
