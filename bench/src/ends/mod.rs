//! The two ends of whatever carries messages, and how a side waits at one: the same for all.

mod copies;
mod values;

use std::hint::spin_loop;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::job::Job;

pub use copies::{Copies, Read, Write};
pub use values::{Pop, Push, Values};

/// Looks without a pause in between, before the spin hint.
const BARE: u32 = 64;

/// Looks until there is something: bare at first, then with PAUSE.
#[inline(always)]
pub fn poll<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let mut bare = BARE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        if bare > 0 {
            bare -= 1;
        } else {
            spin_loop();
        }
    }
}

/// Looks until it is true.
#[inline(always)]
pub fn until(mut look: impl FnMut() -> bool) {
    poll(|| look().then_some(()));
}

/// Sends messages of one size.
pub trait Sender {
    /// Whether a try waits for space.
    const BLOCKS: bool = false;

    /// Tries once to send message `seq`; whether it went.
    fn offer(&mut self, seq: u64) -> bool;

    /// Sends message `seq`.
    #[inline]
    fn send(&mut self, seq: u64) {
        until(|| self.offer(seq));
    }

    /// Sends `count` messages from `seq` on, in one call where there is such a call.
    #[inline]
    fn send_batch(&mut self, seq: u64, count: usize) {
        (seq..seq + count as u64).for_each(|seq| self.send(seq));
    }
}

/// Receives messages of one size, reads every byte of them, and checks that they are the right ones.
pub trait Receiver {
    /// Tries once to receive message `seq`; whether it was there.
    fn accept(&mut self, seq: u64) -> bool;

    /// Receives message `seq`.
    #[inline]
    fn recv(&mut self, seq: u64) {
        until(|| self.accept(seq));
    }

    /// Receives `count` messages from `seq` on, many in one call where there is such a call.
    #[inline]
    fn recv_batch(&mut self, seq: u64, count: usize) {
        (seq..seq + count as u64).for_each(|seq| self.recv(seq));
    }
}

/// A one-way channel, before its ends are taken, each on its own side.
pub trait Link: Sync + Sized {
    /// The sending end.
    type Tx: Sender;
    /// The receiving end.
    type Rx: Receiver;

    /// Lays what must be there before the sides part. `number` tells the links of a job apart.
    fn lay(job: &Job, number: u32) -> Result<Self>;

    /// Takes the sending end.
    fn tx(&self) -> Result<Self::Tx>;

    /// Takes the receiving end.
    fn rx(&self) -> Result<Self::Rx>;
}

/// Both ends of a channel within one process, waiting to be taken.
pub struct Halves<T, R> {
    tx: Mutex<Option<T>>,
    rx: Mutex<Option<R>>,
}

impl<T, R> Halves<T, R> {
    /// Of these ends.
    pub fn new(tx: T, rx: R) -> Self {
        Self { tx: Mutex::new(Some(tx)), rx: Mutex::new(Some(rx)) }
    }

    /// Takes the sending end.
    pub fn tx(&self) -> Result<T> {
        take(&self.tx)
    }

    /// Takes the receiving end.
    pub fn rx(&self) -> Result<R> {
        take(&self.rx)
    }
}

fn take<T>(place: &Mutex<Option<T>>) -> Result<T> {
    let end = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    end.ok_or_else(|| "an end was taken twice".into())
}
