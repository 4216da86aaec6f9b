//! The steps of `cargo xtask test`, in the order in which they run.

use std::fmt::Write;
use std::sync::OnceLock;

use crate::parts::parts;
use crate::passed::unless_passed;
use crate::run::{Outcome, Run};
use crate::{
    api, bench, bridge, capi, csharp, deny, examples, firmware, fuzz, guest, lanes, linuxcnc, package, peers,
    python, runtimes, sanitize, see, windows, words,
};

/// How much of each step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The steps that find nearly everything in a few minutes.
    Quick,
    /// Everything; but what passed before, and whose result only its sources decide, is not searched again.
    Full,
    /// Everything, again.
    Anew,
}

/// When a step runs that is not asked for by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// With `--all`: it is a lane, which needs system packages.
    All,
    /// With `--nightly`: a lane that costs more than a change can wait for.
    Nightly,
    /// As a part of the lane of this name, and not by itself.
    Within(&'static str),
}

/// One named part of the test command.
pub struct Step {
    pub name: &'static str,
    /// A short description.
    pub what: &'static str,
    pub when: When,
    /// Skipped while this path does not exist.
    pub needs: Option<&'static str>,
    /// The folder that it builds in, if others do too: of these, one runs at a time.
    pub folder: Option<&'static str>,
    pub run: fn() -> Outcome,
}

/// Cargo's own.
const TARGET: Option<&str> = Some("target");
/// That of everything under the model checker.
const LOOM: Option<&str> = Some("target/loom");

/// That of programs for other machines.
const WORDS: Option<&str> = Some("words");

static EXTENT: OnceLock<Extent> = OnceLock::new();

/// Says how much is to run.
pub fn choose(extent: Extent) {
    // Said once, by `main`.
    let _ = EXTENT.set(extent);
}

/// Whether everything is to run: with `--nightly`, or where a step was asked for by its name.
pub fn everything() -> bool {
    EXTENT.get().is_none_or(|&extent| extent == Extent::Anew)
}

/// All steps, the lanes last.
pub fn all(extent: Extent) -> Vec<Step> {
    let either = |quick, full| if extent == Extent::Quick { quick } else { full };
    let either_run = |quick: fn() -> Outcome, full| if extent == Extent::Quick { quick } else { full };
    vec![
        Step {
            name: "fmt",
            what: "formatting",
            when: When::Always,
            needs: None,
            folder: TARGET,
            run: || Run::cargo("fmt --all --check").run(),
        },
        Step {
            name: "clippy",
            what: either("lints of the library, warnings are errors", "lints, warnings are errors"),
            when: When::Always,
            needs: None,
            folder: TARGET,
            run: either_run(|| lints(LIBRARY), || lints("--workspace")),
        },
        Step {
            name: "test",
            what: either("unit, integration and doc tests of the library", "unit, integration and doc tests"),
            when: When::Always,
            needs: None,
            folder: TARGET,
            run: either_run(quick_tests, tests),
        },
        Step {
            name: "examples",
            what: "the examples run, and check their own results",
            when: When::Always,
            needs: None,
            folder: TARGET,
            run: examples::natively,
        },
        Step {
            name: "models",
            what: either(
                "the protocols and endpoints under the model checker, most with fewer preemptions than \
                 with --all",
                "the protocols and endpoints under the model checker, with all preemptions but for the longest",
            ),
            when: When::Always,
            needs: Some("loom-tests"),
            folder: LOOM,
            run: match extent {
                Extent::Quick => || models("test", "quick"),
                Extent::Full => || unless_passed("models", || models("test", "most")),
                Extent::Anew => || models("test", "full"),
            },
        },
        Step {
            name: "control",
            what: either(
                "every named ordering weakened in turn must make a model fail, under the same preemptions",
                "every named ordering weakened in turn must make a model fail",
            ),
            when: When::Always,
            needs: Some("loom-tests/src/bin/control.rs"),
            folder: LOOM,
            run: match extent {
                Extent::Quick => || models("run --bin control", "quick"),
                Extent::Full => || unless_passed("control", || models("run --bin control", "most")),
                Extent::Anew => || models("run --bin control", "full"),
            },
        },
        Step {
            name: "instructions",
            what: "instructions an operation takes, and of what kind: as we build, and as a user does",
            when: When::All,
            needs: Some("tests/instructions.rs"),
            folder: TARGET,
            run: || {
                let test = "test --release --test instructions";
                let plain = || {
                    Run::cargo(test)
                        .with("CARGO_PROFILE_RELEASE_LTO", "false")
                        .with("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                        .with("CARGO_TARGET_DIR", "target/plain")
                        .run()
                };
                parts(&[("our profile", &|| Run::cargo(test).run()), ("a user's profile", &plain)])
            },
        },
        Step {
            name: "crash-points",
            what: "a kill before every store of every operation",
            when: When::All,
            needs: Some("tests/snapshots.rs"),
            folder: TARGET,
            run: || {
                Run::cargo("test -p strait --test snapshots every_crash_point -- --nocapture")
                    .with("RUSTFLAGS", "--cfg strait_crash_points")
                    .with("CARGO_TARGET_DIR", "target/crash")
                    .run()
            },
        },
        Step {
            name: "embedded-io",
            what: "lints of the libraries without the feature embedded-io-07, and documentation with it; `clippy` and `test` have it",
            when: When::All,
            needs: Some("core"),
            folder: TARGET,
            run: || parts(&[("lints", &feature::lints), ("docs", &feature::docs)]),
        },
        Step {
            name: "doc",
            what: "documentation, warnings are errors",
            when: When::All,
            needs: None,
            folder: TARGET,
            run: || Run::cargo("doc --workspace --no-deps").with("RUSTDOCFLAGS", "-D warnings").run(),
        },
        Step {
            name: "model-lints",
            what: "lints of the code that only the model checker sees",
            when: When::All,
            needs: None,
            folder: LOOM,
            run: || {
                modelled("clippy -p strait-core -p loom-tests --all-targets -- -D warnings")
                    .with("CARGO_TARGET_DIR", "target/loom")
                    .run()
            },
        },
        Step {
            name: "your-app",
            what: "a user's application under the model checker, and its seeded bug found",
            when: When::All,
            needs: Some("examples/verify-your-app/Cargo.toml"),
            folder: LOOM,
            run: || {
                modelled("test --release")
                    .with("CARGO_TARGET_DIR", "../../target/loom")
                    .within("examples/verify-your-app")
                    .run()
            },
        },
        Step {
            name: "bench-smoke",
            what: "the bench's tests, and a millisecond of every contender",
            when: When::Nightly,
            needs: Some("bench/Cargo.toml"),
            folder: None,
            run: bench::smoke,
        },
        Step {
            name: "bench-lints",
            what: "the bench's lints, for which all that it compares is checked once more",
            when: When::Nightly,
            needs: Some("bench/Cargo.toml"),
            folder: None,
            run: bench::lints,
        },
        Step {
            name: "cross",
            what: "bare metal, other word sizes and byte orders, other Unix systems",
            when: When::All,
            needs: None,
            folder: None,
            run: lanes::cross,
        },
        Step {
            name: "words",
            what: "the suite on 32-bit x86 and on ARM, and processes of different word sizes on one region",
            when: When::Within("firmware"),
            needs: None,
            folder: WORDS,
            run: words::words,
        },
        Step {
            name: "firmware",
            what: "the ports to microcontrollers, built and run in QEMU",
            when: When::All,
            needs: Some("ports/Cargo.toml"),
            folder: WORDS,
            run: firmware::lane,
        },
        Step {
            name: "guest",
            what: "virtual machines and their host on one region, in a device's memory",
            when: When::All,
            needs: Some("examples/guest/main.rs"),
            folder: WORDS,
            run: guest::lane,
        },
        Step {
            name: "windows",
            what: "the tests for Windows, under wine",
            when: When::All,
            needs: None,
            folder: None,
            run: windows::windows,
        },
        Step {
            name: "peers",
            what: "peers written from FORMAT.md in Python and C#, against this crate",
            when: When::Within("firmware"),
            needs: Some("examples/peers/main.rs"),
            folder: WORDS,
            run: peers::peers,
        },
        Step {
            name: "python",
            what: "the Python package: lints, an installation by pip, its tests, its example",
            when: When::All,
            needs: Some("python/Cargo.toml"),
            folder: TARGET,
            run: python::lane,
        },
        Step {
            name: "capi",
            what: "the C interface installed, and used in C and C++ through pkg-config and CMake",
            when: When::All,
            needs: Some("capi/examples"),
            folder: TARGET,
            run: capi::capi,
        },
        Step {
            name: "bridge",
            what: "the bridge over Zenoh: a link that is cut, kills, garbage, a peer in Python",
            when: When::Nightly,
            needs: Some("bridge/Cargo.toml"),
            folder: None,
            run: bridge::lane,
        },
        Step {
            name: "linuxcnc",
            what: "the HAL component for LinuxCNC, and a controller beside it; each is killed",
            when: When::All,
            needs: Some("ports/linuxcnc"),
            folder: TARGET,
            run: linuxcnc::lane,
        },
        Step {
            name: "see",
            what: "the tool's page in a browser, and its recordings and WebSocket by clients of others",
            when: When::Nightly,
            needs: Some("cli/tests/clients"),
            folder: None,
            run: see::lane,
        },
        Step {
            name: "csharp",
            what: "the C# library over the C interface, compiled and tested under mono, with its example",
            when: When::All,
            needs: Some("csharp/Strait"),
            folder: TARGET,
            run: csharp::lane,
        },
        Step {
            name: "runtimes",
            what: "endpoints awaited in tokio and async-io: cancelling, and the examples",
            when: When::All,
            needs: Some("examples/runtimes/Cargo.toml"),
            folder: None,
            run: runtimes::lane,
        },
        Step {
            name: "package",
            what: "what is published, packed and built from the packages alone",
            when: When::Nightly,
            needs: None,
            folder: None,
            run: package::lane,
        },
        Step {
            name: "api",
            what: "the public items of what is published, against the texts in api/",
            when: When::Nightly,
            needs: Some("api"),
            folder: TARGET,
            run: api::lane,
        },
        Step {
            name: "deny",
            what: "licences, sources and advisories of what is compiled in, by cargo-deny",
            when: When::Nightly,
            needs: Some("deny.toml"),
            folder: None,
            run: deny::lane,
        },
        Step {
            name: "fuzz",
            what: "coverage-guided fuzzing, half a minute a target",
            when: When::All,
            needs: Some("fuzz/Cargo.toml"),
            folder: None,
            run: fuzz::step,
        },
        Step {
            name: "tsan",
            what: "threads and a scribbling peer under ThreadSanitizer, and seeded races found",
            when: When::All,
            needs: None,
            folder: None,
            run: sanitize::tsan,
        },
        Step {
            name: "asan",
            what: "threads, a scribbling peer and random regions under AddressSanitizer",
            when: When::Nightly,
            needs: None,
            folder: None,
            run: sanitize::asan,
        },
    ]
}

const FEATURE: &str = "strait/embedded-io-07";

/// What a quick command checks and tests: all but the tool, the interface for C, and what runs all this, which take as long
/// to build as this.
const LIBRARY: &str =
    "-p strait-core -p strait-os-base -p strait-os-unix -p strait-os-windows -p strait-os -p strait";

fn lints(packages: &str) -> Outcome {
    Run::cargo(&format!("clippy {packages} --all-targets --features {FEATURE} -- -D warnings")).run()
}

/// The library's tests, without the longest one: a kill at every point is part of `--all`.
fn quick_tests() -> Outcome {
    let args = format!(
        "test {LIBRARY} --no-fail-fast --features {FEATURE} -- --skip every_point_of_every_operation"
    );
    Run::cargo(&args).run()
}

/// The tests of everything but the models, with the feature; the lane `words` runs the core's without it.
fn tests() -> Outcome {
    // All failures at once: a run takes long.
    let all = format!("test --workspace --exclude loom-tests --no-fail-fast --features {FEATURE}");
    // Of the same packages, or their dependencies were built with other features.
    let slow = format!("{all} --test locks -- --ignored");
    parts(&[
        ("all", &|| Run::cargo(&all).run()),
        ("an owner stopped for ten seconds", &|| Run::cargo(&slow).run()),
    ])
}

/// What the steps that build everything with the feature leave open.
mod feature {
    use super::{Outcome, Run};

    pub fn lints() -> Outcome {
        Run::cargo("clippy -p strait-core -p strait-os -p strait --lib --test texts -- -D warnings").run()
    }

    pub fn docs() -> Outcome {
        Run::cargo("doc -p strait-core --no-deps --features embedded-io-07")
            .with("RUSTDOCFLAGS", "-D warnings")
            .run()
    }
}

/// A cargo command on the models, which are searched so far.
fn models(command: &str, extent: &str) -> Outcome {
    modelled(&format!("{command} --release -p loom-tests"))
        .with("CARGO_TARGET_DIR", "target/loom")
        .with("STRAIT_MODELS", extent)
        .run()
}

/// A cargo command under the cfg that puts the model-checking backend in.
///
/// Without optimisation across crates: it makes a search a tenth faster, and its build three times as long.
fn modelled(args: &str) -> Run {
    Run::cargo(args)
        .with("RUSTFLAGS", "--cfg strait_loom")
        .with("CARGO_PROFILE_RELEASE_LTO", "off")
        .with("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "4")
}

/// One line a step: its name, what it does, and when it runs.
pub fn listing(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let when = match step.when {
            When::Always => String::new(),
            When::All => " (--all)".into(),
            When::Nightly => " (--nightly)".into(),
            When::Within(lane) => format!(" (--all, within {lane})"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<12} {}{when}", step.name, step.what);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Extent, When, listing};

    fn all() -> Vec<super::Step> {
        super::all(Extent::Full)
    }

    #[test]
    fn names_are_unique_and_fit_the_table() {
        let mut names: Vec<_> = all().iter().map(|step| step.name).collect();
        assert!(names.iter().all(|name| name.len() <= 12));
        names.sort_unstable();
        names.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1]));
    }

    #[test]
    fn what_is_quick_has_the_same_steps() {
        let quick = super::all(Extent::Quick);
        assert!(all().iter().map(|step| step.name).eq(quick.iter().map(|step| step.name)));
    }

    #[test]
    fn lanes_come_last_and_are_marked() {
        let steps = all();
        assert!(steps.is_sorted_by_key(|step| step.when != When::Always));
        for (step, line) in steps.iter().zip(listing(&steps).lines()) {
            assert!(line.starts_with(step.name));
            assert_eq!(line.contains("(--"), step.when != When::Always);
        }
    }

    #[test]
    fn what_runs_within_a_lane_runs_within_one_that_there_is() {
        let steps = all();
        for step in &steps {
            if let When::Within(lane) = step.when {
                assert!(steps.iter().any(|other| other.name == lane && other.when == When::All), "{lane}");
            }
        }
    }
}
