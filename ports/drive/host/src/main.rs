//! The controller as a Linux process: talks to a drive that runs in an emulator, and kills it again and
//! again.
//!
//! ```text
//! drive-host <the tool strait> <the emulator and its options, with FILE for the shared file>
//! ```
#![forbid(unsafe_code)]

mod tool;

use std::error::Error;
use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

use drive_host::emulator::{Emulator, state_of};
use drive_link::{Controller, DRIVE, Idle, LINUX, Link, tag};
use strait::linux::RemoteWatch;
use strait::unix::RegionWindow;
use strait::{PeerStatus, RegionName, RegionOptions, RegionPlace, SystemPort};

/// The emulator wants a file as long as the memory that it is; the region is the start of it.
const MEMORY: u64 = 16 << 20;

const COMMANDS: u32 = 5_000;
const SETPOINTS: u32 = 1_000;
/// Commands that wait in the queue while nobody is there.
const WAITING: u32 = 10;
/// Kills at moments of their own choice.
const KILLS: u32 = 10;

/// Looks every 50 microseconds, for a minute at least.
fn idle() -> Idle<impl FnMut()> {
    Idle { patience: 1_200_000, rest: || sleep(Duration::from_micros(50)) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [tool, emulator @ ..] = &words[..] else {
        return Err("usage: drive-host <strait> <emulator> <options, with FILE>".into());
    };
    let name = format!("drive-{}", std::process::id());
    let region = RegionName::new(&name)?;
    let result = Test::new(&region, emulator).and_then(|test| test.run(tool, &name));
    region.remove()?;
    println!("PASS {}", result?);
    Ok(())
}

struct Test<'a> {
    controller: Controller<SystemPort>,
    drive: Emulator<'a>,
    boots: u32,
}

impl<'a> Test<'a> {
    fn new(region: &RegionPlace, emulator: &'a [String]) -> Result<Self, Box<dyn Error>> {
        let options = RegionOptions::new().domain(LINUX);
        drop(region.create(&Link::<LINUX>::PLAN, &options)?);
        let file = region.path().ok_or("a named region is no file here; run this on Linux")?;
        File::options().write(true).open(file)?.set_len(MEMORY)?;
        let name = file.display().to_string();
        let drive = Emulator::start(emulator, &name)?;
        let watch = RemoteWatch::state_file(state_of(&name), DRIVE)?;
        let controller = Controller::open(&watch.open(&RegionWindow::new(file, 0), &options)?)?;
        Ok(Self { controller, drive, boots: 1 })
    }

    fn run(mut self, tool: &str, name: &str) -> Result<String, Box<dyn Error>> {
        self.await_boot();
        self.controller.turn(SETPOINTS, &mut idle());
        self.controller.exchange(COMMANDS, &mut idle());
        let bytes = self.tools(tool, name)?;
        self.die_in_a_frame()?;
        self.die_at_random()?;
        assert!(self.controller.send(tag::STOP, 0), "there is space, for all are answered");
        self.drive.end()?;

        let Controller { events_seen, again, .. } = self.controller;
        Ok(format!(
            "{} commands and {events_seen} events across {} boots, none lost, {again} commands twice; \
             each death proven by the core's state; {SETPOINTS} latest values; strait inspect, strait send of {bytes} bytes",
            self.controller.answered(),
            self.boots,
        ))
    }

    /// Waits for the drive to say that it runs, as the boot that it must be.
    fn await_boot(&mut self) {
        let boots = self.boots;
        self.controller.await_shaft(|shaft| shaft.boot == boots && shaft.hangs == 0, &mut idle());
        assert_eq!(self.controller.drive(), PeerStatus::Present);
    }

    /// Ends the drive, which was seen while it ran.
    fn kill(&mut self) {
        assert_eq!(self.controller.drive(), PeerStatus::Present);
        self.drive.kill();
        assert_eq!(self.controller.drive(), PeerStatus::Dead, "its core is offline");
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
        let stored = self.controller.await_event(tag::FILE, &mut idle());
        assert_eq!(stored, sent, "the drive got another file");
        Ok(sent)
    }

    /// The drive dies in the middle of a frame that it has reserved and half written, and of a command
    /// that it has not released. Frames that it committed are there, others are not; the commands
    /// wait for it, the one it died of first.
    fn die_in_a_frame(&mut self) -> Result<(), Box<dyn Error>> {
        let before = self.controller.answered();
        assert!(self.controller.send(tag::HANG, self.boots), "there is space");
        self.controller.await_shaft(|shaft| shaft.hangs == 1, &mut idle());
        self.kill();
        for _ in 0..WAITING {
            assert!(self.controller.send_next(), "there is space for a few");
        }
        assert_eq!(self.controller.event(), None, "nothing was committed");
        self.reboot()?;
        self.await_boot();
        self.controller.exchange(0, &mut idle());
        assert_eq!(self.controller.answered(), before + WAITING);
        Ok(())
    }

    /// The drive is killed while it works, again and again.
    fn die_at_random(&mut self) -> Result<(), Box<dyn Error>> {
        for kill in 0..KILLS {
            self.await_boot();
            let (mut idle, start) = (idle(), Instant::now());
            while start.elapsed() < Duration::from_millis(5 + 7 * u64::from(kill)) {
                self.controller.exchange(1 + kill, &mut idle);
                while self.controller.send_next() {}
            }
            self.kill();
            self.reboot()?;
        }
        self.await_boot();
        self.controller.exchange(0, &mut idle());
        Ok(())
    }
}
