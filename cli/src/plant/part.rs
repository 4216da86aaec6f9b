//! Common to the plant's processes: begin, end, and the log.
//!
//! A part waits for a line on its standard input before it begins; the second line tells it to end. If that input
//! ends, the supervisor is gone: the part removes the region and ends too. It says on its standard output that it
//! is ready, or why it failed; the recorder also what it has received.

use std::io::{Read, Write, stdin, stdout};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use strait::{Region, RegionOptions, RegionPlace, SystemPort, TrySendError, TypedProducer};

use crate::args;
use crate::error::{Result, reported};

use super::messages::{LOG, LogLine, STARTED};

/// How long anybody waits for what must come: a part for room in the log, the supervisor for a part.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a part sleeps at most before it looks whether it is to end.
pub const LOOK: Duration = Duration::from_millis(20);

/// A part's result, or its error.
pub type Answer<T> = std::result::Result<T, String>;

/// A process of the plant.
pub struct Part {
    /// Where the region is.
    pub place: RegionPlace,
    /// The region, open for writing.
    pub region: Region,
    /// Its station.
    pub station: usize,
    /// Its number, which no other process of the run has.
    pub number: u64,
    over: Arc<AtomicBool>,
}

/// Starts as the part that was asked for, and runs `work`.
pub fn run(wanted: &args::PlantPart, work: impl FnOnce(&Part) -> Answer<()>) -> Result<()> {
    let place = wanted.region.region()?;
    if stdin().read_exact(&mut [0]).is_err() {
        let _ = place.remove();
        return Err(reported());
    }
    let over = follow_supervisor(place.clone());
    let region = place.open(&RegionOptions::new().prefault(true)).map_err(|error| error.to_string());
    let (station, number) = (wanted.station, wanted.number);
    let done = region.and_then(|region| work(&Part { place, region, station, number, over }));
    done.map_err(|error| {
        say(&format!("error {error}"));
        reported()
    })
}

/// Returns what is set when the supervisor wants an end. Ends this process when the supervisor is gone.
fn follow_supervisor(place: RegionPlace) -> Arc<AtomicBool> {
    let over = Arc::new(AtomicBool::new(false));
    let to_set = over.clone();
    std::thread::spawn(move || {
        while stdin().read_exact(&mut [0]).is_ok() {
            // ORDERING: Relaxed; a flag that stands for nothing but itself.
            to_set.store(true, Ordering::Relaxed);
        }
        let _ = place.remove();
        exit(1);
    });
    over
}

/// Says something to the supervisor, in a line. It is said when this returns, and stays so if this process dies.
pub fn say(line: &str) {
    // If nobody listens any more, the end of standard input says so.
    let mut stdout = stdout().lock();
    let _ = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
}

impl Part {
    /// Whether the supervisor wants this process to end.
    pub fn is_over(&self) -> bool {
        // ORDERING: Relaxed; a flag that stands for nothing but itself.
        self.over.load(Ordering::Relaxed)
    }

    /// Sleeps, until it is over at most.
    pub fn pause(&self, time: Duration) {
        let start = Instant::now();
        while !self.is_over() {
            let left = time.saturating_sub(start.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    /// Tells the supervisor, and the log, that this part has all its roles.
    pub fn ready(&self, log: &mut Log) -> Answer<()> {
        say("ready");
        log.put(STARTED, [0; 4])
    }

    /// This part's lane of the log.
    pub fn log(&self) -> Answer<Log> {
        Log::open(&self.region, self.station, self.number)
    }
}

/// A lane of the log, from the side of its producer.
pub struct Log {
    lane: TypedProducer<LogLine, SystemPort>,
    writer: u64,
    number: u64,
}

impl Log {
    /// Takes a lane, or takes it over.
    pub fn open(region: &Region, lane: usize, writer: u64) -> Answer<Self> {
        let lane = region.typed_lane_producer(LOG, lane as u32).map_err(|error| format!("log: {error}"))?;
        Ok(Self { lane, writer, number: 0 })
    }

    /// Writes a line, and waits for room if there is none: for lines that must not be missing.
    pub fn put(&mut self, what: u64, values: [u64; 4]) -> Answer<()> {
        let line = self.line(what, values);
        self.lane.send_timeout(&line, PATIENCE).map_err(|error| format!("log: {error}"))?;
        self.number += 1;
        Ok(())
    }

    /// Writes a line if there is room, and never waits. The region counts the lines for which there was none.
    pub fn offer(&mut self, what: u64, values: [u64; 4]) -> Answer<()> {
        let line = self.line(what, values);
        match self.lane.try_send(&line) {
            Ok(()) => self.number += 1,
            Err(TrySendError::Full) => {}
            Err(error) => return Err(format!("log: {error}")),
        }
        Ok(())
    }

    fn line(&self, what: u64, values: [u64; 4]) -> LogLine {
        LogLine { writer: self.writer, number: self.number, what, values }
    }
}
