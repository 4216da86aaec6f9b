//! What a sweep over lanes costs on a machine of many cores, in cache lines that go from one core to another.
//!
//! Each core has a mapping of its own of one memory, laid out in lines of a page, and a directory as a processor's (MSI): a
//! line is one core's to write, or several cores' to read, and an access to another's is a fault, which is counted and moves
//! the line. So the code that is counted is the code that runs, and every access of it is seen. It shows how many lines
//! move, and not how long one takes, nor what a core does meanwhile.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

use std::ffi::{c_int, c_void};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, mprotect};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::ftruncate;
use strait::error::TryRecvLanesError;
use strait::format::{Contents, initialise};
use strait::port::{LocalPort, Mem, NoSystem};
use strait::{Attachment, Channel, Plan, TypedLanesConsumer, TypedProducer};

/// A line, which is also a page.
const LINE: usize = 4096;
/// The most cores: a reader, and a writer for each of the most lanes.
const CORES: usize = 257;
/// The most lines.
const LINES: usize = 2048;
const LANES: usize = CORES - 1;
/// What is in a lane.
const CAPACITY: u32 = 16;

/// What a core has of a line.
const INVALID: u8 = 0;
const SHARED: u8 = 1;
const MODIFIED: u8 = 2;

static STATES: [[AtomicU8; LINES]; CORES] = [const { [const { AtomicU8::new(INVALID) }; LINES] }; CORES];
static MOVED: AtomicUsize = AtomicUsize::new(0);
/// Where the first core's mapping starts; the others follow at equal distances.
static BASE: AtomicUsize = AtomicUsize::new(0);
/// The bit of the processor's error code that says that it was a store.
const STORE: i64 = 2;

fn protect(core: usize, line: usize, state: u8) {
    let access = match state {
        INVALID => libc::PROT_NONE,
        SHARED => libc::PROT_READ,
        _ => libc::PROT_READ | libc::PROT_WRITE,
    };
    STATES[core][line].store(state, Relaxed);
    let start = BASE.load(Relaxed) + (core * LINES + line) * LINE;
    // SAFETY: the page is in the range that is reserved for all cores. All accesses to it are atomic, or faults.
    unsafe { libc::mprotect(std::ptr::with_exposed_provenance_mut(start), LINE, access) };
}

/// Moves the line that was accessed to the core whose mapping that was in. Only atomics and system calls.
extern "C" fn fault(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's, of this very signal.
    let info = unsafe { &*info };
    // SAFETY: this signal has an address.
    let address = unsafe { info.si_addr() }.addr();
    let at = address.wrapping_sub(BASE.load(Relaxed)) / LINE;
    if at >= CORES * LINES {
        // SAFETY: an access of somebody else's is what it was without this handler: the end.
        unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
        return;
    }
    // SAFETY: as above.
    let code = unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_ERR as usize] };
    let (core, line) = (at / LINES, at % LINES);
    let is_store = code & STORE != 0;
    for other in (0..CORES).filter(|&other| other != core) {
        match STATES[other][line].load(Relaxed) {
            INVALID => {}
            MODIFIED if !is_store => protect(other, line, SHARED),
            _ if is_store => protect(other, line, INVALID),
            _ => {}
        }
    }
    protect(core, line, if is_store { MODIFIED } else { SHARED });
    MOVED.fetch_add(1, Relaxed);
}

/// How many lines `run` moves.
fn moved<R>(run: impl FnOnce() -> R) -> usize {
    let before = MOVED.load(Relaxed);
    run();
    MOVED.load(Relaxed) - before
}

type Port = LocalPort<'static, NoSystem>;

/// A reader and its writers, each on a core of its own.
struct Machine {
    reader: TypedLanesConsumer<u64, Port, LANES>,
    writers: Vec<TypedProducer<u64, Port>>,
    /// What the next message says.
    next: u64,
}

impl Machine {
    /// Lays the lanes out and joins from each core.
    fn new(plan: &Plan<'_>, lanes: usize) -> Self {
        assert!(plan.size() <= LINES * LINE, "{} lines", plan.size() / LINE);
        let memory = memfd_create("lines", MFdFlags::MFD_CLOEXEC).expect("a memfd");
        ftruncate(&memory, (LINES * LINE) as i64).expect("its length");
        let all = NonZeroUsize::new(CORES * LINES * LINE).expect("some");
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
        // SAFETY: the kernel chooses a place that is free. It is never unmapped.
        let base = unsafe { mmap_anonymous(None, all, ProtFlags::PROT_NONE, flags) }.expect("a place");
        BASE.store(base.as_ptr().expose_provenance(), Relaxed);
        let join = |core: usize| {
            let mem = map(&memory, base, core);
            // The memory is new, and this is the first of its users.
            if core == 0 {
                initialise(&mem, plan, 1, Contents::Zeroed).expect("laid out");
            }
            // SAFETY: the mapping stays for as long as the program runs, and only such ports join.
            let port = unsafe { LocalPort::join(mem, &NoSystem) }.expect("joined");
            Attachment::attach(port).expect("attached")
        };
        let reader = join(0).typed_lanes_consumer::<u64, LANES>("lanes").expect("the reader");
        let writer =
            |lane| join(lane + 1).typed_lane_producer::<u64>("lanes", lane as u32).expect("a writer");
        let machine = Self { reader, writers: (0..lanes).map(writer).collect(), next: 0 };
        // Nobody has anything in its cache.
        for (core, states) in STATES.iter().enumerate().take(lanes + 1) {
            states.iter().for_each(|state| state.store(INVALID, Relaxed));
            let start = NonNull::new(base.as_ptr().wrapping_byte_add(core * LINES * LINE));
            let start = start.expect("an address");
            // SAFETY: the range is this machine's; the handler makes what is accessed accessible.
            unsafe { mprotect(start, LINES * LINE, ProtFlags::PROT_NONE) }.expect("protected");
        }
        machine
    }

    /// Each of the first `busy` writers sends a message, and the reader looks until it has them all and one look more.
    fn round(&mut self, busy: usize) {
        self.next += 1;
        for writer in &mut self.writers[..busy] {
            writer.try_send(&self.next).expect("space");
        }
        for _ in 0..busy {
            assert_eq!(self.reader.try_recv().expect("a message").message, self.next);
        }
        self.sweep();
    }

    /// A look that finds nothing.
    fn sweep(&mut self) {
        assert!(matches!(self.reader.try_recv(), Err(TryRecvLanesError::Empty)));
    }
}

/// A core's own mapping of the memory.
fn map(memory: &OwnedFd, base: NonNull<c_void>, core: usize) -> Mem {
    let len = NonZeroUsize::new(LINES * LINE).expect("some");
    let start = NonZeroUsize::new(base.as_ptr().expose_provenance() + core * LINES * LINE);
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
    // SAFETY: the range is in the one that is reserved for all cores.
    let own = unsafe { mmap(start, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags, memory, 0) };
    let own = own.expect("a mapping");
    // SAFETY: it is mapped for as long as the program runs, and accessed through such handles alone.
    unsafe { Mem::from_raw(own.cast(), (LINES * LINE) as u32) }
}

/// What was counted: in the first sweep, in a hundred idle ones, and in rounds of some busy lanes, per message.
fn count(plan: &Plan<'_>, lanes: usize) -> (usize, usize, Vec<(usize, f64)>) {
    let mut machine = Machine::new(plan, lanes);
    let first = moved(|| machine.sweep());
    let idle = moved(|| (0..100).for_each(|_| machine.sweep()));
    let per_message = |busy: usize, machine: &mut Machine| {
        // Laps enough for everything that is done once a lap.
        let rounds = 4 * CAPACITY as usize;
        moved(|| (0..rounds).for_each(|_| machine.round(busy))) as f64 / (rounds * busy) as f64
    };
    let busy = [1, 8, 64, 256].into_iter().filter(|&busy| busy <= lanes);
    let busy: Vec<_> = busy.map(|busy| (busy, per_message(busy, &mut machine))).collect();
    (first, idle, busy)
}

#[test]
fn idle_lanes_move_no_line_and_busy_ones_a_few_each() {
    let action = SigAction::new(SigHandler::SigAction(handler()), SaFlags::SA_SIGINFO, SigSet::empty());
    // SAFETY: the handler does what one may do: atomics and system calls.
    unsafe { sigaction(Signal::SIGSEGV, &action) }.expect("a handler");
    const fn lanes(of: u32) -> [Channel<'static>; 1] {
        [Channel::slots::<u64>("lanes", CAPACITY).producers(of).consumer_may_block()]
    }
    let mut of_one = Vec::new();
    for of in [1, 8, 64, 256_u32] {
        let channels = lanes(of);
        let plan = Plan::new(&channels).line(LINE as u32).participants(of + 1);
        let (first, idle, busy) = count(&plan, of as usize);
        println!(
            "{of} lanes: {first} lines in the first sweep, {idle} in a hundred idle ones, then {busy:.2?} a message"
        );
        assert!(first <= 2 * of as usize + 4, "the first sweep over {of} lanes moves {first} lines");
        assert_eq!(idle, 0, "idle lanes move no line, of {of}");
        for &(busy, per_message) in &busy {
            assert!(per_message <= 3.0, "{per_message} lines a message, of {busy} busy lanes of {of}");
        }
        of_one.push(busy[0].1);
    }
    // Writers that send by turns, while nobody reads, do not meet; they would if their words shared lines.
    let by_turns = |line| {
        let mut machine = Machine::new(&Plan::new(&lanes(8)).line(line).participants(9), 8);
        let mut turn = || machine.writers.iter_mut().for_each(|writer| writer.try_send(&0).expect("space"));
        turn();
        moved(|| (1..CAPACITY).for_each(|_| turn()))
    };
    let (apart, crowded) = (by_turns(LINE as u32), by_turns(64));
    println!("8 writers by turns, {CAPACITY} messages each: {apart} lines, {crowded} if words shared them");
    assert!(apart <= 8, "{apart} lines");
    assert!(crowded > 50, "this test would not see it: {crowded} lines");
    let spread = of_one.iter().fold(0.0, |most: f64, one| most.max((one - of_one[0]).abs()));
    assert!(spread < 0.5, "a message costs the same beside any number of idle lanes: {of_one:?}");
}

/// The handler, of the type that the library has for it.
fn handler() -> extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) {
    fault
}
