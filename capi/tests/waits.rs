//! A C program that waits for receivers of all kinds at once.
#![cfg(unix)]

use std::process::Command;

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, "waits.c", name);
    let ended = Command::new(built).status().expect("the program starts");
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_c_program_waits_for_receivers_of_all_kinds() {
    runs("cc", &["-std=c99"], "waits-c99");
}

#[test]
fn a_cpp_program_does_too() {
    runs("c++", &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"], "waits-cpp");
}
