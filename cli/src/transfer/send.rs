//! `strait send`: the sending side of a transfer.

use std::fs::{self, File};
use std::io::{Read, stdin};
use std::path::Path;
use std::time::{Duration, Instant};

use strait::{
    Producer, SendError, SystemPort,
    port::{Ident, Port},
};

use crate::args::Transfer;
use crate::error::{Error, Result, reason};
use crate::{print, text};

use super::crc::Crc;
use super::janitor;
use super::progress::Progress;
use super::rendezvous::{Meeting, Rendezvous};
use super::watch::{Fate, Side, Watch};
use super::{BEGIN, Begin, DATA, END, End, SLICE, summary};

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 18;
/// The longest piece of the file in one frame, so that a huge ring asks for no huge buffers.
const PIECE: u32 = 1 << 20;
/// How long to sleep between two looks for the receipt.
const PAUSE: Duration = Duration::from_millis(1);

/// Sends the file.
pub fn run(wanted: &Transfer, file: &Path) -> Result<()> {
    let rendezvous = Rendezvous::new(wanted)?;
    let mut source = Source::open(file)?;
    let _janitor = janitor::start(wanted, None);
    let (end, took) = rendezvous.run(
        Side::Sender,
        |attachment, name| attachment.producer(name),
        |meeting| Sending::new(meeting, &source).run(&mut source),
    )?;
    let name = text::printable(&file.display().to_string());
    print::out(&format!("sent {name}: {}\n", summary(end, took)))
}

/// The file to send.
struct Source {
    from: Box<dyn Read>,
    /// Whether it comes in pieces that must not wait for each other.
    is_stream: bool,
    shown: String,
    name: String,
    length: u64,
}

impl Source {
    fn open(path: &Path) -> Result<Self> {
        if print::is_stream(path) {
            let (shown, name) = ("standard input".into(), "-".into());
            return Ok(Self { from: Box::new(stdin()), is_stream: true, shown, name, length: 0 });
        }
        let shown = path.display().to_string();
        let failed = |error: std::io::Error| Error::failed(format!("{shown}: {}", reason(&error)));
        // Before opening, which would wait at a FIFO.
        let found = fs::metadata(path).map_err(failed)?;
        if found.is_dir() {
            return Err(Error::failed(format!("{shown}: is a directory; give a file")));
        }
        if !found.is_file() {
            return Err(Error::failed(format!("{shown}: is no regular file; copy it into one first")));
        }
        let file = File::open(path).map_err(failed)?;
        let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        Ok(Self { from: Box::new(file), is_stream: false, shown, name, length: found.len() })
    }

    /// Fills the buffer as far as the file goes, or with what has come of a stream; 0 is the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.from.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(len) => filled += len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::failed(format!("{}: {}", self.shown, reason(&error)))),
            }
            if self.is_stream && filled > 0 {
                break;
            }
        }
        Ok(filled)
    }
}

struct Sending {
    queue: Producer<SystemPort>,
    peer: Watch,
    identity: u32,
    timeout: Duration,
    progress: Progress,
}

impl Sending {
    fn new(meeting: Meeting<'_, Producer<SystemPort>>, source: &Source) -> Self {
        let Meeting { attachment, endpoint: queue, peer, timeout, .. } = meeting;
        let identity = attachment.port().ident().map_or(0, Ident::word);
        let progress = Progress::new(&text::printable(&source.name), source.length);
        Self { queue, peer, identity, timeout, progress }
    }

    fn run(mut self, source: &mut Source) -> Result<(End, Duration)> {
        let begin = Begin { sender: self.identity, length: source.length, name: source.name.clone() };
        let frame = self.queue.max_len().min(PIECE);
        self.push(BEGIN, &begin.encode(frame))?;
        let mut crc = Crc::new();
        let mut buffer = vec![0; (BUFFER / frame as usize).max(1) * frame as usize];
        loop {
            let filled = source.read(&mut buffer)?;
            for piece in buffer[..filled].chunks(frame as usize) {
                crc.add(piece);
                self.push(DATA, piece)?;
                self.progress.add(piece.len());
            }
            if filled == 0 {
                break;
            }
        }
        let end = End { length: self.progress.bytes(), crc: crc.value() };
        self.push(END, &end.encode())?;
        self.await_receipt()?;
        Ok((end, self.progress.finish()))
    }

    /// Sends a frame, as soon as there is space.
    fn push(&mut self, tag: u32, payload: &[u8]) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.queue.send_timeout(tag, payload, SLICE) {
                Ok(()) => return Ok(()),
                Err(SendError::TimedOut) => self.check(start)?,
                Err(error) => return Err(Error::failed(error.to_string())),
            }
        }
    }

    /// Waits until the receiver has released the last frame.
    fn await_receipt(&mut self) -> Result<()> {
        let start = Instant::now();
        while !self.queue.is_empty() {
            // If it is gone, its receipt may still have come just before.
            if let Err(error) = self.check(start) {
                return if self.queue.is_empty() { Ok(()) } else { Err(error) };
            }
            std::thread::sleep(PAUSE);
        }
        match self.queue.fault() {
            Some(violation) => Err(Error::failed(format!("the receiver broke the protocol: {violation}"))),
            None => Ok(()),
        }
    }

    /// Whether it makes sense to go on waiting.
    fn check(&self, start: Instant) -> Result<()> {
        let fate = self.peer.fate();
        if fate != Fate::Present {
            return Err(self.peer.error(fate, self.progress.bytes()));
        }
        if start.elapsed() > self.timeout {
            let seconds = self.timeout.as_secs_f64();
            return Err(Error::failed(format!(
                "the receiver is alive but took nothing for {seconds} s; see what it waits for, or give more --timeout"
            )));
        }
        Ok(())
    }
}
