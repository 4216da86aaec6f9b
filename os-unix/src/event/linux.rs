//! Eventfds as doorbells.

use core::fmt;
use core::task::Waker;
use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::{read, write};
use strait_core::{
    AsyncWait, Clock, Ident, Liveness, Mem, Port, Probe, Sleeper, TokenRefused, Wait, WaitPoint, Wakers,
};

use crate::error::{FromCall as _, OsError};
use crate::port::UnixPort;

/// A new doorbell: an eventfd that does not block. Its receiver makes an [`EventPort`] of it; copies of it go to
/// those who are to ring it, as any descriptor does: over a Unix socket, or to a child.
///
/// # Errors
///
/// [`OsError`] if the system is out of descriptors.
pub fn doorbell() -> Result<OwnedFd, OsError> {
    let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
    EventFd::from_flags(flags).map(OwnedFd::from).map_err(|error| OsError::nix("eventfd", error))
}

/// So many tasks can sleep through one port at once; further ones poll.
const TASKS: usize = 64;

/// A [`UnixPort`] that also wakes by eventfds: it rings those of its peers, and its own wakes the tasks
/// that [wait](AsyncWait) through it. Clones share the tasks.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Attachment, Channel, Plan};
/// use strait_os_unix::{EventPort, Options, Region, doorbell};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256).consumer_may_block()]);
/// # let name = format!("doc-event-port-{}", std::process::id());
/// let region = Region::named(&name)?.create(&PLAN, &Options::new())?;
/// # Region::named(&name)?.remove()?;
/// let bell = doorbell()?;
/// let for_the_peer = bell.try_clone()?;
/// let tasks = Attachment::attach(EventPort::new(region.port().clone(), bell, vec![]))?;
/// let commands = tasks.consumer("commands")?;
/// // `commands.recv(..).await` in a task; `tasks.port().turn(..)` while no task is ready.
/// # drop((for_the_peer, commands));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EventPort {
    port: UnixPort,
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
}

impl EventPort {
    /// The same participant as `port`. Peers ring `own` when they wake somebody here, and this port
    /// rings all of `peers` when it wakes somebody.
    ///
    /// A descriptor in `peers` that is no [`doorbell`] and blocks makes wakes block: take them from peers
    /// that are trusted so far.
    #[must_use]
    pub fn new(port: UnixPort, own: OwnedFd, peers: Vec<OwnedFd>) -> Self {
        Self { port, shared: Arc::new(Shared { own, peers, tasks: Mutex::default() }) }
    }

    /// Sleeps until the doorbell rings, a task's probe period is over, or `timeout` has passed; then has the
    /// tasks look for which that is of interest. May return early.
    ///
    /// An executor calls it when no task is ready. Where the executor is not to be changed, a thread of
    /// its own calls it in a loop; a probe period that begins meanwhile then ends with the turn at the latest.
    pub fn turn(&self, timeout: Duration) {
        if self.port.forked() {
            return self.pause(timeout.min(Duration::from_millis(1)));
        }
        let due = self.tasks().due;
        let left = due.map_or(Duration::MAX, |due| Duration::from_nanos(due.saturating_sub(self.now_ns())));
        let mut bell = [PollFd::new(self.shared.own.as_fd(), PollFlags::POLLIN)];
        // An error is a reason to look: a signal came.
        let _ = poll(&mut bell, milliseconds(left.min(timeout)));
        // Drained before the wakers are taken: who rings after this wakes the next turn.
        let rung = read(&self.shared.own, &mut [0; 8]).is_ok();
        if rung || due.is_some_and(|due| due <= self.now_ns()) {
            let woken = {
                let mut tasks = self.tasks();
                tasks.due = None;
                tasks.wakers.take_all()
            };
            woken.into_iter().flatten().for_each(Waker::wake);
        }
    }

    /// The port without the doorbells.
    #[must_use]
    pub fn unix(&self) -> &UnixPort {
        &self.port
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        // A panic with it held leaves a table that is whole.
        self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rounded up, so that nobody spins through the last one.
fn milliseconds(time: Duration) -> PollTimeout {
    let whole = time.as_nanos().div_ceil(1_000_000);
    i32::try_from(whole).ok().and_then(|whole| PollTimeout::try_from(whole).ok()).unwrap_or(PollTimeout::MAX)
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

    fn wake(&self, point: WaitPoint<'_>) {
        if self.port.forked() {
            return;
        }
        self.port.wake(point);
        for peer in &self.shared.peers {
            // One that is full rings already.
            let _ = write(peer, &1_u64.to_ne_bytes());
        }
        let woken = self.tasks().wakers.take(point);
        woken.into_iter().flatten().for_each(Waker::wake);
    }

    fn pause(&self, how_long: Duration) {
        self.port.pause(how_long);
    }
}

impl AsyncWait for EventPort {
    fn keep(&self, who: Sleeper, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let (due, waker) = (self.now_ns().saturating_add(nanos), waker.clone());
        let kept = {
            let mut tasks = self.tasks();
            tasks.due = Some(tasks.due.map_or(due, |other| other.min(due)));
            tasks.wakers.keep(who, point, waker)
        };
        if let Err(waker) = kept {
            waker.wake();
        }
    }

    fn forget(&self, who: Sleeper) {
        let waker = self.tasks().wakers.forget(who);
        drop(waker);
    }
}

impl Clock for EventPort {
    fn now_ns(&self) -> u64 {
        self.port.now_ns()
    }
}

// SAFETY: as for `UnixPort`, to which it forwards.
unsafe impl Liveness for EventPort {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        self.port.acquire(who)
    }

    fn release(&self, who: Ident) {
        self.port.release(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        self.port.probe(who)
    }
}

// SAFETY: as for `UnixPort`, a clone of which every clone keeps.
unsafe impl Port for EventPort {
    fn mem(&self) -> &Mem {
        self.port.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.port.ident()
    }
}
