//! The fastest stream of short messages that lines allow: the sequence is behind the payload, in the same line or
//! in the next; the reader tells seldom how far it has come. And the same with a writer that notes each message in
//! a line of its own, as every endpoint does that keeps a state between two calls: it shows how much a store to a
//! near line delays those to lines that are not.

use std::sync::atomic::{AtomicU64, Ordering::*};

use serde_json::Value;

use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::sys::shared;
use crate::{drive, payload};

const SLOTS: u64 = 256;
/// Messages after which the reader says how far it has come.
const EVERY: u64 = 64;

/// As many words as a line or two have; the last is the sequence.
#[repr(align(64))]
struct Slot<const WORDS: usize>([AtomicU64; WORDS]);

#[repr(align(128))]
struct Line(AtomicU64);

struct Ring<const WORDS: usize> {
    slots: [Slot<WORDS>; SLOTS as usize],
    head: Line,
    note: Line,
}

// SAFETY: atomics alone.
unsafe impl<const WORDS: usize> shared::Zeroed for Ring<WORDS> {}

/// Messages of `PAYLOAD` words in slots of `WORDS`.
struct Lines<const WORDS: usize, const PAYLOAD: usize, const NOTED: bool>(&'static Ring<WORDS>);

struct Tx<const WORDS: usize, const PAYLOAD: usize, const NOTED: bool> {
    ring: &'static Ring<WORDS>,
    head: u64,
}

struct Rx<const WORDS: usize, const PAYLOAD: usize>(&'static Ring<WORDS>);

impl<const WORDS: usize, const PAYLOAD: usize, const NOTED: bool> Link for Lines<WORDS, PAYLOAD, NOTED> {
    type Tx = Tx<WORDS, PAYLOAD, NOTED>;
    type Rx = Rx<WORDS, PAYLOAD>;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        shared::zeroed().map(Self)
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Tx { ring: self.0, head: 0 })
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Rx(self.0))
    }
}

impl<const WORDS: usize, const PAYLOAD: usize, const NOTED: bool> Sender for Tx<WORDS, PAYLOAD, NOTED> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        if seq - self.head > SLOTS {
            self.head = self.ring.head.0.load(Acquire);
            if seq - self.head > SLOTS {
                return false;
            }
        }
        let slot = &self.ring.slots[(seq % SLOTS) as usize];
        let value = payload::value::<PAYLOAD>(seq);
        slot.0.iter().zip(value).for_each(|(place, word)| place.store(word, Relaxed));
        slot.0[WORDS - 1].store(seq, Release);
        if NOTED {
            self.ring.note.0.store(seq, Relaxed);
        }
        true
    }
}

impl<const WORDS: usize, const PAYLOAD: usize> Receiver for Rx<WORDS, PAYLOAD> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let slot = &self.0.slots[(seq % SLOTS) as usize];
        if slot.0[WORDS - 1].load(Acquire) != seq {
            return false;
        }
        let value: [u64; PAYLOAD] = std::array::from_fn(|i| slot.0[i].load(Relaxed));
        payload::check(seq, PAYLOAD, payload::sum(&value));
        if seq.is_multiple_of(EVERY) {
            self.0.head.0.store(seq, Release);
        }
        true
    }
}

/// 56 bytes, in one line with their sequence.
pub fn one<const NOTED: bool>(job: &Job) -> Result<Value> {
    drive::stream::measure::<Lines<8, 7, NOTED>>(job)
}

/// 64 bytes, and their sequence in the line behind.
pub fn two<const NOTED: bool>(job: &Job) -> Result<Value> {
    drive::stream::measure::<Lines<16, 8, NOTED>>(job)
}
