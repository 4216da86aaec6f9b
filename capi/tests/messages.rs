//! A C program that describes messages by the header's macros: hashes and descriptions are those of Rust, to the byte.
#![cfg(unix)]

use std::process::Command;

use strait::{Message, describe};

strait::message! {
    struct Point {
        x: f32 [unit = "m"],
        y: f32,
    }

    struct Drive {
        time_ns: u64,
        offset: i64,
        /// At the shaft.
        torque: f64 [unit = "Nm"],
        #[doc = "What it\ndoes."]
        state: u32 [values = { idle = 0, moving = 1, lost = -2 }],
        error: i32,
        path: [Point; 3],
        target: Point,
        code: u16,
        temperature: i16,
        /// Of the three axes.
        flags: [u8; 3],
        mode: i8,
    }
}

fn compared(compiler: &str, standard: &str, name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, &[standard], "messages.c", name);
    let ended = Command::new(built).output().expect("the program starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = String::from_utf8(ended.stdout).expect("it is text");
    let hashes = format!("{:x} {:x}\n", Drive::HASH, Point::HASH);
    assert_eq!(said, hashes + describe!(Drive, Point));
}

#[test]
fn c_describes_messages_as_rust_does() {
    compared("cc", "-std=c99", "messages-c99");
}

#[test]
fn clang_does_too() {
    compared("clang", "-std=c17", "messages-clang");
}

/// A field that is not what its table says does not compile.
#[test]
fn a_table_that_is_wrong_does_not_compile() {
    let Some(compiler) = crate::program::compiler("cc") else { return };
    let wrong = [
        ("float x;", "STRAIT_FIELD(t, u32, x)"),
        ("uint32_t x[2];", "STRAIT_FIELD(t, u32, x)"),
        ("uint32_t x[2];", "STRAIT_ARRAY(t, u32, x, 3)"),
        ("uint64_t x;", "STRAIT_FIELD(t, u32, x)"),
    ];
    for (number, (field, row)) in wrong.into_iter().enumerate() {
        let source = format!("typedef struct {{ {field} }} t;\nconst strait_field_t f[] = {{{row}}};\n");
        assert!(!compiles(compiler, &source, number), "{source}");
    }
    let right =
        "typedef struct { uint32_t x[2]; } t;\nconst strait_field_t f[] = {STRAIT_ARRAY(t, u32, x, 2)};\n";
    assert!(compiles(compiler, right, wrong.len()));
}

fn compiles(compiler: &str, source: &str, number: usize) -> bool {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("table-{number}.c"));
    std::fs::write(&path, format!("#include <strait.h>\n{source}")).expect("the source can be written");
    let include = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let mut command = Command::new(compiler);
    command.args(["-std=c99", "-Werror", "-fsyntax-only", "-I"]).arg(include).arg(path);
    command.output().expect("the compiler runs").status.success()
}
