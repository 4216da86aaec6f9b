//! The mutex with priority inheritance, as long as nobody dies.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::common::pi::{LONG, Name, WAITERS, Words, thread_id};
use crate::common::{Helper, hear, in_pid_namespace, role_for_a_while, say, skip};
use nix::unistd::{ForkResult, fork};
use strait_os::linux::{PiLock, PiLockError, PiMutex, PiOpenError, PiUnlockError};
use strait_os::unix::RegionOptionsExt as _;
use strait_os::{CreateError, Exposure, OpenError, RegionOptions};

/// The error of an attempt that must fail.
fn refused(attempt: Result<PiLock<'_>, PiLockError>) -> PiLockError {
    attempt.map(drop).expect_err("it is taken")
}

#[test]
fn it_is_held_by_one_at_a_time() {
    let name = Name::new("one");
    let mut ours = name.open();
    let mut theirs = PiMutex::open(&name.0, &RegionOptions::new()).expect("open");
    let words = Words::map(ours.path());
    let Ok(PiLock::Held(guard)) = ours.try_lock() else { panic!("free") };
    assert_eq!(guard.takeovers(), 0);
    assert_eq!(words.word().load(SeqCst), thread_id());
    let status = theirs.status();
    assert_eq!((status.thread, status.waiters, status.poisoned), (Some(thread_id()), false, false));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            assert_eq!(refused(theirs.try_lock()), PiLockError::Busy);
            let start = Instant::now();
            assert_eq!(refused(theirs.lock_timeout(Duration::from_millis(100))), PiLockError::TimedOut);
            assert_eq!(refused(theirs.lock_until(start)), PiLockError::TimedOut);
            assert_eq!(refused(theirs.lock_timeout(Duration::ZERO)), PiLockError::TimedOut);
            assert!(start.elapsed() >= Duration::from_millis(100));
        });
        other.join().expect("no panic");
    });
    guard.unlock().expect("ours");
    assert_eq!((words.word().load(SeqCst), words.owner().load(SeqCst)), (0, 0));
    assert!(matches!(theirs.try_lock(), Ok(PiLock::Held(_))));
    assert_eq!(words.word().load(SeqCst), 0, "dropped is unlocked");
}

#[test]
fn a_relock_is_a_deadlock_and_no_hang() {
    let name = Name::new("relock");
    let (mut one, mut two) = (name.open(), name.open());
    let guard = one.lock_timeout(LONG).expect("free");
    assert_eq!(refused(two.try_lock()), PiLockError::Deadlock, "another handle of this thread");
    assert_eq!(refused(two.lock_timeout(LONG)), PiLockError::Deadlock);
    std::mem::forget(guard);
    assert_eq!(refused(one.lock_timeout(LONG)), PiLockError::Deadlock, "the handle itself");
    std::thread::scope(|scope| {
        let result = scope.spawn(|| refused(one.lock_timeout(LONG))).join();
        assert_eq!(result.expect("no panic"), PiLockError::Deadlock, "in another thread too");
    });
}

#[test]
fn a_circle_of_waiters_is_a_deadlock() {
    let (left, right) = (Name::new("left"), Name::new("right"));
    let arrived = AtomicU32::new(0);
    let run = |first: &Name, second: &Name| {
        let (mut first, mut second) = (first.open(), second.open());
        let _held = first.lock_timeout(LONG).expect("free");
        arrived.fetch_add(1, SeqCst);
        while arrived.load(SeqCst) < 2 {
            std::thread::yield_now();
        }
        second.lock_timeout(LONG).map(drop)
    };
    let results = std::thread::scope(|scope| {
        let one = scope.spawn(|| run(&left, &right));
        let two = scope.spawn(|| run(&right, &left));
        [one.join().expect("no panic"), two.join().expect("no panic")]
    });
    assert!(results.contains(&Err(PiLockError::Deadlock)), "{results:?}");
}

#[test]
fn threads_exclude_each_other() {
    const THREADS: u32 = 4;
    const ROUNDS: u32 = 3_000;
    let name = Name::new("threads");
    let count = AtomicU32::new(0);
    let inside = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut mutex = name.open();
                for _ in 0..ROUNDS {
                    let Ok(PiLock::Held(guard)) = mutex.lock_timeout(LONG) else { panic!("in time") };
                    assert!(!inside.swap(true, Relaxed), "alone");
                    count.store(count.load(Relaxed) + 1, Relaxed);
                    inside.store(false, Relaxed);
                    guard.unlock().expect("ours");
                }
            });
        }
    });
    assert_eq!(count.load(Relaxed), THREADS * ROUNDS);
    assert_eq!(name.open().status().thread, None);
}

#[test]
fn a_waiter_is_woken_by_the_unlock() {
    let name = Name::new("woken");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    let guard = ours.lock_timeout(LONG).expect("free");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut theirs = name.open();
            matches!(theirs.lock_timeout(LONG), Ok(PiLock::Held(_)))
        });
        assert!(crate::common::eventually(|| words.word().load(SeqCst) & WAITERS != 0));
        drop(guard);
        assert!(waiting.join().expect("no panic"));
    });
    assert_eq!(words.word().load(SeqCst), 0);
}

#[test]
fn fault_15_unlock_by_one_who_does_not_own_it_harms_nobody() {
    let name = Name::new("not-owner");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    let Ok(PiLock::Held(guard)) = ours.try_lock() else { panic!("free") };
    // As if the mutex had been taken from us: another thread's id and another handle's identity.
    words.word().store(1 | WAITERS, SeqCst);
    words.owner().store(0x1FF, SeqCst);
    assert_eq!(guard.unlock(), Err(PiUnlockError::NotOwner));
    assert_eq!(words.word().load(SeqCst), 1 | WAITERS);
    assert_eq!(words.owner().load(SeqCst), 0x1FF);
    words.word().store(0, SeqCst);
    words.owner().store(0, SeqCst);
    assert!(ours.try_lock().is_ok());
}

#[test]
fn a_forked_child_owns_nothing() {
    let name = Name::new("fork");
    let mut helper = Helper::start("fork", &name.0);
    assert_eq!(helper.hear(), "child: Err(NotOwner), Forked, anew: Busy");
    assert_eq!(helper.hear(), "parent: Ok(())");
}

fn fork_role(name: &str) {
    let mut mutex = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    let mut second = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    let Ok(PiLock::Held(guard)) = mutex.try_lock() else { panic!("free") };
    // SAFETY: the other thread of this process waits for this one; the C library keeps its allocator
    // usable in the child.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("its end");
            say(&format!("parent: {:?}", guard.unlock()));
            hear();
        }
        ForkResult::Child => {
            let unlocked = guard.unlock();
            let locked = refused(second.try_lock());
            drop((mutex, second));
            let mut anew = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
            let busy = refused(anew.try_lock());
            say(&format!("child: {unlocked:?}, {locked:?}, anew: {busy:?}"));
            std::process::exit(0);
        }
    }
}

#[test]
fn uncontended_it_makes_no_system_call() {
    let name = Name::new("strict");
    let mut helper = Helper::start("strict", &name.0);
    match helper.hear().as_str() {
        "ready" => assert_eq!(helper.try_hear().as_deref(), Some("done"), "killed by a system call"),
        why => skip("uncontended_it_makes_no_system_call", why),
    }
}

/// Locks where the kernel kills a caller of anything but read, write and exit.
fn strict_role(name: &str) {
    const STRICT: nix::libc::c_ulong = 1;
    let mut mutex = PiMutex::named(name, &RegionOptions::new()).expect("a mutex");
    drop(mutex.try_lock().expect("free")); // The thread's id is known from here on.
    say("ready");
    // SAFETY: the call takes numbers.
    let refused = unsafe { nix::libc::prctl(nix::libc::PR_SET_SECCOMP, STRICT) } != 0;
    if refused {
        return say("the kernel has no seccomp");
    }
    for _ in 0..1000 {
        let Ok(PiLock::Held(guard)) = mutex.try_lock() else { panic!("free") };
        guard.unlock().expect("ours");
        let Ok(PiLock::Held(guard)) = mutex.lock_timeout(LONG) else { panic!("free") };
        guard.unlock().expect("ours");
    }
    let done = b"@>done\n";
    // SAFETY: the bytes are there; the call is one of the four.
    unsafe { nix::libc::write(1, done.as_ptr().cast(), done.len()) };
    // SAFETY: ends this thread; the call is one of the four.
    unsafe { nix::libc::syscall(nix::libc::SYS_exit, 0) };
}

#[test]
fn another_pid_namespace_is_refused() {
    let name = Name::new("namespace");
    let ours = name.open();
    let mut helper = Helper::start("namespace", &name.0);
    let said = helper.hear();
    if !said.starts_with("refused: ") {
        return skip("another_pid_namespace_is_refused", &said);
    }
    assert!(said.contains("the mutex was created in PID namespace"), "{said}");
    drop(ours);
}

#[test]
fn names_and_files_that_are_no_mutex_are_refused() {
    let name = Name::new("names");
    let open = |options: &RegionOptions| PiMutex::open(&name.0, options).expect_err("refused");
    let private = RegionOptions::new();
    assert_eq!(open(&private), PiOpenError::NotFound);
    assert_eq!(PiMutex::remove(&name.0), Err(PiOpenError::NotFound));
    assert!(matches!(PiMutex::named("a/b", &private), Err(PiOpenError::Name(_))));
    assert_eq!(open(&private.read_only(true)), PiOpenError::ReadOnly);
    let mode = PiMutex::named(&name.0, &private.mode(0o400)).expect_err("refused");
    assert_eq!(mode, PiOpenError::Create(CreateError::Mode { mode: 0o400 }));

    let path = name.open().path().to_path_buf();
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("ours");
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    mode(0o666);
    assert_eq!(
        open(&private),
        PiOpenError::Open(OpenError::TooOpen(Exposure { found: 0o666, allowed: 0o600 }))
    );
    mode(0o600);
    std::fs::write(&path, [7; 4096]).expect("ours");
    assert_eq!(open(&private), PiOpenError::NotAMutex);
    for len in [0, 100, 4095, 8192] {
        std::fs::write(&path, vec![0; len]).expect("ours");
        assert_eq!(open(&private), PiOpenError::NotAMutex, "{len}");
    }
    let regions = strait_os::RegionName::list().expect("a list");
    assert!(!regions.iter().any(|region| region.contains(&name.0)), "a mutex is no region");
}

#[test]
fn identities_run_out_with_an_error() {
    let name = Name::new("exhausted");
    let mut ours = name.open();
    let path = ours.path().to_path_buf();
    let mut bytes = std::fs::read(&path).expect("the page");
    bytes[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    std::fs::write(&path, bytes).expect("ours");
    let options = RegionOptions::new();
    assert_eq!(PiMutex::open(&name.0, &options).expect_err("no number"), PiOpenError::Exhausted);
    assert!(ours.try_lock().is_ok());
}

#[test]
fn a_scribbling_peer_makes_no_call_hang_or_panic() {
    let name = Name::new("scribble");
    let mut ours = name.open();
    let words = Words::map(ours.path());
    let stop = AtomicBool::new(false);
    let (tell, told) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = 0x2545_F491_u32;
            let own = thread_id();
            while !stop.load(Relaxed) {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                // Never this process's own threads for owners that could be boosted into a circle.
                let value = [random, random | WAITERS, 0, own, 1, u32::MAX][(random % 6) as usize];
                [words.word(), words.owner(), words.state()][(random as usize >> 8) % 3].store(value, SeqCst);
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        scope.spawn(|| {
            let mut outcomes = 0;
            for round in 0..200 {
                let timeout = Duration::from_millis(round % 7);
                match ours.lock_timeout(timeout) {
                    Ok(PiLock::Held(guard)) => drop(guard),
                    Ok(PiLock::OwnerDied(recovery)) => drop(recovery.mark_consistent()),
                    Err(_) => outcomes += 1,
                }
            }
            stop.store(true, Relaxed);
            tell.send(outcomes).expect("the test listens");
        });
        told.recv_timeout(LONG).expect("no call hung");
    });
}

#[test]
fn helper() {
    let Some((role, argument)) = role_for_a_while() else { return };
    match role.as_str() {
        "fork" => fork_role(&argument),
        "strict" => strict_role(&argument),
        "namespace" => {
            if let Err(why) = in_pid_namespace("refused", &argument) {
                say(&why);
            }
        }
        "refused" => match PiMutex::open(&argument, &RegionOptions::new()) {
            Err(error @ PiOpenError::OtherNamespace { .. }) => say(&format!("refused: {error}")),
            other => panic!("{other:?}"),
        },
        other => panic!("no role {other}"),
    }
}
