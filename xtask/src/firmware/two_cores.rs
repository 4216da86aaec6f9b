//! Two Cortex-M33 that share memory.
//!
//! They run in parallel, at the host's pace, so each run is another one.

use crate::run::{Outcome, together};

use super::lab::Lab;

const CORTEX_M33: &str =
    "qemu-system-arm -M mps2-an521 -display none -monitor none -serial none -semihosting";

/// Builds and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let target = "thumbv8m.main-none-eabi";
    together(&[
        ("two-cores", lab.build("two-cores", target)),
        ("two cores as one domain", lab.try_on(CORTEX_M33, target, "one-domain")),
        ("two cores as two domains", lab.try_on(CORTEX_M33, target, "two-domains")),
    ])
}
