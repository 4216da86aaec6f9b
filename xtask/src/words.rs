//! The lane `words`: other word sizes and byte orders, and another C library, as Linux processes.
//!
//! 32-bit x86 runs by itself, the others under qemu-user. (Where a test that starts processes is run there by
//! hand, its children are started through the emulator too: `STRAIT_TEST_RUNNER`.) What an emulator shows is
//! that the code is right for the word size and the layout; a weakly ordered processor it is not, because it runs
//! on this machine's memory.

use crate::lanes::Debian;
use crate::musl::{self, Musl};
use crate::parts::parts_and_nightly;
use crate::run::{Outcome, Run, together};
use crate::say::say;
use crate::sysroot::{self, STD};
use crate::{cache, crates};

/// Seconds that one test program may run in an emulator. The slowest of them takes a tenth of it.
const LIMIT: u32 = 900;

/// A target, the program that links for it, and the emulator that runs it, if it needs one.
struct Machine {
    target: &'static str,
    linker: &'static str,
    runner: Option<&'static str>,
    /// The core's tests that are run there, but for those of its modules.
    core: &'static str,
}

const X86: Machine =
    Machine { target: "i686-unknown-linux-gnu", linker: "gcc", runner: None, core: "--tests" };
const ARM: Machine = Machine {
    target: "armv7-unknown-linux-gnueabihf",
    linker: "arm-linux-gnueabihf-gcc",
    runner: Some("qemu-arm -L /usr/arm-linux-gnueabihf"),
    core: EMULATED_AGAIN,
};
const AARCH64: Machine = Machine {
    target: "aarch64-unknown-linux-gnu",
    linker: "aarch64-linux-gnu-gcc",
    runner: Some("qemu-aarch64 -L /usr/aarch64-linux-gnu"),
    core: EMULATED,
};
/// The same with pages of 16 and of 64 KiB, as such systems have them.
const BIG_PAGES: [Machine; 2] = [
    Machine { runner: Some("qemu-aarch64 -p 16384 -L /usr/aarch64-linux-gnu"), ..AARCH64 },
    Machine { runner: Some("qemu-aarch64 -p 65536 -L /usr/aarch64-linux-gnu"), ..AARCH64 },
];
const S390X: Machine = Machine {
    target: "s390x-unknown-linux-gnu",
    linker: "s390x-linux-gnu-gcc",
    runner: Some("qemu-s390x -L /usr/s390x-linux-gnu"),
    // It takes no region.
    core: "",
};

const PACKAGES: &[&str] = &[
    "qemu-user",
    "gcc-12-multilib",
    "gcc-arm-linux-gnueabihf",
    "gcc-aarch64-linux-gnu",
    "gcc-s390x-linux-gnu",
    "libc6-dev-armhf-cross",
    "libc6-dev-arm64-cross",
    "libc6-dev-s390x-cross",
];

/// The tests that are left out: those that take minutes in an emulator, that assert rates, or that hang there.
const NOT_EMULATED: &str = "the tests participants, random_images, no_alloc and lies of the core; of the Unix \
    port those that start processes, because the emulator's own fork was seen to hang in a process of several threads \
    (example word_sizes starts each by itself)";

/// The core's tests that are run in an emulator, and on x86 of 32 bits with `--all`.
pub const EMULATED: &str = "--test core -- attach:: broadcast:: fanout:: message:: latest:: latest_steps:: layout:: \
    lies_state:: lock_tools:: locks:: locks_faults:: locks_limits:: locks_regressions:: plan:: regressions:: \
    run_time_types:: spsc:: spsc_frames:: spsc_typed:: statics:: takeover:: takeover_steps:: wait::";

/// Of those, the ones in which words are copied, published and taken over. The others run on x86 of 32 bits, and on ARM of 64.
pub const EMULATED_AGAIN: &str = "--test sanitized -- attach:: broadcast:: fanout:: latest:: lies_state:: regressions:: \
    spsc:: spsc_frames:: spsc_typed:: statics:: takeover:: wait::";

/// The Unix port's tests that are run in an emulator.
pub const UNIX_EMULATED: &str = "--test os -- domains:: event_linux:: incoherent:: rt::";

/// Tests of the facade that know nothing of the processor.
const FACADE: &str = "--test threads --test locks --test scribble";

/// The same, of a program from which no more is wanted: the queues' part.
const KILLED: &str = "--test killed -- kill::";

/// Tests of the Unix port with musl: what sleeps, locks and dies, by the C library's own functions.
pub const WITH_MUSL: &str = "--test os -- waiting:: liveness:: directory_unix:: semaphore::";

/// The packages of all commands for musl: the same ones, so that they are built once.
const MUSL_PACKAGES: &str = "-p strait -p strait-os";

/// The packages, the standard libraries of all machines, and where the results go.
struct Lab {
    debian: Debian,
    sysroot: String,
    folder: String,
}

/// The suite on other machines, and processes of different word sizes on one region.
pub fn words() -> Outcome {
    let lab = match Lab::new() {
        Ok(lab) => lab,
        Err(outcome) => return outcome,
    };
    say!("not run in an emulator: {NOT_EMULATED}");
    parts_and_nightly(
        &[
            ("one region", &|| lab.meetings()),
            ("musl", &|| lab.musl().unwrap_or_else(|outcome| outcome)),
            ("core on x86 of 32 bits", &|| lab.test(&X86, &format!("-p strait-core {EMULATED}"))),
        ],
        &[
            ("suite on x86 of 32 bits", &|| lab.on_x86()),
            ("suite on ARM of 32 bits", &|| lab.emulated(&ARM)),
            ("suite on ARM of 64 bits", &|| lab.emulated(&AARCH64)),
        ],
    )
}

impl Lab {
    fn new() -> Result<Self, Outcome> {
        let debian = Debian::with(PACKAGES)?;
        let targets = [&X86, &ARM, &AARCH64, &S390X].map(|machine| machine.target);
        let sysroot = sysroot::flag(&debian, &STD, &targets)?;
        Ok(Self { debian, sysroot, folder: cache::target("words")? })
    }

    fn on_x86(&self) -> Outcome {
        together(&[
            ("core", self.test(&X86, &format!("-p strait-core {}", X86.core))),
            ("Unix", self.test(&X86, &format!("--tests {}", crates::UNIX_SYSTEM_ALL))),
            ("facade", self.test(&X86, &format!("-p strait {FACADE}"))),
            ("facade, killed", self.test(&X86, &format!("-p strait {KILLED}"))),
        ])
    }

    fn emulated(&self, machine: &Machine) -> Outcome {
        let unix = crates::UNIX_SYSTEM_ALL;
        together(&[
            ("core", self.test(machine, "-p strait-core --lib")),
            ("core, from outside", self.test(machine, &format!("-p strait-core {}", machine.core))),
            ("Unix", self.test(machine, &format!("{unix} --lib"))),
            ("Unix, from outside", self.test(machine, &format!("{unix} {UNIX_EMULATED}"))),
        ])
    }

    /// Processes of different word sizes on one region.
    fn meetings(&self) -> Outcome {
        together(&[
            ("x86 of 32 bits beside 64", self.meet(&X86, "")),
            ("ARM of 32 bits beside x86", self.meet(&ARM, "")),
            ("ARM of 64 bits beside x86", self.meet(&AARCH64, "")),
            ("pages of 16 KiB beside 4", self.meet(&BIG_PAGES[0], "")),
            ("pages of 64 KiB beside 4", self.meet(&BIG_PAGES[1], "")),
            ("big-endian, refused", self.meet(&S390X, "--refused ")),
        ])
    }

    /// Static programs with musl: some of the suite, and a region of each and a process with glibc.
    fn musl(&self) -> Result<Outcome, Outcome> {
        let musl = Musl::new()?;
        sysroot::flag(&self.debian, &STD, &musl::MACHINES.each_ref().map(|machine| machine.target))?;
        let mut outcomes = Vec::new();
        for machine in &musl::MACHINES {
            let flags = format!("{} {}", self.sysroot, musl.flags(machine));
            let linker = format!("CARGO_TARGET_{}_LINKER", machine.target.to_uppercase().replace('-', "_"));
            let cargo = |command: &str, args: &str| {
                let args = format!("{command} --target {} {args}", machine.target);
                self.debian.cargo(&self.folder, &flags, &args).with(&linker, "gcc").run()
            };
            let tested = cargo("test", &format!("{MUSL_PACKAGES} {WITH_MUSL}"));
            outcomes.push((machine.target, tested));
            let built = cargo("build", &format!("{MUSL_PACKAGES} --example word_sizes"));
            let program = format!("{}/{}/debug/examples/word_sizes", self.folder, machine.target);
            outcomes.push((
                machine.target,
                match built {
                    Outcome::Passed => {
                        Run::cargo(&format!("run --quiet --example word_sizes -- {program}")).run()
                    }
                    failed => failed,
                },
            ));
        }
        Ok(together(&outcomes))
    }

    /// A command of Debian's cargo for a machine.
    fn cargo(&self, machine: &Machine, command: &str, args: &str) -> Run {
        let target = machine.target;
        let variable = |end: &str| format!("CARGO_TARGET_{}_{end}", target.to_uppercase().replace('-', "_"));
        let args = format!("{command} --target {target} {args}");
        let (folder, flags) = (&self.folder, &self.sysroot);
        let linker = variable("LINKER");
        match machine.runner {
            Some(runner) => self
                .debian
                .optimized_cargo(folder, flags, &args)
                .with(&linker, machine.linker)
                .with(&variable("RUNNER"), &format!("timeout {LIMIT} {runner}"))
                .with("STRAIT_TEST_RUNNER", runner),
            None => self.debian.cargo(folder, flags, &args).with(&linker, machine.linker),
        }
    }

    fn test(&self, machine: &Machine, args: &str) -> Outcome {
        self.cargo(machine, "test", args).run()
    }

    /// The example `word_sizes` of this machine with that of another one.
    fn meet(&self, other: &Machine, expected: &str) -> Outcome {
        let built = self.cargo(other, "build", "--example word_sizes").run();
        if built != Outcome::Passed {
            return built;
        }
        let program = format!("{}/{}/debug/examples/word_sizes", self.folder, other.target);
        let runner = other.runner.map(|runner| format!("{runner} ")).unwrap_or_default();
        let run = format!("run --quiet --example word_sizes -- {expected}{runner}{program}");
        Run::cargo(&run).run()
    }
}
