//! The lane `guest`: a virtual machine and its host on one region, in the memory of QEMU's device `ivshmem`.
//!
//! On ARM, Linux maps that memory as a device's, in which accesses must be aligned. The guest (examples/guest) first
//! tries accesses that are not: where the emulator takes them, the lane has shown that both sides understand each
//! other, and nothing about ARM, and says that it was skipped.

mod cpio;
mod tools;

use std::fs;

use crate::cache;
use crate::lanes::{Debian, unavailable};
use crate::run::{Outcome, Run};
use crate::sysroot::{self, STD};

use cpio::{Archive, DEVICES};
use tools::Tools;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const PACKAGES: &[&str] = &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"];

/// The machine: two processors, as one alone is not checked by all versions; and the memory that it shares.
const MACHINE: &str = "-M virt -cpu cortex-a72 -smp 2 -accel tcg,thread=multi -m 256M -nodefaults -display none \
    -serial stdio -no-reboot -device ivshmem-plain,memdev=shared";
/// The machine whose device has doorbells. It runs no program: the example is its server, and kills it.
const DOORBELL: &str = "-M virt -cpu cortex-a72 -m 64M -nodefaults";
const KERNEL_LINE: &str = "console=ttyAMA0 quiet panic=-1";

/// How the example says that the emulator does not check.
const UNCHECKED: &str = "exit status: 3";

/// Runs it.
pub fn lane() -> Outcome {
    guest().unwrap_or_else(|outcome| outcome)
}

fn guest() -> Result<Outcome, Outcome> {
    let debian = Debian::with(PACKAGES)?;
    let sysroot = sysroot::flag(&debian, &STD, &[TARGET])?;
    let tools = Tools::new()?;
    let folder = cache::target("guest")?;
    let flags = format!("{sysroot} -Ctarget-feature=+crt-static");
    let args = format!("build --quiet --target {TARGET} --example guest");
    let linker = format!("CARGO_TARGET_{}_LINKER", TARGET.to_uppercase().replace('-', "_"));
    passed(debian.cargo(&folder, &flags, &args).with(&linker, LINKER).run())?;

    let program = format!("{folder}/{TARGET}/debug/examples/guest");
    let archive = format!("{folder}/initramfs");
    pack(&program, &archive).map_err(|error| Outcome::Failed(format!("{archive}: {error}")))?;
    passed(Run::cargo("build --quiet --example guest").run())?;
    // Not on a disk: each store of the guest would be one of the file's.
    let memory = format!("/dev/shm/strait-guest-{}", std::process::id());
    let mut run = Run::cargo(&format!("run --quiet --example guest -- host {memory}"));
    for word in tools.qemu().iter().map(String::as_str).chain(MACHINE.split_whitespace()) {
        run = run.argument(word);
    }
    let object = format!("memory-backend-file,id=shared,size=16M,mem-path={memory},share=on");
    let kernel = tools.kernel.to_string_lossy();
    for word in ["-object", &object, "-kernel", &kernel, "-initrd", &archive] {
        run = run.argument(word);
    }
    let outcome = run.argument("-append").word(KERNEL_LINE).run();
    if outcome == Outcome::Passed {
        let mut run = Run::cargo("run --quiet --example ivshmem_server -- qemu");
        for word in tools.qemu().iter().map(String::as_str).chain(DOORBELL.split_whitespace()) {
            run = run.argument(word);
        }
        return Ok(run.run());
    }
    Ok(match outcome {
        Outcome::Failed(how) if how == UNCHECKED => {
            unavailable("this emulator takes accesses that a processor refuses".into())
        }
        other => other,
    })
}

fn passed(outcome: Outcome) -> Result<(), Outcome> {
    if outcome == Outcome::Passed { Ok(()) } else { Err(outcome) }
}

/// A file system with the program as its first process, and what that needs before it has mounted anything.
fn pack(program: &str, archive: &str) -> std::io::Result<()> {
    let mut made = Archive::default();
    made.folder("dev");
    for (name, major, minor) in DEVICES {
        made.device(name, major, minor);
    }
    made.program("init", &fs::read(program)?);
    fs::write(archive, made.finish())
}
