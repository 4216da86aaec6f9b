//! A participant's port on a model region.

extern crate std;

use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;
use std::vec::Vec;

use loom::sync::atomic::{AtomicU32, Ordering};

use crate::ground::ident::Ident;
use crate::ground::port::{self, Clock, Liveness, Probe, TokenRefused, Wait, WaitPoint};
use crate::ground::sync::Mem;
use crate::ground::sync::model::death::step;
use crate::ground::tasks::{AsyncWait, WaiterId, Wakers};

use super::shared::{EPOCHS, Shared, TASKS, WaitQueue};

/// In place of a word's offset: the queue of those that sleep on several words. Every wake reaches it.
const EVERY: u32 = u32::MAX;
/// A token that is held.
const HELD: u32 = 1;
/// A token that was given back.
const GONE: u32 = 2;

/// A participant of a model region.
#[derive(Clone)]
pub struct Port {
    pub(super) region: Arc<Shared>,
    pub(super) me: Option<Ident>,
    pub(super) domain: u32,
    pub(super) hardware_lock: bool,
    /// Its sleeps may end by time.
    pub(super) is_impatient: bool,
    /// The tokens held through this port.
    pub(super) held: Arc<std::sync::Mutex<Vec<Ident>>>,
    pub(super) clock: Arc<std::sync::atomic::AtomicU64>,
}

impl Port {
    /// A port that takes no part in the region.
    pub(super) fn looking_at(region: Arc<Shared>) -> Self {
        let (held, clock) = (Arc::default(), Arc::default());
        Self { region, me: None, domain: 0, hardware_lock: false, is_impatient: false, held, clock }
    }

    /// Ends the participant: gives back its liveness token, as a kernel does for a process that has
    /// ended, and the hardware lock if the participant holds it. [`Death::run`](super::Death::run) calls
    /// it for a killed participant.
    pub fn end(&self) {
        if self.hardware_lock {
            // The dead participant's actions are ordered before it, because the next holder needs no
            // proof of death.
            let _ =
                self.region.hardware.compare_exchange(self.word(), 0, Ordering::Release, Ordering::Relaxed);
        }
        let held = core::mem::take(&mut *self.held());
        held.into_iter().for_each(|who| self.give_back(who));
    }

    /// Gives a token back, as a participant does that leaves; its endpoints are not used again.
    pub fn give_back(&self, who: Ident) {
        // SAFETY: the caller sees to it; and there are no slices in a model.
        unsafe { self.release(who) };
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Ident>> {
        self.held.lock().expect("nobody dies in here")
    }
}

impl Port {
    fn pass(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.clock.fetch_add(nanos, std::sync::atomic::Ordering::Relaxed);
    }

    fn word(&self) -> u32 {
        self.me.map_or(0, Ident::word)
    }

    fn wait_queue(&self, point: WaitPoint<'_>) -> Arc<WaitQueue> {
        self.wait_queue_at(point.offset)
    }

    fn wait_queue_at(&self, at: u32) -> Arc<WaitQueue> {
        self.found(at).unwrap_or_else(|| {
            let queue = Arc::new(WaitQueue::default());
            let mut wait_queues = self.region.wait_queues.lock().expect("nobody dies in here");
            wait_queues.push((at, queue.clone()));
            queue
        })
    }

    /// The queue at `at`, if anybody has slept there.
    fn found(&self, at: u32) -> Option<Arc<WaitQueue>> {
        let wait_queues = self.region.wait_queues.lock().expect("nobody dies in here");
        wait_queues.iter().find(|(offset, _)| *offset == at).map(|(_, queue)| queue.clone())
    }

    /// Whether no task's waker is kept: none waits, and none was left behind.
    #[must_use]
    pub fn keeps_no_waker(&self) -> bool {
        self.wakers(|wakers| wakers.is_empty())
    }

    fn wakers<R>(&self, act: impl FnOnce(&mut Wakers<TASKS>) -> R) -> R {
        act(&mut self.region.wakers.lock().expect("nobody dies in here"))
    }

    fn token(&self, who: Ident) -> Option<&AtomicU32> {
        let epoch = who.epoch() as usize - 1;
        assert!(epoch < EPOCHS, "a slot of a model region has {EPOCHS} incarnations at most");
        self.region.tokens.get(who.place() as usize - 1).map(|slot| &slot[epoch])
    }
}

impl Wait for Port {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        if self.region.time_passes {
            self.pause(timeout);
            return;
        }
        if !step() {
            return;
        }
        // Compares as a kernel does: under its own lock, during which no thread is killed.
        let differs = || point.word.kernel_load() != expected;
        let queue = self.wait_queue(point);
        if !self.is_impatient {
            queue.sleep(differs);
        } else if queue.nap(differs) {
            // A store takes less than a probe period to be seen, also one of which no wake tells.
            point.word.kernel_load_newest();
            self.pass(timeout);
        }
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        if self.region.time_passes {
            self.pause(timeout);
            return;
        }
        if !step() {
            return;
        }
        // A wake that began before there was this queue does not find it; what it stored is seen here.
        let differs = || points.iter().any(|(point, expected)| point.word.kernel_load_newest() != *expected);
        self.wait_queue_at(EVERY).sleep(differs);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        if step() {
            for queue in [Some(self.wait_queue(point)), self.found(EVERY)].into_iter().flatten() {
                queue.wake(usize::MAX);
            }
            self.wakers(|wakers| wakers.take(point)).into_iter().flatten().for_each(Waker::wake);
        }
    }

    /// Nobody waits for a lock with others, or in a task.
    fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        step() && self.wait_queue(point).wake(most as usize)
    }

    fn pause(&self, how_long: Duration) {
        loom::thread::yield_now();
        if self.region.time_passes {
            self.pass(how_long);
        }
    }
}

/// The tasks of all ports are in one program here, so a wake reaches them all.
impl AsyncWait for Port {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        if self.region.time_passes || point.is_none() {
            self.pause(timeout);
            waker.wake_by_ref();
        } else if step() {
            let kept = self.wakers(|wakers| wakers.keep(who, point, waker.clone()));
            drop(kept.expect("so many tasks do not fit into a model"));
        }
    }

    fn forget(&self, who: WaiterId) {
        if step() {
            drop(self.wakers(|wakers| wakers.forget(who)));
        }
    }
}

// SAFETY: `Dead` is returned only for a token that is not held now, and an incarnation takes its token
// before it is published; giving the token back synchronises with the probe.
unsafe impl Liveness for Port {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let token = self.token(who).ok_or(TokenRefused)?;
        match token.swap(HELD, Ordering::Relaxed) {
            HELD => Err(TokenRefused),
            _ => {
                self.held().push(who);
                Ok(())
            }
        }
    }

    unsafe fn release(&self, who: Ident) {
        self.held().retain(|&held| held != who);
        if let Some(token) = self.token(who) {
            token.swap(GONE, Ordering::Release);
        }
    }

    fn probe(&self, who: Ident) -> Probe {
        // A read-modify-write, because a kernel returns the present state, while a load may be late.
        match self.token(who).map(|token| token.fetch_or(0, Ordering::Acquire)) {
            Some(HELD) => Probe::Alive,
            _ => Probe::Dead,
        }
    }
}

impl Clock for Port {
    fn now_ns(&self) -> u64 {
        self.clock.load(std::sync::atomic::Ordering::Relaxed)
    }
}

// SAFETY: the memory is counted, and the identity never changes.
unsafe impl port::Port for Port {
    // One load less, of a word that only its loader stores.
    const CAN_FORK: bool = false;

    fn mem(&self) -> &Mem {
        &self.region.mem
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }

    fn domain(&self) -> u32 {
        self.domain
    }

    fn has_hardware_lock(&self) -> bool {
        self.hardware_lock
    }

    fn hardware_lock(&self) -> bool {
        if !step() {
            return false;
        }
        let word = &self.region.hardware;
        while word.compare_exchange(0, self.word(), Ordering::Acquire, Ordering::Relaxed).is_err() {
            loom::thread::yield_now();
        }
        true
    }

    fn hardware_unlock(&self) {
        if step() {
            self.region.hardware.store(0, Ordering::Release);
        }
    }
}
