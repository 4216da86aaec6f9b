//! Ports of one core.

use crate::run::{Outcome, together};

use super::lab::Lab;

/// A Cortex-M3.
const CORTEX_M3: &str = "qemu-system-arm -M mps2-an385 -display none -monitor none -serial none -semihosting";

/// Builds and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let thumbv7m = "thumbv7m-none-eabi";
    together(&[
        ("build", lab.build("interrupt", thumbv7m)),
        ("queue", lab.try_on(CORTEX_M3, thumbv7m, "queue")),
    ])
}
