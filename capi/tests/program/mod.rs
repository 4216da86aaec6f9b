//! C programs against the header and the static library, built with the system's compiler.
#![allow(dead_code, reason = "each test program uses its part")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The static library, built as this test is.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "strait-capi", "--target-dir"]).arg(target);
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        if profile == "release" {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "the static library cannot be built");
        target.join(profile).join("libstrait_capi.a")
    })
}

/// A compiler by its name, or none and the reason, printed.
pub fn compiler(name: &str) -> Option<&str> {
    if Command::new(name).arg("--version").output().is_ok_and(|found| found.status.success()) {
        return Some(name);
    }
    println!("skipped: there is no {name}");
    None
}

/// Builds `tests/c/<source>` with a compiler and its flags. Returns the program's path.
pub fn build(compiler: &str, flags: &[&str], source: &str, program: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program);
    let built = Command::new(compiler)
        .args(flags)
        .args(["-g", "-Wall", "-Wextra", "-Werror", "-pedantic"])
        .arg("-I")
        .arg(here.join("include"))
        .arg(here.join("tests/c").join(source))
        .args(["-x", "none"])
        .arg(library())
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .status()
        .expect("the compiler runs");
    assert!(built.success(), "{source} does not compile with {compiler} {flags:?}");
    program
}
