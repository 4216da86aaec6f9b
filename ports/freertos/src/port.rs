//! The port: strait's traits on FreeRTOS's task notifications, ticks and priorities.

use core::cell::{Cell, RefCell};
use core::time::Duration;

use critical_section::{Mutex, with};
use strait_core::port::RELAXED;
use strait_core::port::{Clock, Ident, Liveness, LocalPort, Mem, Port, Probe, TokenRefused, Wait, WaitPoint};

use crate::kernel::{self, Task};

/// This many tasks can sleep at once; further ones look once a tick.
const SLEEPERS: usize = 8;
/// So many tasks can hold mutexes under a ceiling at once; further ones keep their priority.
const HOLDERS: usize = 8;
/// What `raise` returns if the task was raised.
const RAISED: u32 = 1;
/// The notification that is strait's.
const NOTICE: u32 = 1;

/// The sleepers and their words, and the time. A task sleeps in its notification; this table lists them.
pub struct Kernel {
    sleepers: Mutex<RefCell<[Option<Sleeper>; SLEEPERS]>>,
    /// The ticks when the clock was read last, in 64 bits.
    time: Mutex<Cell<u64>>,
    sleeps: Mutex<Cell<u32>>,
    raised: Mutex<RefCell<[Option<Holder>; HOLDERS]>>,
}

/// A task whose priority is raised: it may hold several mutexes, and give them back in any order.
#[derive(Clone, Copy)]
struct Holder {
    task: Task,
    /// How often it was raised, less how often that was undone.
    raises: u32,
    /// Its priority before.
    own: u32,
}

#[derive(Clone, Copy)]
struct Sleeper {
    task: Task,
    instance: u64,
    offset: u32,
}

impl Kernel {
    pub const fn new() -> Self {
        Self {
            sleepers: Mutex::new(RefCell::new([None; SLEEPERS])),
            time: Mutex::new(Cell::new(0)),
            sleeps: Mutex::new(Cell::new(0)),
            raised: Mutex::new(RefCell::new([None; HOLDERS])),
        }
    }

    /// Counts a raise of the calling task; false if too many others are raised.
    fn count_raise(&self) -> bool {
        let (task, own) = (kernel::current(), kernel::priority());
        with(|section| {
            let mut raised = self.raised.borrow_ref_mut(section);
            if let Some(holder) = raised.iter_mut().flatten().find(|holder| holder.task == task) {
                holder.raises += 1;
                return true;
            }
            let place = raised.iter_mut().find(|place| place.is_none());
            place.map(|place| *place = Some(Holder { task, raises: 1, own })).is_some()
        })
    }

    /// Counts that a raise of the calling task was undone; after the last one, gives its own priority.
    fn count_lower(&self) -> Option<u32> {
        let task = kernel::current();
        with(|section| {
            let mut raised = self.raised.borrow_ref_mut(section);
            let place = raised.iter_mut().find(|place| place.is_some_and(|holder| holder.task == task))?;
            let holder = place.as_mut()?;
            holder.raises -= 1;
            if holder.raises > 0 { None } else { place.take().map(|holder| holder.own) }
        })
    }

    /// How often a task has gone to sleep here.
    pub fn sleeps(&self) -> u32 {
        with(|section| self.sleeps.borrow(section).get())
    }

    /// Takes those of whom that is true out of the table.
    fn take(&self, wanted: impl Fn(&Sleeper) -> bool) -> [Option<Task>; SLEEPERS] {
        with(|section| {
            let mut sleepers = self.sleepers.borrow_ref_mut(section);
            core::array::from_fn(|i| {
                let taken = sleepers[i].filter(&wanted)?;
                sleepers[i] = None;
                Some(taken.task)
            })
        })
    }
}

impl Wait for Kernel {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        let (instance, offset) = (point.instance, point.offset);
        let me = Sleeper { task: kernel::current(), instance, offset };
        // Nobody runs between the look at the word and the entry in the table, and a waker looks into the
        // table after it changed the word. A notice that comes before the sleep ends that at once.
        let entered = with(|section| {
            // ORDERING: Relaxed; one core, and the caller looks at the data again.
            if point.word.load(RELAXED) != expected {
                return None;
            }
            let mut sleepers = self.sleepers.borrow_ref_mut(section);
            let place = sleepers.iter_mut().find(|place| place.is_none());
            self.sleeps.borrow(section).set(self.sleeps.borrow(section).get().wrapping_add(1));
            Some(place.map(|place| *place = Some(me)).is_some())
        });
        match entered {
            None => {}
            Some(true) => {
                kernel::take_notice(NOTICE, whole_ticks(timeout));
                self.take(|sleeper| sleeper.task == me.task);
            }
            Some(false) => kernel::delay(1),
        }
    }

    fn wake(&self, point: WaitPoint<'_>) {
        let sleeps_there =
            |sleeper: &Sleeper| (sleeper.instance, sleeper.offset) == (point.instance, point.offset);
        let tasks = self.take(sleeps_there);
        tasks.into_iter().flatten().for_each(|task| kernel::notify(task, NOTICE));
    }

    fn pause(&self, how_long: Duration) {
        kernel::delay(whole_ticks(how_long));
    }
}

/// Rounded up; never the number that means for ever.
fn whole_ticks(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

impl Clock for Kernel {
    fn now_ns(&self) -> u64 {
        with(|section| {
            let time = self.time.borrow(section);
            let passed = kernel::ticks().wrapping_sub(time.get() as u32);
            time.set(time.get() + u64::from(passed));
            time.get() * 1_000_000
        })
    }
}

/// A task's view of a region: as [`LocalPort`], and with a ceiling for the priorities of those who
/// hold the region's locks.
#[derive(Clone)]
pub struct Rtos {
    local: LocalPort<'static, Kernel>,
    kernel: &'static Kernel,
    ceiling: u32,
}

impl Rtos {
    /// `ceiling` is the priority of the most urgent task that uses the region's locks; 0 leaves priorities
    /// alone.
    pub fn new(local: &LocalPort<'static, Kernel>, kernel: &'static Kernel, ceiling: u32) -> Self {
        Self { local: local.clone(), kernel, ceiling }
    }
}

impl Wait for Rtos {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.local.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.local.wake(point);
    }

    fn pause(&self, how_long: Duration) {
        self.local.pause(how_long);
    }
}

impl Clock for Rtos {
    fn now_ns(&self) -> u64 {
        self.local.now_ns()
    }
}

// SAFETY: as for `LocalPort`: nobody is ever called dead.
unsafe impl Liveness for Rtos {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.local.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.local.release(who) };
    }

    fn probe(&self, who: Ident) -> Probe {
        self.local.probe(who)
    }
}

// SAFETY: as for `LocalPort`, which every clone keeps.
unsafe impl Port for Rtos {
    // Nothing forks here.
    const CAN_FORK: bool = false;

    fn mem(&self) -> &Mem {
        self.local.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.local.ident()
    }

    fn raise(&self) -> u32 {
        if self.ceiling == 0 || !self.kernel.count_raise() {
            return 0;
        }
        if kernel::priority() < self.ceiling {
            kernel::set_priority(self.ceiling);
        }
        RAISED
    }

    fn lower(&self, raised: u32) {
        if raised == RAISED
            && let Some(own) = self.kernel.count_lower()
        {
            kernel::set_priority(own);
        }
    }
}
