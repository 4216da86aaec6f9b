//! The lanes: steps that need system packages.
//!
//! A lane installs what is missing with apt-get and says so. Where that is impossible it is
//! skipped with the reason, but fails under `CI=true`: there, nothing may drop out unseen.

use std::env;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::parts::parts_and_nightly;
use crate::run::{Outcome, Run};
use crate::say::say;
use crate::sysroot::{self, CHECKED, CORE, Library, STD};
use crate::{cache, crates};

/// Debian's own Rust, which unlike a rustup toolchain brings the library sources, so that `core`
/// and `std` can be built for any target, and in any way.
const RUST: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// The oldest release of it that builds what the lanes build: `rust-version` of the manifests.
const RELEASE: u32 = 95;

const BARE_METAL: &[&str] = &["thumbv6m-none-eabi", "riscv32imc-unknown-none-elf", "thumbv7m-none-eabi"];
const WORD_SIZES: &[&str] = &["i686-unknown-linux-gnu", "s390x-unknown-linux-gnu"];
const OTHER_UNIX: &[&str] = &["x86_64-apple-darwin", "x86_64-unknown-freebsd"];
const ANDROID: &[&str] = &["aarch64-linux-android"];

/// The compiler and cargo of those packages.
pub struct Debian {
    cargo: String,
    rustc: String,
    version: String,
}

impl Debian {
    /// Installs what is missing of them, and of `further` packages.
    ///
    /// # Errors
    ///
    /// The lane's outcome without them.
    pub fn with(further: &[&str]) -> Result<Self, Outcome> {
        packages(&[RUST, further].concat())?;
        let debian = Self::find()?;
        if debian.is_recent() {
            return Ok(debian);
        }
        // It was installed from an old list of packages.
        required(fetch(&RUST.join(" ")))?;
        let debian = Self::find()?;
        if debian.is_recent() {
            return Ok(debian);
        }
        required(Err(format!("Debian's Rust is older than 1.{RELEASE}, and there is no newer package")))?;
        Ok(debian)
    }

    fn find() -> Result<Self, Outcome> {
        let (Some(cargo), Some(rustc)) =
            (file_of("cargo-web", "/bin/cargo"), file_of("rustc-web", "/bin/rustc"))
        else {
            return Err(Outcome::Failed("the installed packages hold no cargo or no rustc".into()));
        };
        let version = output(&rustc, &["--version"]).unwrap_or_default();
        Ok(Self { cargo, rustc, version })
    }

    fn is_recent(&self) -> bool {
        release(&self.version) >= Some(RELEASE)
    }

    /// The compiler's version, as it prints it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A command of that cargo, with these flags for the compiler. The results go to the folder `target`.
    pub fn cargo(&self, target: &str, flags: &str, args: &str) -> Run {
        undebugged(self.plain_cargo(target, flags, args))
    }

    /// The same for what runs in an emulator or with a sanitizer, where every instruction counts. With this compiler
    /// the core's tests take four times as long to build: what runs by itself is not worth it.
    pub fn optimized_cargo(&self, target: &str, flags: &str, args: &str) -> Run {
        self.cargo(target, flags, args).with("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
    }

    /// The same in the profiles as they are.
    pub fn plain_cargo(&self, target: &str, flags: &str, args: &str) -> Run {
        self.run(&self.cargo, target, flags, args)
    }

    /// A `clippy` command of the same packages, which must be installed with `rust-web-clippy`.
    pub fn clippy(&self, target: &str, flags: &str, args: &str) -> Run {
        // Through cargo it would be another toolchain's, which rustup puts in front.
        undebugged(self.run("/usr/bin/cargo-clippy", target, flags, args)).with("CARGO", &self.cargo)
    }

    fn run(&self, program: &str, target: &str, flags: &str, args: &str) -> Run {
        let run = Run::new(program.into(), program, args)
            // Set by rustup and by the cargo that runs us, for another toolchain than this one.
            .without(&["CARGO", "RUSTUP_TOOLCHAIN", "RUSTDOC", "LD_LIBRARY_PATH"])
            .with("CARGO_TARGET_DIR", target)
            .with("RUSTC", &self.rustc)
            .with("RUSTC_BOOTSTRAP", "1");
        if flags.is_empty() { run } else { run.with("RUSTFLAGS", flags) }
    }
}

/// The lanes build everything several times over, and nobody debugs what they build.
fn undebugged(run: Run) -> Run {
    run.with("CARGO_PROFILE_DEV_DEBUG", "0")
}

/// Builds or checks the crates for targets other than the host.
pub fn cross() -> Outcome {
    targets().unwrap_or_else(|outcome| outcome)
}

fn targets() -> Result<Outcome, Outcome> {
    let debian = Debian::with(&[])?;
    let target = cache::target("cross")?;
    // Libraries only: no linker is needed.
    let cargo = |library: &Library, args: &str, targets: &[&str]| {
        let flag = match sysroot::flag(&debian, library, targets) {
            Ok(flag) => flag,
            Err(outcome) => return outcome,
        };
        debian.cargo(&target, &flag, &format!("{args} --target {}", targets.join(" --target "))).run()
    };
    let core = "--keep-going -p strait-core --features embedded-io-07";
    Ok(parts_and_nightly(
        &[
            // thumbv6m has no compare-and-swap. There is no `alloc` for these targets, so a build that passes also
            // shows that nothing needs it.
            ("bare metal", &|| cargo(&CORE, &format!("build {core}"), BARE_METAL)),
            // 32 bits with an operating system, and a big-endian machine.
            ("word sizes", &|| cargo(&STD, &format!("check {core}"), WORD_SIZES)),
        ],
        // A standard library each, for which nothing else has a use.
        &[
            ("other Unix", &|| cargo(&CHECKED, &format!("check --keep-going {}", crates::UNIX), OTHER_UNIX)),
            ("Android", &|| cargo(&CHECKED, &format!("check --keep-going {}", crates::ANDROID), ANDROID)),
        ],
    ))
}

/// Installs those of a lane's packages that are missing.
///
/// # Errors
///
/// The lane's outcome without them.
pub fn packages(names: &[&str]) -> Result<(), Outcome> {
    required(install(names))
}

/// The outcome of a lane that cannot get what it needs.
fn required(found: Result<(), String>) -> Result<(), Outcome> {
    found.map_err(unavailable)
}

/// The outcome of a lane whose needs are not met: skipped, or failed in CI.
pub fn unavailable(reason: String) -> Outcome {
    unavailable_where(reason, env::var("CI").ok().as_deref())
}

/// The same where `ci` is the variable `CI`.
fn unavailable_where(reason: String, ci: Option<&str>) -> Outcome {
    if ci == Some("true") { Outcome::Failed(reason) } else { Outcome::Skipped(reason) }
}

/// Installs those of the packages that are missing.
fn install(packages: &[&str]) -> Result<(), String> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    fetch(&missing.join(" "))
}

/// Installs the newest of these packages.
fn fetch(names: &str) -> Result<(), String> {
    if output("apt-get", &["--version"]).is_none() {
        return Err(format!("{names} not installed or too old, and there is no apt-get"));
    }
    if output("id", &["-u"]).is_none_or(|id| id.trim() != "0") {
        return Err(format!("not root; first run: apt-get install --no-install-recommends {names}"));
    }
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    say!("installing {names} with apt-get");
    let get = |args: &str| {
        let args = format!("-q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 {args}");
        Run::new("apt-get".into(), "apt-get", &args).with("DEBIAN_FRONTEND", "noninteractive").run()
    };
    // The lists may be absent, or so old that what they name is gone, or too old for us. Without a
    // network there is nothing newer, and the packages may be there all the same.
    if get("update") != Outcome::Passed {
        say!("note: the lists of packages stay as they are");
    }
    match get(&format!("install --no-install-recommends {names}")) {
        Outcome::Passed => Ok(()),
        _ => Err(format!("apt-get could not install {names}")),
    }
}

/// The second number of a version, in what a compiler says of itself.
fn release(text: &str) -> Option<u32> {
    text.split_whitespace().nth(1)?.split('.').nth(1)?.parse().ok()
}

fn installed(package: &str) -> bool {
    output("dpkg-query", &["-W", "-f", "${db:Status-Abbrev}", package])
        .is_some_and(|state| state.starts_with("ii"))
}

/// The path of a file that a package brings, by how it ends.
pub fn file_of(package: &str, end: &str) -> Option<String> {
    output("dpkg", &["-L", package]).and_then(|files| file_in(&files, end))
}

fn file_in(files: &str, end: &str) -> Option<String> {
    files
        .lines()
        // cargo-web has a wrapper script of the same name there.
        .filter(|file| !file.starts_with("/usr/share/"))
        .find(|file| file.ends_with(end))
        .map(String::from)
}

/// The output of a command, if it can be run and succeeds.
pub fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{file_in, release, unavailable_where};
    use crate::run::{Outcome, together};

    #[test]
    fn the_program_is_found_and_not_the_wrapper() {
        let files = "/.\n/usr/share/cargo/bin/cargo\n/usr/bin\n/usr/bin/cargo\n";
        assert_eq!(file_in(files, "/bin/cargo").as_deref(), Some("/usr/bin/cargo"));
        assert_eq!(file_in(files, "/bin/rustc"), None);
    }

    #[test]
    fn the_release_is_read_from_what_a_compiler_says() {
        assert_eq!(release("rustc 1.96.0 (30a34c682 2026-05-25) (built from a source tarball)\n"), Some(96));
        assert_eq!(release("no compiler"), None);
    }

    #[test]
    fn a_lane_without_its_packages_fails_in_ci_only() {
        let why = || String::from("not root");
        assert_eq!(unavailable_where(why(), None), Outcome::Skipped(why()));
        assert_eq!(unavailable_where(why(), Some("")), Outcome::Skipped(why()));
        assert_eq!(unavailable_where(why(), Some("true")), Outcome::Failed(why()));
    }

    #[test]
    fn a_lane_names_the_parts_that_failed() {
        let bad = || Outcome::Failed("exit status: 101".into());
        assert_eq!(together(&[("a", Outcome::Passed)]), Outcome::Passed);
        assert_eq!(
            together(&[("a", bad()), ("b", Outcome::Passed), ("c", bad())]),
            Outcome::Failed("a, c".into())
        );
    }
}
