//! A C++ program with lanes, broadcasts and calls over strait.hpp, under the sanitizers.
#![cfg(all(target_os = "linux", feature = "os"))]

mod program;

use std::process::Command;

use strait::RegionName;

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if program::compiler(compiler).is_none() {
        return;
    }
    let built = program::build(compiler, flags, "patterns.cpp", name);
    let place = format!("capi-{name}-{}", std::process::id());
    let ended = Command::new(built).arg(&place).status().expect("the program starts");
    let _ = RegionName::new(&place).map(|name| name.remove());
    assert!(ended.success(), "{ended}");
}

#[test]
fn every_pattern_is_used_under_the_sanitizers() {
    let flags = ["-std=c++17", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    runs("g++", &flags, "patterns-17");
}

#[test]
fn every_pattern_is_used_where_there_are_no_exceptions() {
    runs("clang++", &["-std=c++20", "-fno-exceptions", "-fno-rtti"], "patterns-clang");
}
