//! The fastest stream of 56-byte messages that lines allow: the sequence lies beside the payload, the
//! reader tells seldom how far it has come.

use std::sync::atomic::{AtomicU64, Ordering::*};

use serde_json::Value;

use crate::Result;
use crate::ends::{Link, Receiver, Sender};
use crate::job::Job;
use crate::sys::shared;
use crate::{drive, payload};

const SLOTS: u64 = 256;
/// Messages after which the reader says how far it has come.
const EVERY: u64 = 64;
const WORDS: usize = 7;

#[repr(align(64))]
struct Slot {
    seq: AtomicU64,
    words: [AtomicU64; WORDS],
}

#[repr(align(128))]
struct Head(AtomicU64);

struct Ring {
    slots: [Slot; SLOTS as usize],
    head: Head,
}

// SAFETY: atomics alone.
unsafe impl shared::Zeroed for Ring {}

struct Lines(&'static Ring);

struct Tx {
    ring: &'static Ring,
    head: u64,
}

struct Rx(&'static Ring);

impl Link for Lines {
    type Tx = Tx;
    type Rx = Rx;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        shared::zeroed().map(Self)
    }

    fn tx(&self) -> Result<Tx> {
        Ok(Tx { ring: self.0, head: 0 })
    }

    fn rx(&self) -> Result<Rx> {
        Ok(Rx(self.0))
    }
}

impl Sender for Tx {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        if seq - self.head > SLOTS {
            self.head = self.ring.head.0.load(Acquire);
            if seq - self.head > SLOTS {
                return false;
            }
        }
        let slot = &self.ring.slots[(seq % SLOTS) as usize];
        let value = payload::value::<WORDS>(seq);
        slot.words.iter().zip(value).for_each(|(place, word)| place.store(word, Relaxed));
        slot.seq.store(seq, Release);
        true
    }
}

impl Receiver for Rx {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let slot = &self.0.slots[(seq % SLOTS) as usize];
        if slot.seq.load(Acquire) != seq {
            return false;
        }
        let value: [u64; WORDS] = std::array::from_fn(|i| slot.words[i].load(Relaxed));
        payload::check(seq, WORDS, payload::sum(&value));
        if seq.is_multiple_of(EVERY) {
            self.0.head.0.store(seq, Release);
        }
        true
    }
}

/// Measures it.
pub fn measure(job: &Job) -> Result<Value> {
    drive::stream::measure::<Lines>(job)
}
