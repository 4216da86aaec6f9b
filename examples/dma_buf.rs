//! A region in a buffer of a driver (a dma-buf), made by `/dev/udmabuf` or by a dma-heap: two processes exchange frames
//! and a value in it, one has the descriptor from its parent or over a socket, and it is killed.
//!
//! Linux. Asserts that each frame comes back, that nobody is taken for dead, that a forked child is told what it is, and
//! that the region can be made anew. Where there is no such device, which needs a kernel with `CONFIG_UDMABUF` or
//! `CONFIG_DMABUF_HEAPS` and the right to open it, it says so.

mod common;

#[cfg(target_os = "linux")]
#[path = "common/buffers.rs"]
mod buffers;

#[cfg(target_os = "linux")]
fn main() -> common::Result<()> {
    common::play(|args| match args {
        [] => buffers::run().map(drop),
        [buffers::PEER, how, number] => buffers::peer(how, number),
        _ => common::usage("none"),
    })
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("SKIPPED: dma-bufs are Linux's");
}
