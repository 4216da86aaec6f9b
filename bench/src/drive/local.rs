//! Send and receive in one thread, and what a refusal costs.

use std::hint::black_box;

use serde_json::{Value, json};

use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

/// Measures it.
pub fn measure<L: Link>(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let link = L::lay(job, 0)?;
    let (mut tx, mut rx) = (link.tx()?, link.rx()?);
    let mut seq = 0;
    let part = job.budget() / 3;
    let both = Slices::time(part, 64, |count| {
        for _ in 0..count {
            seq += 1;
            tx.send(black_box(seq));
            rx.recv(seq);
        }
    });
    let empty = Slices::time(part, 64, |count| {
        (0..count).for_each(|_| assert!(!black_box(rx.accept(seq + 1)), "a message out of nowhere"));
    });
    let mut figures = both.figures(1.0);
    figures["empty"] = json!(empty.figures(1.0)["ns"]);
    if L::Tx::BLOCKS {
        return Ok(figures);
    }
    while tx.offer(seq + 1) {
        seq += 1;
    }
    let full = Slices::time(part, 64, |count| {
        (0..count)
            .for_each(|_| assert!(!black_box(tx.offer(black_box(seq + 1))), "a full queue took one more"));
    });
    figures["full"] = json!(full.figures(1.0)["ns"]);
    Ok(figures)
}
