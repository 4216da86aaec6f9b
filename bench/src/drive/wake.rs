//! From the send until a sleeper runs, and what the sender pays.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ends::{Link, Receiver, Sender, until};
use crate::error::Result;
use crate::job::Job;
use crate::sides;
use crate::slices::Slices;
use crate::sys::now;

/// Time for the receiver to fall asleep.
const ASLEEP: Duration = Duration::from_micros(100);

/// Measures it; the link's receiver must sleep.
pub fn measure<L: Link>(job: &Job) -> Result<Value> {
    let link = L::lay(job, 0)?;
    let (figures, _) = sides::run(
        job,
        |control| {
            let mut tx = link.tx()?;
            control.meet();
            let (mut ways, mut sends) = (Vec::new(), Vec::new());
            let end = now() + job.micros * 1000;
            let mut seq = 0;
            while now() < end || ways.len() < 3 {
                let asleep = now() + ASLEEP.as_nanos() as u64;
                seq += 1;
                control.go(seq);
                until(|| now() >= asleep);
                let start = now();
                tx.send(seq);
                let sent = now();
                control.reached(seq);
                let awake = control.stamp(0).load(Relaxed);
                ways.push(awake.saturating_sub(start) as f64);
                sends.push((sent - start) as f64);
            }
            let mut figures = Slices::of(ways).figures(1.0);
            figures["sender"] = json!(Slices::of(sends).figures(1.0)["ns"]);
            Ok(figures)
        },
        |control| {
            let mut rx = link.rx()?;
            control.meet();
            control.follow(|_, seq| {
                rx.recv(seq);
                control.stamp(0).store(now(), Relaxed);
            });
            Ok(String::new())
        },
    )?;
    Ok(figures)
}
