//! A port that is another type, and does what the system's does: endpoints of it are compiled for themselves, and change
//! nothing of how those of the others are.

use std::time::Duration;

use strait::SystemPort;
use strait::port::{Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint};

/// The port within, as another type.
#[derive(Clone)]
pub struct OwnPort(pub SystemPort);

impl Wait for OwnPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.0.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.0.wake(point);
    }
}

// SAFETY: as the port within.
unsafe impl Liveness for OwnPort {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.0.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.0.release(who) };
    }

    fn probe(&self, who: Ident) -> Probe {
        self.0.probe(who)
    }
}

impl Clock for OwnPort {
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }
}

// SAFETY: as the port within.
unsafe impl Port for OwnPort {
    #[inline]
    fn mem(&self) -> &Mem {
        self.0.mem()
    }

    #[inline]
    fn ident(&self) -> Option<Ident> {
        self.0.ident()
    }

    const CAN_BE_REPLACED: bool = SystemPort::CAN_BE_REPLACED;

    fn is_current(&self) -> Option<bool> {
        Port::is_current(&self.0)
    }

    const CAN_FORK: bool = SystemPort::CAN_FORK;

    #[inline]
    fn has_forked(&self) -> bool {
        self.0.has_forked()
    }

    fn is_unwinding(&self) -> bool {
        self.0.is_unwinding()
    }

    fn domain(&self) -> u32 {
        self.0.domain()
    }

    fn has_compare_and_swap(&self) -> bool {
        self.0.has_compare_and_swap()
    }
}
