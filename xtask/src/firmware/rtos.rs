//! Ports to an executor and to an operating system, on one Cortex-M3.

use crate::run::{Outcome, together};

use super::lab::Lab;
use super::one_core::CORTEX_M3;

/// Builds and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let thumbv7m = "thumbv7m-none-eabi";
    together(&[
        ("async-embassy", lab.build("async-embassy", thumbv7m)),
        ("tasks of embassy's executor", lab.try_on(CORTEX_M3, thumbv7m, "async-embassy")),
        // The crate that brings the kernel needs `alloc` to be compiled; the port does not.
        ("freertos", lab.build_with_alloc("freertos")),
        ("tasks of FreeRTOS", lab.try_on(CORTEX_M3, thumbv7m, "freertos")),
    ])
}
