//! A consumer that has latched a fault returns it from every call.

use std::time::Duration;

use strait_core::{Consumer, RecvError, TryRecvError, TypedConsumer, Violation};

use super::TestPort;

/// Each call of a consumer of frames reports the fault, and goes on reporting it.
pub fn assert_faulty(rx: &mut Consumer<TestPort>, violation: Violation) {
    let fault = TryRecvError::Fault(violation);
    for _ in 0..2 {
        assert_eq!(rx.try_recv(&mut [0; 112]), Err(fault));
        assert_eq!(rx.try_recv_frame::<112>().err(), Some(fault));
        assert_eq!(rx.peek().err(), Some(fault));
        assert_eq!(rx.recv_batch(3, |_| ()), Err(fault));
        let waited = rx.recv_timeout(&mut [0; 112], Duration::from_secs(60));
        assert_eq!(waited, Err(RecvError::Fault(violation)));
        assert_eq!(rx.fault(), Some(violation));
        assert!(rx.len() <= 16);
    }
}

pub fn assert_faulty_values(rx: &mut TypedConsumer<u32, TestPort>, violation: Violation) {
    for _ in 0..2 {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Fault(violation)));
        assert_eq!(rx.recv_batch(3, |_| ()), Err(TryRecvError::Fault(violation)));
        assert_eq!((rx.fault(), rx.len() <= 8), (Some(violation), true));
    }
}
