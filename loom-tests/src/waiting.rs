//! Helpers of the models of waiting, of threads and of tasks.

use core::time::Duration;

use strait_core::model::loom::thread::{self, JoinHandle};
use strait_core::model::{Death, Port, Region};
use strait_core::{Attachment, Channel, Plan, TypedProducer, WaitPolicy, port::Clock};

use crate::queue::{Got, Queue};
use crate::spsc::sent;

/// Longer than any model.
pub const LONG: Duration = Duration::from_secs(3600);

/// How long a sleeper sleeps at most until it looks again.
pub const PROBE: Duration = WaitPolicy::parking().probe;

/// Two queues that share a doorbell.
pub const DOORBELL: Plan<'static> =
    Plan::new(&[Channel::slots::<u32>("a", 1).doorbell(1), Channel::slots::<u32>("b", 1).doorbell(1)])
        .line(4)
        .participants(3);

/// A queue and an event, each with a word of its own to sleep on.
pub const TWO_WORDS: Plan<'static> =
    Plan::new(&[Channel::slots::<u32>("a", 1).consumer_may_block(), Channel::event("e")])
        .line(4)
        .participants(3);

/// A latest value with several readers.
pub const LATEST: Plan<'static> =
    Plan::new(&[Channel::latest::<u32>("v").consumer_may_block().buffers(4)]).line(4).participants(3);

pub fn now(port: &Port) -> Duration {
    Duration::from_nanos(port.now_ns())
}

/// One thread for each queue of [`DOORBELL`], which sends 1 through it.
pub fn send_one_through_each(region: &Region) -> [JoinHandle<()>; 2] {
    ["a", "b"].map(|name| {
        let mut tx: TypedProducer<u32, Port> = region.join().typed_producer(name).unwrap();
        thread::spawn(move || tx.try_send(&1).unwrap())
    })
}

/// A thread that sends 1 and dies somewhere, or not. It returns the time by `clock`, the receiver's: what
/// is published at the end was published by then.
pub fn send_and_die<Q: Queue>(
    death: Death,
    at: Attachment<Port>,
    mut tx: Q::Tx,
    clock: Port,
) -> JoinHandle<Duration> {
    thread::spawn(move || {
        let _ = death.run(at.port(), || sent::<Q>(&mut tx, 1));
        now(&clock)
    })
}

/// Checks that the 1 published by `sent_at`, if it was, was received a probe period later at most, or
/// that the receiver gave up before that. `is_late` looks whether it came after all.
pub fn assert_in_time(
    got: Option<Got>,
    received_at: Duration,
    sent_at: Duration,
    is_late: impl FnOnce() -> bool,
) {
    match got {
        Some(got) => {
            assert_eq!(got.number, 1);
            assert!(received_at <= sent_at + PROBE, "received at {received_at:?}, sent by {sent_at:?}");
        }
        None => {
            let is_late = is_late();
            assert!(!is_late || sent_at + PROBE >= received_at, "a message was slept over");
        }
    }
}
