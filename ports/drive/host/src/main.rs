//! The controller as a Linux process: talks to a drive that runs in an emulator, and stops it again and again.
//!
//! ```text
//! drive-host <the tool strait> <the firmware> <the memory's address> <the emulator and its options>
//! ```
//!
//! `STRAIT_DRIVE_RUNS=1000` stops it as often at moments of their own choice, instead of ten times.
#![forbid(unsafe_code)]

mod tool;

use std::error::Error;
use std::fs::File;
use std::time::{Duration, Instant};

use drive_host::emulator::{Emulator, Machine, Stop, state_of};
use drive_host::mailbox::Mailbox;
use drive_link::{Controller, DRIVE, Idle, LINUX, Link, tag};
use strait::linux::{EventPort, RemoteWatch};
use strait::options::WaitPolicy;
use strait::unix::RegionWindow;
use strait::{Attachment, Consumer, PeerStatus, RegionName, RegionOptions, RegionPlace};

/// The emulator wants a file as long as the memory that it is; the region is the start of it.
const MEMORY: u64 = 16 << 20;
/// What is the firmware's of it.
const SHARED: u32 = 1 << 20;

const COMMANDS: u32 = 5_000;
const SETPOINTS: u32 = 1_000;
/// Commands that wait in the queue while nobody is there.
const WAITING: u32 = 10;
/// Stops at moments of their own choice, unless the environment says otherwise.
const STOPS: u32 = 10;
/// Commands of which each is sent once the one before is answered, so that both sides sleep: at most, and how often each
/// side is to be woken by the other in the meantime.
const SINGLE: u32 = 2_000;
const WOKEN: u32 = 100;

/// A sleep ends with an event, or after 2 ms, when a new state of the shaft is looked for.
const PERIOD: Duration = Duration::from_millis(2);
/// Sleeps at once.
const AT_ONCE: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: PERIOD };

/// Sleeps until an event is there or a period is over; a minute at least without an event.
fn idle(port: &EventPort) -> Idle<impl FnMut(&mut Consumer<EventPort>) + use<>> {
    let port = port.clone();
    let rest = move |events: &mut Consumer<EventPort>| {
        // Whatever comes of it, the caller looks.
        let _ = port.wait_ready_or_readable(&mut [events], &[], AT_ONCE, PERIOD);
    };
    Idle { patience: 60_000, rest }
}

/// How often the drive is stopped at moments of their own choice.
fn stops() -> Result<u32, Box<dyn Error>> {
    std::env::var("STRAIT_DRIVE_RUNS").map_or(Ok(STOPS), |runs| {
        runs.parse().map_err(|_| format!("STRAIT_DRIVE_RUNS={runs} is no number").into())
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [tool, machine @ ..] = &words[..] else {
        return Err("usage: drive-host <strait> <firmware> <address> <emulator> <options>".into());
    };
    let (machine, stops) = (Machine::new(machine)?, stops()?);
    let name = format!("drive-{}", std::process::id());
    let region = RegionName::new(&name)?;
    let result = Test::new(&region, machine).and_then(|test| test.run(tool, &name, stops));
    region.remove()?;
    println!("PASS {}", result?);
    Ok(())
}

struct Test {
    controller: Controller<EventPort>,
    port: EventPort,
    mailbox: Mailbox,
    drive: Emulator,
    boots: u32,
    kills: u32,
    resets: u32,
}

impl Test {
    fn new(region: &RegionPlace, machine: Machine) -> Result<Self, Box<dyn Error>> {
        let options = RegionOptions::new().domain(LINUX);
        drop(region.create(&Link::<LINUX>::PLAN, &options)?);
        let file = region.path().ok_or("a named region is no file here; run this on Linux")?;
        File::options().write(true).open(file)?.set_len(MEMORY)?;
        let name = file.display().to_string();
        std::fs::write(state_of(&name), "offline\n")?;
        let watch = RemoteWatch::state_file(state_of(&name), DRIVE)?;
        let region = watch.open(&RegionWindow::new(file, 0), &options)?;
        let (mailbox, port) = Mailbox::new(region.port().clone())?;
        let controller = Controller::open(&Attachment::attach(port.clone())?)?;
        let drive = Emulator::start(machine, &name, SHARED, Some(mailbox.clone()))?;
        Ok(Self { controller, port, mailbox, drive, boots: 1, kills: 0, resets: 0 })
    }

    fn run(mut self, tool: &str, name: &str, stops: u32) -> Result<String, Box<dyn Error>> {
        self.await_boot();
        self.controller.turn(1, SETPOINTS, &mut idle(&self.port));
        self.controller.exchange(COMMANDS, &mut idle(&self.port));
        let woken = self.wake_each_other();
        let bytes = self.tools(tool, name)?;
        self.stop_in_a_frame(Stop::Kill)?;
        self.stop_in_a_frame(Stop::Reset)?;
        self.stop_at_random(stops)?;
        assert!(self.controller.send(tag::STOP, 0), "there is space, for all are answered");
        self.drive.end()?;

        let Controller { events_seen, again, .. } = self.controller;
        Ok(format!(
            "{} commands and {events_seen} events across {} boots, none lost, {again} commands twice; {} kills and {} resets, \
             each proven by the core's state; {woken}; {SETPOINTS} latest values; strait inspect, strait send of {bytes} bytes",
            self.controller.answered(),
            self.boots,
            self.kills,
            self.resets,
        ))
    }

    /// Each side sleeps until the other one rings.
    fn wake_each_other(&mut self) -> String {
        let mut idle = idle(&self.port);
        let (shaft, rung) = (self.controller.shaft().expect("it was turned"), self.mailbox.rung());
        for setpoint in 1..=SINGLE {
            self.controller.exchange(1, &mut idle);
            self.controller.turn(setpoint, setpoint, &mut idle);
            let now = self.controller.shaft().expect("it was turned");
            let woken = [now.rung - shaft.rung, self.mailbox.rung() - rung];
            if woken.iter().all(|&count| count >= WOKEN) {
                return format!(
                    "in {setpoint} commands one by one, each side was woken at least {WOKEN} times by the mailbox"
                );
            }
        }
        panic!("no side is woken by the other");
    }

    /// Waits for the drive to say that it runs, as the boot that it must be.
    fn await_boot(&mut self) {
        let boots = self.boots;
        self.controller.await_shaft(|shaft| shaft.boot == boots && shaft.hangs == 0, &mut idle(&self.port));
        assert_eq!(self.controller.drive(), PeerStatus::Present);
    }

    /// Stops the drive, which was seen while it ran.
    fn stop(&mut self, how: Stop) -> Result<(), Box<dyn Error>> {
        assert_eq!(self.controller.drive(), PeerStatus::Present);
        self.drive.stop(how)?;
        assert_eq!(self.controller.drive(), PeerStatus::Dead, "its core is offline");
        *(if how == Stop::Kill { &mut self.kills } else { &mut self.resets }) += 1;
        Ok(())
    }

    fn reboot(&mut self) -> Result<(), Box<dyn Error>> {
        self.drive.restart()?;
        self.boots += 1;
        Ok(())
    }

    /// The tools work on it as on any region, while the drive runs.
    fn tools(&mut self, tool: &str, name: &str) -> Result<u32, Box<dyn Error>> {
        tool::inspect(tool, name)?;
        let sent = tool::send(tool, name)?;
        let stored = self.controller.await_event(tag::FILE, &mut idle(&self.port));
        assert_eq!(stored, sent, "the drive got another file");
        Ok(sent)
    }

    /// The drive is stopped in the middle of a frame that it has reserved and half written, and of a command
    /// that it has not released. Frames that it committed are there, others are not; the commands
    /// wait for it, the one that it was stopped at first.
    fn stop_in_a_frame(&mut self, how: Stop) -> Result<(), Box<dyn Error>> {
        let mut idle = idle(&self.port);
        let before = self.controller.answered();
        assert!(self.controller.send(tag::HANG, self.boots), "there is space");
        self.controller.await_shaft(|shaft| shaft.hangs == 1, &mut idle);
        self.stop(how)?;
        for _ in 0..WAITING {
            assert!(self.controller.send_next(), "there is space for a few");
        }
        assert_eq!(self.controller.event(), None, "nothing was committed");
        self.reboot()?;
        self.await_boot();
        self.controller.exchange(0, &mut idle);
        assert_eq!(self.controller.answered(), before + WAITING);
        Ok(())
    }

    /// The drive is stopped while it works, again and again.
    fn stop_at_random(&mut self, stops: u32) -> Result<(), Box<dyn Error>> {
        let mut idle = idle(&self.port);
        for stop in 0..stops {
            self.await_boot();
            let (start, nth) = (Instant::now(), stop % STOPS);
            while start.elapsed() < Duration::from_millis(5 + 7 * u64::from(nth)) {
                self.controller.exchange(1 + nth, &mut idle);
                while self.controller.send_next() {}
            }
            self.stop(if stop % 2 == 0 { Stop::Kill } else { Stop::Reset })?;
            self.reboot()?;
        }
        self.await_boot();
        self.controller.exchange(0, &mut idle);
        Ok(())
    }
}
