//! A lock taken and given back without contention, or a semaphore released and acquired.

use std::hint::black_box;

use serde_json::Value;

use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

/// A lock.
pub trait Lock: Sized {
    /// Makes one.
    fn lay() -> Result<Self>;

    /// Takes it and gives it back.
    fn both(&mut self);
}

/// Measures it.
pub fn measure<L: Lock>(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let mut lock = L::lay()?;
    let slices = Slices::time(job.budget(), 64, |count| {
        (0..count).for_each(|_| black_box(&mut lock).both());
    });
    Ok(slices.figures(1.0))
}
