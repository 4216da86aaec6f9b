//! Tasks that wait: a peer's wake reaches an executor through an eventfd.
//!
//! ```text
//!   sender, any process               receiver's process
//!   publish, parked? then             task: keep the waker, parked = 1, nothing there? put aside
//!   wake: futex and eventfd  ------>  reactor: poll the eventfd, drain it, wake the tasks
//! ```
//!
//! A peer without the eventfd is found after the task's probe period, because the reactor keeps that too; so is
//! one that died between its publication and its ring. Senders that block and receivers that
//! await mix freely: a wake goes both ways.
//!
//! A runtime's own reactor takes the place of that one: [`EventPort`] lends its doorbell ([`AsFd`](std::os::fd::AsFd)),
//! and [`EventPort::due`] is the reactor's timer.

use core::fmt;
use core::task::Waker;
use core::time::Duration;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strait_core::port::{
    AsyncWait, Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint, WaiterId, Wakers,
};
use strait_core::{WaitAnyError, WaitPolicy, Waitable};

use crate::sys::event;
use crate::unix::{ReadyOrReadable, wait_by};
use crate::{OsError, SystemPort};

mod drive;

pub use drive::Sooner;

/// A new doorbell: an eventfd that does not block. Its receiver makes an [`EventPort`] of it; copies of it go to
/// those that are to ring it, as any descriptor does: over a Unix socket, or to a child.
///
/// # Errors
///
/// [`OsError`] if the system is out of descriptors.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), strait_os::OsError> {
/// let bell = strait_os::linux::doorbell()?;
/// let for_the_peer = bell.try_clone().expect("a descriptor is left");
/// # drop((bell, for_the_peer));
/// # Ok(())
/// # }
/// ```
pub fn doorbell() -> Result<OwnedFd, OsError> {
    event::doorbell()
}

/// This many tasks can sleep through one port at once; further ones poll.
const TASKS: usize = 64;

/// A [`SystemPort`] that also wakes by eventfds: it rings those of its peers, and its own wakes the tasks
/// that [wait](AsyncWait) through it. Clones share the tasks. See `examples/async_doorbell.rs` for two processes, and
/// `examples/runtimes` for tokio and async-io.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
/// use std::time::Duration;
/// use strait_core::{Attachment, Channel, Plan};
/// use strait_os::linux::{EventPort, doorbell};
/// use strait_os::{RegionName, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256).consumer_may_block()]);
/// # let name = format!("doc-event-port-{}", std::process::id());
/// let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
/// # RegionName::new(&name)?.remove()?;
/// // The receiver's task: `recv` waits for the doorbell, which the peer gets a copy of.
/// let bell = doorbell()?;
/// let for_the_peer = bell.try_clone()?;
/// let tasks = Attachment::attach(EventPort::new(region.port().clone(), bell, vec![]))?;
/// let mut commands = tasks.consumer("commands")?;
///
/// // The sender's port rings it.
/// let sender = EventPort::new(region.port().clone(), doorbell()?, vec![for_the_peer]);
/// let mut producer = Attachment::attach(sender)?.producer("commands")?;
///
/// let mut buf = [0; 256];
/// {
///     let mut received = pin!(commands.recv(&mut buf));
///     let mut context = Context::from_waker(Waker::noop());
///     assert!(received.as_mut().poll(&mut context).is_pending());
///     producer.try_send(7, b"home")?;
///     tasks.port().turn(Duration::from_secs(10)); // An executor calls it while no task is ready.
///     let Poll::Ready(received) = received.poll(&mut context) else { panic!("it was woken") };
///     assert_eq!(received?.len, 4);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EventPort {
    port: SystemPort,
    shared: Arc<Shared>,
}

struct Shared {
    own: OwnedFd,
    peers: Vec<OwnedFd>,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    wakers: Wakers<TASKS>,
    /// When the first of them is to look again, by the port's clock.
    due: Option<u64>,
    /// Of the task that turns in a runtime's reactor, when that becomes sooner.
    driver: Option<Waker>,
}

impl EventPort {
    /// The same participant as `port`. Peers ring `own` when they wake somebody here, and this port
    /// rings all of `peers` when it wakes somebody.
    ///
    /// A descriptor in `peers` that is no [`doorbell`] and blocks makes wakes block: take them from peers
    /// that are trusted so far.
    #[must_use]
    pub fn new(port: SystemPort, own: OwnedFd, peers: Vec<OwnedFd>) -> Self {
        Self { port, shared: Arc::new(Shared { own, peers, tasks: Mutex::default() }) }
    }

    /// Sleeps until the doorbell rings, a task's probe period is over, or `timeout` has passed; then wakes the
    /// tasks that wait for it. May return early.
    ///
    /// An executor calls it when no task is ready. Where the executor is not to be changed, a thread of
    /// its own calls it in a loop; a probe period that begins during a turn then ends with it at the latest.
    pub fn turn(&self, timeout: Duration) {
        if self.port.forked() {
            return self.pause(timeout.min(Duration::from_millis(1)));
        }
        let due = self.tasks().due;
        let left = due.map_or(Duration::MAX, |due| Duration::from_nanos(due.saturating_sub(self.now_ns())));
        // Silenced before the wakers are taken: a peer that rings after this wakes the next turn.
        let rung = event::listen(&self.shared.own, left.min(timeout));
        if rung || due.is_some_and(|due| due <= self.now_ns()) {
            let woken = {
                let mut tasks = self.tasks();
                tasks.due = None;
                tasks.wakers.take_all()
            };
            woken.into_iter().flatten().for_each(Waker::wake);
        }
    }

    /// As [`wait_ready_or_readable`](crate::unix::wait_ready_or_readable), with one sleep for all: on the doorbell and the
    /// descriptors. Senders that do not ring the doorbell are found after the probe period. Not while another thread
    /// [turns](Self::turn) this port, which would take the rings.
    ///
    /// # Errors
    ///
    /// [`WaitAnyError`].
    pub fn wait_ready_or_readable(
        &self,
        receivers: &mut [&mut dyn Waitable],
        descriptors: &[BorrowedFd<'_>],
        policy: WaitPolicy,
        timeout: Duration,
    ) -> Result<ReadyOrReadable, WaitAnyError> {
        wait_by(self, Some(self.shared.own.as_fd()), receivers, descriptors, policy, timeout)
    }

    /// The port without the doorbells.
    #[must_use]
    pub fn system(&self) -> &SystemPort {
        &self.port
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        // A panic with it held leaves a table that is whole.
        self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EventPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPort")
            .field("port", &self.port)
            .field("tasks", &self.tasks().wakers.len())
            .finish()
    }
}

impl Wait for EventPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.port.wait(point, expected, timeout);
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.port.wait_any(points, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        if self.port.forked() {
            return;
        }
        self.port.wake(point);
        for peer in &self.shared.peers {
            event::ring(peer);
        }
        let woken = self.tasks().wakers.take(point);
        woken.into_iter().flatten().for_each(Waker::wake);
    }

    /// Tasks wait for no lock, so only threads are woken.
    fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        self.port.wake_first(point, most)
    }

    fn pause(&self, how_long: Duration) {
        self.port.pause(how_long);
    }
}

impl AsyncWait for EventPort {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let (due, waker) = (self.now_ns().saturating_add(nanos), waker.clone());
        let (kept, driver) = {
            let mut tasks = self.tasks();
            let sooner = tasks.due.is_none_or(|other| due < other);
            let driver = if sooner { tasks.driver.take() } else { None };
            tasks.due = Some(tasks.due.map_or(due, |other| other.min(due)));
            (tasks.wakers.keep(who, point, waker), driver)
        };
        kept.err().into_iter().chain(driver).for_each(Waker::wake);
    }

    fn forget(&self, who: WaiterId) {
        let waker = self.tasks().wakers.forget(who);
        drop(waker);
    }
}

impl Clock for EventPort {
    fn now_ns(&self) -> u64 {
        self.port.now_ns()
    }
}

#[expect(unsafe_code, reason = "the contract of Liveness is a promise, proven here")]
// SAFETY: as for `SystemPort`, to which it forwards.
unsafe impl Liveness for EventPort {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.port.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.port.release(who) };
    }

    fn probe(&self, who: Ident) -> Probe {
        self.port.probe(who)
    }
}

#[expect(unsafe_code, reason = "the contract of Port is a promise, proven here")]
// SAFETY: as for `SystemPort`, a clone of which every clone keeps.
unsafe impl Port for EventPort {
    fn mem(&self) -> &Mem {
        self.port.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.port.ident()
    }

    const CAN_BE_REPLACED: bool = SystemPort::CAN_BE_REPLACED;

    fn is_current(&self) -> Option<bool> {
        Port::is_current(&self.port)
    }

    const CAN_FORK: bool = SystemPort::CAN_FORK;

    fn has_forked(&self) -> bool {
        self.port.has_forked()
    }

    fn domain(&self) -> u32 {
        self.port.domain()
    }

    fn is_unwinding(&self) -> bool {
        self.port.is_unwinding()
    }

    fn has_compare_and_swap(&self) -> bool {
        self.port.has_compare_and_swap()
    }
}
