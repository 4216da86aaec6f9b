//! After set-up nothing reaches the system: no allocation, no system call, no page fault.
#![cfg(target_os = "linux")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::BufRead;

use common::{Kid, Name, role, tell};
use nix::sys::ptrace;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, gettid};
use strait::{
    Channel, Consumer, LatestReader, LatestWriter, Plan, Producer, Region, RegionName, RegionOptions,
    SystemPort, TypedConsumer, TypedProducer,
};

/// Counts this thread's allocations.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", 4096, 256).consumer_may_block().producer_may_block(),
    Channel::slots::<u64>("slots", 16).consumer_may_block(),
    Channel::compact::<u64>("compact", 16),
    Channel::latest::<[u64; 4]>("latest").consumer_may_block(),
]);

/// Every endpoint of the plan.
struct Ends {
    frames: (Producer<SystemPort>, Consumer<SystemPort>),
    slots: (TypedProducer<u64, SystemPort>, TypedConsumer<u64, SystemPort>),
    compact: (TypedProducer<u64, SystemPort>, TypedConsumer<u64, SystemPort>),
    latest: (LatestWriter<[u64; 4], SystemPort>, LatestReader<[u64; 4], SystemPort>),
}

impl Ends {
    fn open(region: &Region) -> Self {
        Self {
            frames: (region.producer("frames").unwrap(), region.consumer("frames").unwrap()),
            slots: (region.typed_producer("slots").unwrap(), region.typed_consumer("slots").unwrap()),
            compact: (region.typed_producer("compact").unwrap(), region.typed_consumer("compact").unwrap()),
            latest: (region.latest_writer("latest").unwrap(), region.latest_reader("latest").unwrap()),
        }
    }

    /// Eight operations and more, empty and full queues among them.
    fn round(&mut self, n: u64) {
        let mut buffer = [0; 256];
        self.frames.0.try_send(n as u32, &buffer[..(n % 256) as usize]).unwrap();
        assert_eq!(self.frames.1.try_recv(&mut buffer).unwrap().tag, n as u32);
        assert!(self.frames.1.try_recv(&mut buffer).is_err());
        self.slots.0.try_send(&n).unwrap();
        assert_eq!(self.slots.1.try_recv(), Ok(n));
        self.compact.0.try_send(&n).unwrap();
        assert_eq!(self.compact.1.try_recv(), Ok(n));
        self.latest.0.publish(&[n; 4]);
        assert_eq!(self.latest.1.read().value(), Some([n; 4]));
        if n.is_multiple_of(64) {
            while self.slots.0.try_send(&n).is_ok() {}
            while self.slots.1.try_recv().is_ok() {}
        }
    }
}

/// Rounds of some nine operations each: a million and more in all.
const ROUNDS: u64 = 120_000;

fn faults() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    usage.minor_page_faults() + usage.major_page_faults()
}

/// The child of the counting tests; a test of its own only by name.
#[test]
fn child() {
    let Some((_, region)) = role() else { return };
    let region = region.open(&RegionOptions::new().prefault(true).lock(true)).unwrap();
    let mut ends = Ends::open(&region);
    (0..1000).for_each(|n| ends.round(n));
    tell(&gettid().to_string());
    std::io::stdin().lock().lines().next();
    // The tracer counts the system calls between these stops.
    raise(Signal::SIGSTOP).unwrap();
    raise(Signal::SIGSTOP).unwrap();
    (0..ROUNDS).for_each(|n| ends.round(n));
    raise(Signal::SIGSTOP).unwrap();
}

#[test]
fn a_million_operations_make_no_system_call() {
    let name = Name::new("calls");
    let _region = create(&name);
    let mut kid = Kid::spawn("child", "operate", &name);
    let thread = Pid::from_raw(kid.hear().parse().unwrap());
    ptrace::attach(thread).unwrap();
    let mut stops = vec![0_u64];
    assert!(matches!(waitpid(thread, Some(WaitPidFlag::__WALL)), Ok(WaitStatus::Stopped(..))));
    kid.answer();
    ptrace::setoptions(thread, ptrace::Options::PTRACE_O_TRACESYSGOOD).unwrap();
    while stops.len() < 4 {
        ptrace::syscall(thread, None).unwrap();
        match waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::PtraceSyscall(_) => *stops.last_mut().unwrap() += 1,
            WaitStatus::Stopped(_, Signal::SIGSTOP) => stops.push(0),
            other => panic!("unexpected: {other:?}"),
        }
    }
    ptrace::detach(thread, None).unwrap();
    // Between the first two stops there is nothing but the stopping itself.
    assert_eq!(stops[2], stops[1], "system calls (entries and exits) with and without operations: {stops:?}");
    println!("{ROUNDS} rounds, {} system calls", stops[2] - stops[1]);
}

fn create(name: &Name) -> Region {
    name.region().create(&PLAN, &RegionOptions::new().prefault(true).lock(true)).unwrap()
}

#[test]
fn a_million_operations_make_no_page_fault_and_allocate_nothing() {
    let name = Name::new("faults");
    let region = create(&name);
    let mut ends = Ends::open(&region);
    (0..1000).for_each(|n| ends.round(n));
    let (faults_before, allocations) = (faults(), ALLOCATIONS.with(Cell::get));
    (0..ROUNDS).for_each(|n| ends.round(n));
    let counted = (faults() - faults_before, ALLOCATIONS.with(Cell::get) - allocations);
    assert_eq!(counted, (0, 0), "page faults, allocations");
    println!("{ROUNDS} rounds, {} page faults, {} allocations", counted.0, counted.1);
}

#[test]
fn the_counters_count() {
    let allocations = ALLOCATIONS.with(Cell::get);
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(ALLOCATIONS.with(Cell::get) - allocations, 1);
    let before = faults();
    let pages = std::hint::black_box(vec![1_u8; 1 << 22]);
    assert!(faults() > before, "touching {} new bytes faults", pages.len());
    assert!(RegionName::new("never-made").unwrap().open(&RegionOptions::new()).is_err());
}
