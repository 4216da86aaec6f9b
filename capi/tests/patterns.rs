//! C++ programs with lanes, broadcasts, calls and coroutines over strait.hpp, under the sanitizers.
#![cfg(all(target_os = "linux", feature = "os"))]

use std::process::Command;

use strait::RegionName;

fn runs(compiler: &str, flags: &[&str], source: &str, name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, source, name);
    let place = format!("capi-{name}-{}", std::process::id());
    let ended = Command::new(built).arg(&place).status().expect("the program starts");
    let _ = RegionName::new(&place).map(|name| name.remove());
    assert!(ended.success(), "{ended}");
}

#[test]
fn every_pattern_is_used_under_the_sanitizers() {
    let flags = ["-std=c++17", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    runs("g++", &flags, "patterns.cpp", "patterns-17");
}

#[test]
fn every_pattern_is_used_where_there_are_no_exceptions() {
    runs("clang++", &["-std=c++20", "-fno-exceptions", "-fno-rtti"], "patterns.cpp", "patterns-clang");
}

#[test]
fn coroutines_wait_on_one_thread() {
    let flags =
        ["-std=c++20", "-DSTRAIT_EXCEPTIONS", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    runs("g++", &flags, "coroutines.cpp", "coroutines-20");
    runs("clang++", &["-std=c++20", "-fno-exceptions", "-fno-rtti"], "coroutines.cpp", "coroutines-clang");
}
