//! Locked instructions and fences with nobody else around.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::*, fence};

use serde_json::Value;

use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

fn alone(job: &Job, mut step: impl FnMut(&AtomicU32)) -> Result<Value> {
    sys::pin(job.first)?;
    let word = AtomicU32::new(0);
    let slices = Slices::time(job.budget(), 64, |count| (0..count).for_each(|_| step(black_box(&word))));
    Ok(slices.figures(1.0))
}

/// The least cost of taking and leaving a lock if both need a locked instruction.
pub fn cas_pair(job: &Job) -> Result<Value> {
    alone(job, |word| {
        assert!(word.compare_exchange(0, 1, Acquire, Relaxed).is_ok(), "nobody else is here");
        assert!(word.compare_exchange(1, 0, Release, Relaxed).is_ok(), "nobody else is here");
    })
}

/// The least cost of looking for sleepers if none may be missed.
pub fn fence_after_store(job: &Job) -> Result<Value> {
    alone(job, |word| {
        word.store(1, Release);
        fence(SeqCst);
    })
}
