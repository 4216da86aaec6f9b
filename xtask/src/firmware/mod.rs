//! The lane `firmware`: the ports under `ports/`, built for their targets and run in QEMU.
//!
//! Each program ends with a line that says what it proved, and every run has a time limit. QEMU runs a
//! guest's atomics as the host's, so nothing here proves anything about exclusives on a real bus.

mod c;
mod costs;
mod drive;
mod guide;
mod lab;
mod one_core;
mod rtos;
mod trial;
mod two_cores;

use crate::run::{Outcome, together};

use lab::Lab;

/// Builds and runs all of them.
pub fn lane() -> Outcome {
    let lab = match Lab::new() {
        Ok(lab) => lab,
        Err(outcome) => return outcome,
    };
    together(&[
        ("formatting", lab.formatting()),
        ("one core", one_core::run(&lab)),
        ("two cores", two_cores::run(&lab)),
        ("C", c::run(&lab)),
        ("drive", drive::run(&lab)),
        ("tasks", rtos::run(&lab)),
        ("costs", costs::run(&lab)),
        ("the guide", guide::run(&lab)),
    ])
}
