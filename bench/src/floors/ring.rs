//! A ring within one thread, which need not tell anybody anything.

use std::hint::black_box;

use serde_json::Value;

use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

const SLOTS: usize = 256;

struct Ring {
    slots: [u64; SLOTS],
    head: usize,
    tail: usize,
}

impl Ring {
    #[inline(always)]
    fn push(&mut self, value: u64) -> bool {
        let space = self.tail - self.head < SLOTS;
        if space {
            self.slots[self.tail % SLOTS] = value;
            self.tail += 1;
        }
        space
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<u64> {
        (self.head != self.tail).then(|| {
            self.head += 1;
            self.slots[(self.head - 1) % SLOTS]
        })
    }
}

/// Push and pop of 8 bytes.
pub fn measure(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let mut ring = Ring { slots: [0; SLOTS], head: 0, tail: 0 };
    let mut number = 0;
    let slices = Slices::time(job.budget(), 64, |count| {
        for _ in 0..count {
            number += 1;
            assert!(ring.push(black_box(number)) && ring.pop() == Some(number), "the ring lost {number}");
        }
    });
    Ok(slices.figures(1.0))
}
