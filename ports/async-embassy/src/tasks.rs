//! The port: wakers behind a critical section, which an interrupt may enter too.

use core::cell::RefCell;
use core::task::Waker;
use core::time::Duration;

use critical_section::{Mutex, with};
use strait_core::port::{AsyncWait, Clock, NoSystem, Wait, WaitPoint, WaiterId, Wakers};

/// This many tasks can wait at once; further ones poll.
const TASKS: usize = 4;

/// Wakes tasks. Nobody blocks, and there is no clock: the senders of one program end with it, and fence
/// their wake checks, so no wake is lost that a time-out would have to make up for.
pub struct Tasks(Mutex<RefCell<Wakers<TASKS>>>);

impl Tasks {
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(Wakers::new())))
    }

    /// Whether no task waits.
    pub fn is_empty(&self) -> bool {
        self.wakers(|wakers| wakers.is_empty())
    }

    fn wakers<R>(&self, act: impl FnOnce(&mut Wakers<TASKS>) -> R) -> R {
        with(|section| act(&mut self.0.borrow_ref_mut(section)))
    }
}

impl Wait for Tasks {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        NoSystem.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.wakers(|wakers| wakers.take(point)).into_iter().flatten().for_each(Waker::wake);
    }
}

impl AsyncWait for Tasks {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, _timeout: Duration) {
        let kept = match point {
            Some(_) => self.wakers(|wakers| wakers.keep(who, point, waker.clone())),
            // Nobody would wake it.
            None => Err(waker.clone()),
        };
        if let Err(waker) = kept {
            waker.wake();
        }
    }

    fn forget(&self, who: WaiterId) {
        drop(self.wakers(|wakers| wakers.forget(who)));
    }
}

impl Clock for Tasks {
    fn now_ns(&self) -> u64 {
        NoSystem.now_ns()
    }
}
