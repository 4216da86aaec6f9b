//! A latest value: what reading and publishing cost.

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use crate::ends::{Link, Sender, Values};
use crate::error::Result;
use crate::job::{Job, Mode};
use crate::slices::Slices;
use crate::{payload, sides};

/// A reader that gives the newest value, seen before or not.
pub trait Look<const N: usize> {
    /// The newest value, if the writer did not come in between.
    fn look(&mut self) -> Option<[u64; N]>;
}

/// Reading what has not changed, publishing with nobody there, and with a reader that never rests.
pub fn measure<L, E, const N: usize>(job: &Job) -> Result<Value>
where
    L: Link<Rx = Values<E, N>>,
    E: Look<N>,
{
    let part = Job { micros: job.micros / 3, mode: Mode::Threads, ..job.clone() };
    let link = L::lay(&part, 0)?;
    let ((mut figures, alone), _) = sides::run(
        &part,
        |_| {
            let (mut tx, mut rx) = (link.tx()?, link.rx()?);
            tx.send(1);
            let read = Slices::time(part.budget(), 64, |count| {
                for _ in 0..count {
                    let value = black_box(rx.end()).look().expect("nobody writes");
                    payload::check(1, N, payload::sum(&value));
                    black_box(value);
                }
            });
            let mut seq = 1;
            let publish = Slices::time(part.budget(), 64, |count| {
                for _ in 0..count {
                    seq += 1;
                    tx.send(black_box(seq));
                }
            });
            Ok((read.figures(1.0), publish.figures(1.0)))
        },
        |_| Ok(String::new()),
    )?;
    figures["publish"] = alone["ns"].clone();

    let link = L::lay(&part, 1)?;
    let (watched, _) = sides::run(
        &part,
        |control| {
            let mut tx = link.tx()?;
            tx.send(1);
            control.meet();
            let mut seq = 1;
            let publish = Slices::time(part.budget(), 64, |count| {
                for _ in 0..count {
                    seq += 1;
                    tx.send(black_box(seq));
                }
            });
            control.stamp(0).store(1, Relaxed);
            Ok(publish.figures(1.0))
        },
        |control| {
            let mut rx = link.rx()?;
            control.meet();
            let mut last = 0;
            while control.stamp(0).load(Relaxed) == 0 {
                if let Some(value) = rx.end().look() {
                    payload::check(value[0], N, payload::sum(&value));
                    assert!(value[0] >= last, "WRONG DATA: an older value after a newer one");
                    last = value[0];
                }
            }
            Ok(String::new())
        },
    )?;
    figures["publish_watched"] = json!(watched["ns"]);
    Ok(figures)
}
