//! The plant's processes, as the supervisor sees them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Error, Result, reason};
use crate::os;

use super::ledger::Recorded;
use super::stations::STATIONS;

/// How long a process whose output has ended may take to end.
const TO_END: Duration = Duration::from_secs(2);

/// Something that a process has said, or its end.
pub enum Event {
    /// It has its roles.
    Ready,
    /// A line that it has received; only the recorder says such.
    Line(Recorded),
    /// Why it failed.
    Error(String),
    /// Its output has ended.
    Ended,
}

/// A process, and the thread that listens to it.
struct Member {
    child: Child,
    listener: JoinHandle<()>,
}

/// The processes by their numbers. Killed when dropped.
pub struct Crew<'a> {
    region: &'a str,
    members: BTreeMap<u64, Member>,
    next: u64,
    sender: Sender<(u64, Event)>,
    events: Receiver<(u64, Event)>,
}

impl<'a> Crew<'a> {
    /// Starts a process for each station, whose number is that of the station. They wait for [`tell`](Self::tell).
    pub fn start(region: &'a str) -> Result<Self> {
        let (sender, events) = channel();
        let mut crew = Self { region, members: BTreeMap::new(), next: 0, sender, events };
        for station in 0..STATIONS.len() {
            crew.spawn(station)?;
        }
        Ok(crew)
    }

    /// Starts one more process for a station. Returns its number.
    pub fn spawn(&mut self, station: usize) -> Result<u64> {
        let number = self.next;
        let program =
            std::env::current_exe().map_err(|error| Error::at("this program's own path", reason(&error)))?;
        let mut command = Command::new(program);
        command.args(["plant-part", self.region, "--station", &station.to_string()]);
        command.args(["--number", &number.to_string()]);
        // A process group of its own, so that Ctrl-C leaves it the time to clean up.
        let started = os::apart(command.stdin(Stdio::piped()).stdout(Stdio::piped())).spawn();
        let mut child = started.map_err(|error| {
            Error::at(format!("the {} could not be started", STATIONS[station].name), reason(&error))
        })?;
        let (output, sender) = (child.stdout.take(), self.sender.clone());
        let listener = std::thread::spawn(move || {
            if let Some(output) = output {
                listen(output, |event| sender.send((number, event)).is_ok());
            }
            let _ = sender.send((number, Event::Ended));
        });
        self.members.insert(number, Member { child, listener });
        self.next += 1;
        Ok(number)
    }

    /// Tells a process to begin, and if that was said, to end.
    pub fn tell(&mut self, number: u64) {
        if let Some(input) = self.members.get_mut(&number).and_then(|member| member.child.stdin.as_mut()) {
            // A process that is dead already is found to be so by its end.
            let _ = input.write_all(b"\n");
        }
    }

    /// Kills a process, and waits for its end and for all that it has said before. Returns whether this call
    /// ended it.
    pub fn kill(&mut self, number: u64) -> bool {
        let Some(member) = self.members.get_mut(&number) else { return false };
        let killed = member.child.kill().is_ok() && member.child.wait().is_ok_and(os::was_killed);
        if killed && let Some(member) = self.members.remove(&number) {
            // Lines that a listener did not pass on, because it panicked, are missing in the ledger.
            let _ = member.listener.join();
        }
        killed
    }

    /// The next event, or `None` if nothing happens for so long.
    pub fn next(&self, timeout: Duration) -> Option<(u64, Event)> {
        self.events.recv_timeout(timeout).ok()
    }

    /// Waits a little for the end of a process whose output has ended.
    pub fn status(&mut self, number: u64) -> Option<ExitStatus> {
        let child = &mut self.members.get_mut(&number)?.child;
        let start = Instant::now();
        while start.elapsed() < TO_END {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        None
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for member in self.members.values_mut() {
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
    }
}

/// Takes what a process says, line by line, until it ends or nobody wants it. Half a line of a process that was killed
/// counts as not said.
fn listen(output: impl Read, mut take: impl FnMut(Event) -> bool) {
    let mut output = BufReader::new(output);
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line).is_err() {
            return;
        }
        let Some(said) = line.strip_suffix('\n') else { return };
        let event = match said.split_once(' ') {
            _ if said == "ready" => Event::Ready,
            Some(("error", why)) => Event::Error(why.into()),
            _ => match Recorded::read(said) {
                Some(recorded) => Event::Line(recorded),
                None => Event::Error(format!("printed a line of no known form: {said}")),
            },
        };
        if !take(event) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, listen};

    #[test]
    fn half_a_line_is_not_said() {
        let mut said = Vec::new();
        listen(&b"ready\n8 5 8 0 0 1 2 3 4\nerror no room\n8 6 8 1 0 1 2 3 4"[..], |event| {
            said.push(match event {
                Event::Ready => "ready".into(),
                Event::Line(line) => line.to_string(),
                Event::Error(why) => why,
                Event::Ended => "ended".into(),
            });
            true
        });
        assert_eq!(said, ["ready", "8 5 8 0 0 1 2 3 4", "no room"]);
    }
}
