//! The port of the tests with a name that the test takes away, as of a region that is removed or made anew. It counts what
//! it is asked.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use strait_core::Attachment;
use strait_core::port::{
    AsyncWait, Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint, WaiterId,
};

use super::{Member, TestPort};

/// What a port was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether its name still leads to the region.
    Name,
    /// Whether a participant lives.
    Peer,
}

/// A port whose region has a name.
#[derive(Clone)]
pub struct Named {
    port: TestPort,
    pub is_gone: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Named {
    pub fn of(member: &Member) -> Attachment<Self> {
        let port = member.port().clone();
        let named = Self { port, is_gone: Arc::default(), asked: Arc::default() };
        Attachment::attach(named).expect("the region is sound")
    }

    fn note(&self, what: Asked) {
        self.asked.lock().expect("no panic").push(what);
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

impl Wait for Named {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.port.wait(point, expected, timeout);
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.port.wait_any(points, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.port.wake(point);
    }

    fn pause(&self, how_long: Duration) {
        self.port.pause(how_long);
    }
}

impl AsyncWait for Named {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        self.port.keep(who, point, waker, timeout);
    }

    fn forget(&self, who: WaiterId) {
        self.port.forget(who);
    }
}

impl Clock for Named {
    fn now_ns(&self) -> u64 {
        self.port.now_ns()
    }
}

// SAFETY: as the port of the tests, which it asks.
unsafe impl Liveness for Named {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.port.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.port.release(who) }
    }

    fn probe(&self, who: Ident) -> Probe {
        self.note(Asked::Peer);
        self.port.probe(who)
    }
}

// SAFETY: as the port of the tests, whose memory and identity it has.
unsafe impl Port for Named {
    const CAN_BE_REPLACED: bool = true;

    fn mem(&self) -> &Mem {
        self.port.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.port.ident()
    }

    fn is_current(&self) -> Option<bool> {
        self.note(Asked::Name);
        Some(!self.is_gone.load(Relaxed))
    }
}
