//! C programs that receive from lanes in the order of time stamps.
#![cfg(unix)]

use std::process::Command;

#[test]
fn c_and_cpp_programs_receive_by_time() {
    let cpp: &[&str] = &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"];
    let languages: [(&str, &[&str]); 2] = [("cc", &["-std=c99"]), ("c++", cpp)];
    for (compiler, flags) in languages {
        if crate::program::compiler(compiler).is_none() {
            continue;
        }
        let built = crate::program::build(compiler, flags, "by_time.c", &format!("by-time-{}", flags.len()));
        let ended = Command::new(built).status().expect("the program starts");
        assert!(ended.success(), "{compiler}: {ended}");
    }
}
