//! The parts' processes, as the supervisor sees them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::{Demo, Role};
use crate::error::{Error, Result, reason};
use crate::place::Place;

/// What a part has said or done.
pub enum Event {
    /// Something for the user.
    Note(String),
    /// Its report, the last that it says.
    Report(Value),
    /// Why it gave up, the last that it says.
    Error(String),
    /// Its output has ended.
    Ended,
}

/// Both processes, and what they say. Killed when dropped.
pub struct Parts {
    children: Vec<(Role, Child)>,
    events: Receiver<(Role, Event)>,
}

impl Parts {
    /// Starts both. They wait for [`begin`](Self::begin).
    pub fn start(wanted: &Demo, place: &Place, steps: u64) -> Result<Self> {
        let (sender, events) = channel();
        let mut parts = Self { children: Vec::new(), events };
        for role in [Role::Plant, Role::Controller] {
            let child = command(role, wanted, place, steps)?.spawn().map_err(|error| {
                Error::at(format!("the {} could not be started", name(role)), reason(&error))
            })?;
            parts.children.push((role, child));
            parts.listen(role, sender.clone());
        }
        Ok(parts)
    }

    fn listen(&mut self, role: Role, sender: Sender<(Role, Event)>) {
        let output = self.children.last_mut().and_then(|(_, child)| child.stdout.take());
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()) {
                let Some(event) = line.ok().and_then(|line| read(&line)) else { break };
                let _ = sender.send((role, event));
            }
            let _ = sender.send((role, Event::Ended));
        });
    }

    /// Lets both begin.
    pub fn begin(&mut self) {
        for (_, child) in &mut self.children {
            if let Some(input) = &mut child.stdin {
                // A part that is dead already is found to be so by its end.
                let _ = input.write_all(b"\n");
            }
        }
    }

    /// The next event, or `None` if nothing happens for so long.
    pub fn next(&self, timeout: Duration) -> Option<(Role, Event)> {
        match self.events.recv_timeout(timeout) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            // Both have ended, and the caller has been told so.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(timeout);
                None
            }
        }
    }

    /// Waits a little for the end of a process whose output has ended.
    pub fn status(&mut self, role: Role) -> Option<ExitStatus> {
        let (_, child) = self.children.iter_mut().find(|(of, _)| *of == role)?;
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

impl Drop for Parts {
    fn drop(&mut self) {
        for (_, child) in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command(role: Role, wanted: &Demo, place: &Place, steps: u64) -> Result<Command> {
    let program =
        std::env::current_exe().map_err(|error| Error::at("this program's own path", reason(&error)))?;
    let Place::Named(region) = place else { return Err(Error::failed("the demo's region has a name")) };
    let mut command = Command::new(program);
    command.args(["demo-part", name(role), region]);
    command.args(["--rate", &wanted.rate.to_string(), "--steps", &steps.to_string()]);
    if let Some(priority) = wanted.rt {
        command.args(["--rt", &priority.to_string()]);
    }
    if let Some((plant, controller)) = wanted.cpus {
        let cpu = if role == Role::Plant { plant } else { controller };
        command.args(["--cpu", &cpu.to_string()]);
    }
    // A process group of its own, so that Ctrl-C leaves it the time to clean up.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    Ok(command)
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
    Some(Event::Report(value.get("report")?.clone()))
}

/// A role's name, for people and for the command line.
pub fn name(role: Role) -> &'static str {
    match role {
        Role::Plant => "plant",
        Role::Controller => "controller",
    }
}

/// How a process ended, for people.
pub fn describe(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.signal(), status.code())) {
        Some((Some(signal), _)) => format!("was killed by signal {signal}"),
        Some((_, Some(code))) => format!("ended early with status {code}"),
        _ => "ended early".into(),
    }
}
