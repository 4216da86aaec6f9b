//! The operating system's named mutex.
#![cfg(windows)]

use std::time::{Duration, Instant};

use crate::common::{Helper, end_in_a_while, hear, role, say};
use strait_os::NamedSemaphore;
use strait_os::windows::{MutexLockError, MutexOpenError, NamedMutex, NamedMutexLock, Sddl};

const LONG: Duration = Duration::from_secs(30);

fn unique(test: &str) -> String {
    format!("mx-{}-{test}", std::process::id())
}

/// A process that holds the mutex.
fn holder(name: &str) -> Helper {
    let mut helper = Helper::start("hold", name);
    assert_eq!(helper.hear(), "held");
    helper
}

fn is_held(lock: Result<NamedMutexLock<'_>, MutexLockError>) -> bool {
    matches!(lock, Ok(NamedMutexLock::Held(_)))
}

fn is_abandoned(lock: Result<NamedMutexLock<'_>, MutexLockError>) -> bool {
    matches!(lock, Ok(NamedMutexLock::Abandoned(_)))
}

#[test]
fn one_process_has_it_at_a_time() {
    let name = unique("one");
    let mut ours = NamedMutex::create(&name).expect("create");
    let mut helper = holder(&name);
    assert_eq!(ours.try_lock().err(), Some(MutexLockError::Busy));
    let start = Instant::now();
    assert_eq!(ours.lock_timeout(Duration::from_millis(200)).err(), Some(MutexLockError::TimedOut));
    assert!(start.elapsed() >= Duration::from_millis(200) && start.elapsed() < LONG);
    helper.tell("unlock");
    assert!(is_held(ours.lock_timeout(LONG)), "and not abandoned");
    assert_eq!(helper.hear(), "Ok(())");
    let guard = ours.try_lock().expect("free again").into_guard();
    guard.unlock().expect("ours");
}

#[test]
fn a_killed_holder_is_told_of_once() {
    let name = unique("killed");
    let mut ours = NamedMutex::create(&name).expect("create");
    let mut helper = holder(&name);
    let waiter = std::thread::spawn({
        let name = name.clone();
        move || is_abandoned(NamedMutex::open(&name).expect("open").lock_timeout(LONG))
    });
    std::thread::sleep(Duration::from_millis(50));
    helper.kill();
    assert!(waiter.join().expect("no panic"), "the waiter is notified");
    assert!(is_held(ours.lock_timeout(LONG)), "once");
    let mut helper = holder(&name);
    helper.kill();
    assert!(is_abandoned(ours.lock_timeout(LONG)), "a later caller is notified as well");
    assert!(is_held(ours.try_lock()));
}

#[test]
fn a_thread_that_ends_with_it_counts_as_dead() {
    let name = unique("thread");
    let mut ours = NamedMutex::create(&name).expect("create");
    let theirs = name.clone();
    let thread = std::thread::spawn(move || {
        let mut mutex = NamedMutex::open(&theirs).expect("open");
        std::mem::forget(mutex.try_lock().expect("free"));
    });
    thread.join().expect("no panic");
    assert!(is_abandoned(ours.lock_timeout(LONG)));
}

#[test]
fn a_panic_gives_it_back() {
    let name = unique("panic");
    let mut ours = NamedMutex::create(&name).expect("create");
    let theirs = name.clone();
    let thread = std::thread::spawn(move || {
        let mut mutex = NamedMutex::open(&theirs).expect("open");
        let _guard = mutex.try_lock().expect("free");
        std::panic::resume_unwind(Box::new("in the middle"));
    });
    assert!(thread.join().is_err());
    assert!(is_held(ours.try_lock()), "given back, and so not abandoned");
}

#[test]
fn names_and_their_ends_are_clear_errors() {
    let name = unique("names");
    assert_eq!(NamedMutex::open(&name).err(), Some(MutexOpenError::NotFound));
    let first = NamedMutex::create(&name).expect("create");
    assert_eq!(NamedMutex::create(&name).err(), Some(MutexOpenError::AlreadyExists));
    drop(NamedMutex::open_or_create(&format!("Local\\{name}")).expect("the same, said at length"));
    assert_eq!(NamedMutex::open(&format!("Global\\{name}")).err(), Some(MutexOpenError::NotFound));
    drop(NamedMutex::create(&format!("Global\\{name}")).expect("needs no privilege"));
    drop(first);
    assert_eq!(NamedMutex::open(&name).err(), Some(MutexOpenError::NotFound), "it went with the last");
    for wrong in ["", "a/b", "\\a", ".a", "a\0b", "Elsewhere\\a", &"x".repeat(300)] {
        assert_eq!(NamedMutex::create(wrong).err(), Some(MutexOpenError::Name));
        assert_eq!(NamedMutex::open(wrong).err(), Some(MutexOpenError::Name));
    }
    let _semaphore = NamedSemaphore::create(&name, 1).expect("create");
    for error in [NamedMutex::create(&name), NamedMutex::open(&name), NamedMutex::open_or_create(&name)] {
        assert_eq!(error.err(), Some(MutexOpenError::WrongKind));
    }
    let (denied, nobody) = (unique("denied"), Sddl::new("D:P(A;;GA;;;S-1-0-0)").expect("a descriptor"));
    let _ours = NamedMutex::create_with_sddl(&denied, &nobody).expect("create");
    assert_eq!(NamedMutex::open(&denied).err(), Some(MutexOpenError::NotPermitted));
}

#[test]
fn helper() {
    let Some((role, name)) = role() else { return };
    end_in_a_while();
    assert_eq!(role, "hold");
    let mut mutex = NamedMutex::open(&name).expect("open");
    let guard = mutex.lock_timeout(LONG).expect("free").into_guard();
    say("held");
    hear();
    say(&format!("{:?}", guard.unlock()));
    hear();
}
