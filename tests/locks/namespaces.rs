//! Processes that are each the first of a namespace of process ids (FAULTS 13).

use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use strait::{Lock, LockError, RegionOptions, RegionPlace};

use super::common::{Kid, Name, PATIENCE, linger, tell};
use super::{after_a_death, gains, make};

/// Such a child's part.
pub fn child(region: &RegionPlace) {
    if std::process::id() != 1 {
        return into_a_namespace();
    }
    let region = region.open(&RegionOptions::new()).expect("the test made the region");
    let mut mutex = gains(&region);
    set_pdeathsig(Signal::SIGKILL).unwrap();
    tell("1");
    let lock = mutex.lock_timeout(PATIENCE).unwrap();
    tell(if matches!(lock, Lock::Held(_)) { "held" } else { "its owner died" });
    let _guard = lock.or_roll_back().ok().unwrap();
    linger();
}

/// Runs this program again, in the same role, as the first process of a namespace.
fn into_a_namespace() {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWPID) {
        return tell(&format!("no namespace of process ids of its own: {error}"));
    }
    let mut first = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(std::env::args().skip(1))
        .stdin(Stdio::null())
        .spawn()
        .expect("this program starts");
    // It is killed when this process is.
    first.wait().expect("it ends");
}

#[test]
fn fault_13_two_namespaces_of_process_ids_share_a_lock() {
    let name = Name::new("lock-namespaces");
    let region = make(&name);
    let mut one = Kid::spawn("child", "namespaced", &name);
    let pid = one.hear();
    if pid != "1" {
        return println!("skipped: fault_13_two_namespaces_of_process_ids_share_a_lock: {pid}");
    }
    assert_eq!(one.hear(), "held");
    let mut two = Kid::spawn("child", "namespaced", &name);
    assert_eq!(two.hear(), "1", "both are the first process of their namespace");
    let mut mutex = gains(&region);
    assert_eq!(mutex.lock_timeout(Duration::from_millis(100)).err(), Some(LockError::TimedOut));
    one.kill();
    assert_eq!(two.hear(), "its owner died");
    assert_eq!(mutex.try_lock().err(), Some(LockError::Busy), "its new one lives");
    two.kill();
    assert_eq!(after_a_death(&mut mutex).takeovers(), 2);
}
