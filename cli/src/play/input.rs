//! Standard input as a recording: a signal ends the wait for it.

use std::io::{self, Read, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Bytes read at once, and how many such blocks may wait.
const BLOCK: usize = 1 << 16;
const BLOCKS: usize = 4;
/// How often to look whether it is over.
const LOOK: Duration = Duration::from_millis(50);

/// What comes through standard input. A read of that goes on after a signal, so it has a thread of its own, which ends
/// with this process.
pub struct Input {
    blocks: Receiver<io::Result<Vec<u8>>>,
    /// The block at hand, and how much of it was taken.
    block: Vec<u8>,
    taken: usize,
    is_over: Arc<AtomicBool>,
}

impl Input {
    /// Begins to read.
    pub fn start(is_over: Arc<AtomicBool>) -> Self {
        let (full, blocks) = sync_channel(BLOCKS);
        thread::spawn(move || {
            loop {
                let mut block = vec![0; BLOCK];
                let read = stdin().lock().read(&mut block).map(|count| {
                    block.truncate(count);
                    block
                });
                let is_last = read.as_ref().is_ok_and(Vec::is_empty);
                if full.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Self { blocks, block: Vec::new(), taken: 0, is_over }
    }
}

impl Read for Input {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.block.len() {
            if self.is_over.load(Ordering::Relaxed) {
                return Ok(0);
            }
            match self.blocks.recv_timeout(LOOK) {
                Ok(block) => (self.block, self.taken) = (block?, 0),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            if self.block.is_empty() {
                return Ok(0);
            }
        }
        let count = place.len().min(self.block.len() - self.taken);
        place[..count].copy_from_slice(&self.block[self.taken..][..count]);
        self.taken += count;
        Ok(count)
    }
}
