//! Scheduling of the calling thread on Windows: done, or refused with the reason.
#![cfg(windows)]

use strait_os::rt::{RtError, pin, set_fifo};

#[test]
fn a_thread_can_be_pinned_to_a_cpu_that_there_is() {
    assert_eq!(pin(&[0]), Ok(()));
    assert_eq!(pin(&[]), Err(RtError::NoCpu));
    assert_eq!(pin(&[0, 99_999]), Err(RtError::Cpu { cpu: 99_999 }));
}

#[test]
fn what_unix_alone_has_is_refused() {
    assert_eq!(set_fifo(10), Err(RtError::Unsupported));
}
