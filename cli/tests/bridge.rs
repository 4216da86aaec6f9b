//! `bridge`: the program that it starts, and what it says where there is none.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// The tool, with this alone as the PATH.
fn tool(path: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_strait")).args(words).env("PATH", path).output().expect("the tool");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn without_the_program_it_says_how_to_get_it() {
    let (status, _, line) = tool("/nonexistent", &["bridge", "arm", "--zenoh", "plant"]);
    assert_eq!(status, Some(1));
    assert!(line.contains("strait-bridge") && line.contains("cargo install --path bridge"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn the_program_gets_all_arguments_and_its_status_is_the_tools() {
    let folder = std::env::temp_dir().join(format!("strait-cli-bridge-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("strait-bridge");
    fs::write(&program, "#!/bin/sh\necho \"$@\"\nexit 7\n").expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = folder.to_string_lossy().into_owned();
    let (status, out, _) = tool(&path, &["bridge", "arm", "--zenoh", "plant", "--help", "--out", "x"]);
    assert_eq!((status, out.as_str()), (Some(7), "arm --zenoh plant --help --out x\n"));
    fs::remove_dir_all(folder).expect("removed");
}
