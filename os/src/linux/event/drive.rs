//! What a runtime's reactor needs of the port: its doorbell as a descriptor, and when it is to turn in any case.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use strait_core::port::Clock as _;

use super::EventPort;

/// The doorbell, for the reactor of a runtime: readable when a peer rang. Only [`EventPort::turn`] is to read it.
impl AsFd for EventPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.own.as_fd()
    }
}

/// As by [`AsFd`].
impl AsRawFd for EventPort {
    fn as_raw_fd(&self) -> RawFd {
        self.shared.own.as_raw_fd()
    }
}

/// How a runtime's own reactor drives the port, with no thread more: one task of the runtime waits until the doorbell
/// is readable, until the time that [`due`](Self::due) returns is over, or until [`sooner`](Self::sooner) completes;
/// then it calls [`turn`](Self::turn) with no time-out, and begins again. All other tasks await endpoints as they are.
/// One task at a time drives a port. `examples/runtimes` has it for tokio and for async-io.
impl EventPort {
    /// Returns how long it is until a task is to look again although nobody rang. `None`: no task waits.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let due = self.tasks().due?;
        Some(Duration::from_nanos(due.saturating_sub(self.now_ns())))
    }

    /// Completes when that becomes sooner than it is now, because another task begins to wait. Call it before
    /// [`due`](Self::due), so that nothing is missed in between.
    pub fn sooner(&self) -> Sooner<'_> {
        Sooner { port: self, than: self.tasks().due }
    }
}

/// See [`EventPort::sooner`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sooner<'p> {
    port: &'p EventPort,
    than: Option<u64>,
}

impl Future for Sooner<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut tasks = self.port.tasks();
        if tasks.due.is_some_and(|due| self.than.is_none_or(|than| due < than)) {
            return Poll::Ready(());
        }
        let old = tasks.driver.replace(context.waker().clone());
        drop(tasks);
        // Dropped without the lock: a waker's drop may run anything.
        drop(old);
        Poll::Pending
    }
}
