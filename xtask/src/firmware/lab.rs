//! The tools that build firmware: Debian's Rust for any target, and lld.

use std::time::Duration;

use crate::cache;
use crate::lanes::{Debian, file_of};
use crate::run::{Outcome, Run, together};
use crate::say::say;
use crate::sysroot::{self, ALLOC, CORE};

use super::trial::Trial;

/// Enough for every trial on a machine with much else to do.
pub const LIMIT: Duration = Duration::from_secs(120);

const THUMBV7M: &str = "thumbv7m-none-eabi";
const TARGETS: &[&str] =
    &["thumbv6m-none-eabi", THUMBV7M, "thumbv8m.main-none-eabi", "riscv32imc-unknown-none-elf"];

/// The linter that goes with that Rust.
const LINTER: &str = "rust-web-clippy";

/// A compiler of C for Cortex-M with the tools to look into programs, and its headers.
const C: &[&str] = &["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"];

/// The packages, installed.
pub struct Lab {
    pub debian: Debian,
    /// Where the results go.
    pub folder: String,
    /// The flags that put the standard library in, without `alloc` and with it.
    pub core: String,
    alloc: String,
}

impl Lab {
    /// Installs them.
    ///
    /// # Errors
    ///
    /// The lane's outcome without them.
    pub fn new() -> Result<Self, Outcome> {
        let packages = [&["lld", "qemu-system-arm", "qemu-system-misc", LINTER], C].concat();
        let debian = Debian::with(&packages)?;
        let core = sysroot::flag(&debian, &CORE, TARGETS)?;
        let alloc = sysroot::flag(&debian, &ALLOC, &[THUMBV7M])?;
        Ok(Self { debian, folder: cache::target("firmware")?, core, alloc })
    }

    /// The ports' formatting.
    pub fn formatting(&self) -> Outcome {
        Run::cargo("fmt --check").within("ports").run()
    }

    /// Lints and builds all programs of one package for `target`; warnings are errors.
    pub fn build(&self, package: &str, target: &str) -> Outcome {
        self.build_with(package, target, &self.core)
    }

    /// The same, with `alloc`; for the target that has it.
    pub fn build_with_alloc(&self, package: &str) -> Outcome {
        self.build_with(package, THUMBV7M, &self.alloc)
    }

    fn build_with(&self, package: &str, target: &str, sysroot: &str) -> Outcome {
        let cargo = |command: &str| {
            let args = format!("{command} --locked --release --target {target} -p {package}");
            self.debian.cargo(&self.folder, &format!("-Dwarnings {sysroot}"), &args)
        };
        let Some(linter) = file_of(LINTER, "/bin/clippy-driver") else {
            return Outcome::Failed(format!("{LINTER} holds no clippy-driver"));
        };
        // By `cargo clippy` rustup's linter would be found.
        let lints = cargo("check").with("RUSTC_WORKSPACE_WRAPPER", &linter).within("ports").run();
        together(&[("lints", lints), ("build", cargo("build").within("ports").run())])
    }

    /// Builds the static library of one of this repository's own packages, without its default features.
    pub fn library(&self, package: &str, target: &str) -> Outcome {
        let args = format!(
            "build --locked --profile capi --target {target} -p {package} --lib --no-default-features"
        );
        self.debian.cargo(&self.folder, &self.core, &args).run()
    }

    /// Runs a program that was built, in QEMU: `machine` is the emulator and its options. It must
    /// prove something.
    pub fn try_on(&self, machine: &str, target: &str, program: &str) -> Outcome {
        let line = format!("{machine} -kernel {}", self.image(target, program));
        verdict(&format!("{program} on {target}"), Trial::start(&line).and_then(|trial| trial.verdict(LIMIT)))
    }

    /// The path of a program that was built.
    pub fn image(&self, target: &str, program: &str) -> String {
        format!("{}/{target}/release/{program}", self.folder)
    }
}

/// Shows what was proved.
pub fn verdict(title: &str, proved: Result<String, String>) -> Outcome {
    match proved {
        Ok(proved) => {
            say!("   {title}: {proved}");
            Outcome::Passed
        }
        Err(why) => {
            say!("   {title}: FAILED: {why}");
            Outcome::Failed(why)
        }
    }
}
