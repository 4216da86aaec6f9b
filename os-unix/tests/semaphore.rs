//! The operating system's named semaphores.

mod common;

use std::time::{Duration, Instant};

use common::{Helper, eventually, hear, role, say, skip};
use strait_os_unix::{NamedSemaphore, SemAcquireError, SemOpenError, SemReleaseError};

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
    if cfg!(any(target_os = "linux", target_os = "freebsd")) {
        assert_eq!(ours.value(), Some(3));
    }
    for _ in 0..3 {
        ours.acquire_timeout(Duration::from_secs(5)).expect("a permit");
    }
    assert_eq!(ours.try_acquire(), Err(SemAcquireError::Empty));
    ours.release(0).expect("nothing to do");
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
    first.release(1).expect("it works on without its name");
    same.try_acquire().expect("for both");
    let anew = NamedSemaphore::open_or_create(&name.0, 7).expect("create");
    anew.try_acquire().expect("another one");
    assert_eq!(first.try_acquire(), Err(SemAcquireError::Empty));
    for wrong in ["", "a/b", "/a", ".a", "a\0b", &"x".repeat(300)] {
        assert_eq!(NamedSemaphore::create(wrong, 1).expect_err(wrong), SemOpenError::Name);
        assert_eq!(NamedSemaphore::open(wrong).expect_err(wrong), SemOpenError::Name);
    }
    let mode = NamedSemaphore::create_with_mode("any", 1, 0o1777).expect_err("no such mode");
    assert_eq!(mode, SemOpenError::Mode { mode: 0o1777 });
}

#[test]
fn more_than_fits_is_an_error_and_changes_nothing() {
    let name = Name::new("overflow");
    let max = NamedSemaphore::max();
    let error = NamedSemaphore::create(&name.0, u32::MAX).expect_err("too many");
    assert_eq!(error, SemOpenError::Initial { asked: u32::MAX, max });
    let full = NamedSemaphore::create(&name.0, max - 1).expect("create");
    assert_eq!(full.release(u32::MAX), Err(SemReleaseError::Overflow { released: 0 }));
    if cfg!(any(target_os = "linux", target_os = "freebsd")) {
        assert_eq!(full.release(2), Err(SemReleaseError::Overflow { released: 0 }));
        assert_eq!(full.value(), Some(max - 1));
    }
    full.release(1).expect("room for one");
    assert_eq!(full.release(1), Err(SemReleaseError::Overflow { released: 0 }));
}

#[test]
fn a_wait_ends_with_a_release_or_with_its_time() {
    let name = Name::new("waits");
    let ours = NamedSemaphore::create(&name.0, 0).expect("create");
    let start = Instant::now();
    assert_eq!(ours.acquire_timeout(Duration::from_millis(100)), Err(SemAcquireError::TimedOut));
    assert!(start.elapsed() >= Duration::from_millis(100));
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..3).map(|_| scope.spawn(|| ours.acquire_timeout(Duration::from_secs(30)))).collect();
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
fn a_signal_does_not_end_a_wait() {
    extern "C" fn nothing(_: i32) {}
    let name = Name::new("signals");
    let ours = NamedSemaphore::create(&name.0, 0).expect("create");
    let action = nix::sys::signal::SigAction::new(
        nix::sys::signal::SigHandler::Handler(nothing),
        nix::sys::signal::SaFlags::empty(),
        nix::sys::signal::SigSet::empty(),
    );
    // SAFETY: the handler does nothing.
    unsafe { nix::sys::signal::sigaction(nix::sys::signal::SIGUSR1, &action) }.expect("a handler");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let ours = &ours;
        let waiting = scope.spawn(move || {
            // SAFETY: a thread may always name itself.
            tell.send(unsafe { nix::libc::pthread_self() } as usize).expect("the test listens");
            ours.acquire_timeout(Duration::from_millis(400))
        });
        let thread = told.recv().expect("a thread") as nix::libc::pthread_t;
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(10));
            // SAFETY: the thread is not joined before the end of the scope.
            unsafe { nix::libc::pthread_kill(thread, nix::libc::SIGUSR1) };
        }
        assert_eq!(waiting.join().expect("no panic"), Err(SemAcquireError::TimedOut));
    });
    assert!(start.elapsed() >= Duration::from_millis(400));
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

#[cfg(target_os = "linux")]
#[test]
fn a_semaphore_is_its_users_alone_unless_asked_otherwise() {
    use std::os::unix::fs::PermissionsExt;

    let name = Name::new("mode");
    let file = format!("/dev/shm/sem.{}", name.0);
    let mode = || std::fs::metadata(&file).expect("the C library's file").permissions().mode() & 0o777;
    drop(NamedSemaphore::open_or_create(&name.0, 1).expect("create"));
    assert_eq!(mode(), 0o600);
    NamedSemaphore::remove(&name.0).expect("it is there");
    drop(NamedSemaphore::create_with_mode(&name.0, 1, 0o660).expect("create"));
    assert_eq!(mode() & 0o606, 0o600);

    let test = "a_semaphore_is_its_users_alone_unless_asked_otherwise (another user)";
    if !common::is_root() {
        return skip(test, "only root can become somebody else");
    }
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("ours");
    let mut helper = Helper::start("open-as-nobody", &name.0);
    assert_eq!(helper.hear(), "NotPermitted");
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

#[test]
fn helper() {
    let Some((role, name)) = role() else { return };
    match role.as_str() {
        "acquire" => {
            let theirs = NamedSemaphore::open(&name).expect("open");
            say("waiting");
            say(&format!("{:?}", theirs.acquire_timeout(Duration::from_secs(30))));
            hear();
        }
        "open-as-nobody" => {
            nix::unistd::setuid(nix::unistd::Uid::from_raw(65534)).expect("root may");
            say(&format!("{:?}", NamedSemaphore::open(&name).expect_err("not ours")));
        }
        other => panic!("no role {other}"),
    }
}
