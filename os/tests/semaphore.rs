//! The operating system's named semaphores: what holds on every system.

use std::time::{Duration, Instant};

use crate::common::{Helper, end_in_a_while, eventually, hear, role, say};
use strait_os::{NamedSemaphore, SemAcquireError, SemOpenError, SemReleaseError};

const LONG: Duration = Duration::from_secs(30);

/// A name of a semaphore that nobody else uses; removed in the end.
struct Name(String);

impl Name {
    fn new(test: &str) -> Self {
        Self(format!("st-{}-{test}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = NamedSemaphore::remove(&self.0);
    }
}

/// Whether the system says how many permits are left.
fn values_are_known() -> bool {
    cfg!(any(target_os = "linux", target_os = "freebsd"))
}

#[test]
fn permits_are_taken_and_given_back() {
    let name = Name::new("permits");
    let ours = NamedSemaphore::create(&name.0, 2).expect("create");
    let theirs = NamedSemaphore::open(&name.0).expect("open");
    ours.try_acquire().expect("the first");
    theirs.try_acquire().expect("the second");
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
    assert_eq!(ours.acquire_timeout(Duration::ZERO), Err(SemAcquireError::TimedOut));
    theirs.release(3).expect("room");
    assert_eq!(ours.value(), values_are_known().then_some(3));
    for _ in 0..3 {
        ours.acquire_timeout(LONG).expect("a permit");
    }
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
    ours.release(0).expect("nothing to do");
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
}

#[test]
fn names_and_their_ends_are_clear_errors() {
    let name = Name::new("names");
    assert_eq!(NamedSemaphore::open(&name.0).expect_err("nothing"), SemOpenError::NotFound);
    assert_eq!(NamedSemaphore::remove(&name.0), Err(SemOpenError::NotFound));
    let first = NamedSemaphore::create(&name.0, 1).expect("create");
    assert_eq!(NamedSemaphore::create(&name.0, 1).expect_err("taken"), SemOpenError::AlreadyExists);
    let same = NamedSemaphore::open_or_create(&name.0, 7).expect("open");
    same.try_acquire().expect("the first's only one");
    assert_eq!(first.try_acquire(), Err(SemAcquireError::Empty), "7 was not looked at");
    NamedSemaphore::remove(&name.0).expect("it is there");
    first.release(1).expect("it works on");
    same.try_acquire().expect("for both");
    for wrong in ["", "a/b", "/a", ".a", "a\0b", &"x".repeat(300)] {
        assert_eq!(NamedSemaphore::create(wrong, 1).expect_err(wrong), SemOpenError::Name);
        assert_eq!(NamedSemaphore::open(wrong).expect_err(wrong), SemOpenError::Name);
    }
}

#[test]
fn more_than_fits_is_an_error_and_changes_nothing() {
    let name = Name::new("overflow");
    let max = NamedSemaphore::max();
    for asked in [max + 1, u32::MAX] {
        let error = NamedSemaphore::create(&name.0, asked).expect_err("too many");
        assert_eq!(error, SemOpenError::Initial { asked, max });
    }
    let full = NamedSemaphore::create(&name.0, max - 1).expect("create");
    let overflow = Err(SemReleaseError::Overflow { released: 0 });
    assert_eq!(full.release(u32::MAX), overflow);
    if values_are_known() || cfg!(windows) {
        assert_eq!(full.release(2), overflow);
    }
    assert_eq!(full.value(), values_are_known().then_some(max - 1));
    full.release(1).expect("room for one");
    assert_eq!(full.release(1), overflow);
}

#[test]
fn a_wait_ends_with_a_release_or_with_its_time() {
    let name = Name::new("waits");
    let ours = NamedSemaphore::create(&name.0, 0).expect("create");
    let start = Instant::now();
    assert_eq!(ours.acquire_timeout(Duration::from_millis(200)), Err(SemAcquireError::TimedOut));
    assert!(start.elapsed() >= Duration::from_millis(200));
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| ours.acquire_timeout(LONG))).collect();
        std::thread::sleep(Duration::from_millis(50));
        ours.release(3).expect("room");
        for thread in waiting {
            assert_eq!(thread.join().expect("no panic"), Ok(()));
        }
    });
    assert!(start.elapsed() < Duration::from_secs(20), "woken, and not by the time");
    // More than the system's time can hold.
    ours.release(1).expect("room");
    assert_eq!(ours.acquire_timeout(Duration::MAX), Ok(()));
}

#[test]
fn another_process_waits_and_is_woken() {
    let name = Name::new("process");
    let ours = NamedSemaphore::create(&name.0, 0).expect("create");
    let mut helper = Helper::start("acquire", &name.0);
    assert_eq!(helper.hear(), "waiting");
    ours.release(1).expect("room");
    assert_eq!(helper.hear(), "Ok(())");
}

#[test]
fn a_dead_holders_permit_does_not_come_back() {
    let name = Name::new("death");
    let ours = NamedSemaphore::create(&name.0, 1).expect("create");
    let mut helper = Helper::start("acquire", &name.0);
    assert_eq!(helper.hear(), "waiting");
    assert_eq!(helper.hear(), "Ok(())");
    helper.kill();
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty), "as the documentation says");
    ours.release(1).expect("by hand");
    ours.try_acquire().expect("a permit again");
}

#[test]
fn a_waiter_that_is_killed_takes_no_permit() {
    let name = Name::new("waiter");
    let ours = NamedSemaphore::create(&name.0, 0).expect("create");
    let mut helper = Helper::start("acquire", &name.0);
    assert_eq!(helper.hear(), "waiting");
    std::thread::sleep(Duration::from_millis(50));
    helper.kill();
    ours.release(1).expect("room");
    assert!(eventually(|| ours.try_acquire().is_ok()));
}

/// The helpers that the tests start by this name.
#[test]
fn helper() {
    let Some((role, name)) = role() else { return };
    end_in_a_while();
    assert_eq!(role, "acquire");
    let theirs = NamedSemaphore::open(&name).expect("open");
    say("waiting");
    say(&format!("{:?}", theirs.acquire_timeout(LONG)));
    hear();
}
