//! Reading what the other core has just written.

use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::Instant;

use serde_json::Value;

use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};
use crate::sides;
use crate::slices::Slices;
use crate::sys::shared;

const LINE: f64 = 64.0;
const MOST: usize = 1 << 20;

#[repr(align(4096))]
struct Block([AtomicU64; MOST / WORD]);

// SAFETY: atomics alone.
unsafe impl shared::Zeroed for Block {}

impl Block {
    /// Nobody may write to the words during the call.
    unsafe fn words(&self, count: usize) -> &[u64] {
        let words = &self.0[..count];
        // SAFETY: atomics have the layout of their values, and the caller keeps writers away.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }
}

/// Nanoseconds a line of this many bytes.
pub fn measure<const BYTES: usize>(job: &Job) -> Result<Value> {
    let block: &Block = shared::zeroed()?;
    let count = BYTES / WORD;
    let (figures, _) = sides::run(
        job,
        |control| {
            control.meet();
            let (mut times, mut rounds) = (Vec::new(), 0);
            let start = Instant::now();
            while times.len() < 3 || start.elapsed() < job.budget() {
                rounds += 1;
                control.go(rounds);
                control.reached(rounds);
                let start = Instant::now();
                // SAFETY: the other side has written, and goes on only when signalled to.
                let sum = payload::sum(unsafe { block.words(count) });
                payload::check(rounds, count, sum);
                times.push(start.elapsed().as_nanos() as f64);
            }
            Ok(Slices::of(times).figures(BYTES as f64 / LINE))
        },
        |control| {
            control.meet();
            control.follow(|_, round| {
                let words = block.0[..count].iter().zip(round..);
                words.for_each(|(place, word)| place.store(word, Relaxed));
            });
            Ok(String::new())
        },
    )?;
    Ok(figures)
}
