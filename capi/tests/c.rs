//! C and C++ programs that use the header: every function once, and what it says to mistakes.
#![cfg(unix)]

use std::process::Command;

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, "local.c", name);
    let ended = Command::new(built).status().expect("the program starts");
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_c_program_uses_every_function() {
    runs("cc", &["-std=c99"], "local-c99");
}

#[test]
fn a_cpp_program_does_too() {
    // A C++ program would say `{}`, which the C of this one has not.
    runs("c++", &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"], "local-cpp");
}
