//! Two tasks of one tokio thread and a process that blocks: a message there and back, awaited, without a thread more.
//!
//! `cargo run --example tokio` starts the second process itself. Its result is checked.

#[cfg(target_os = "linux")]
#[path = "common/peer.rs"]
mod peer;

#[cfg(target_os = "linux")]
fn main() -> peer::Result<()> {
    peer::play(|port, conversation| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let driver = tokio::task::spawn_local(runtimes::drive_in_tokio(port));
            let result = conversation.await;
            driver.abort();
            result
        })
    })
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("SKIPPED: eventfds are Linux's");
}
