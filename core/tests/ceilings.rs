//! Priority ceilings, with a port that keeps the rule of `Port::raise`: each thread counts its own.

use std::cell::Cell;
use std::time::Duration;

use strait_core::port::{
    Clock, Ident, Liveness, LocalPort, Mem, NoSystem, Port, Probe, TokenRefused, Wait, WaitPoint,
};
use strait_core::{Attachment, Channel, Guard, Lock, LockError, Mutex, Plan, Recovery, StaticRegion};

const CEILING: u32 = 9;
const OWN: u32 = 1;
const PLAN: Plan =
    Plan::new(&[Channel::mutex::<u32>("a"), Channel::mutex::<u32>("b"), Channel::mutex::<u32>("c")]);

thread_local! {
    static PRIORITY: Cell<u32> = const { Cell::new(OWN) };
    /// How often it is raised, and what it was before the first time.
    static RAISED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// As an RTOS's port: the priority is the calling thread's.
#[derive(Clone)]
struct Rtos<'r>(LocalPort<'r, NoSystem>);

impl Wait for Rtos<'_> {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        assert_eq!(PRIORITY.get(), OWN, "whoever sleeps has its own priority");
        self.0.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.0.wake(point);
    }
}

impl Clock for Rtos<'_> {
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }
}

// SAFETY: never answers `Dead`.
unsafe impl Liveness for Rtos<'_> {
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

// SAFETY: as the port within.
unsafe impl Port for Rtos<'_> {
    fn mem(&self) -> &Mem {
        self.0.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.0.ident()
    }

    fn raise(&self) -> u32 {
        let (count, before) = RAISED.get();
        let before = if count == 0 { PRIORITY.get() } else { before };
        RAISED.set((count + 1, before));
        PRIORITY.set(PRIORITY.get().max(CEILING));
        count
    }

    fn lower(&self, _: u32) {
        let (count, before) = RAISED.get();
        RAISED.set((count.checked_sub(1).expect("lowered where it was raised"), before));
        if count == 1 {
            PRIORITY.set(before);
        }
    }
}

type At<'r> = Attachment<Rtos<'r>>;
type Held<'m, 'r> = Guard<'m, u32, Rtos<'r>>;

fn join(region: &StaticRegion<{ PLAN.size() }>) -> At<'_> {
    Attachment::attach(Rtos(region.attach(&NoSystem).unwrap().port().clone())).unwrap()
}

fn hold<'m, 'r>(mutex: &'m mut Mutex<u32, Rtos<'r>>) -> Held<'m, 'r> {
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("free and whole") };
    guard
}

/// Runs with three mutexes, for a participant and another one.
fn with(test: impl FnOnce([Mutex<u32, Rtos<'_>>; 3], At<'_>)) {
    let region = StaticRegion::<{ PLAN.size() }>::new();
    region.create(&PLAN, 1, &NoSystem).unwrap();
    let at = join(&region);
    test(["a", "b", "c"].map(|name| at.mutex::<u32>(name).unwrap()), join(&region));
    assert_eq!((PRIORITY.get(), RAISED.get().0), (OWN, 0), "all was undone");
}

/// In whatever order guards are given back, whoever holds one runs at the ceiling.
#[test]
fn the_last_guard_to_go_takes_the_ceiling_with_it() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        with(|[mut a, mut b, mut c], _| {
            let mut guards = [Some(hold(&mut a)), Some(hold(&mut b)), Some(hold(&mut c))];
            for (left, which) in (0..3).rev().zip(order) {
                guards[which].take().unwrap().unlock().unwrap();
                assert_eq!(PRIORITY.get(), if left > 0 { CEILING } else { OWN }, "{order:?}");
            }
        });
    }
}

/// Hand over hand: the next lock is taken before the last one is given back.
#[test]
fn hand_over_hand_stays_at_the_ceiling() {
    with(|[mut a, mut b, mut c], _| {
        let first = hold(&mut a);
        let second = hold(&mut b);
        drop(first);
        assert_eq!(PRIORITY.get(), CEILING);
        let third = hold(&mut c);
        drop(second);
        assert_eq!(PRIORITY.get(), CEILING);
        drop(third);
    });
}

/// An attempt that fails undoes its own raise and no other.
#[test]
fn attempts_that_fail_change_nothing() {
    with(|[mut a, mut b, _], other| {
        let (mut theirs, mut ours) = (other.mutex::<u32>("a").unwrap(), other.mutex::<u32>("b").unwrap());
        let guard = hold(&mut a);
        assert_eq!(theirs.try_lock().err(), Some(LockError::Busy));
        assert!(theirs.reinitialise(&1).is_none());
        assert_eq!(PRIORITY.get(), CEILING, "the guard is still held");
        let second = hold(&mut ours);
        assert_eq!(b.try_lock().err(), Some(LockError::Busy));
        drop(guard);
        assert_eq!(PRIORITY.get(), CEILING);
        drop(second);
        assert_eq!(PRIORITY.get(), OWN);
        let guard = hold(&mut a);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(theirs.lock_timeout(Duration::ZERO).err(), Some(LockError::TimedOut));
                assert_eq!((PRIORITY.get(), RAISED.get().0), (OWN, 0), "each thread has its own");
            });
        });
        drop(guard);
    });
}

// Guards and recoveries stay in the thread that locked; handles may move.
static_assertions::assert_not_impl_any!(Guard<'static, u32, Rtos<'static>>: Send, Sync);
static_assertions::assert_not_impl_any!(Recovery<'static, u32, Rtos<'static>>: Send, Sync);
static_assertions::assert_not_impl_any!(Lock<'static, u32, Rtos<'static>>: Send, Sync);
static_assertions::assert_impl_all!(Mutex<u32, Rtos<'static>>: Send);
