//! The emulator with the drive in it: a core that can be stopped at any instruction, by a kill or by a reset of its
//! machine, and started again. A file says what its state is, as the kernel's `remoteproc` does of a core.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::loader;
use crate::mailbox::Mailbox;

/// What the kernel says of a core that it has stopped, and while it starts one.
const OFFLINE: &str = "offline\n";
/// What it says once the core has been started.
const RUNNING: &str = "running\n";

/// Looks whether the emulator has ended or connected; a minute.
const LOOKS: u32 = 6_000;
const LOOK: Duration = Duration::from_millis(10);

/// How a drive is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Its emulator is killed.
    Kill,
    /// Its machine is halted and reset.
    Reset,
}

/// An emulator and firmware for it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The firmware, whose resource table is to be filled in.
    image: String,
    /// Where the core sees the shared memory.
    address: u32,
    /// The emulator and its options, with `IMAGE` for the firmware and `FILE` for the shared file; `FILE.control` is the
    /// socket of its monitor, and `FILE.mailbox` of its serial line, if that is the mailbox.
    line: Vec<String>,
}

impl Machine {
    /// From the words of a command: the image, the address, the emulator and its options.
    ///
    /// # Errors
    ///
    /// There are too few, or the address is none.
    pub fn new(words: &[String]) -> io::Result<Self> {
        let [image, address, line @ ..] = words else { return Err(io::ErrorKind::InvalidInput.into()) };
        Ok(Self { image: image.clone(), address: number(address)?, line: line.to_vec() })
    }
}

/// A hexadecimal number.
///
/// # Errors
///
/// It is none.
pub fn number(text: &str) -> io::Result<u32> {
    u32::from_str_radix(text.trim_start_matches("0x"), 16).map_err(io::Error::other)
}

/// Where the state of a drive over this file is.
#[must_use]
pub fn state_of(file: &str) -> PathBuf {
    beside(file, "state")
}

/// A file of the drive's own; not in the shared file's folder, which is that of the regions.
fn beside(file: &str, what: &str) -> PathBuf {
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    std::env::temp_dir().join(format!("{name}.{what}"))
}

/// The files and sockets of a drive, removed when dropped.
struct Files {
    state: PathBuf,
    image: PathBuf,
    control: PathBuf,
    mailbox: PathBuf,
}

impl Files {
    fn of(file: &str) -> Self {
        let [state, image, control, mailbox] =
            ["state", "elf", "control", "mailbox"].map(|what| beside(file, what));
        Self { state, image, control, mailbox }
    }

    fn set(&self, state: &str) -> io::Result<()> {
        fs::write(&self.state, state)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in [&self.state, &self.image, &self.control, &self.mailbox] {
            let _ = fs::remove_file(path);
        }
    }
}

/// Killed when dropped.
pub struct Emulator {
    machine: Machine,
    file: String,
    /// Of the shared memory.
    len: u32,
    mailbox: Option<Mailbox>,
    files: Files,
    listeners: [UnixListener; 2],
    run: Run,
}

/// A run of the emulator.
struct Run {
    child: Child,
    control: Control,
    /// Its machine is halted.
    halted: bool,
}

impl Drop for Run {
    fn drop(&mut self) {
        // Both fail only for a child that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Emulator {
    /// Starts the drive over this file, of which the first `len` bytes are the shared memory.
    ///
    /// # Errors
    ///
    /// The firmware cannot be loaded, or the emulator does not start.
    pub fn start(machine: Machine, file: &str, len: u32, mailbox: Option<Mailbox>) -> io::Result<Self> {
        let files = Files::of(file);
        files.set(OFFLINE)?;
        let listen = |path| UnixListener::bind(path).and_then(|one| one.set_nonblocking(true).map(|()| one));
        let listeners = [listen(&files.control)?, listen(&files.mailbox)?];
        let run = start(&machine, file, len, &files, &listeners, mailbox.as_ref())?;
        let emulator = Self { machine, file: file.into(), len, mailbox, files, listeners, run };
        emulator.files.set(RUNNING)?;
        Ok(emulator)
    }

    /// Stops it at whatever instruction it is.
    ///
    /// # Errors
    ///
    /// The emulator does not obey; the state stays that of a drive that runs, and proves nothing.
    pub fn stop(&mut self, how: Stop) -> io::Result<()> {
        match how {
            Stop::Kill => {
                self.run.child.kill()?;
                self.run.child.wait()?;
            }
            Stop::Reset => {
                self.run.control.tell("stop", "STOP")?;
                self.run.control.tell("system_reset", "RESET")?;
            }
        }
        self.run.halted = how == Stop::Reset;
        self.files.set(OFFLINE)
    }

    /// Starts it again.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> io::Result<()> {
        if self.run.halted {
            self.run.control.tell("cont", "RESUME")?;
            self.run.halted = false;
        } else {
            let Self { machine, file, len, files, listeners, mailbox, .. } = self;
            self.run = start(machine, file, *len, files, listeners, mailbox.as_ref())?;
        }
        self.files.set(RUNNING)
    }

    /// Waits for it to end by itself, with success.
    ///
    /// # Errors
    ///
    /// It does not.
    pub fn end(&mut self) -> io::Result<()> {
        for _ in 0..LOOKS {
            if let Some(status) = self.run.child.try_wait()? {
                return if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) };
            }
            sleep(LOOK);
        }
        Err(io::Error::other("the drive does not stop"))
    }
}

/// Loads the firmware and starts the emulator, as `remoteproc` does at each start.
fn start(
    machine: &Machine,
    file: &str,
    len: u32,
    files: &Files,
    [control, serial]: &[UnixListener; 2],
    mailbox: Option<&Mailbox>,
) -> io::Result<Run> {
    let mut image = fs::read(&machine.image)?;
    loader::fill(&mut image, loader::NAME, machine.address, len)?;
    fs::write(&files.image, image)?;
    let (program, words) = machine.line.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let words = words.iter().map(|word| {
        word.replace("FILE.control", &files.control.to_string_lossy())
            .replace("FILE.mailbox", &files.mailbox.to_string_lossy())
            .replace("IMAGE", &files.image.to_string_lossy())
            .replace("FILE", file)
    });
    let mut child = Command::new(program).args(words).stdin(Stdio::null()).spawn()?;
    let control = accept(control, &mut child).and_then(Control::new);
    let line = mailbox.map_or(Ok(()), |mailbox| mailbox.connect(accept(serial, &mut child)?));
    match (control, line) {
        (Ok(control), Ok(())) => Ok(Run { child, control, halted: false }),
        (control, line) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(control.err().or(line.err()).unwrap_or_else(|| io::ErrorKind::Other.into()))
        }
    }
}

/// Waits for the emulator to connect.
fn accept(listener: &UnixListener, child: &mut Child) -> io::Result<UnixStream> {
    for _ in 0..LOOKS {
        match listener.accept() {
            Ok((stream, _)) => return stream.set_nonblocking(false).map(|()| stream),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if child.try_wait()?.is_some() => break,
            Err(_) => sleep(Duration::from_millis(1)),
        }
    }
    Err(io::Error::other("the emulator does not connect"))
}

/// The emulator's monitor: a line of JSON for each command, answer and event.
struct Control {
    lines: BufReader<UnixStream>,
}

impl Control {
    fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(LOOK * LOOKS))?;
        let mut control = Self { lines: BufReader::new(stream) };
        control.await_line("\"QMP\"")?;
        control.say("qmp_capabilities")?;
        control.await_line("\"return\"")?;
        Ok(control)
    }

    /// Has a command done, which is so once this event has come.
    fn tell(&mut self, command: &str, event: &str) -> io::Result<()> {
        self.say(command)?;
        self.await_line(&format!("\"event\": \"{event}\""))
    }

    fn say(&mut self, command: &str) -> io::Result<()> {
        self.lines.get_mut().write_all(format!("{{\"execute\": \"{command}\"}}\n").as_bytes())
    }

    fn await_line(&mut self, wanted: &str) -> io::Result<()> {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 || line.contains("\"error\"") {
                return Err(io::Error::other(format!("the emulator says `{}`", line.trim())));
            }
        }
        Ok(())
    }
}
