//! The lane `capi`: the C interface is installed, and the examples that a user copies are built against it with
//! pkg-config and with CMake, by each compiler, from the oldest standard to the newest, and once where there is nothing
//! else, as in a container.

use std::fs;
use std::path::Path;

use crate::parts::parts;
use crate::run::{Outcome, Run, together};
use crate::{bare_root, cache, install, lanes};

const EXAMPLES: &str = "capi/examples";
const BARE_ROOT: &str = "capi/tests/bare_root.sh";
const PACKAGES: &[&str] = &["gcc", "g++", "clang", "make", "cmake", "pkg-config", "man-db"];
const COMPILERS: &[(&str, &str)] = &[("gcc", "g++"), ("clang", "clang++")];
/// Standards of C, each with one of C++.
const STANDARDS: &[(&str, &str)] = &[("c99", "c++17"), ("c11", "c++17"), ("c17", "c++20"), ("c2x", "c++2b")];
const SANITIZED: &str = "-g -fsanitize=address,undefined -fno-sanitize-recover=all";
/// Where the staged tree is to be in the end; nothing is written there.
const ELSEWHERE: &str = "/opt/strait";

/// Installs into two folders, and uses both.
pub fn capi() -> Outcome {
    lane().unwrap_or_else(|outcome| outcome)
}

fn lane() -> Result<Outcome, Outcome> {
    lanes::packages(PACKAGES)?;
    let folder = cache::target("capi")?;
    // What an earlier run installed could hide that something is missing now.
    if Path::new(&folder).exists() {
        fs::remove_dir_all(&folder).map_err(|error| cache::failed(Path::new(&folder), &error))?;
    }
    let (prefix, stage) = (format!("{folder}/prefix"), format!("{folder}/stage"));
    let share = format!("{prefix}/share");
    let page = format!("man -l {share}/man/man3/strait.3 {share}/man/man1/strait-watch.1 > /dev/null");
    let completions = format!("bash -n {share}/bash-completion/completions/strait");
    let failed = Outcome::Failed;
    Ok(parts(&[
        ("install", &|| done(installed(&["--prefix", &prefix], None).map_err(failed))),
        ("pkg-config", &|| with_pkg_config(&folder, &prefix)),
        ("sanitizers", &|| sanitized(&folder, &prefix)),
        ("bare root", &|| bare_root::run(BARE_ROOT, &Path::new(&folder).join("bare"), &[&prefix])),
        ("stage", &|| {
            let words = ["--prefix", ELSEWHERE, "--libdir", "lib/strait-abi"];
            done(installed(&words, Some(&stage)).map_err(failed))
        }),
        // The package is found below the stage, so the tree can be moved.
        ("CMake", &|| with_cmake(&folder, &format!("{stage}{ELSEWHERE}/lib/strait-abi/cmake/strait"))),
        ("man", &|| Run::new("sh".into(), "sh", "-c").word(&page).run()),
        ("completions", &|| Run::new("sh".into(), "sh", "-c").word(&completions).run()),
    ]))
}

fn done(ended: Result<(), Outcome>) -> Outcome {
    ended.err().unwrap_or(Outcome::Passed)
}

fn installed(words: &[&str], stage: Option<&str>) -> Result<(), String> {
    let words: Vec<String> = words.iter().map(|&word| word.into()).collect();
    install::install(&install::parse(&words)?, stage)
}

/// Builds the examples by their Makefile and runs them.
fn make(folder: &str, prefix: &str, name: &str, words: &[&str]) -> Outcome {
    let make = Run::new("make".into(), "make", &format!("check BUILD={folder}/{name}"));
    let make = words.iter().fold(make, |make, word| make.word(word));
    make.with("PKG_CONFIG_PATH", &format!("{prefix}/lib/pkgconfig")).within(EXAMPLES).run()
}

fn with_pkg_config(folder: &str, prefix: &str) -> Outcome {
    let mut outcomes = Vec::new();
    for (cc, cxx) in COMPILERS {
        for (c, cpp) in STANDARDS {
            let words = [
                &format!("CC={cc}"),
                &format!("CXX={cxx}"),
                &format!("CFLAGS=-std={c}"),
                &format!("CXXFLAGS=-std={cpp}"),
            ];
            let words = words.map(String::as_str);
            outcomes.push((*c, make(folder, prefix, &format!("{cc}-{c}"), &words)));
        }
    }
    together(&outcomes)
}

/// Once, with the compiler that brings the sanitizers with it.
fn sanitized(folder: &str, prefix: &str) -> Outcome {
    let (c, cpp) = (format!("CFLAGS=-std=c99 {SANITIZED}"), format!("CXXFLAGS=-std=c++17 {SANITIZED}"));
    make(folder, prefix, "sanitized", &["CC=gcc", "CXX=g++", &c, &cpp])
}

fn with_cmake(folder: &str, package: &str) -> Outcome {
    let mut outcomes = Vec::new();
    for (cc, cxx) in COMPILERS {
        let build = format!("{folder}/cmake-{cc}");
        let options = format!("-DCMAKE_C_COMPILER={cc} -DCMAKE_CXX_COMPILER={cxx} -Dstrait_DIR={package}");
        let configured =
            Run::new("cmake".into(), "cmake", &format!("-S {EXAMPLES} -B {build} {options}")).run();
        if configured != Outcome::Passed {
            outcomes.push((*cc, configured));
            continue;
        }
        let built = Run::new("cmake".into(), "cmake", &format!("--build {build}")).run();
        let ran = Run::new("ctest".into(), "ctest", &format!("--output-on-failure --test-dir {build}")).run();
        outcomes.extend([(*cc, built), (*cc, ran)]);
    }
    together(&outcomes)
}
