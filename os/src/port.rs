//! The port: one participant's view of one region, as the endpoints hold it.

use core::fmt;
use core::ops::RangeInclusive;
use core::time::Duration;
use std::sync::Arc;

use strait_core::format::participants::{self, Card, TableFull};
use strait_core::port::{Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint};

use crate::sys::{View, clock, whoami};
use crate::{JoinError, OsError, Region, RegionOptions};

/// Whether a participant on the other machine has ended with it, all that it did with the memory included.
pub(crate) type HasEnded = Arc<dyn Fn(Ident) -> bool + Send + Sync>;

/// The machine that is a domain, where this process can prove its end.
struct Machine {
    domain: u32,
    places: RangeInclusive<u32>,
    has_ended: HasEnded,
}

/// The state that all clones of a port share; the last one leaves the region.
struct Inner {
    /// The mapping, the tokens, and what is slept on; shared with other participants of this process.
    view: Arc<View>,
    domain: u32,
    /// The slots of the domain. Those of other domains are filled by other systems, and never hold a token.
    own: RangeInclusive<u32>,
    machine: Option<Machine>,
    /// The place in the participant table that is ours. Set before there is a second clone.
    seat: Option<Ident>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.view.left() {
            return; // The seat is the parent's.
        }
        if let Some(ident) = self.seat {
            participants::leave(self.view.region.mem(), self.view.region.header(), ident);
            self.view.region.tokens().release(ident);
        }
    }
}

/// One participant's view of one region: what a [`Region`](crate::Region) and its endpoints work through.
///
/// Clones are one participant. Its token is given back, and the mapping ends, with the last of them.
///
/// A program rarely makes one: [`RegionPlace`](crate::RegionPlace) and [`SealedRegion`](crate::SealedRegion) do,
/// and [`Region::port`](strait_core::Attachment::port) returns it. It is named in the types of endpoints, as in
/// `TypedProducer<Torque, SystemPort>`.
///
/// # After a fork
///
/// On Unix: the child is no participant, and its parent still is one. In the child the port's
/// [`ident`](Port::ident) is `None`, so new claims through it are refused. On Linux the child's
/// mapping turns into a private copy: whatever it does with endpoints that were made before the fork,
/// dropping them included, stays with it and goes nowhere, and they return
/// [`Violation::Forked`](strait_core::Violation::Forked). Fast paths do not ask, so these cannot tell: the first
/// receive, if the queue (or its lane) held a message at the fork, and at-most-once ones of all it held; sends to a channel that nobody may sleep for, while there is
/// space that the producer knew of, and commits of grants; publications that no reader may sleep for. On other systems
/// it must not touch them, not even drop them. A child that wants to take part opens the region anew.
///
/// This rests on the handlers of `pthread_atfork`, which `fork` runs, and `_Fork` and a bare `clone`
/// do not.
///
/// # Other domains
///
/// The kernel's proof of death reaches the processes of one system, so of participants of another domain
/// (see [`RegionOptions::domain`]) this port returns `Unknown`. Nor does its wake reach them, or theirs this
/// one: a thread that waits for them sleeps for its probe period at a time.
///
/// # Closed descriptors
///
/// On Unix, closing descriptors that this crate opened (as some daemons do with all of them) forfeits the
/// proof of life: others would take the participant for dead while it works.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::port::{Liveness as _, Port as _, Probe};
/// use strait_core::{Channel, Plan};
/// use strait_os::{RegionName, RegionOptions, SystemPort};
///
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
/// # let name = &format!("doc-system-port-{}", std::process::id());
/// let name = RegionName::new(name)?;
/// let region = name.create(&PLAN, &RegionOptions::new())?;
/// let port: &SystemPort = region.port();
/// assert!(port.is_current()? && !port.is_sealed() && !port.forked());
///
/// // A second participant, as another process would be:
/// let other = name.open(&RegionOptions::new())?;
/// let ident = other.port().ident().expect("it takes part");
/// assert_eq!(port.ident().map(|own| own == ident), Some(false));
/// assert_ne!(port.probe(ident), Probe::Dead);
/// name.remove()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SystemPort(Arc<Inner>);

impl SystemPort {
    /// Takes a place of the options' domain in the participant table, or just looks if they say read-only.
    pub(crate) fn new(view: View, options: &RegionOptions) -> Result<Self, TableFull> {
        Self::with(Arc::new(view), options.domain, options.sys.map.read_only, None)
    }

    /// The same; of the participants of one domain, `machine` proves the deaths.
    pub(crate) fn with(
        view: Arc<View>,
        domain: u32,
        read_only: bool,
        machine: Option<(u32, HasEnded)>,
    ) -> Result<Self, TableFull> {
        let places = |domain| participants::places_of(view.region.mem(), view.region.header(), domain);
        let own = places(domain);
        let machine =
            machine.map(|(domain, has_ended)| Machine { domain, places: places(domain), has_ended });
        let mut port = Self(Arc::new(Inner { view, domain, own, machine, seat: None }));
        if read_only {
            return Ok(port);
        }
        let card = Card { pid: std::process::id(), started: whoami::start_time(), boot: 0 };
        let region = &port.view().region;
        let ident = participants::join(region.mem(), region.header(), domain, &port, card)?;
        // There is no clone yet, so this is always so.
        if let Some(inner) = Arc::get_mut(&mut port.0) {
            inner.seat = Some(ident);
        }
        Ok(port)
    }

    /// Whether this is a forked child of the process that opened the region, where the port is of
    /// no use but for looking at what is read-only. Never so on Windows, which has no fork.
    #[must_use]
    pub fn forked(&self) -> bool {
        self.view().left()
    }

    /// Takes part in the region once more, as another participant of this process: a second thread that locks the
    /// same mutex needs one of its own. The region's name is not needed, so this works for a region that was removed,
    /// and for [sealed](crate::SealedRegion) memory. Both share one mapping, which ends with the last of them, and
    /// their waits and wakes; a file descriptor is not taken.
    ///
    /// # Errors
    ///
    /// [`JoinError`].
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::{RegionName, RegionOptions};
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::mutex::<u64>("count")]);
    /// # let name = &format!("doc-join-again-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let region = name.create(&PLAN, &RegionOptions::new())?;
    /// name.remove()?;
    /// let other = region.port().join_again()?;
    /// let worker = std::thread::spawn(move || {
    ///     let mut count = other.mutex::<u64>("count").unwrap();
    ///     count.try_lock().unwrap().or_roll_back().ok().unwrap().set(&1);
    /// });
    /// worker.join().unwrap();
    /// assert_eq!(region.mutex::<u64>("count")?.try_lock()?.or_roll_back().ok().unwrap().get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn join_again(&self) -> Result<Region, JoinError> {
        self.ident().ok_or(JoinError::ReadOnly)?;
        let machine = self.0.machine.as_ref().map(|one| (one.domain, Arc::clone(&one.has_ended)));
        let port = Self::with(Arc::clone(&self.0.view), self.0.domain, false, machine);
        Region::attach(port.map_err(|TableFull| JoinError::TableFull)?).map_err(JoinError::Attach)
    }

    /// Whether the region is [sealed](crate::SealedRegion) memory, without a name or a file. On Unix no peer
    /// can cut such a region short; on Windows none can cut any region short.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.view().is_sealed()
    }

    /// Whether the region's name or file still leads to this region. If it was removed, or made
    /// anew, this handle goes on working in the old memory, which nobody can open any more. Sealed
    /// memory has no name, so nothing changes. On Unix, calls that wait ask by themselves, and return `Replaced` if no
    /// other participant is left that may live.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the name or file cannot be looked at.
    pub fn is_current(&self) -> Result<bool, OsError> {
        self.view().is_current()
    }

    /// Waits until the region's file, and on Unix its name, are on storage as the memory was when this was
    /// called. A region in a file survives the death of all processes without this; it survives
    /// a loss of power only up to here. Blocks on the disk: not for a control loop.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the storage refuses.
    pub fn sync(&self) -> Result<(), OsError> {
        self.view().sync()
    }

    #[inline]
    pub(crate) fn view(&self) -> &View {
        &self.0.view
    }
}

impl fmt::Debug for SystemPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemPort")
            .field("ident", &self.ident())
            .field("view", self.view())
            .field("len", &self.mem().len())
            .finish()
    }
}

impl Wait for SystemPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.view().wait(point, expected, timeout);
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.view().wait_any(points, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.view().wake(point);
    }

    fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        self.view().wake_first(point, most)
    }

    fn pause(&self, how_long: Duration) {
        std::thread::sleep(how_long);
    }
}

impl Clock for SystemPort {
    fn now_ns(&self) -> u64 {
        clock::now_ns()
    }
}

#[expect(unsafe_code, reason = "the contract of Liveness is a promise, proven here")]
// SAFETY: of its own domain it forwards to `Tokens::probe`, which returns `Dead` only by the kernel's proof and
// with an acquire fence behind it, and takes and gives back tokens by the same kernel's word. Of a machine's domain
// it returns `Dead` if the machine that `who` was part of has ended, by the proof of `GuestWatch` or `RemoteWatch`, and no
// process of this system that stands in for it has the token. That is asked in this order, after `who` was read. Of
// other domains it never returns `Dead`.
unsafe impl Liveness for SystemPort {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        self.view().region.tokens().acquire(who)
    }

    unsafe fn release(&self, who: Ident) {
        self.view().region.tokens().release(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        if let Some(machine) = self.0.machine.as_ref().filter(|one| one.places.contains(&who.place())) {
            let has_ended = (machine.has_ended)(who);
            match self.view().region.tokens().probe(who) {
                Probe::Dead if !has_ended => Probe::Unknown,
                found => found,
            }
        } else if self.0.own.contains(&who.place()) {
            self.view().region.tokens().probe(who)
        } else {
            Probe::Unknown
        }
    }
}

#[expect(unsafe_code, reason = "the contract of Port is a promise, proven here")]
// SAFETY: the mapping is part of the view, which every clone keeps, and is never moved. The identity
// is fixed when the port is made, and its token is held until the last clone is dropped. (In a
// forked child the identity is `None` and the memory a private copy: it is no participant.)
unsafe impl Port for SystemPort {
    fn mem(&self) -> &Mem {
        self.view().region.mem()
    }

    fn ident(&self) -> Option<Ident> {
        if self.forked() { None } else { self.0.seat }
    }

    const CAN_BE_REPLACED: bool = View::CAN_BE_REPLACED;

    fn is_current(&self) -> Option<bool> {
        self.view().is_known_current()
    }

    const CAN_FORK: bool = View::CAN_FORK;

    fn has_forked(&self) -> bool {
        self.0.seat.is_some() && self.forked()
    }

    fn is_unwinding(&self) -> bool {
        std::thread::panicking()
    }

    fn domain(&self) -> u32 {
        self.0.domain
    }

    fn has_compare_and_swap(&self) -> bool {
        self.view().has_compare_and_swap()
    }
}
