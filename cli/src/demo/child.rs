//! The parts' processes, as the supervisor sees them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::{Demo, Role};
use crate::error::{Error, Result, reason};
use crate::os;
use crate::region_arg::RegionArg;

use super::physics::State;

/// Every role there is; the first process of each has its place as its number.
pub const ROLES: [Role; 3] = [Role::Plant, Role::Controller, Role::Tuner];

/// How much longer than the time between kills a tuner lives.
const TUNER_LIVES: u32 = 3;

/// A part's report, or its end.
pub enum Event {
    /// Something for the user.
    Note(String),
    /// It has the gain table's lock, and stays in it.
    Inside,
    /// It rolled the gain table back, at this time.
    Repaired(u64),
    /// Its report, the last that it says.
    Report(Value),
    /// Why it gave up, the last that it says.
    Error(String),
    /// Its output has ended.
    Ended,
}

/// The processes by their numbers, and what they say. Killed when dropped.
pub struct Parts<'a> {
    wanted: &'a Demo,
    region: &'a str,
    steps: u64,
    gains: State,
    children: BTreeMap<u64, Child>,
    next: u64,
    sender: Sender<(u64, Event)>,
    events: Receiver<(u64, Event)>,
}

impl<'a> Parts<'a> {
    /// Starts one process of each role. They wait for [`begin`](Self::begin).
    pub fn start(wanted: &'a Demo, arg: &'a RegionArg, steps: u64, gains: State) -> Result<Self> {
        let RegionArg::Named(region) = arg else {
            return Err(Error::failed("the demo's region has a name"));
        };
        let (sender, events) = channel();
        let mut parts =
            Self { wanted, region, steps, gains, children: BTreeMap::new(), next: 0, sender, events };
        for role in ROLES {
            parts.spawn(role)?;
        }
        Ok(parts)
    }

    /// Starts one more process. Returns its number.
    pub fn spawn(&mut self, role: Role) -> Result<u64> {
        let number = self.next;
        let mut child = self
            .command(role, number)?
            .spawn()
            .map_err(|error| Error::at(format!("the {} could not be started", name(role)), reason(&error)))?;
        let (output, sender) = (child.stdout.take(), self.sender.clone());
        self.children.insert(number, child);
        self.next += 1;
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()) {
                let Some(event) = line.ok().and_then(|line| read(&line)) else { break };
                let _ = sender.send((number, event));
            }
            let _ = sender.send((number, Event::Ended));
        });
        Ok(number)
    }

    fn command(&self, role: Role, number: u64) -> Result<Command> {
        let program =
            std::env::current_exe().map_err(|error| Error::at("this program's own path", reason(&error)))?;
        let mut command = Command::new(program);
        command.args(["demo-part", name(role), self.region, "--number", &number.to_string()]);
        command.args(["--rate", &self.wanted.rate.to_string(), "--steps", &self.steps.to_string()]);
        if role == Role::Controller {
            command.args(self.gains.map(|gain| format!("--gain={gain}")));
        }
        // The tuner is in no hurry.
        if let (Some(priority), Role::Plant | Role::Controller) = (self.wanted.rt, role) {
            command.args(["--rt", &priority.to_string()]);
        }
        match (self.wanted.cpus, role) {
            (Some((cpu, _)), Role::Plant) | (Some((_, cpu)), Role::Controller) => {
                command.args(["--cpu", &cpu.to_string()]);
            }
            _ => {}
        }
        if let Some(every) = self.wanted.kill_every {
            command.arg("--killed");
            command.args(["--stay-after", &(TUNER_LIVES * every).as_secs_f64().to_string()]);
        }
        if self.wanted.plot.is_some() {
            command.arg("--trace");
        }
        // A process group of its own, so that Ctrl-C leaves it the time to clean up.
        os::apart(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        Ok(command)
    }

    /// Lets a process begin.
    pub fn begin(&mut self, number: u64) {
        if let Some(input) = self.children.get_mut(&number).and_then(|child| child.stdin.as_mut()) {
            // A part that is dead already is found to be so by its end.
            let _ = input.write_all(b"\n");
        }
    }

    /// Kills a process and waits for its end; answers whether that was by this kill.
    pub fn kill(&mut self, number: u64) -> bool {
        let Some(child) = self.children.get_mut(&number) else { return false };
        let killed = child.kill().is_ok() && child.wait().is_ok_and(os::was_killed);
        if killed {
            self.children.remove(&number);
        }
        killed
    }

    /// The next event, or `None` if nothing happens for so long.
    pub fn next(&self, timeout: Duration) -> Option<(u64, Event)> {
        self.events.recv_timeout(timeout).ok()
    }

    /// Waits a little for the end of a process whose output has ended.
    pub fn status(&mut self, number: u64) -> Option<ExitStatus> {
        let child = self.children.get_mut(&number)?;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        None
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        for child in self.children.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read(line: &str) -> Option<Event> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value[key].as_str().map(String::from);
    if let Some(note) = text("note") {
        return Some(Event::Note(note));
    }
    if let Some(error) = text("error") {
        return Some(Event::Error(error));
    }
    if let Some(time) = value["repaired"].as_u64() {
        return Some(Event::Repaired(time));
    }
    if value["inside"].is_boolean() {
        return Some(Event::Inside);
    }
    Some(Event::Report(value.get("report")?.clone()))
}

/// A role's name, for people and for the command line.
pub fn name(role: Role) -> &'static str {
    match role {
        Role::Plant => "plant",
        Role::Controller => "controller",
        Role::Tuner => "tuner",
    }
}

/// How a process ended, for people.
pub fn describe(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "ended early".into(), os::ending)
}
