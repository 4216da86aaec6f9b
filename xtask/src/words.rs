//! The lane `words`: other word sizes and byte orders, as Linux processes.
//!
//! 32-bit x86 runs by itself, the others under qemu-user. (Where a test that starts processes is run there by
//! hand, its children are started through the emulator too: `STRAIT_TEST_RUNNER`.) What an emulator shows is
//! that the code is right for the word size and the layout; a weakly ordered processor it is not, for it runs
//! on this machine's memory.

use crate::lanes::Debian;
use crate::run::{Outcome, together};

const TARGET: &str = "target/words";

/// Seconds that one test program may run in an emulator. The slowest of them takes a tenth of it.
const LIMIT: u32 = 900;

/// A target, the program that links for it, and the emulator that runs it, if it needs one.
struct Machine {
    target: &'static str,
    linker: &'static str,
    runner: Option<&'static str>,
}

const X86: Machine = Machine { target: "i686-unknown-linux-gnu", linker: "gcc", runner: None };
const ARM: Machine = Machine {
    target: "armv7-unknown-linux-gnueabihf",
    linker: "arm-linux-gnueabihf-gcc",
    runner: Some("qemu-arm -L /usr/arm-linux-gnueabihf"),
};
const AARCH64: Machine = Machine {
    target: "aarch64-unknown-linux-gnu",
    linker: "aarch64-linux-gnu-gcc",
    runner: Some("qemu-aarch64 -L /usr/aarch64-linux-gnu"),
};
const S390X: Machine = Machine {
    target: "s390x-unknown-linux-gnu",
    linker: "s390x-linux-gnu-gcc",
    runner: Some("qemu-s390x -L /usr/s390x-linux-gnu"),
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

/// What takes minutes in an emulator, what asserts how much happens in a time, and what hangs there.
const NOT_EMULATED: &str = "the tests participants, random_images, no_alloc and lies of the core; of the Unix \
    port those that start processes, for the emulator's own fork was seen to hang in a process of several threads \
    (example word_sizes starts each by itself)";

/// The core's tests that are run in an emulator.
const EMULATED: &str = "--lib --test attach --test frame --test latest --test latest_steps --test layout \
    --test lies_state --test lock_tools --test locks --test locks_faults --test locks_limits \
    --test locks_regressions --test plan --test regressions --test run_time_types --test spsc \
    --test spsc_frames --test spsc_typed --test statics --test takeover --test takeover_steps --test wait";

/// Tests of the facade that know nothing of the processor.
const FACADE: &str = "--test threads --test kill --test locks --test scribble";

/// The suite on other machines, and processes of different word sizes on one region.
pub fn words() -> Outcome {
    let debian = match Debian::with(PACKAGES) {
        Ok(debian) => debian,
        Err(outcome) => return outcome,
    };
    println!("not run in an emulator: {NOT_EMULATED}");
    let suite = |machine: &Machine| match machine.runner {
        None => together(&[
            ("core", test(&debian, machine, "--tests -p strait-core")),
            ("Unix", test(&debian, machine, "--tests -p strait-os -p strait-os-unix")),
            ("facade", test(&debian, machine, &format!("-p strait {FACADE}"))),
        ]),
        Some(_) => together(&[
            ("core", test(&debian, machine, &format!("-p strait-core {EMULATED}"))),
            (
                "Unix",
                test(
                    &debian,
                    machine,
                    "-p strait-os -p strait-os-unix --lib --test domains --test event_linux --test incoherent --test rt",
                ),
            ),
        ]),
    };
    together(&[
        ("one region", meetings(&debian)),
        ("suite on x86 of 32 bits", suite(&X86)),
        ("suite on ARM of 32 bits", suite(&ARM)),
        ("suite on ARM of 64 bits", suite(&AARCH64)),
    ])
}

/// Processes of different word sizes on one region.
fn meetings(debian: &Debian) -> Outcome {
    together(&[
        ("x86 of 32 bits beside 64", meet(debian, &X86, "")),
        ("ARM of 32 bits beside x86", meet(debian, &ARM, "")),
        ("ARM of 64 bits beside x86", meet(debian, &AARCH64, "")),
        ("big-endian, refused", meet(debian, &S390X, "--refused ")),
    ])
}

/// A command of Debian's cargo for a machine, with the standard library compiled along.
fn cargo(debian: &Debian, machine: &Machine, command: &str, args: &str) -> crate::run::Run {
    let target = machine.target;
    let variable = |end: &str| format!("CARGO_TARGET_{}_{end}", target.to_uppercase().replace('-', "_"));
    let build = format!("-Zbuild-std=std,panic_unwind,test --target {target}");
    let cargo =
        debian.cargo(TARGET, &format!("{command} {build} {args}")).with(&variable("LINKER"), machine.linker);
    match machine.runner {
        Some(runner) => cargo
            .with(&variable("RUNNER"), &format!("timeout {LIMIT} {runner}"))
            .with("STRAIT_TEST_RUNNER", runner),
        None => cargo,
    }
}

fn test(debian: &Debian, machine: &Machine, args: &str) -> Outcome {
    cargo(debian, machine, "test", args).run()
}

/// The example `word_sizes` of this machine with that of another one.
fn meet(debian: &Debian, other: &Machine, expected: &str) -> Outcome {
    let built = cargo(debian, other, "build", "--example word_sizes").run();
    if built != Outcome::Passed {
        return built;
    }
    let program = format!("{TARGET}/{}/debug/examples/word_sizes", other.target);
    let runner = other.runner.map(|runner| format!("{runner} ")).unwrap_or_default();
    let run = format!("run --quiet --example word_sizes -- {expected}{runner}{program}");
    crate::run::Run::cargo(&run).run()
}
