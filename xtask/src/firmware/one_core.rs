//! Ports of one core.
//!
//! The emulators count instructions as time, so these runs are the same every time and everywhere.

use crate::run::{Outcome, together};

use super::lab::Lab;

/// A Cortex-M3.
pub const CORTEX_M3: &str = "qemu-system-arm -M mps2-an385 -icount shift=5,sleep=off -display none \
                         -monitor none -serial none -semihosting";
/// A Cortex-M0.
const CORTEX_M0: &str = "qemu-system-arm -M microbit -icount shift=6,sleep=off -display none \
                         -monitor none -serial none -semihosting";
/// A RISC-V that stops at an instruction for atomics.
const RISCV: &str = "qemu-system-riscv32 -M virt -cpu rv32,a=false,f=false,d=false -bios none \
                     -icount shift=5,sleep=off -display none -monitor none -serial none -semihosting";

/// Builds and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let (thumbv6m, thumbv7m) = ("thumbv6m-none-eabi", "thumbv7m-none-eabi");
    let riscv32imc = "riscv32imc-unknown-none-elf";
    together(&[
        ("interrupt", lab.build("interrupt", thumbv7m)),
        ("an interrupt and a queue", lab.try_on(CORTEX_M3, thumbv7m, "queue")),
        ("an interrupt and a region", lab.try_on(CORTEX_M3, thumbv7m, "region")),
        ("no-cas on thumbv6m", lab.build("no-cas", thumbv6m)),
        ("a Cortex-M0", lab.try_on(CORTEX_M0, thumbv6m, "no-cas")),
        ("no-cas on riscv32imc", lab.build("no-cas", riscv32imc)),
        ("a RISC-V without atomics", lab.try_on(RISCV, riscv32imc, "no-cas")),
    ])
}
