//! Waiting for any of several queues in one receiver.

use core::fmt;
use core::time::Duration;

use crate::ground::port::Port;
use crate::ground::ring::Value;

use super::call::CallServer;
use super::consumer::Consumer;
use super::park_word::{ParkWord, Sleepers};
use super::typed::TypedConsumer;
use super::wait::{Waiting, wait_until};
use super::wait_policy::{Deadline, WaitPolicy};

mod sealed {
    use super::ParkWord;

    pub trait Sealed {
        fn has_data(&mut self) -> bool;
        fn park_word(&self) -> Option<&ParkWord>;
    }
}

/// A consumer or server that [`wait_any`] can wait for.
pub trait Waitable: sealed::Sealed {}

impl<P: Port> Waitable for Consumer<P> {}
impl<P: Port> sealed::Sealed for Consumer<P> {
    fn has_data(&mut self) -> bool {
        self.has_data()
    }

    fn park_word(&self) -> Option<&ParkWord> {
        self.park_word()
    }
}

impl<T: Value + ?Sized, P: Port> Waitable for TypedConsumer<T, P> {}
impl<T: Value + ?Sized, P: Port> sealed::Sealed for TypedConsumer<T, P> {
    fn has_data(&mut self) -> bool {
        self.has_data()
    }

    fn park_word(&self) -> Option<&ParkWord> {
        self.park_word()
    }
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> Waitable for CallServer<Req, Ans, P> {}
impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> sealed::Sealed for CallServer<Req, Ans, P> {
    fn has_data(&mut self) -> bool {
        self.has_data()
    }

    fn park_word(&self) -> Option<&ParkWord> {
        self.park_word()
    }
}

/// Error of [`wait_any`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitAnyError {
    /// Nothing came in time.
    TimedOut,
    /// The receivers do not share a doorbell: give their channels one in the plan, and open all of them
    /// through one attachment.
    NoDoorbell,
}

impl fmt::Display for WaitAnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "nothing came in the time allowed",
            Self::NoDoorbell => {
                "the receivers do not share a doorbell; give their channels one in the plan, and open them through \
                 one attachment"
            }
        })
    }
}

impl core::error::Error for WaitAnyError {}

/// Waits up to `timeout` until one of `receivers` has something (or has latched a fault), and returns the
/// index of the first one. One sleep for all of them; each look costs one load a receiver.
///
/// Earlier receivers are looked at first: put the urgent ones in front. Looking releases the message that
/// a receiver returned last, as its next call would.
///
/// # Errors
///
/// [`WaitAnyError`].
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use strait_core::{Channel, Plan, StaticRegion, WaitAnyError, WaitPolicy, port::NoSystem, wait_any};
/// const PLAN: Plan = Plan::new(&[
///     Channel::slots::<u32>("stop", 4).doorbell(1),
///     Channel::frames("log", 256, 32).doorbell(1),
/// ])
/// .participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut log_producer = region.producer("log").unwrap();
/// let mut stop = region.typed_consumer::<u32>("stop").unwrap();
/// let mut log = region.consumer("log").unwrap();
/// let mut wait = |timeout| {
///     wait_any(region.port(), &mut [&mut stop, &mut log], WaitPolicy::parking(), timeout)
/// };
/// assert_eq!(wait(Duration::ZERO), Err(WaitAnyError::TimedOut));
/// log_producer.try_send(7, b"motor on").unwrap();
/// assert_eq!(wait(Duration::from_millis(20)), Ok(1));
/// ```
pub fn wait_any<P: Port>(
    port: &P,
    receivers: &mut [&mut dyn Waitable],
    policy: WaitPolicy,
    timeout: Duration,
) -> Result<usize, WaitAnyError> {
    let park_word = receivers.first().and_then(|first| first.park_word().cloned());
    let shared = |receiver: &&mut dyn Waitable| match (receiver.park_word(), &park_word) {
        (Some(own), Some(park_word)) => own.is(park_word),
        _ => false,
    };
    if policy.park && !receivers.iter().all(shared) {
        return Err(WaitAnyError::NoDoorbell);
    }
    let deadline = Deadline::after(port, timeout);
    let loads = u32::try_from(receivers.len()).unwrap_or(u32::MAX);
    let look = || receivers.iter_mut().position(|receiver| receiver.has_data());
    let waiting = &mut Waiting::new(policy).for_looks_of(loads);
    wait_until(port, park_word.as_ref(), Sleepers::One, waiting, deadline, look).ok_or(WaitAnyError::TimedOut)
}
