//! The host's first process, of two guests and a host: it starts the three parties, kills each of them in the midst of
//! what it does, starts it again, and compares in the end what they report. It takes part in nothing but the orders.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use strait::unix::RegionWindow;
use strait::{LatestReader, LatestWriter, Region, RegionOptions, SystemPort};

use crate::host::{MEMORY, Machine, Memory, Result};
use crate::link::UNHEARD;
use crate::plan::WINDOW;
use crate::three::{ARM, HOST, LOOK, NAMES, Order, PARTIES, PARTY, PLAN, Report, With, X86, phase, state};

/// For each wait: on a busy machine two emulators start in it.
const PATIENCE: Duration = Duration::from_secs(300);
/// Of each kind, what everybody exchanges with everybody before somebody is killed.
const ROUNDS: u32 = 40;
/// How often the host's process is killed, wherever it is.
const KILLS: u32 = 4;
/// The word between the two machines' commands.
const AND: &str = "and";

struct Pair<'a> {
    commands: [Vec<&'a str>; PARTIES],
    /// The host's is a process.
    machines: [Machine; PARTIES],
    /// How often each has been started.
    runs: [u32; PARTIES],
    orders: LatestWriter<Order, SystemPort>,
    readers: [LatestReader<Report, SystemPort>; PARTIES],
    reports: [Report; PARTIES],
}

/// Runs the machines that these two commands start, first the one of ARM.
pub fn run(file: &str, commands: &[&str]) -> Result<()> {
    let mut both = commands.split(|word| *word == AND);
    let (Some(arm), Some(x86), None) = (both.next(), both.next(), both.next()) else {
        return Err(format!("the two machines' commands have one `{AND}` between them").into());
    };
    File::options().write(true).create_new(true).mode(0o600).open(file)?.set_len(MEMORY)?;
    let _memory = Memory(file);
    let region = RegionWindow::new(file, 0).len(WINDOW).create(&PLAN, &RegionOptions::new())?;
    let this = std::env::current_exe()?;
    let this = this.to_str().ok_or("this program has no name")?;
    let host = vec![this, PARTY, file, "0"];
    let mut pair = Pair::start(&region, [host, arm.to_vec(), x86.to_vec()])?;
    pair.exchange()?;
    pair.kill_in_the_midst(ARM)?;
    pair.exchange()?;
    for _ in 0..KILLS {
        pair.kill(&[HOST])?;
        pair.exchange()?;
    }
    pair.kill(&[HOST, X86])?;
    pair.exchange()?;
    pair.finish()
}

impl<'a> Pair<'a> {
    fn start(region: &Region, commands: [Vec<&'a str>; PARTIES]) -> Result<Self> {
        let mut orders = region.latest_writer("order")?;
        orders.publish(&Order { phase: phase::RUN, party: 0 });
        let reader = |party| region.latest_reader(&format!("report {party}"));
        Ok(Self {
            machines: [
                Machine::start(&commands[HOST])?,
                Machine::start(&commands[ARM])?,
                Machine::start(&commands[X86])?,
            ],
            commands,
            runs: [1; PARTIES],
            orders,
            readers: [reader(HOST)?, reader(ARM)?, reader(X86)?],
            reports: [UNHEARD; PARTIES],
        })
    }

    fn order(&mut self, phase: u32, party: usize) {
        self.orders.publish(&Order { phase, party: party as u32 });
    }

    /// Waits for reports in which `holds` holds, while all but `dead` run.
    fn wait(&mut self, what: &str, dead: Option<usize>, holds: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        loop {
            for (reader, report) in self.readers.iter_mut().zip(&mut self.reports) {
                *report = reader.read().value().unwrap_or(*report);
            }
            if holds(self) {
                return Ok(());
            }
            for (party, machine) in self.machines.iter_mut().enumerate() {
                if Some(party) != dead {
                    machine.check().map_err(|error| format!("{}: {error}", NAMES[party]))?;
                }
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{what}: not in {PATIENCE:?}; {:#?}", self.reports).into());
            }
            sleep(LOOK);
        }
    }

    /// What each party has done with each other one.
    fn all(&self) -> impl Iterator<Item = (usize, usize, &With)> {
        let others = |party| (0..PARTIES).filter(move |&other| other != party);
        (0..PARTIES).flat_map(move |party| {
            others(party).map(move |other| (party, other, &self.reports[party].with[other]))
        })
    }

    /// Waits until everybody has exchanged enough with everybody, all of them in their newest runs.
    fn exchange(&mut self) -> Result<()> {
        self.wait("all meet", None, |pair| {
            (0..PARTIES).all(|party| pair.reports[party].run == pair.runs[party])
                && pair.all().all(|(_, other, with)| [with.run, with.by] == [pair.runs[other]; 2])
        })?;
        let before = self.reports;
        self.wait("all exchange everything", None, |pair| {
            pair.all().all(|(party, other, with)| {
                let was = &before[party].with[other];
                with.next - was.next >= ROUNDS
                    && with.answered - was.answered >= ROUNDS
                    && with.lost > was.lost
                    && with.step - with.lost >= was.step - was.lost + u64::from(ROUNDS)
                    && with.notified >= was.notified + u64::from(ROUNDS)
            })
        })
    }

    /// Kills these, wherever they are, and starts them again.
    fn kill(&mut self, parties: &[usize]) -> Result<()> {
        for &party in parties {
            self.machines[party].kill()?;
        }
        for &party in parties {
            self.revive(party)?;
        }
        Ok(())
    }

    fn revive(&mut self, party: usize) -> Result<()> {
        self.machines[party] = Machine::start(&self.commands[party])?;
        self.runs[party] += 1;
        Ok(())
    }

    /// Kills one that has taken a call and a frame of each other one, and has begun a frame to each. The calls are broken
    /// off, once there is another run; the frames come again; those that it had begun are never seen.
    fn kill_in_the_midst(&mut self, party: usize) -> Result<()> {
        self.order(phase::HANG, party);
        self.wait("one is in the midst", None, |pair| pair.reports[party].state == state::HANGS)?;
        self.machines[party].kill()?;
        self.order(phase::DEAD, party);
        self.wait("nobody knows of a death", Some(party), |pair| {
            pair.all().all(|(_, other, with)| other != party || with.overdue == 1)
        })?;
        self.revive(party)?;
        self.order(phase::RUN, party);
        self.wait("the next run sees to it", None, |pair| {
            pair.reports[party].run == pair.runs[party]
                && pair.all().all(|(this, other, with)| {
                    (other != party || with.interrupted == 1) && (this != party || with.repeated == 1)
                })
        })
    }

    /// Lets all of them receive what is left, and leave.
    fn finish(mut self) -> Result<()> {
        self.order(phase::DRAIN, 0);
        self.wait("all is received", None, |pair| {
            pair.reports.iter().all(|report| report.state == state::DONE)
        })?;
        for (party, other, with) in self.all() {
            let [from, to] = [other, party].map(|party| NAMES[party]);
            println!(
                "{from} to {to}: {} frames, {} values and {} too late; {} answers to {to}, {} calls broken off",
                with.next,
                with.step - with.lost,
                with.lost,
                with.answered,
                with.interrupted
            );
        }
        self.order(phase::END, 0);
        self.machines.into_iter().try_for_each(Machine::end)?;
        println!(
            "PASSED: two guests and a host exchanged frames, latest values, broadcasts, events and calls; each was killed \
             in the midst, and its next run went on"
        );
        Ok(())
    }
}
