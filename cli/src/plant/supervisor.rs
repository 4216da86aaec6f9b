//! The supervisor: lets the processes begin, kills one at random now and then and starts its successor, and ends all
//! in an order in which nobody's last words are lost.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use strait::Region;

use crate::args::Demo;
use crate::error::{Error, Result};
use crate::os;

use super::crew::{Crew, Event};
use super::ledger::Ledger;
use super::messages::{ENDED, KILLED, STARTED};
use super::part::{Log, PATIENCE};
use super::stations::{BUTTON, CONTROLLER, PLANNER, RECORDER, SCREENS, STATIONS, SUPERVISOR};

/// How often it looks whether a process takes too long.
const LOOK: Duration = Duration::from_millis(50);

/// How long it waits at most before it kills, at random: it wakes when a line has come, which is always the same point
/// of the others' work.
const OFF_BEAT: Duration = Duration::from_millis(2);

/// The outcome of a run.
pub struct Outcome {
    /// What was recorded.
    pub ledger: Ledger,
    /// How many processes of each station were killed.
    pub kills: [u64; STATIONS.len()],
    /// The longest time from a kill until the successor had all roles.
    pub longest: Duration,
}

/// Where a station's process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It was started, or told to end, at this time.
    Awaited(Instant),
    /// It has its roles.
    AtWork,
    /// It ended when it was told to.
    Ended,
}

struct Run<'c, 'a> {
    crew: &'c mut Crew<'a>,
    log: Log,
    /// The number of each station's process.
    current: [u64; STATIONS.len()],
    stages: [Stage; STATIONS.len()],
    /// Whether a station's process was told to end.
    told: [bool; STATIONS.len()],
    outcome: Outcome,
    random: Random,
}

/// Runs the plant to its end. No wait for anybody is longer than [`PATIENCE`].
pub fn supervise(crew: &mut Crew<'_>, region: &Region, wanted: &Demo) -> Result<Outcome> {
    let log = Log::open(region, SUPERVISOR, u64::MAX).map_err(Error::failed)?;
    let kills = [0; STATIONS.len()];
    let mut run = Run {
        crew,
        log,
        current: std::array::from_fn(|station| station as u64),
        stages: [Stage::Awaited(Instant::now()); STATIONS.len()],
        told: [false; STATIONS.len()],
        outcome: Outcome { ledger: Ledger::default(), kills, longest: Duration::ZERO },
        random: Random(RandomState::new().hash_one(0) | 1),
    };
    run.say(STARTED, [0; 4])?;
    (0..STATIONS.len()).for_each(|station| run.crew.tell(run.current[station]));
    run.await_all()?;
    let end = Instant::now() + Duration::from_secs_f64(wanted.seconds);
    let mut next = wanted.kill_every.map(|every| Instant::now() + every);
    while Instant::now() < end {
        let until = next.unwrap_or(end).min(end);
        run.look(until)?;
        if let (Some(every), Some(due)) = (wanted.kill_every, next)
            && Instant::now() >= due
            && run.kill()?
        {
            next = Some((due + every).max(Instant::now()));
        }
    }
    run.await_all()?;
    run.end()?;
    Ok(run.outcome)
}

impl Run<'_, '_> {
    /// Takes the next event, if one comes before `until`, and checks whether a process takes too long.
    fn look(&mut self, until: Instant) -> Result<()> {
        let time = until.saturating_duration_since(Instant::now()).clamp(Duration::from_millis(1), LOOK);
        if let Some((number, event)) = self.crew.next(time) {
            self.take(number, event)?;
        }
        for (station, stage) in STATIONS.iter().zip(self.stages) {
            if matches!(stage, Stage::Awaited(since) if since.elapsed() > PATIENCE) {
                let (name, seconds) = (station.name, PATIENCE.as_secs());
                return Err(Error::failed(format!(
                    "the {name} did nothing for {seconds} s; was it stopped?"
                )));
            }
        }
        Ok(())
    }

    fn take(&mut self, number: u64, event: Event) -> Result<()> {
        let station = self.current.iter().position(|&current| current == number);
        match (event, station) {
            // What a recorder has said counts, whether it has been killed since or not.
            (Event::Line(line), _) => self.outcome.ledger.take(&line),
            // So does an error: a process that is killed reports none.
            (Event::Error(why), station) => {
                let name = station.map_or("a process that was killed since", |at| STATIONS[at].name);
                return Err(Error::at(name, why));
            }
            (Event::Ready, Some(station)) => {
                if let Stage::Awaited(since) = self.stages[station]
                    && self.outcome.kills[station] > 0
                {
                    self.outcome.longest = self.outcome.longest.max(since.elapsed());
                }
                self.stages[station] = Stage::AtWork;
            }
            (Event::Ended, Some(station)) => {
                let status = self.crew.status(number);
                if !(self.told[station] && status.is_some_and(|status| status.success())) {
                    let how = status.map_or_else(|| "ended early".into(), os::ending);
                    return Err(Error::failed(format!("the {} {how}", STATIONS[station].name)));
                }
                self.stages[station] = Stage::Ended;
            }
            // Of one that was killed.
            (_, None) => {}
        }
        Ok(())
    }

    /// Waits until every station's process is at work.
    fn await_all(&mut self) -> Result<()> {
        while self.stages.iter().any(|&stage| stage != Stage::AtWork) {
            self.look(Instant::now() + LOOK)?;
        }
        Ok(())
    }

    /// Kills one of the processes that are at work, and lets a successor begin. Returns whether there was one.
    fn kill(&mut self) -> Result<bool> {
        let at_work = |station: &usize| self.stages[*station] == Stage::AtWork;
        let stations: Vec<usize> = (0..STATIONS.len()).filter(at_work).collect();
        let Some(&station) = stations.get(self.random.below(stations.len())) else { return Ok(false) };
        std::thread::sleep(Duration::from_micros(self.random.below(OFF_BEAT.as_micros() as usize) as u64));
        let (victim, since) = (self.current[station], Instant::now());
        if !self.crew.kill(victim) {
            // It ended by itself: that event comes next, and is a failure.
            return Ok(false);
        }
        self.outcome.kills[station] += 1;
        let successor = self.crew.spawn(station)?;
        self.crew.tell(successor);
        self.current[station] = successor;
        self.stages[station] = Stage::Awaited(since);
        self.say(KILLED, [station as u64, victim, 0, 0])?;
        Ok(true)
    }

    /// Ends the processes: each after those whose work it takes.
    fn end(&mut self) -> Result<()> {
        self.end_all(&[PLANNER])?;
        self.end_all(&[0, 1, 2])?;
        self.end_all(&[BUTTON])?;
        self.end_all(&[CONTROLLER])?;
        self.end_all(&SCREENS)?;
        self.say(ENDED, [0; 4])?;
        self.end_all(&[RECORDER])
    }

    fn end_all(&mut self, stations: &[usize]) -> Result<()> {
        for &station in stations {
            self.told[station] = true;
            self.stages[station] = Stage::Awaited(Instant::now());
            self.crew.tell(self.current[station]);
        }
        while stations.iter().any(|&station| self.stages[station] != Stage::Ended) {
            self.look(Instant::now() + LOOK)?;
        }
        Ok(())
    }

    /// Writes a line into the log, and never waits for room: the recorder may be the one that is dead.
    fn say(&mut self, what: u64, values: [u64; 4]) -> Result<()> {
        self.log.offer(what, values).map_err(Error::failed)
    }
}

/// Pseudo-random numbers: xorshift, from any state but 0.
struct Random(u64);

impl Random {
    /// A number below `limit`; 0 if that is 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit.max(1)
    }
}
