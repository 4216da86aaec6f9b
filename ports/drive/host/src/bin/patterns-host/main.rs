//! A Linux process that calls a drive in an emulator, logs beside it, and follows its broadcast, and kills it again
//! and again.
//!
//! ```text
//! patterns-host <the firmware> <the memory's address> <the emulator and its options>
//! ```
#![forbid(unsafe_code)]

mod caller;
mod followers;

use std::error::Error;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use drive_host::emulator::{Emulator, Machine, Stop};
use drive_link::LINUX;
use drive_link::patterns::{Ask, DRIVE_LANE, LINUX_LANE, PLAN, State, Told, ask};
use strait::broadcast::{BroadcastStart, BroadcastTryRecvError};
use strait::call::{CallError, Ran};
use strait::{BroadcastReader, RegionName, RegionOptions, RegionPlace, SystemPort};

use caller::Caller;
use followers::Ended;

/// The emulator wants a file as long as the memory that it is; the region is the start of it.
const MEMORY: u64 = 16 << 20;
/// What is the firmware's of it.
const SHARED: u32 = 1 << 20;
/// Kills at moments of their own choice.
const KILLS: u32 = 10;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let machine =
        Machine::new(&words).map_err(|_| "usage: patterns-host <firmware> <address> <emulator> <options>")?;
    let region = RegionName::new(&format!("patterns-{}", std::process::id()))?;
    let result = Test::new(&region, machine).and_then(Test::run);
    region.remove()?;
    println!("PASS {}", result?);
    Ok(())
}

/// Looks every 50 microseconds until something is there.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return found;
        }
        sleep(Duration::from_micros(50));
    }
    panic!("{what}: the drive is gone");
}

/// Starts a thread that works to the end.
fn start<T: Send + 'static>(
    place: &RegionPlace,
    ended: &Arc<Ended>,
    work: impl FnOnce(&RegionPlace, &Ended) -> T + Send + 'static,
) -> JoinHandle<T> {
    let (place, ended) = (place.clone(), ended.clone());
    spawn(move || work(&place, &ended))
}

/// The threads beside the caller.
struct Others {
    /// The logging one is ended before those that read to the end.
    no_more: Arc<Ended>,
    logger: JoinHandle<u32>,
    ended: Arc<Ended>,
    log: JoinHandle<[u32; 2]>,
    followers: [JoinHandle<[u32; 2]>; 2],
}

impl Others {
    fn start(place: &RegionPlace) -> Self {
        let (no_more, ended) = (Arc::default(), Arc::default());
        Self {
            logger: start(place, &no_more, followers::log),
            log: start(place, &ended, followers::read_log),
            followers: [(); 2].map(|()| start(place, &ended, followers::follow)),
            no_more,
            ended,
        }
    }

    /// Ends them, after the drive, which has sent and published so many; returns what they saw.
    fn end(self, told: &Told) -> String {
        let join = "a thread panicked";
        self.no_more.store(true, Ordering::Release);
        let sent = self.logger.join().expect(join);
        self.ended.store(true, Ordering::Release);
        let lines = self.log.join().expect(join);
        assert_eq!(lines[LINUX_LANE as usize], sent, "lines of the Linux process are missing");
        assert_eq!(lines[DRIVE_LANE as usize], told.lines, "lines of the drive are missing");
        assert!(sent > 100 && told.lines > 100, "{lines:?} lines are too few to mean anything");
        let seen = self.followers.map(|follower| follower.join().expect(join));
        for [received, lost] in seen {
            assert_eq!(received + lost, told.states, "states are missing");
            assert!(received > 100, "{received} states are too few to mean anything");
        }
        let [[one, one_lost], [two, two_lost]] = seen;
        format!(
            "a log of {sent} lines of Linux and {} of the drive, none lost or doubled; a broadcast of {} states, of \
             which two readers received {one} and {two}, and were told of {one_lost} and {two_lost} lost",
            told.lines, told.states,
        )
    }
}

struct Test {
    told: Caller,
    again: Caller,
    state: BroadcastReader<State, SystemPort>,
    others: Others,
    drive: Emulator,
    boots: u32,
}

impl Test {
    fn new(place: &RegionPlace, machine: Machine) -> Result<Self, Box<dyn Error>> {
        let region = place.create(&PLAN, &RegionOptions::new().domain(LINUX))?;
        let file = place.path().ok_or("a named region is no file here; run this on Linux")?;
        File::options().write(true).open(file)?.set_len(MEMORY)?;
        Ok(Self {
            told: Caller::open(&region, "told")?,
            again: Caller::open(&region, "again")?,
            state: region.broadcast_reader("state", BroadcastStart::Newest)?,
            others: Others::start(place),
            drive: Emulator::start(machine, &file.display().to_string(), SHARED, None)?,
            boots: 1,
        })
    }

    fn run(mut self) -> Result<String, Box<dyn Error>> {
        self.await_boot(false);
        self.dies_with_a_call()?;
        self.dies_with_a_call_that_may_run_twice()?;
        self.dies_at_random()?;
        self.told.check();
        self.again.check();
        let Self { told, again, others, mut drive, boots, .. } = self;
        let (mut client, answered) = (told.client, told.answered + again.answered);
        let last = client.call_timeout(&Ask { number: 0, what: ask::STOP }, PATIENCE)?;
        drive.end()?;
        let seen = others.end(&last);
        Ok(format!(
            "{answered} calls answered across {boots} boots, each once: {} clients were told that theirs may have run, \
             {} were run again; {seen}",
            told.maybe + 1,
            again.again + 1,
        ))
    }

    /// Waits for the drive to say that it runs, or hangs, as the boot that it must be.
    fn await_boot(&mut self, hangs: bool) {
        until("no state", || {
            let state = match self.state.try_recv() {
                Ok(state) => state,
                Err(BroadcastTryRecvError::Fault(violation)) => panic!("the broadcast: {violation}"),
                Err(_) => return None,
            };
            (state.boot == self.boots && state.hangs == u32::from(hangs)).then_some(())
        });
    }

    fn reboot(&mut self) -> Result<(), Box<dyn Error>> {
        self.drive.restart()?;
        self.boots += 1;
        self.await_boot(false);
        Ok(())
    }

    /// The drive dies with a call taken, and others behind it. No one here can prove that, so the calls are out until
    /// its next boot: that tells that the first may have run, and serves the others but for one that was given up.
    fn dies_with_a_call(&mut self) -> Result<(), Box<dyn Error>> {
        let taken = self.told.ask(self.boots, ask::HANG);
        self.await_boot(true);
        let [given_up, waits] = [1, 2].map(|number| self.told.ask(number, ask::TRIPLE));
        self.drive.stop(Stop::Kill)?;
        let client = &mut self.told.client;
        let brief = Duration::from_millis(30);
        for ticket in [taken, given_up, waits] {
            assert_eq!(client.wait_timeout(ticket, brief), Err(CallError::TimedOut { ticket }));
        }
        assert_eq!(client.cancel(given_up), Ok(Ran::No), "nobody has taken it");
        self.reboot()?;
        let client = &mut self.told.client;
        assert_eq!(client.wait_timeout(taken, PATIENCE), Err(CallError::PeerDied { ran: Ran::Maybe }));
        let told = client.wait_timeout(waits, PATIENCE)?;
        assert_eq!((told.triple, told.boot, told.again), (6, self.boots, 0));
        Ok(())
    }

    /// The same where a request may run twice: the next boot runs it again, and its client gets an answer.
    fn dies_with_a_call_that_may_run_twice(&mut self) -> Result<(), Box<dyn Error>> {
        let number = self.boots;
        let taken = self.again.ask(number, ask::HANG);
        self.await_boot(true);
        self.drive.stop(Stop::Kill)?;
        self.reboot()?;
        let told = self.again.client.wait_timeout(taken, PATIENCE)?;
        assert_eq!((told.triple, told.boot, told.again), (3 * number, self.boots, 1));
        Ok(())
    }

    /// The drive is killed while it serves, again and again.
    fn dies_at_random(&mut self) -> Result<(), Box<dyn Error>> {
        for kill in 0..KILLS {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(5 + 7 * u64::from(kill)) {
                for caller in [&mut self.told, &mut self.again] {
                    caller.fill();
                    caller.take();
                }
            }
            self.drive.stop(if kill % 2 == 0 { Stop::Kill } else { Stop::Reset })?;
            self.reboot()?;
        }
        until("calls are out", || (self.told.take() & self.again.take()).then_some(()));
        assert!(self.told.maybe <= KILLS && self.again.again <= KILLS, "one call is taken at a time");
        assert_eq!(self.again.maybe, 0, "its server runs them again");
        Ok(())
    }
}
