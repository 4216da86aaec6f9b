//! The lane `guest`: a virtual machine and its host on one region, in the memory of QEMU's device `ivshmem`.
//!
//! On ARM, Linux maps that memory as a device's, in which accesses must be aligned. The guest (examples/guest) first
//! tries accesses that are not: where the emulator takes them, the lane has shown that both sides understand each
//! other, and nothing about ARM, and says that it was skipped. Then two guests, one of each kind, and a process exchange
//! everything that crosses machines, and each of them is killed.

mod cpio;
mod tools;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use crate::cache;
use crate::lanes::{Debian, unavailable};
use crate::musl::{self, Musl};
use crate::parts::parts;
use crate::run::{Outcome, Run};
use crate::say::say;
use crate::sysroot::{self, STD};

use cpio::{Archive, DEVICES};
use tools::{Tools, Wanted};

const PACKAGES: &[&str] = &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "xz-utils"];

/// A virtual machine and its program.
struct Guest {
    target: &'static str,
    linker: &'static str,
    tools: &'static Wanted,
    /// But for the memory that it shares.
    machine: &'static str,
    console: &'static str,
}

/// Two processors, as one alone is not checked by all versions.
const ARM: Guest = Guest {
    target: "aarch64-unknown-linux-gnu",
    linker: "aarch64-linux-gnu-gcc",
    tools: &tools::ARM,
    machine: "-M virt -cpu cortex-a72 -smp 2 -accel tcg,thread=multi -m 256M",
    console: "console=ttyAMA0",
};

/// Its program is linked with musl.
const X86: Guest = Guest {
    target: "x86_64-unknown-linux-musl",
    linker: "gcc",
    tools: &tools::X86,
    machine: "-M q35 -cpu max -accel tcg -m 256M",
    console: "console=ttyS0",
};

/// What all machines have.
const DEVICES_OF_ALL: &str = "-nodefaults -display none -serial stdio -no-reboot";
const SHARED: &str = "-device ivshmem-plain,memdev=shared";
const KERNEL_LINE: &str = "quiet panic=-1";

/// The same machine with what gives a program its interrupts.
const X86_WITH_IOMMU: &str = "-M q35,kernel-irqchip=split -cpu max -accel tcg -m 256M";
const IOMMU: &str = "-device intel-iommu,intremap=on,caching-mode=on";

/// The machine whose device has doorbells. It runs no program: the example is its server, and kills it.
const DOORBELL: &str = "-M virt -cpu cortex-a72 -m 64M -nodefaults";

/// How the example says that the emulator does not check.
const UNCHECKED: &str = "exit status: 3";

/// Runs it.
pub fn lane() -> Outcome {
    guest().unwrap_or_else(|outcome| outcome)
}

fn guest() -> Result<Outcome, Outcome> {
    let debian = Debian::with(PACKAGES)?;
    let sysroot = sysroot::flag(&debian, &STD, &[ARM.target, X86.target])?;
    passed(Run::cargo("build --quiet --example guest").run())?;
    let arm = || {
        let flags = format!("{sysroot} -Ctarget-feature=+crt-static");
        let folder = cache::target("guest")?;
        Ready::new(&ARM, &debian, &folder, &flags)
    };
    let with_musl = || {
        let flags = format!("{sysroot} {}", Musl::new()?.flags(&musl::MACHINES[0]));
        // As `words` builds it.
        Ok((cache::target("words")?, flags))
    };
    let x86 = || {
        let (folder, flags) = with_musl()?;
        Ready::new(&X86, &debian, &folder, &flags)
    };
    let both = || Ok(pair(&arm()?, &x86()?));
    let doorbells = || {
        doorbells()?;
        let (folder, flags) = with_musl()?;
        asleep(&debian, &folder, &flags)
    };
    // What a machine cannot, it says in the end; the other parts run all the same.
    let skipped = RefCell::new(None);
    let part = |run: &dyn Fn() -> Result<Outcome, Outcome>| match run().unwrap_or_else(|outcome| outcome) {
        Outcome::Skipped(why) => {
            say!("SKIPPED: {why}");
            *skipped.borrow_mut() = Some(why);
            Outcome::Passed
        }
        other => other,
    };
    let outcome = parts(&[
        ("ARM", &|| part(&|| boot(&arm()?))),
        ("x86", &|| part(&|| boot(&x86()?))),
        ("pair", &|| part(&both)),
        ("doorbells", &|| part(&doorbells)),
        ("buffers", &|| part(&|| Ok(buffers(&x86()?)))),
    ]);
    Ok(match (outcome, skipped.take()) {
        (Outcome::Passed, Some(why)) => Outcome::Skipped(why),
        (outcome, _) => outcome,
    })
}

/// A machine that shares memory in a file, ready to be started.
struct Ready {
    guest: &'static Guest,
    tools: Tools,
    archive: String,
}

impl Ready {
    /// Builds the example for the guest, and packs it.
    fn new(guest: &'static Guest, debian: &Debian, folder: &str, flags: &str) -> Result<Self, Outcome> {
        let tools = Tools::new(guest.tools)?;
        let program = build(guest, debian, folder, flags)?;
        let archive = format!("{folder}/initramfs");
        pack(&program, &[], &archive).map_err(|error| Outcome::Failed(format!("{archive}: {error}")))?;
        Ok(Self { guest, tools, archive })
    }

    /// Adds the command that starts it, with further parameters for its program.
    fn add(&self, run: Run, memory: &str, parameters: &str) -> Run {
        let object = format!("memory-backend-file,id=shared,size=16M,mem-path={memory},share=on");
        let run = machine(run, self.guest, &self.tools, &self.archive, SHARED);
        let line = format!("{} {KERNEL_LINE}{parameters}", self.guest.console);
        run.argument("-object").argument(&object).argument("-append").word(&line)
    }
}

/// A file for the machines' memory. Not on a disk: each store of a guest would be one of the file's.
fn memory(what: &str) -> String {
    format!("/dev/shm/strait-{what}-{}", std::process::id())
}

/// Two machines and a process of the host, on one memory.
fn pair(arm: &Ready, x86: &Ready) -> Outcome {
    let memory = memory("pair");
    let run = Run::cargo(&format!("run --quiet --example guest -- pair {memory}"));
    let run = arm.add(run, &memory, " party").argument("and");
    x86.add(run, &memory, " party").run()
}

/// A machine and a process of the host; the machine is killed, and started again.
fn boot(ready: &Ready) -> Result<Outcome, Outcome> {
    let memory = memory("guest");
    let run = Run::cargo(&format!("run --quiet --example guest -- host {memory}"));
    Ok(match ready.add(run, &memory, "").run() {
        Outcome::Failed(how) if how == UNCHECKED => {
            unavailable("the old copies in a device's memory: skipped, this QEMU does not check".into())
        }
        other => other,
    })
}

/// A machine by itself, whose kernel makes buffers of drivers.
fn buffers(ready: &Ready) -> Outcome {
    let run = Run::cargo("run --quiet --example guest -- buffers");
    let run = machine(run, ready.guest, &ready.tools, &ready.archive, "");
    run.argument("-append").word(&format!("{} {KERNEL_LINE} buffers", ready.guest.console)).run()
}

/// Builds the example for the guest, and returns where it is.
fn build(guest: &Guest, debian: &Debian, folder: &str, flags: &str) -> Result<String, Outcome> {
    let Guest { target, linker, .. } = guest;
    let args = format!("build --quiet -p strait -p strait-os --target {target} --example guest");
    let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
    passed(debian.optimized_cargo(folder, flags, &args).with(&variable, linker).run())?;
    Ok(format!("{folder}/{target}/debug/examples/guest"))
}

/// Adds the command of the machine, with further devices.
fn machine(mut run: Run, guest: &Guest, tools: &Tools, archive: &str, devices: &str) -> Run {
    for word in tools.qemu() {
        run = run.argument(&word);
    }
    for word in [guest.machine, DEVICES_OF_ALL, devices].into_iter().flat_map(str::split_whitespace) {
        run = run.argument(word);
    }
    for word in ["-kernel", &tools.kernel.to_string_lossy(), "-initrd", archive] {
        run = run.argument(word);
    }
    run
}

/// A guest that sleeps on the interrupt of its device, and wakes the host by it; it is killed in the end. The example is
/// the device's server as well.
fn asleep(debian: &Debian, folder: &str, flags: &str) -> Result<Outcome, Outcome> {
    let tools = Tools::new(X86.tools)?;
    let program = build(&X86, debian, folder, flags)?;
    let archive = format!("{folder}/initramfs-doorbells");
    pack(&program, &tools.modules, &archive)
        .map_err(|error| Outcome::Failed(format!("{archive}: {error}")))?;
    let memory = memory("doorbells");
    let run = Run::cargo(&format!("run --quiet --example guest -- doorbells {memory}"));
    let guest = Guest { machine: X86_WITH_IOMMU, ..X86 };
    let run = machine(run, &guest, &tools, &archive, IOMMU);
    Ok(run.argument("-append").word(&format!("{} {KERNEL_LINE} intel_iommu=on doorbells", X86.console)).run())
}

/// A real QEMU at the server of the example `ivshmem_server`.
fn doorbells() -> Result<(), Outcome> {
    let tools = Tools::new(ARM.tools)?;
    let mut run = Run::cargo("run --quiet --example ivshmem_server -- qemu");
    for word in tools.qemu().iter().map(String::as_str).chain(DOORBELL.split_whitespace()) {
        run = run.argument(word);
    }
    passed(run.run())
}

fn passed(outcome: Outcome) -> Result<(), Outcome> {
    if outcome == Outcome::Passed { Ok(()) } else { Err(outcome) }
}

/// A file system with the program as its first process, what that needs before it has mounted anything, and modules of the
/// kernel, whose names begin with their order.
fn pack(program: &str, modules: &[PathBuf], archive: &str) -> std::io::Result<()> {
    let mut made = Archive::default();
    made.folder("dev");
    made.folder("modules");
    for (at, module) in modules.iter().enumerate() {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        made.program(&format!("modules/{at}-{name}"), &fs::read(module)?);
    }
    for (name, major, minor) in DEVICES {
        made.device(name, major, minor);
    }
    made.program("init", &fs::read(program)?);
    fs::write(archive, made.finish())
}
