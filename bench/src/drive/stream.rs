//! Time a message while one side does nothing but send and the other nothing but receive.

use serde_json::Value;

use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::sides;
use crate::slices::Slices;

/// Messages of the shortest slice: filling and emptying the queue must not count.
const FEWEST: u64 = 64;

/// Measures it.
pub fn measure<L: Link>(job: &Job) -> Result<Value> {
    let link = L::lay(job, 0)?;
    let batch = job.batch as u64;
    let (figures, _) = sides::run(
        job,
        |control| {
            let mut tx = link.tx()?;
            control.meet();
            let mut seq = 0;
            let slices = Slices::time(job.budget(), FEWEST.next_multiple_of(batch), |count| {
                let target = seq + count;
                control.go(target);
                if batch == 1 {
                    (seq + 1..=target).for_each(|seq| tx.send(seq));
                } else {
                    (seq + 1..=target).step_by(job.batch).for_each(|seq| tx.send_batch(seq, job.batch));
                }
                seq = target;
                control.reached(target);
            });
            Ok(slices.figures(1.0))
        },
        |control| {
            let mut rx = link.rx()?;
            control.meet();
            control.follow(|done, target| {
                if batch == 1 {
                    (done + 1..=target).for_each(|seq| rx.recv(seq));
                } else {
                    (done + 1..=target).step_by(job.batch).for_each(|seq| rx.recv_batch(seq, job.batch));
                }
            });
            Ok(String::new())
        },
    )?;
    Ok(figures)
}
