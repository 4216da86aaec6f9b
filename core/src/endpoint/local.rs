//! A region within one program: in a `static`, or over raw memory.

use core::cell::UnsafeCell;
use core::fmt;
use core::ptr::NonNull;
use core::task::Waker;
use core::time::Duration;

use crate::ground::format::{Contents, FormatError, initialise};
use crate::ground::header::{AttachError, Header};
use crate::ground::ident::Ident;
use crate::ground::plan::Plan;
use crate::ground::port::{Clock, Liveness, Port, Probe, TokenRefused, Wait, WaitPoint};
use crate::ground::sync::order::role;
use crate::ground::sync::{Mem, Word, const_fn, spin_loop};
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::table::Names;

use super::attachment::Attachment;
use super::participants::{self, Card, TableFull};

/// A port without a clock and without sleep: a wait spins as its policy sets, and then times out.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSystem;

impl Wait for NoSystem {
    fn wait(&self, _: WaitPoint<'_>, _: u32, _: Duration) {
        spin_loop();
    }

    fn wake(&self, _: WaitPoint<'_>) {}
}

impl Clock for NoSystem {
    fn now_ns(&self) -> u64 {
        u64::MAX
    }
}

/// A participant of a region within one program. The program lives and dies as a whole: no participant is
/// ever proven dead, and a place in the participant table is never given back.
pub struct LocalPort<'r, S> {
    mem: Mem,
    me: Ident,
    system: &'r S,
}

impl<S> Clone for LocalPort<'_, S> {
    fn clone(&self) -> Self {
        // SAFETY: the memory is valid for 'r, by the contract of `join`.
        let mem = unsafe { self.mem.share() };
        Self { mem, me: self.me, system: self.system }
    }
}

impl<'r, S: Wait + Clock> LocalPort<'r, S> {
    /// Joins the region in `mem`.
    ///
    /// # Errors
    ///
    /// [`LocalError`].
    ///
    /// # Safety
    ///
    /// `mem` must stay valid for `'r`. Other programs (or cores with their own program) may share
    /// it only if they join through this function too and never end.
    pub unsafe fn join(mem: Mem, system: &'r S) -> Result<Self, LocalError> {
        let header = Header::check(&mem).map_err(LocalError::Attach)?;
        // Nobody ever leaves, so no place is taken twice, and no identity can be named already.
        let unused = |_| Names::Free;
        let me = participants::join_unless(&mem, &header, 0, &Immortal, Card::default(), unused)
            .map_err(LocalError::Table)?;
        Ok(Self { mem, me, system })
    }
}

struct Immortal;

// SAFETY: never returns `Dead`.
unsafe impl Liveness for Immortal {
    unsafe fn acquire(&self, _: Ident) -> Result<(), TokenRefused> {
        Ok(())
    }

    unsafe fn release(&self, _: Ident) {}

    fn probe(&self, _: Ident) -> Probe {
        Probe::Unknown
    }
}

// SAFETY: never returns `Dead`.
unsafe impl<S> Liveness for LocalPort<'_, S> {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { Immortal.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { Immortal.release(who) };
    }

    fn probe(&self, who: Ident) -> Probe {
        Immortal.probe(who)
    }
}

impl<S: Wait> Wait for LocalPort<'_, S> {
    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.system.wait_any(points, timeout);
    }

    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.system.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.system.wake(point);
    }

    fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        self.system.wake_first(point, most)
    }

    fn pause(&self, how_long: Duration) {
        self.system.pause(how_long);
    }
}

impl<S: AsyncWait> AsyncWait for LocalPort<'_, S> {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        self.system.keep(who, point, waker, timeout);
    }

    fn forget(&self, who: WaiterId) {
        self.system.forget(who);
    }
}

impl<S: Clock> Clock for LocalPort<'_, S> {
    fn now_ns(&self) -> u64 {
        self.system.now_ns()
    }
}

// SAFETY: the memory is valid for 'r by the contract of `join`, and the identity never changes and needs
// no token, because `probe` never returns `Dead`.
unsafe impl<S: Wait + Clock> Port for LocalPort<'_, S> {
    // A child of the program would have another copy of its memory, and is told nothing of that.
    const CAN_FORK: bool = false;

    fn mem(&self) -> &Mem {
        &self.mem
    }

    fn ident(&self) -> Option<Ident> {
        Some(self.me)
    }
}

/// Storage for a region in a `static`, for plans with lines of up to 128 bytes.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).line(4).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let setup = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut tx = setup.producer("log").unwrap();
/// let mut rx = REGION.attach(&NoSystem).unwrap().consumer("log").unwrap();
/// tx.try_send(7, b"motor on").unwrap();
/// let mut buffer = [0; 32];
/// assert_eq!(rx.try_recv(&mut buffer).unwrap().tag, 7);
/// ```
#[repr(C, align(128))]
pub struct StaticRegion<const SIZE: usize> {
    bytes: UnsafeCell<[u8; SIZE]>,
    created: Word,
}

// SAFETY: the bytes are reached through `Mem` alone, whose accesses are atomic.
unsafe impl<const SIZE: usize> Sync for StaticRegion<SIZE> {}

impl<const SIZE: usize> StaticRegion<SIZE> {
    const_fn! {
        /// Storage of zeros.
        #[must_use]
        pub const fn new() -> Self {
            Self { bytes: UnsafeCell::new([0; SIZE]), created: Word::new(0) }
        }
    }

    fn mem(&self) -> Mem {
        let base = NonNull::from(&self.bytes).cast::<u8>();
        let len = u32::try_from(SIZE).unwrap_or(u32::MAX);
        // SAFETY: the storage is this long, aligned to 128, borrowed for as long as anything made
        // from it lives, and reached through `Mem` alone.
        unsafe { Mem::from_raw(base, len) }
    }

    /// Formats the storage and joins it, once.
    ///
    /// # Errors
    ///
    /// [`LocalError`]; `Created` if the region was created before.
    pub fn create<'r, S: Wait + Clock>(
        &'r self,
        plan: &Plan<'_>,
        instance: u64,
        system: &'r S,
    ) -> Result<Attachment<LocalPort<'r, S>>, LocalError> {
        let mem = self.mem();
        // ORDERING(role): nobody else formats.
        self.created.compare_exchange(0, 1, role::CAS).map_err(|_| LocalError::Created)?;
        if let Err(error) = initialise(&mem, plan, instance, Contents::Zeroed) {
            self.created.store(0, role::STORE); // ORDERING(role): nothing has been written.
            return Err(LocalError::Format(error));
        }
        self.attach(system)
    }

    /// Joins the region that was created in the storage. Each call takes a place in the participant
    /// table, for good: one participant never proves another's death here, so join once a core or task.
    ///
    /// # Errors
    ///
    /// [`LocalError`]; `Attach(Uninitialised)` before [`create`](Self::create) has returned.
    pub fn attach<'r, S: Wait + Clock>(
        &'r self,
        system: &'r S,
    ) -> Result<Attachment<LocalPort<'r, S>>, LocalError> {
        // SAFETY: the storage is borrowed for 'r, and it is this program's alone.
        let port = unsafe { LocalPort::join(self.mem(), system) }?;
        Attachment::attach(port).map_err(LocalError::Attach)
    }
}

impl<const SIZE: usize> Default for StaticRegion<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}

/// Error of setting up a region within one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalError {
    /// The storage holds a region already.
    Created,
    /// It could not be formatted.
    Format(FormatError),
    /// It could not be attached.
    Attach(AttachError),
    /// The participant table is full.
    Table(TableFull),
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => f.write_str("the storage holds a region already; attach to it"),
            Self::Format(error) => error.fmt(f),
            Self::Attach(error) => error.fmt(f),
            Self::Table(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LocalError {}
