//! The kernel's share: sleeping, waking, crossing over.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::*};

use nix::unistd::getppid;
use serde_json::Value;

use crate::drive;
use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys::{futex, pin, shared};

/// A word to sleep on.
struct Bell(AtomicU32);

// SAFETY: an atomic alone.
unsafe impl shared::Zeroed for Bell {}

struct Bare(&'static Bell);

impl Link for Bare {
    type Tx = Bare;
    type Rx = Bare;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        shared::zeroed().map(Self)
    }

    fn tx(&self) -> Result<Bare> {
        Ok(Self(self.0))
    }

    fn rx(&self) -> Result<Bare> {
        Ok(Self(self.0))
    }
}

impl Sender for Bare {
    fn offer(&mut self, seq: u64) -> bool {
        self.0.0.store(seq as u32, Release);
        futex::wake(&self.0.0);
        true
    }
}

impl Receiver for Bare {
    fn accept(&mut self, seq: u64) -> bool {
        let seq = seq as u32;
        if self.0.0.load(Acquire) != seq {
            futex::wait(&self.0.0, seq.wrapping_sub(1));
        }
        self.0.0.load(Acquire) == seq
    }
}

/// A sleeper on the other core runs again.
pub fn futex_wake(job: &Job) -> Result<Value> {
    drive::wake::measure::<Bare>(job)
}

fn alone(job: &Job, mut step: impl FnMut()) -> Result<Value> {
    pin(job.first)?;
    let slices = Slices::time(job.budget(), 16, |count| (0..count).for_each(|_| step()));
    Ok(slices.figures(1.0))
}

/// A wake with nobody asleep.
pub fn futex_idle(job: &Job) -> Result<Value> {
    let word = AtomicU32::new(0);
    alone(job, || futex::wake(black_box(&word)))
}

/// A system call that does next to nothing.
pub fn cheapest(job: &Job) -> Result<Value> {
    alone(job, || {
        black_box(getppid());
    })
}
