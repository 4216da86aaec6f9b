//! Compiles FreeRTOS's kernel, and tells the linker where the memory is.

use std::env::var;
use std::path::PathBuf;

fn main() {
    let own = var("CARGO_MANIFEST_DIR").unwrap();
    // Where freertos-next has unpacked the kernel.
    let kernel = PathBuf::from(var("DEP_FREERTOS_KERNEL").unwrap());
    let port = kernel.join("portable/GCC/ARM_CM3");
    cc::Build::new()
        .compiler("arm-none-eabi-gcc")
        .archiver("arm-none-eabi-ar")
        .opt_level_str("s")
        .warnings(false)
        .include(format!("{own}/kernel"))
        .include(kernel.join("include"))
        .include(&port)
        .files(["tasks.c", "list.c", "queue.c", "portable/MemMang/heap_1.c"].map(|file| kernel.join(file)))
        .file(port.join("port.c"))
        .compile("kernel");
    println!("cargo::rerun-if-changed=kernel/FreeRTOSConfig.h");
    println!("cargo::rustc-link-search={own}");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=memory.x");
}
