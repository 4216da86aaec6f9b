//! Priority inversion: there with an ordinary futex mutex, gone with the one that lends priority.
//!
//! ```text
//! one core    low (10)                 high (30)                medium (20)
//!             locks
//!             starts high    ------->  starts medium
//!                                      wants the lock, sleeps   spins for a while, or until high is through
//!             works, unlocks           (when?)
//! ```
//!
//! With an ordinary lock low gets to work only when medium is tired. With a lent priority low works
//! above medium, high gets the lock, and medium finds that at its first look. So it is the order that
//! is looked at, and no time.
#![cfg(target_os = "linux")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::skip;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use strait_os::RegionOptions;
use strait_os::linux::{PiLock, PiMutex};
use strait_os::rt::{pin, set_fifo};

const LONG: Duration = Duration::from_secs(30);
/// The work of the low thread: longer than a waiter's probe period, much shorter than medium's patience.
const WORK: Duration = Duration::from_millis(60);
/// How long medium spins at the longest; below what the kernel allows real-time threads in a second.
const PATIENCE: Duration = Duration::from_millis(600);

/// A way to lock for the duration of a closure; each thread makes its own.
type WithLock = Box<dyn FnOnce(&mut dyn FnMut())>;

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("this thread's clock");
    Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32)
}

/// Spins for so much time of the CPU, or until `enough`.
fn spin(time: Duration, enough: impl Fn() -> bool) {
    let start = cpu_time();
    while cpu_time() - start < time && !enough() {
        std::hint::spin_loop();
    }
}

/// Becomes a thread of this priority on this core.
fn become_real_time(priority: i32, cpu: usize) {
    pin(&[cpu]).expect("a core of ours");
    set_fifo(priority).expect("a priority, as before");
}

/// Whether medium held high up until its patience was over.
fn is_inverted(cpu: usize, make_lock: impl Fn() -> WithLock + Sync) -> bool {
    let through = AtomicBool::new(false);
    let inverted = AtomicBool::new(false);
    let (start_high, high_starts) = channel();
    let (start_medium, medium_starts) = channel();
    let (ready, are_ready) = channel();
    std::thread::scope(|scope| {
        let (make_lock, through, inverted) = (&make_lock, &through, &inverted);
        let high_ready = ready.clone();
        let high = scope.spawn(move || {
            let lock = make_lock();
            become_real_time(30, cpu);
            high_ready.send(()).expect("this test");
            high_starts.recv().expect("low");
            // Medium is awake from here, but this thread has the core until it sleeps for the lock.
            start_medium.send(()).expect("medium");
            lock(&mut || through.store(true, SeqCst));
        });
        let medium = scope.spawn(move || {
            become_real_time(20, cpu);
            ready.send(()).expect("this test");
            medium_starts.recv().expect("high");
            spin(PATIENCE, || through.load(SeqCst));
            inverted.store(!through.load(SeqCst), SeqCst);
        });
        // From here on both have the core before low, and so sleep before low runs.
        for _ in 0..2 {
            are_ready.recv_timeout(LONG).expect("a real-time thread");
        }
        let low = scope.spawn(move || {
            let lock = make_lock();
            become_real_time(10, cpu);
            lock(&mut || {
                start_high.send(()).expect("high");
                spin(WORK, || false);
            });
        });
        for thread in [low, medium, high] {
            thread.join().expect("no panic");
        }
    });
    inverted.load(SeqCst)
}

/// The last core that is open to this process; `Err` says why there is no real time.
fn real_time_core() -> Result<usize, String> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(|error| error.to_string())?;
    let mut cores = (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false));
    let cpu = cores.next_back().ok_or("no core")?;
    let tried = std::thread::spawn(move || pin(&[cpu]).and_then(|()| set_fifo(30)));
    tried.join().map_err(|_| "no thread")?.map_err(|error| error.to_string())?;
    Ok(cpu)
}

#[test]
fn the_inversion_is_there_without_inheritance_and_gone_with_it() {
    let test = "the_inversion_is_there_without_inheritance_and_gone_with_it";
    let cpu = match real_time_core() {
        Ok(cpu) => cpu,
        Err(why) => return skip(test, &why),
    };
    let plain = Mutex::new(());
    let plain: &'static Mutex<()> = Box::leak(Box::new(plain));
    let ordinary = || -> WithLock {
        Box::new(|inside| {
            let _guard = plain.lock().unwrap_or_else(PoisonError::into_inner);
            inside();
        })
    };
    assert!(is_inverted(cpu, ordinary), "an ordinary mutex lets medium hold high up");

    let name = format!("test-inversion-{}", std::process::id());
    let lending = || -> WithLock {
        let mut mutex = PiMutex::named(&name, &RegionOptions::new()).expect("a mutex");
        Box::new(move |inside| match mutex.lock_timeout(LONG).expect("in time") {
            PiLock::Held(_guard) => inside(),
            PiLock::OwnerDied(_) => panic!("nobody has died"),
        })
    };
    let inverted = is_inverted(cpu, lending);
    PiMutex::remove(&name).expect("it is there");
    assert!(!inverted, "high's priority takes low past medium");
    println!("inverted with an ordinary futex mutex: true; with PiMutex: {inverted}");
}

/// As without the right to set the scheduler: the test says that it was skipped.
#[test]
fn helper() {
    let Some((role, _)) = common::role_for_a_while() else { return };
    assert_eq!(role, "without-the-right");
    nix::unistd::setuid(nix::unistd::Uid::from_raw(65534)).expect("root may");
    match real_time_core() {
        Ok(_) => common::say("it has the right all the same"),
        Err(why) => common::say(&why),
    }
}

#[test]
fn without_the_right_it_is_skipped_with_the_reason() {
    let test = "without_the_right_it_is_skipped_with_the_reason";
    if !common::is_root() {
        return skip(test, "only root can give the right up");
    }
    let said = common::Helper::start("without-the-right", "").hear();
    if said == "it has the right all the same" {
        return skip(test, &said);
    }
    assert!(said.contains("may not use real-time priorities"), "{said}");
}
