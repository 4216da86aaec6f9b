//! Scheduling of the calling thread on Unix: done, or refused with the reason.
#![cfg(unix)]

use strait_os::rt::{RtError, set_fifo, set_time_critical};

#[test]
fn what_windows_alone_has_is_refused() {
    assert_eq!(set_time_critical(), Err(RtError::Unsupported));
}

#[test]
fn a_priority_that_does_not_exist_is_refused() {
    for asked in [0, -1, 1000] {
        let error = set_fifo(asked).expect_err("no such priority");
        assert!(matches!(error, RtError::Priority { asked: said, .. } if said == asked), "{error:?}");
        assert!(error.to_string().contains("give one from"), "{error}");
    }
}

#[test]
fn a_priority_is_set_or_the_refusal_says_why() {
    let outcome = std::thread::spawn(|| {
        let set = set_fifo(10);
        // SAFETY: the call takes a number and returns one.
        let policy = unsafe { nix::libc::sched_getscheduler(0) };
        (set, policy)
    });
    match outcome.join().expect("a thread") {
        (Ok(()), policy) => assert_eq!(policy, nix::libc::SCHED_FIFO),
        (Err(RtError::NotPermitted), policy) => {
            println!("SKIPPED a_priority_is_set: {}", RtError::NotPermitted);
            assert_eq!(policy, nix::libc::SCHED_OTHER);
        }
        (Err(other), _) => panic!("{other}"),
    }
}

#[cfg(target_os = "linux")]
mod pinning {
    use nix::sched::{CpuSet, sched_getaffinity};
    use nix::unistd::Pid;

    use strait_os::rt::pin;

    use super::RtError;

    fn allowed() -> Vec<usize> {
        let set = sched_getaffinity(Pid::from_raw(0)).expect("the thread's CPUs");
        (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
    }

    #[test]
    fn a_thread_is_pinned_where_it_may_run_and_nowhere_else() {
        let before = allowed();
        assert_eq!(pin(&[]), Err(RtError::NoCpu));
        assert_eq!(pin(&[usize::MAX]), Err(RtError::Cpu { cpu: usize::MAX }));
        let missing = (0..CpuSet::count()).rev().find(|cpu| !before.contains(cpu)).expect("not that many");
        assert_eq!(pin(&[before[0], missing]), Err(RtError::Cpu { cpu: missing }));
        assert_eq!(allowed(), before, "refused means unchanged");
        pin(&before[..1]).expect("a CPU that the thread was allowed");
        assert_eq!(allowed(), before[..1]);
    }
}
