//! Firmware in C: the static library of the C interface, linked by the compiler for C with newlib.

use crate::lanes::packages;
use crate::run::{Outcome, Run, together};

use super::lab::Lab;

/// Its way to print would lead to the emulator's standard error.
const MACHINE: &str = "qemu-system-arm -M mps2-an385 -icount shift=5,sleep=off -display none -monitor none \
                       -serial none -chardev stdio,id=out -semihosting-config enable=on,chardev=out";
const FLAGS: &str = "-mcpu=cortex-m3 -mthumb -Os -std=c11 -Wall -Wextra -Werror -pedantic -ffunction-sections \
                     -nostartfiles -Wl,--gc-sections,-z,noexecstack --specs=nano.specs";

/// Builds and runs it.
pub fn run(lab: &Lab) -> Outcome {
    if let Err(outcome) = packages(&["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]) {
        return outcome;
    }
    let target = "thumbv7m-none-eabi";
    let library = lab.library("strait-capi", target);
    if library != Outcome::Passed {
        return together(&[("library", library)]);
    }
    let (out, sources) = (format!("{}/{target}", lab.folder), "ports/c-firmware");
    let args = format!(
        "{FLAGS} -T {sources}/link.ld -I capi/include {sources}/main.c {sources}/board.c \
         {out}/capi/libstrait_capi.a -o {out}/release/c-firmware"
    );
    let linked = Run::new("arm-none-eabi-gcc".into(), "arm-none-eabi-gcc", &args).run();
    if linked != Outcome::Passed {
        return together(&[("link", linked)]);
    }
    together(&[("a C interrupt", lab.try_on(MACHINE, target, "c-firmware"))])
}
