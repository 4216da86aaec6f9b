//! Half a round trip: a message goes one way, its answer the other.

use serde_json::Value;

use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::sides;
use crate::slices::Slices;

/// Measures it.
pub fn measure<L: Link>(job: &Job) -> Result<Value> {
    let (there, back) = (L::lay(job, 0)?, L::lay(job, 1)?);
    let (figures, _) = sides::run(
        job,
        |control| {
            let (mut tx, mut rx) = (there.tx()?, back.rx()?);
            control.meet();
            let mut seq = 0;
            let slices = Slices::time(job.budget(), 1, |count| {
                let target = seq + count;
                control.go(target);
                while seq < target {
                    seq += 1;
                    tx.send(seq);
                    rx.recv(seq);
                }
                control.reached(target);
            });
            Ok(slices.figures(2.0))
        },
        |control| {
            let (mut rx, mut tx) = (there.rx()?, back.tx()?);
            control.meet();
            control.follow(|done, target| {
                for seq in done + 1..=target {
                    rx.recv(seq);
                    tx.send(seq);
                }
            });
            Ok(String::new())
        },
    )?;
    Ok(figures)
}
