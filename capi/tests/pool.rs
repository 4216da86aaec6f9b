//! A C program that hands blocks of a pool over.
#![cfg(unix)]

use std::process::Command;

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, "pool.c", name);
    let ended = Command::new(built).status().expect("the program starts");
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_c_program_hands_blocks_over() {
    runs("cc", &["-std=c99"], "pool-c99");
}

#[test]
fn a_cpp_program_does_too() {
    runs("c++", &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"], "pool-cpp");
}
