//! The port of the tests, whose clock, wakes and deaths the test stages.

use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::time::Duration;

use strait_core::port::RELAXED;
use strait_core::port::{
    AsyncWait, Cache, Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint, WaiterId,
};

use super::region::Region;
use super::world::lock;

/// What `raise` returns.
const RAISED: u32 = 77;

/// One participant's view of a region.
#[derive(Clone)]
pub struct TestPort {
    region: Region,
    me: Option<Ident>,
    domain: u32,
}

impl TestPort {
    pub(super) fn new(region: &Region, me: Option<Ident>, domain: u32) -> Self {
        Self { region: region.clone(), me, domain }
    }

    /// A port on a region that may be anything.
    pub fn looking_at(region: &Region, me: Option<Ident>) -> Self {
        Self::new(region, me, 0)
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }
}

impl Wait for TestPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.region.counts.sleeps.fetch_add(1, Relaxed);
        let guard = lock(&self.region.sleepers.gate);
        if self.region.faults.storm.load(Relaxed) || point.word.load(RELAXED) != expected {
            return;
        }
        if self.region.faults.thief.load(Relaxed) {
            point.word.store(0, RELAXED);
        }
        drop(self.region.sleepers.bell.wait_timeout(guard, timeout));
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.region.counts.sleeps.fetch_add(1, Relaxed);
        let own = |point: WaitPoint<'_>| {
            self.region.mem.word(point.offset).is_some_and(|word| std::ptr::eq(word, point.word))
        };
        if !points.iter().all(|(point, _)| own(*point)) {
            std::thread::sleep(Duration::from_millis(1).min(timeout));
            return;
        }
        let guard = lock(&self.region.sleepers.gate);
        if points.iter().all(|(point, expected)| point.word.load(RELAXED) == *expected) {
            drop(self.region.sleepers.bell.wait_timeout(guard, timeout));
        }
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.region.counts.wakes.fetch_add(1, Relaxed);
        let hook = lock(&self.region.hooks.on_wake).take();
        if let Some(hook) = hook {
            hook();
        }
        if !self.region.faults.deaf.load(Relaxed) {
            drop(lock(&self.region.sleepers.gate));
            self.region.sleepers.bell.notify_all();
            let woken = lock(&self.region.sleepers.wakers).take(point);
            woken.into_iter().flatten().for_each(Waker::wake);
        }
    }

    fn pause(&self, how_long: Duration) {
        std::thread::sleep(how_long);
    }
}

impl AsyncWait for TestPort {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        let hook = lock(&self.region.hooks.on_keep).take();
        if let Some(hook) = hook {
            hook();
        }
        let mut naps = lock(&self.region.counts.naps);
        if naps.len() < naps.capacity() {
            naps.push((point.is_some(), timeout));
        }
        if let Err(waker) = lock(&self.region.sleepers.wakers).keep(who, point, waker.clone()) {
            waker.wake();
        }
    }

    fn forget(&self, who: WaiterId) {
        drop(lock(&self.region.sleepers.wakers).forget(who));
    }
}

impl Clock for TestPort {
    fn now_ns(&self) -> u64 {
        let hook = lock(&self.region.hooks.on_clock).pop_front().flatten();
        if let Some(hook) = hook {
            hook();
        }
        self.region.started.elapsed().as_nanos() as u64
    }
}

// SAFETY: `Dead` is answered of identities that never were, or whose endpoints the test has put out
// of reach; the mutex makes what they wrote visible.
unsafe impl Liveness for TestPort {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        match lock(&self.region.tokens).insert(who.word(), true) {
            Some(true) => Err(TokenRefused),
            _ => Ok(()),
        }
    }

    unsafe fn release(&self, who: Ident) {
        self.region.declare_dead(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        self.region.counts.probes.fetch_add(1, Relaxed);
        match lock(&self.region.tokens).get(&who.word()) {
            Some(true) => Probe::Alive,
            _ => Probe::Dead,
        }
    }
}

// SAFETY: the memory lives as long as any clone of the region, which every port holds; the identity
// is set before the port is handed out and never changes.
unsafe impl Port for TestPort {
    fn mem(&self) -> &Mem {
        &self.region.mem
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }

    fn raise(&self) -> u32 {
        self.region.counts.raised.fetch_add(1, Relaxed);
        RAISED
    }

    fn lower(&self, raised: u32) {
        assert_eq!(raised, RAISED, "what `raise` answered");
        self.region.counts.raised.fetch_sub(1, Relaxed);
    }

    fn is_unwinding(&self) -> bool {
        std::thread::panicking()
    }

    fn domain(&self) -> u32 {
        let hook = lock(&self.region.hooks.on_domain).pop_front().flatten();
        if let Some(hook) = hook {
            hook();
        }
        self.domain
    }

    fn cache(&self) -> Option<Cache> {
        self.region.cache.get().copied()
    }

    fn has_compare_and_swap(&self) -> bool {
        !self.region.hardware.alone.load(Relaxed)
    }

    fn has_hardware_lock(&self) -> bool {
        self.region.hardware.built_in.load(Relaxed)
    }

    fn hardware_lock(&self) -> bool {
        let is_dead = |word| Ident::from_word(word).is_some_and(|who| self.probe(who) == Probe::Dead);
        self.region.hardware.take(self.me.expect("a participant").word(), is_dead)
    }

    fn hardware_unlock(&self) {
        self.region.hardware.give(self.me.expect("a participant").word());
    }
}
