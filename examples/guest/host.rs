//! The host: it starts the machine, and asks.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use strait::unix::RegionWindow;
use strait::{Consumer, Producer, Region, RegionOptions, SystemPort, TryRecvError, TrySendError};

use crate::exchange::{Side, put_all, take_all};
use crate::plan::{FRAME, PLAN, WINDOW, pattern, tag};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The length of the device's memory.
pub const MEMORY: u64 = 16 << 20;
/// For one answer, the machine's start included; and for all of them.
/// On a busy machine the emulator's two processors may wait for each other.
pub const PATIENCE: Duration = Duration::from_secs(120);
const LIMIT: Duration = Duration::from_secs(300);
/// For the one frame that a kill may have lost, if that is the last.
const LAST: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_micros(50);

/// Frames that the guest is sent while it is killed, and those of them that come back before.
const STREAM: u32 = 4000;
const KILLED_AT: u32 = 1500;
/// The most of them that are under way at a time.
const UNDER_WAY: u32 = 100;

/// The end of this program where the emulator does not check what it should.
const UNCHECKED: i32 = 3;

/// QEMU, or a process in a machine's place, killed when this goes out of use.
pub struct Machine(Child);

impl Machine {
    pub fn start(command: &[&str]) -> Result<Self> {
        let (program, args) = command.split_first().ok_or("no command")?;
        Ok(Self(Command::new(program).args(args).stdin(Stdio::null()).spawn()?))
    }

    /// Ends it as a loss of power does.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    pub fn check(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the machine has ended ({status})").into()),
        }
    }

    /// Waits for it to switch itself off.
    pub fn end(mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the machine has failed ({status})").into()),
                None if start.elapsed() > PATIENCE => {
                    return Err("the machine does not switch itself off".into());
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The file of the memory, or the socket, removed in the end.
pub struct Memory<'a>(pub &'a str);

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

struct Host {
    region: Region,
    down: Producer<SystemPort>,
    up: Consumer<SystemPort>,
    machine: Machine,
    started: Instant,
}

/// Runs the machine twice; the first time it is killed.
pub fn run(file: &str, command: &[&str]) -> Result<()> {
    File::options().write(true).create_new(true).mode(0o600).open(file)?.set_len(MEMORY)?;
    let _memory = Memory(file);
    let region = RegionWindow::new(file, 0).len(WINDOW).create(&PLAN, &RegionOptions::new())?;
    let (down, up) = (region.producer("down")?, region.consumer("up")?);
    let mut host = Host { region, down, up, machine: Machine::start(command)?, started: Instant::now() };
    let hello = host.hear(tag::HELLO)?;
    let hello = String::from_utf8_lossy(&hello).into_owned();
    println!("accesses that are not aligned: {hello}");

    // First as a device's memory, then as ordinary memory that is not cached.
    host.reopen("resource2")?;
    host.everything(0x20)?;
    let locked = host.ask(tag::LOCK, &[])?;
    let locked = String::from_utf8_lossy(&locked).into_owned();
    if locked.starts_with("refused") != (hello != "any") {
        return Err(format!("the lock in a device's memory: {locked}").into());
    }
    host.reopen("resource2_wc")?;
    host.everything(0x40)?;
    for _ in 0..2 {
        host.expect(tag::LOCK, &[], "free")?;
    }
    host.ask(tag::HOLD, &[])?;

    let mut stream = Stream::default();
    stream.run(&mut host, KILLED_AT)?;
    // There is one machine at a time in a domain.
    host.machine.kill()?;
    host.machine = Machine::start(command)?;
    stream.run(&mut host, STREAM)?;
    if stream.lost > 1 {
        return Err(
            format!("{} frames were lost by a kill, and it can be in one at most", stream.lost).into()
        );
    }
    host.expect(tag::LOCK, &[], "its owner had died")?;
    host.everything(0x60)?;
    host.ask(tag::END, &[])?;
    host.machine.end()?;
    println!("PASSED: frames, slots, latest values and a lock; a guest was killed, and its next run went on");
    if hello.starts_with("works") {
        println!("the old copies: skipped, this QEMU does not check ({hello})");
        std::process::exit(UNCHECKED);
    }
    Ok(())
}

/// Numbered frames that come back in their order.
#[derive(Default)]
struct Stream {
    sent: u32,
    next: u32,
    lost: u32,
}

impl Stream {
    /// Until all frames in front of `end` have come back, or those that are under way would not any more.
    fn run(&mut self, host: &mut Host, end: u32) -> Result<()> {
        let mut last = Instant::now();
        while self.next < end {
            if self.sent < STREAM && self.sent - self.next < UNDER_WAY {
                let mut frame = self.sent.to_le_bytes().to_vec();
                frame.extend(pattern(self.sent as usize % 200));
                match host.down.try_send(tag::ECHO, &frame) {
                    Ok(()) => self.sent += 1,
                    Err(TrySendError::Full) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            match host.look()? {
                Some((tag::ECHO, frame)) => {
                    let (number, rest) = frame.split_first_chunk().ok_or("a short frame")?;
                    let number = u32::from_le_bytes(*number);
                    if number < self.next || rest != pattern(number as usize % 200) {
                        return Err(format!("frame {number} came back wrong, or twice").into());
                    }
                    self.lost += number - self.next;
                    self.next = number + 1;
                    last = Instant::now();
                }
                // The next run of the machine.
                Some((tag::HELLO, _)) => {
                    println!("the machine's next run has come, at frame {}", self.next);
                    last = Instant::now();
                }
                Some((tag, _)) => return Err(format!("an answer to {tag}").into()),
                // The last frame may be the one that is lost.
                None if self.sent == STREAM && self.next + 1 == STREAM && last.elapsed() > LAST => {
                    return Ok(());
                }
                None if last.elapsed() > PATIENCE => {
                    let Self { sent, next, lost } = self;
                    return Err(format!(
                        "of {sent} frames {next} came back, {lost} of them lost, and no more"
                    )
                    .into());
                }
                None => {}
            }
        }
        Ok(())
    }
}

impl Host {
    /// The next answer, if there is one already.
    fn look(&mut self) -> Result<Option<(u32, Vec<u8>)>> {
        let mut buf = [0; FRAME];
        match self.up.try_recv(&mut buf) {
            Ok(got) => Ok(Some((got.tag, buf[..got.len].to_vec()))),
            Err(TryRecvError::Empty) => {
                self.machine.check()?;
                if self.started.elapsed() > LIMIT {
                    return Err("all of it takes too long".into());
                }
                std::thread::sleep(LOOK);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for an answer of this tag.
    fn hear(&mut self, tag: u32) -> Result<Vec<u8>> {
        let start = Instant::now();
        loop {
            match self.look()? {
                Some((found, bytes)) if found == tag => return Ok(bytes),
                Some((found, _)) => return Err(format!("an answer to {found}, not to {tag}").into()),
                None if start.elapsed() > PATIENCE => return Err(format!("no answer to {tag}").into()),
                None => {}
            }
        }
    }

    fn ask(&mut self, tag: u32, bytes: &[u8]) -> Result<Vec<u8>> {
        self.down.try_send(tag, bytes)?;
        self.hear(tag)
    }

    fn expect(&mut self, tag: u32, bytes: &[u8], wanted: &str) -> Result<()> {
        let found = self.ask(tag, bytes)?;
        if found == wanted.as_bytes() {
            return Ok(());
        }
        Err(format!("`{}`, where it should be `{wanted}`", String::from_utf8_lossy(&found)).into())
    }

    /// The guest goes on in the other mapping of the memory.
    fn reopen(&mut self, file: &str) -> Result<()> {
        self.expect(tag::REOPEN, file.as_bytes(), file)?;
        println!("through {file}");
        Ok(())
    }

    /// Frames of every length, and values of every kind.
    fn everything(&mut self, salt: u8) -> Result<()> {
        for len in 0..=FRAME {
            let frame = pattern(len);
            if self.ask(tag::ECHO, &frame)? != frame {
                return Err(format!("a frame of {len} bytes came back as another").into());
            }
        }
        put_all(&self.region, Side::Host, salt)?;
        self.ask(tag::VALUES, &[salt])?;
        take_all(&self.region, Side::Host, !salt)
    }
}
