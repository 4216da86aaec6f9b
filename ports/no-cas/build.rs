//! Tells the linker where the memory is.

use std::env::var;

fn main() {
    let (folder, arch) = (var("CARGO_MANIFEST_DIR").unwrap(), var("CARGO_CFG_TARGET_ARCH").unwrap());
    println!("cargo::rustc-link-search={folder}/memory/{arch}");
    if arch == "riscv32" {
        println!("cargo::rustc-link-arg-bins=-Tmemory.x"); // The other runtime's script includes it.
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=memory");
}
