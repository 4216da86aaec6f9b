//! The mutex with priority inheritance, with its owner killed after every change of its words.
//!
//! A victim is traced and stepped, instruction by instruction, through an operation. After its n-th
//! change of the words, and some instructions later, it is killed; then the survivors must get the mutex,
//! each in turn, and be notified of the death where there was one.
#![cfg(target_os = "linux")]

mod common;

use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use common::pi::{LONG, Name, WAITERS, Words, thread_id};
use common::{Helper, eventually, role_for_a_while, say, skip};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use strait_os::RegionOptions;
use strait_os::linux::{PiLock, PiLockError, PiMutex};

/// Instructions after a change at which the victim dies.
const LATER: [u32; 2] = [0, 12];
/// More than any operation has.
const MOST_STEPS: u32 = 400_000;
/// Of the page's words for tests: the victim goes when this is 1, and says 1 in the next when it is done.
const GO: usize = 10;
const DONE: usize = 11;

/// The operation that is stepped through, and the state of the mutex before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// Lock and unlock while nobody else wants it.
    Alone,
    /// Unlock while somebody waits in the kernel.
    HandOver,
    /// Lock, repair and unlock after an owner's death.
    Succeed,
    /// The same, with the dead owner's thread id given to a thread that lives.
    SucceedStranger,
    /// Lock after a repairer's death and give the mutex up.
    Poison,
}

/// A thread that this one traces, and its process.
struct Traced(Pid, Pid);

impl Traced {
    fn call(&self, request: libc::c_uint, what: &'static str) -> Result<(), String> {
        let none: *mut libc::c_void = null_mut();
        // SAFETY: these requests take no memory of ours.
        let result = unsafe { libc::ptrace(request, self.0.as_raw(), none, none) };
        Errno::result(result).map(drop).map_err(|error| format!("{what}: {error}"))
    }

    /// Traces the thread and stops it.
    fn seize(thread: Pid, process: Pid) -> Result<Self, String> {
        let traced = Self(thread, process);
        traced.call(libc::PTRACE_SEIZE, "the victim cannot be traced")?;
        traced.call(libc::PTRACE_INTERRUPT, "the victim cannot be stopped")?;
        if traced.has_stopped() { Ok(traced) } else { Err("the victim has ended".into()) }
    }

    fn has_stopped(&self) -> bool {
        match waitpid(self.0, Some(WaitPidFlag::__WALL)) {
            Ok(status) => !matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..)),
            Err(error) => panic!("waitpid: {error}"),
        }
    }

    /// Takes note of the end of a thread that is being killed: its process ends no sooner.
    fn bury(&self) {
        // The first thread's end is that of the process, which the helper is asked for.
        while self.1 != self.0 && self.has_stopped() {}
    }

    fn step(&self) {
        self.call(libc::PTRACE_SINGLESTEP, "step").expect("a stopped thread");
        assert!(self.has_stopped(), "it ended early");
    }
}

fn look(words: &Words) -> [u32; 4] {
    [words.word(), words.owner(), words.takeovers(), words.state()].map(|word| word.load(SeqCst))
}

/// Steps until the words have changed `changes` times, and `later` instructions on. False if the
/// operation is over before.
fn run(traced: &Traced, words: &Words, changes: u32, later: u32) -> bool {
    let mut seen = look(words);
    let mut left = changes;
    for _ in 0..MOST_STEPS {
        if left == 0 {
            for _ in 0..later {
                traced.step();
            }
            return true;
        }
        if words.data(DONE).load(SeqCst) == 1 {
            return false;
        }
        traced.step();
        let now = look(words);
        left -= u32::from(now != seen);
        seen = now;
    }
    panic!("no end of {changes} changes");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Held,
    Repaired,
    Poisoned,
}

fn pass(mutex: &mut PiMutex) -> Outcome {
    match mutex.lock_timeout(LONG) {
        Ok(PiLock::Held(_guard)) => Outcome::Held,
        Ok(PiLock::OwnerDied(recovery)) => {
            drop(recovery.mark_consistent().expect("ours"));
            Outcome::Repaired
        }
        Err(PiLockError::Poisoned) => Outcome::Poisoned,
        Err(error) => panic!("{error}"),
    }
}

/// One kill; `None` if the operation has fewer changes, else what the first survivor got.
fn point(operation: Operation, changes: u32, later: u32) -> Result<Option<Outcome>, String> {
    let name = Name(format!("test-steps-{}-{operation:?}-{changes}-{later}", std::process::id()));
    let mut ours = name.open();
    let words = Words::map(ours.path());
    if matches!(operation, Operation::Succeed | Operation::SucceedStranger | Operation::Poison) {
        let mut dead = name.open();
        std::mem::forget(dead.lock_timeout(LONG).expect("free"));
        let ended = std::thread::spawn(thread_id).join().expect("an id");
        let left = if operation == Operation::SucceedStranger { thread_id() } else { ended };
        words.word().store(left, SeqCst);
    }
    let mut victim = Helper::start("victim", format!("{} {operation:?}", name.0));
    let thread = Pid::from_raw(victim.hear().parse().expect("a thread id"));
    let traced = Traced::seize(thread, victim.pid())?;
    let outcome = std::thread::scope(|scope| {
        let waiter = (operation == Operation::HandOver).then(|| {
            let waiter = scope.spawn(|| pass(&mut name.open()));
            assert!(eventually(|| words.word().load(SeqCst) & WAITERS != 0));
            std::thread::sleep(Duration::from_millis(2));
            waiter
        });
        words.data(GO).store(1, SeqCst);
        let reached = run(&traced, &words, changes, later);
        victim.signal(Signal::SIGKILL);
        traced.bury();
        victim.kill();
        let waited = waiter.map(|waiter| waiter.join().expect("no panic"));
        reached.then(|| waited.unwrap_or_else(|| pass(&mut ours)))
    });
    let poisoned = outcome == Some(Outcome::Poisoned) || ours.status().poisoned;
    if poisoned {
        let repaired = ours.lock_poisoned_timeout(LONG).expect("a recovery");
        let PiLock::OwnerDied(recovery) = repaired else { panic!("poisoned") };
        drop(recovery.mark_consistent().expect("ours"));
    }
    assert_eq!(pass(&mut ours), Outcome::Held, "{operation:?} {changes} {later}: the next one");
    assert_eq!(pass(&mut name.open()), Outcome::Held, "{operation:?} {changes} {later}: others");
    assert_eq!((words.word().load(SeqCst), words.owner().load(SeqCst)), (0, 0));
    Ok(outcome)
}

/// Kills at every change of an operation. The outcomes, in order.
fn all_points(operation: Operation) -> Result<Vec<Outcome>, String> {
    let mut outcomes = Vec::new();
    for changes in 0.. {
        for later in LATER {
            match point(operation, changes, later)? {
                Some(outcome) => outcomes.push(outcome),
                None => return Ok(outcomes),
            }
        }
    }
    Ok(outcomes)
}

fn first_core() -> usize {
    let set = nix::sched::sched_getaffinity(Pid::from_raw(0)).expect("this thread's cores");
    (0..nix::sched::CpuSet::count()).find(|&cpu| set.is_set(cpu).unwrap_or(false)).unwrap_or(0)
}

#[test]
fn killed_after_every_change_of_every_operation() {
    // Stepping is many times faster where both share a core; helpers inherit it.
    if let Err(error) = strait_os::rt::pin(&[first_core()]) {
        println!("not pinned: {error}");
    }
    let mut points = 0;
    for operation in [
        Operation::Alone,
        Operation::HandOver,
        Operation::Succeed,
        Operation::SucceedStranger,
        Operation::Poison,
    ] {
        let outcomes = match all_points(operation) {
            Ok(outcomes) => outcomes,
            Err(why) => return skip("killed_after_every_change_of_every_operation", &why),
        };
        let count = |wanted| outcomes.iter().filter(|&&outcome| outcome == wanted).count();
        let (held, repaired, poisoned) =
            (count(Outcome::Held), count(Outcome::Repaired), count(Outcome::Poisoned));
        println!(
            "{operation:?}: {} points, {held} held, {repaired} repaired, {poisoned} poisoned",
            outcomes.len()
        );
        assert!(outcomes.len() >= 2 * LATER.len() && repaired > 0, "{operation:?}");
        assert_eq!(poisoned > 0, operation == Operation::Poison);
        points += outcomes.len();
    }
    println!("{points} points, {points} survived");
}

fn victim_role(argument: &str) {
    let (name, operation) = argument.split_once(' ').expect("two words");
    let mut mutex = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    let words = Words::map(mutex.path());
    let mut other = PiMutex::named(&format!("{name}-other"), &RegionOptions::new()).expect("a mutex");
    PiMutex::remove(&format!("{name}-other")).expect("it is there");
    drop(other.try_lock()); // The thread's id is known from here on.
    let go = |mutex: &mut PiMutex| {
        say(&thread_id().to_string());
        while words.data(GO).load(SeqCst) == 0 {
            std::hint::spin_loop();
        }
        mutex.lock_timeout(LONG).map(|lock| match lock {
            PiLock::Held(guard) => guard.unlock().expect("ours"),
            PiLock::OwnerDied(recovery) if operation == "Poison" => drop(recovery),
            PiLock::OwnerDied(recovery) => {
                recovery.mark_consistent().and_then(|guard| guard.unlock()).expect("ours");
            }
        })
    };
    if operation == "HandOver" {
        let guard = mutex.lock_timeout(LONG).expect("free");
        say(&thread_id().to_string());
        while words.data(GO).load(SeqCst) == 0 {
            std::hint::spin_loop();
        }
        drop(guard);
    } else {
        go(&mut mutex).expect("free, or its owner dead");
    }
    words.data(DONE).store(1, SeqCst);
    loop {
        std::hint::spin_loop();
    }
}

#[test]
fn helper() {
    let Some((role, argument)) = role_for_a_while() else { return };
    assert_eq!(role, "victim");
    victim_role(&argument);
}
