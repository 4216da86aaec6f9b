//! Semaphores: what only holds where they are POSIX semaphores.
#![cfg(unix)]

use std::time::{Duration, Instant};

use crate::common::{role, say};
use strait_os::unix::NamedSemaphoreExt as _;
use strait_os::{NamedSemaphore, SemAcquireError, SemOpenError};

/// A name of a semaphore that nobody else uses; removed in the end.
struct Name(String);

impl Name {
    fn new(test: &str) -> Self {
        Self(format!("st-unix-{}-{test}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = NamedSemaphore::remove(&self.0);
    }
}

#[test]
fn a_semaphore_works_on_without_its_name() {
    let name = Name::new("names");
    let first = NamedSemaphore::create(&name.0, 0).expect("create");
    let same = NamedSemaphore::open(&name.0).expect("open");
    NamedSemaphore::remove(&name.0).expect("it is there");
    first.release(1).expect("it works on without its name");
    same.try_acquire().expect("for both");
    let anew = NamedSemaphore::open_or_create(&name.0, 7).expect("create");
    anew.try_acquire().expect("another one");
    assert_eq!(first.try_acquire(), Err(SemAcquireError::Empty));
    let mode = NamedSemaphore::create_with_mode("any", 1, 0o1777).expect_err("no such mode");
    assert_eq!(mode, SemOpenError::Mode { mode: 0o1777 });
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
    if !nix::unistd::geteuid().is_root() {
        return crate::common::skip(test, "only root can become somebody else");
    }
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("ours");
    let mut helper = crate::common::Helper::start("open-as-nobody", &name.0);
    assert_eq!(helper.hear(), "NotPermitted");
}

/// The helpers that the tests start by this name.
#[test]
fn helper() {
    let Some((role, name)) = role() else { return };
    nix::unistd::alarm::set(60); // Should the test forget this process.
    assert_eq!(role, "open-as-nobody");
    nix::unistd::setuid(nix::unistd::Uid::from_raw(65534)).expect("root may");
    say(&format!("{:?}", NamedSemaphore::open(&name).expect_err("not ours")));
}
