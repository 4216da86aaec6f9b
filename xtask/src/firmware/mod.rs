//! The lane `firmware`: the ports under `ports/`, built for their targets and run in QEMU.
//!
//! Each program ends with a line that says what it proved, and every run has a time limit. QEMU runs a
//! guest's atomics as the host's, so nothing here proves anything about exclusives on a real bus. What the
//! ports lean on and this machine can show follows.

mod c;
mod costs;
mod drive;
mod guide;
mod lab;
mod one_core;
mod remote;
mod rtos;
mod trial;
mod two_cores;

use crate::parts::parts;
use crate::run::Outcome;
use crate::{peers, words};

use lab::Lab;

/// Builds and runs all of them.
pub fn lane() -> Outcome {
    let lab = match Lab::new() {
        Ok(lab) => lab,
        Err(outcome) => return outcome,
    };
    parts(&[
        ("formatting", &|| lab.formatting()),
        ("one core", &|| one_core::run(&lab)),
        ("two cores", &|| two_cores::run(&lab)),
        ("C", &|| c::run(&lab)),
        ("drive", &|| drive::run(&lab)),
        ("tasks", &|| rtos::run(&lab)),
        ("costs", &|| costs::run(&lab)),
        ("the guide", &|| guide::run(&lab)),
        ("what ports lean on", &on_the_host),
    ])
}

/// The ports' promises that are shown on this machine: peers in other languages, and other word sizes. (Memory that is not
/// coherent, by a double of its cache, and the C interface are parts of `test`.)
fn on_the_host() -> Outcome {
    parts(&[("peers in other languages", &peers::peers), ("word sizes", &words::words)])
}
