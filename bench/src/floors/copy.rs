//! A plain copy within one thread.

use std::hint::black_box;

use serde_json::Value;

use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::{payload, sys};

/// 56 bytes, from one place to another, and read there as a received value is.
pub fn measure(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let from = payload::value::<7>(1);
    let slices = Slices::time(job.budget(), 64, |count| {
        for _ in 0..count {
            let value = *black_box(&from);
            payload::check(1, 7, payload::sum(&value));
            black_box(value);
        }
    });
    Ok(slices.figures(1.0))
}
