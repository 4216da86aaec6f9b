//! The operating system's named semaphores.
#![cfg(windows)]

#[path = "../../os-unix/tests/common/process.rs"]
mod process;

use std::time::{Duration, Instant};

use process::{Helper, end_in_a_while, eventually, hear, role, say};
use strait_os_windows::{NamedMutex, NamedSemaphore, Sddl, SemAcquireError, SemOpenError, SemReleaseError};

const LONG: Duration = Duration::from_secs(30);

fn unique(test: &str) -> String {
    format!("st-{}-{test}", std::process::id())
}

#[test]
fn permits_are_taken_and_given_back() {
    let name = unique("permits");
    let ours = NamedSemaphore::create(&name, 2).expect("create");
    let theirs = NamedSemaphore::open(&name).expect("open");
    ours.try_acquire().expect("the first");
    theirs.try_acquire().expect("the second");
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
    assert_eq!(ours.acquire_timeout(Duration::ZERO), Err(SemAcquireError::TimedOut));
    theirs.release(3).expect("room");
    for _ in 0..3 {
        ours.acquire_timeout(LONG).expect("a permit");
    }
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
    ours.release(0).expect("nothing to do");
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
}

#[test]
fn names_and_their_ends_are_clear_errors() {
    let name = unique("names");
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::NotFound));
    assert_eq!(NamedSemaphore::remove(&name), Err(SemOpenError::NotFound));
    let first = NamedSemaphore::create(&name, 1).expect("create");
    assert_eq!(NamedSemaphore::create(&name, 1).err(), Some(SemOpenError::AlreadyExists));
    let same = NamedSemaphore::open_or_create(&name, 7).expect("open");
    same.try_acquire().expect("the first's only one");
    assert_eq!(first.try_acquire(), Err(SemAcquireError::Empty), "7 was not looked at");
    drop(NamedSemaphore::open(&format!("Local\\{name}")).expect("the same, said at length"));
    assert_eq!(NamedSemaphore::open(&format!("Global\\{name}")).err(), Some(SemOpenError::NotFound));
    assert_eq!(NamedSemaphore::remove(&name), Ok(()));
    drop((first, same));
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::NotFound), "it went with the last");
    for wrong in ["", "a/b", "\\a", ".a", "a\0b", "Elsewhere\\a", &"x".repeat(300)] {
        assert_eq!(NamedSemaphore::create(wrong, 1).err(), Some(SemOpenError::Name));
        assert_eq!(NamedSemaphore::open(wrong).err(), Some(SemOpenError::Name));
    }
    let machine = format!("Global\\{name}");
    let _whole = NamedSemaphore::create(&machine, 1).expect("needs no privilege");
    drop(NamedSemaphore::open(&machine).expect("open"));
    let max = NamedSemaphore::max();
    let error = NamedSemaphore::create(&name, max + 1).err();
    assert_eq!(error, Some(SemOpenError::Initial { asked: max + 1, max }));
}

#[test]
fn a_name_of_something_else_is_refused() {
    let name = unique("kind");
    let _mutex = NamedMutex::create(&name).expect("create");
    assert_eq!(NamedSemaphore::create(&name, 1).err(), Some(SemOpenError::WrongKind));
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::WrongKind));
    assert_eq!(NamedSemaphore::open_or_create(&name, 1).err(), Some(SemOpenError::WrongKind));
}

#[test]
fn too_many_permits_are_an_error_and_none_is_given() {
    let name = unique("overflow");
    let ours = NamedSemaphore::create(&name, NamedSemaphore::max() - 1).expect("create");
    let overflow = Err(SemReleaseError::Overflow { released: 0 });
    assert_eq!(ours.release(2), overflow);
    assert_eq!(ours.release(u32::MAX), overflow);
    ours.release(1).expect("room for one");
    assert_eq!(ours.release(1), overflow);
}

#[test]
fn who_is_not_let_in_is_told_so() {
    let name = unique("denied");
    let nobody = Sddl::new("D:P(A;;GA;;;S-1-0-0)").expect("a descriptor");
    let _ours = NamedSemaphore::create_with_sddl(&name, 1, &nobody).expect("create");
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::NotPermitted));
    assert_eq!(NamedSemaphore::open_or_create(&name, 1).err(), Some(SemOpenError::NotPermitted));
}

#[test]
fn a_wait_ends_in_time() {
    let name = unique("wait");
    let ours = NamedSemaphore::create(&name, 0).expect("create");
    let start = Instant::now();
    assert_eq!(ours.acquire_timeout(Duration::from_millis(200)), Err(SemAcquireError::TimedOut));
    assert!(start.elapsed() >= Duration::from_millis(200) && start.elapsed() < LONG);
}

#[test]
fn another_process_is_woken_and_its_permit_dies_with_it() {
    let name = unique("process");
    let ours = NamedSemaphore::create(&name, 0).expect("create");
    let mut helper = Helper::start("acquire", &name);
    assert_eq!(helper.hear(), "waiting");
    ours.release(1).expect("room");
    assert_eq!(helper.hear(), "Ok(())");
    helper.kill();
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty), "as the documentation says");

    let mut helper = Helper::start("acquire", &name);
    assert_eq!(helper.hear(), "waiting");
    helper.kill();
    ours.release(1).expect("room");
    assert!(eventually(|| ours.try_acquire().is_ok()), "who is killed waiting takes none");
}

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
