//! A C program that sends in batches, peeks, holds permits, waits for several queues and until deadlines, and opens
//! regions with options.
#![cfg(all(target_os = "linux", feature = "os"))]

use std::process::Command;

use strait::RegionName;

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, "more.c", name);
    let place = format!("capi-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(&place);
    let ended = Command::new(built).arg(&place).arg(&path).status().expect("the program starts");
    let _ = RegionName::new(&place).map(|name| name.remove());
    let _ = std::fs::remove_file(&path);
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_c_program_uses_what_rust_programs_do() {
    runs("cc", &["-std=gnu99"], "more-c");
}

#[test]
fn a_cpp_program_does_too() {
    runs("c++", &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"], "more-cpp");
}
