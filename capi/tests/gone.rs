//! A C program whose waits end with a killed peer, which takes part twice, and makes a channel as new.
#![cfg(all(target_os = "linux", feature = "os"))]

use std::process::Command;

use strait::RegionName;

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, "gone.c", name);
    let place = format!("capi-{name}-{}", std::process::id());
    let ended = Command::new(built).arg(&place).status().expect("the program starts");
    let _ = RegionName::new(&place).map(|name| name.remove());
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_c_program_learns_that_its_peer_is_gone() {
    runs("cc", &["-std=gnu99"], "gone-c");
}

#[test]
fn a_cpp_program_does_too() {
    runs("c++", &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"], "gone-cpp");
}
