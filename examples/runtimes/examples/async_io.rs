//! A task beside async-io's reactor and a process that blocks: a message there and back, awaited.
//!
//! `cargo run --example async_io` starts the second process itself. Its result is checked.

#[cfg(target_os = "linux")]
#[path = "common/peer.rs"]
mod peer;

#[cfg(target_os = "linux")]
fn main() -> peer::Result<()> {
    peer::play(|port, conversation| {
        let driver = async {
            match runtimes::drive_in_async_io(port).await {
                Ok(never) => match never {},
                Err(error) => Err(error.into()),
            }
        };
        async_io::block_on(futures_lite::future::or(conversation, driver))
    })
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("SKIPPED: eventfds are Linux's");
}
