//! `strait recv`: the receiving side of a transfer.

use std::path::Path;
use std::time::{Duration, Instant};

use strait::{
    Consumer, Peek, Received, SystemPort, TryRecvError, error::WaitAnyError, options::WaitPolicy, wait_any,
};

use crate::args::Transfer;
use crate::error::{Error, Result};
use crate::{print, text};

use super::crc::Crc;
use super::janitor;
use super::output::Sink;
use super::progress::Progress;
use super::removal;
use super::rendezvous::{Meeting, Rendezvous};
use super::watch::{Fate, Side};
use super::{BEGIN, Begin, DATA, END, End, SLICE, summary};

/// How long to sleep where the channel does not let its consumer block.
const PAUSE: Duration = Duration::from_millis(1);

/// Receives the file.
pub fn run(wanted: &Transfer, file: &Path) -> Result<()> {
    let rendezvous = Rendezvous::new(wanted)?;
    let output = Sink::create(file)?;
    let _janitor = janitor::start(wanted, output.part());
    let (end, took) = rendezvous.run(
        Side::Receiver,
        |attachment, name| attachment.consumer(name),
        |meeting| receive(meeting, output),
    )?;
    let name = text::printable(&file.display().to_string());
    let told = format!("received {name}: {}, the same as sent\n", summary(end, took));
    print::result(&told, print::is_stream(file))
}

/// Takes frame after frame, each released when it is done with.
fn receive(meeting: Meeting<'_, Consumer<SystemPort>>, output: Sink) -> Result<(End, Duration)> {
    let Meeting { attachment, endpoint: mut queue, peer, timeout, ours, .. } = meeting;
    let mut incoming = Incoming::new(output, peer.who().word());
    let mut fate = Fate::Present;
    let mut since = Instant::now();
    loop {
        match queue.peek() {
            Ok(frame) => {
                if let Some(end) = incoming.take(&frame)? {
                    let took = incoming.finish(end)?;
                    if let Some(region) = ours {
                        removal::remove(region, &attachment);
                    }
                    frame.release(); // The receipt.
                    queue.flush();
                    return Ok((end, took));
                }
                frame.release();
                since = Instant::now();
            }
            Err(TryRecvError::Empty) if fate != Fate::Present => {
                return Err(peer.error(fate, incoming.bytes()));
            }
            Err(TryRecvError::Empty) => {
                if !wait(&mut queue, attachment.port()) {
                    // The next look finds everything that the sender has sent before it left.
                    fate = peer.fate();
                    incoming.check_patience(since, timeout)?;
                }
            }
            Err(error) => return Err(Error::failed(error.to_string())),
        }
    }
}

/// Sleeps until something comes, for a slice at most. Returns whether something came.
fn wait(queue: &mut Consumer<SystemPort>, port: &SystemPort) -> bool {
    let waited = wait_any(port, &mut [queue], WaitPolicy::parking(), SLICE);
    if waited == Err(WaitAnyError::NoDoorbell) {
        std::thread::sleep(PAUSE);
    }
    waited.is_ok()
}

/// The transfer under way.
struct UnderWay {
    progress: Progress,
    crc: Crc,
    next: u32,
}

/// The part of the file that has been received.
struct Incoming {
    output: Sink,
    buffer: Vec<u8>,
    sender: u32,
    transfer: Option<UnderWay>,
}

impl Incoming {
    fn new(output: Sink, sender: u32) -> Self {
        Self { output, buffer: Vec::new(), sender, transfer: None }
    }

    fn bytes(&self) -> u64 {
        self.transfer.as_ref().map_or(0, |transfer| transfer.progress.bytes())
    }

    /// Takes a frame. Returns what the last one says.
    fn take(&mut self, frame: &Peek<'_, SystemPort>) -> Result<Option<End>> {
        let Received { tag, sequence, len } = frame.info();
        self.buffer.resize(len, 0);
        let buffer = self.buffer.as_mut_slice();
        frame.copy_from(0, buffer);
        let Some(transfer) = &mut self.transfer else {
            let begin = if tag == BEGIN { Begin::decode(buffer) } else { None };
            // Frames that earlier senders left here are skipped.
            if let Some(begin) = begin.filter(|begin| begin.sender == self.sender) {
                let progress = Progress::new(&text::printable(&begin.name), begin.length);
                self.transfer = Some(UnderWay { progress, crc: Crc::new(), next: sequence.wrapping_add(1) });
            }
            return Ok(None);
        };
        if sequence != transfer.next {
            return Err(Error::failed("a frame is missing; start both sides again"));
        }
        transfer.next = sequence.wrapping_add(1);
        match tag {
            DATA => {
                transfer.crc.add(buffer);
                transfer.progress.add(len);
                self.output.write(buffer)?;
                Ok(None)
            }
            END => End::decode(buffer).map(Some).ok_or_else(|| unexpected(tag)),
            _ => Err(unexpected(tag)),
        }
    }

    /// Compares, and gives the file its name. Returns the time since the first frame.
    fn finish(self, end: End) -> Result<Duration> {
        let Some(transfer) = self.transfer else { return Err(unexpected(END)) };
        let found = End { length: transfer.progress.bytes(), crc: transfer.crc.value() };
        if found != end {
            return Err(Error::failed(format!(
                "{} bytes with checksum {:08x} came, {} with {:08x} were sent; start both sides again",
                found.length, found.crc, end.length, end.crc
            )));
        }
        self.output.finish()?;
        Ok(transfer.progress.finish())
    }

    fn check_patience(&self, since: Instant, timeout: Duration) -> Result<()> {
        if since.elapsed() <= timeout {
            return Ok(());
        }
        let seconds = timeout.as_secs_f64();
        Err(Error::failed(format!(
            "the sender is alive but sent nothing for {seconds} s; see what it waits for, or give more --timeout"
        )))
    }
}

fn unexpected(tag: u32) -> Error {
    Error::failed(format!(
        "the sender sent what no `strait send` sends (tag {tag:#010x}); see what uses this channel"
    ))
}
