//! Chooses the board by the target, and tells the linker where its memory is.

use std::env::var;

fn main() {
    let (folder, target) = (var("CARGO_MANIFEST_DIR").unwrap(), var("TARGET").unwrap());
    let board = match target.as_str() {
        "thumbv7m-none-eabi" => "cortex_m3",
        "thumbv8m.main-none-eabi" => "cortex_m33",
        "riscv32imc-unknown-none-elf" => "riscv32",
        _ => panic!("no board for {target}"),
    };
    println!("cargo::rustc-check-cfg=cfg(board, values(\"cortex_m3\", \"cortex_m33\", \"riscv32\"))");
    println!("cargo::rustc-cfg=board=\"{board}\"");
    println!("cargo::rustc-link-search={folder}/memory/{board}");
    if board == "riscv32" {
        println!("cargo::rustc-link-arg-bins=-Tmemory.x"); // The other runtime's script includes it.
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=memory");
}
