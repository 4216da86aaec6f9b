//! C programs with queues of several producers, calls of several clients, and streams of answers.
#![cfg(unix)]

use std::process::Command;

const CPP: &[&str] = &["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"];

fn runs(compiler: &str, flags: &[&str], source: &str, name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, source, name);
    let ended = Command::new(built).status().expect("the program starts");
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_c_program_sends_through_lanes() {
    runs("cc", &["-std=c99"], "lanes.c", "lanes-c99");
}

#[test]
fn a_cpp_program_does_too() {
    runs("c++", CPP, "lanes.c", "lanes-cpp");
}

#[test]
fn a_c_program_serves_several_clients() {
    runs("cc", &["-std=c99"], "calls_lanes.c", "calls-lanes-c99");
}

#[test]
fn so_does_a_cpp_program() {
    runs("c++", CPP, "calls_lanes.c", "calls-lanes-cpp");
}

#[test]
fn a_c_program_streams_answers_to_several_clients() {
    runs("cc", &["-std=c99"], "streams.c", "streams-c99");
}

#[test]
fn a_cpp_program_streams_them_too() {
    runs("c++", CPP, "streams.c", "streams-cpp");
}
