//! The adapters between an [`EventPort`] and a runtime's reactor, to copy: each is one future, which the runtime runs
//! beside the tasks that await the port's endpoints.
//!
//! # Cancelling
//!
//! `recv`, `send` and `changed` are cancel-safe: a future of theirs that is dropped before it was ready has received
//! nothing and sent nothing. So they may stand in `select!` and under time-outs; `tests/cancel.rs` tries it.
//! The driver may be dropped and started anew at any time; while there is none, tasks are woken by this process alone.
#![cfg(target_os = "linux")]

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use strait::linux::EventPort;

/// Where nothing is due.
const FAR: Duration = Duration::from_secs(3600);

/// Drives a port in tokio. It ends only with an error, as when there is no reactor.
///
/// # Errors
///
/// That of the reactor.
pub async fn drive_in_tokio(port: EventPort) -> io::Result<Infallible> {
    use tokio::io::{Interest, unix::AsyncFd};

    // SAFETY: a port keeps its one doorbell open for as long as a clone of it lives.
    let bell = unsafe { AsyncFd::register_with_interest(port.clone(), Interest::READABLE)? };
    loop {
        let sooner = port.sooner();
        let due = port.due().unwrap_or(FAR);
        tokio::select! {
            rung = bell.readable() => {
                let mut rung = rung?;
                // It silences the bell, so the readiness ends with it. A ring from here on is readiness anew.
                port.turn(Duration::ZERO);
                rung.clear_ready();
            }
            () = tokio::time::sleep(due) => port.turn(Duration::ZERO),
            () = sooner => {}
        }
    }
}

/// Drives a port in async-io, and so in smol and in any executor beside its reactor's thread.
///
/// # Errors
///
/// That of the reactor.
pub async fn drive_in_async_io(port: EventPort) -> io::Result<Infallible> {
    use async_io::{Async, Timer};
    use futures_lite::future::or;

    // A doorbell does not block.
    let bell = Async::new_nonblocking(port.clone())?;
    loop {
        let sooner = port.sooner();
        let due = port.due().unwrap_or(FAR);
        let timer = async {
            Timer::after(due).await;
            Ok(true)
        };
        let rung = async { bell.readable().await.map(|()| true) };
        let sooner = async {
            sooner.await;
            Ok(false)
        };
        if or(rung, or(timer, sooner)).await? {
            port.turn(Duration::ZERO);
        }
    }
}
