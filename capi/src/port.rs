//! The port of all objects of this interface: memory with the caller's functions, or the system's own.

use core::ffi::c_void;
use core::ptr::NonNull;
use core::time::Duration;

use strait_core::ground::sync::Word;
use strait_core::ground::sync::order::{RELAXED, lock};
use strait_core::port::{Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint};

use crate::cancel::HeldOff;

/// Supplied by a program with memory of its own: its place in the plan, and functions for waiting, proof
/// of life, and time. A function may be null. Where an interrupt handler uses the region too, they must be
/// callable from there. `wake`, `now_ns`, `raise` and `lower` must have no cancellation point in them.
///
/// All zeros is a region within one program, on one core: waiting spins as long as its policy says, nobody
/// is ever proven dead, and a place in the participant table is not given back by a reset.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_system_t {
    /// Given to each function; may be null.
    pub context: *mut c_void,
    /// The domain of this participant.
    pub domain: u32,
    /// The boot counter of this machine, for display.
    pub boot: u32,
    /// Sleeps while `*word`, loaded atomically, is `expected`, for `timeout_ns` at the most. May return early
    /// for any reason. `instance` and `offset` name the word the same for all participants. Null: spins.
    pub wait: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            word: *const u32,
            instance: u64,
            offset: u32,
            expected: u32,
            timeout_ns: u64,
        ),
    >,
    /// Wakes every thread that sleeps at this word. Null if nobody sleeps.
    pub wake:
        Option<unsafe extern "C" fn(context: *mut c_void, word: *const u32, instance: u64, offset: u32)>,
    /// A monotonic clock in nanoseconds. Null: time-outs are up when the spins are.
    pub now_ns: Option<unsafe extern "C" fn(context: *mut c_void) -> u64>,
    /// Takes the token that proves `ident` alive; `false` if somebody has it. Null: there are none.
    pub acquire: Option<unsafe extern "C" fn(context: *mut c_void, ident: u32) -> bool>,
    /// Gives that token back.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void, ident: u32)>,
    /// Returns the state of `ident`: `STRAIT_UNKNOWN`, `STRAIT_ALIVE`, or `STRAIT_DEAD`, which must be proof that
    /// it never touches the region again, and that all it wrote is visible. Null: nothing.
    pub probe: Option<unsafe extern "C" fn(context: *mut c_void, ident: u32) -> u32>,
    /// Raises the calling thread's priority to the ceiling of the region's locks; what it returns goes to
    /// `lower`. Raises are counted for each thread, which may give its mutexes back in any order.
    pub raise: Option<unsafe extern "C" fn(context: *mut c_void) -> u32>,
    /// Undoes one `raise` of the calling thread; the priority falls with the last one.
    pub lower: Option<unsafe extern "C" fn(context: *mut c_void, raised: u32)>,
}

/// Nothing is known of a participant; it counts as alive.
pub const STRAIT_UNKNOWN: u32 = 0;
/// A participant lives.
pub const STRAIT_ALIVE: u32 = 1;
/// A participant is proven dead.
pub const STRAIT_DEAD: u32 = 2;

impl strait_system_t {
    pub(crate) const NONE: Self = Self {
        context: core::ptr::null_mut(),
        domain: 0,
        boot: 0,
        wait: None,
        wake: None,
        now_ns: None,
        acquire: None,
        release: None,
        probe: None,
        raise: None,
        lower: None,
    };
}

impl Wait for strait_system_t {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        match self.wait {
            // SAFETY: the caller's function, called as the header says.
            Some(wait) => unsafe {
                wait(self.context, point.word.as_ptr(), point.instance, point.offset, expected, nanos);
            },
            None => core::hint::spin_loop(),
        }
    }

    fn wake(&self, point: WaitPoint<'_>) {
        if let Some(wake) = self.wake {
            // SAFETY: the caller's function, called as the header says.
            unsafe { wake(self.context, point.word.as_ptr(), point.instance, point.offset) };
        }
    }
}

impl Clock for strait_system_t {
    fn now_ns(&self) -> u64 {
        match self.now_ns {
            // SAFETY: the caller's function, called as the header says.
            Some(now_ns) => unsafe { now_ns(self.context) },
            None => u64::MAX,
        }
    }
}

// SAFETY: `Dead` comes from the caller's function alone, which promises that it is proof.
unsafe impl Liveness for strait_system_t {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        match self.acquire {
            // SAFETY: the caller's function, called as the header says.
            Some(acquire) if !unsafe { acquire(self.context, who.word()) } => Err(TokenRefused),
            _ => Ok(()),
        }
    }

    unsafe fn release(&self, who: Ident) {
        if let Some(release) = self.release {
            // SAFETY: the caller's function, called as the header says.
            unsafe { release(self.context, who.word()) };
        }
    }

    fn probe(&self, who: Ident) -> Probe {
        let Some(probe) = self.probe else { return Probe::Unknown };
        // SAFETY: the caller's function, called as the header says.
        match unsafe { probe(self.context, who.word()) } {
            STRAIT_ALIVE => Probe::Alive,
            STRAIT_DEAD => Probe::Dead,
            _ => Probe::Unknown,
        }
    }
}

/// The state that all ports of a region share. It is in the region's storage.
pub(crate) struct Shared {
    /// How many ports lead here.
    ports: Word,
    pub system: strait_system_t,
}

impl Shared {
    pub fn new(system: strait_system_t) -> Self {
        Self { ports: Word::new(0), system }
    }

    /// Whether no port but one leads here.
    pub fn has_one_port(&self) -> bool {
        // ORDERING(lock): what was done through ports that are gone precedes it.
        self.ports.load(lock::ACQUIRE) == 1
    }

    /// Counts ports, one more or one less. Tries again only if another thread has counted at the same time.
    fn count(&self, change: impl Fn(u32) -> u32) {
        let mut seen = self.ports.load(RELAXED); // ORDERING: Relaxed; the compare-and-swap decides.
        // ORDERING(lock): what was done through a port precedes its end.
        while let Err(now) = self.ports.compare_exchange(seen, change(seen), lock::RELEASE) {
            seen = now;
        }
    }
}

/// Where a region's memory comes from.
pub(crate) enum Source {
    /// From the caller, with its functions.
    Given { mem: Mem, me: Option<Ident> },
    /// From the system.
    #[cfg(feature = "os")]
    System(strait::SystemPort),
}

/// A port, counted in the storage of its region, which is not closed while there is one.
pub(crate) struct CPort {
    shared: NonNull<Shared>,
    source: Source,
}

impl CPort {
    /// A port of a region.
    ///
    /// # Safety
    ///
    /// `shared` must stay where it is for as long as it counts a port, and be changed by ports alone.
    pub unsafe fn new(shared: NonNull<Shared>, source: Source) -> Self {
        let port = Self { shared, source };
        port.shared().count(|ports| ports + 1);
        port
    }

    /// A port of the same region and memory of the caller's, as this participant.
    pub fn seated(&self, me: Ident) -> Self {
        let source = match &self.source {
            // SAFETY: as in `clone`.
            Source::Given { mem, .. } => Source::Given { mem: unsafe { mem.share() }, me: Some(me) },
            #[cfg(feature = "os")]
            Source::System(port) => Source::System(port.clone()), // It has an identity of its own.
        };
        // SAFETY: the same `shared`, which this port keeps where it is.
        unsafe { Self::new(self.shared, source) }
    }

    /// The system's port, if the region is one of the system's.
    #[cfg(feature = "os")]
    pub fn system(&self) -> Option<&strait::SystemPort> {
        match &self.source {
            Source::System(port) => Some(port),
            Source::Given { .. } => None,
        }
    }

    pub fn shared(&self) -> &Shared {
        // SAFETY: it stays where it is while this port is counted.
        unsafe { self.shared.as_ref() }
    }
}

impl Clone for CPort {
    fn clone(&self) -> Self {
        let source = match &self.source {
            // SAFETY: valid until the region is closed, by the caller's promise, which it is not while a port is
            // counted.
            Source::Given { mem, me } => Source::Given { mem: unsafe { mem.share() }, me: *me },
            #[cfg(feature = "os")]
            Source::System(port) => Source::System(port.clone()),
        };
        // SAFETY: the same `shared`, which this port keeps where it is.
        unsafe { Self::new(self.shared, source) }
    }
}

impl Drop for CPort {
    fn drop(&mut self) {
        self.shared().count(|ports| ports - 1);
    }
}

/// The same call for either source.
macro_rules! of_source {
    ($port:ident, $system:ident => $call:expr) => {
        match &$port.source {
            Source::Given { .. } => {
                let $system = &$port.shared().system;
                $call
            }
            #[cfg(feature = "os")]
            Source::System($system) => $call,
        }
    };
}

impl Wait for CPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        let _whole = HeldOff::begin();
        of_source!(self, system => system.wait(point, expected, timeout));
    }

    fn wake(&self, point: WaitPoint<'_>) {
        of_source!(self, system => system.wake(point));
    }

    fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        of_source!(self, system => system.wake_first(point, most))
    }

    fn pause(&self, how_long: Duration) {
        let _whole = HeldOff::begin();
        of_source!(self, system => system.pause(how_long));
    }
}

impl Clock for CPort {
    fn now_ns(&self) -> u64 {
        of_source!(self, system => system.now_ns())
    }
}

// SAFETY: as the source's.
unsafe impl Liveness for CPort {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let _whole = HeldOff::begin();
        // SAFETY: the caller's promise.
        of_source!(self, system => unsafe { system.acquire(who) })
    }

    unsafe fn release(&self, who: Ident) {
        let _whole = HeldOff::begin();
        // SAFETY: the caller's promise.
        of_source!(self, system => unsafe { system.release(who) });
    }

    fn probe(&self, who: Ident) -> Probe {
        let _whole = HeldOff::begin();
        of_source!(self, system => system.probe(who))
    }
}

// SAFETY: memory from the system is kept by its port. Memory from the caller is valid until the region is
// closed, by its promise, and a region is not closed, nor its token given back, while a port is counted. The
// identity is fixed when the port is made.
unsafe impl Port for CPort {
    fn mem(&self) -> &Mem {
        match &self.source {
            Source::Given { mem, .. } => mem,
            #[cfg(feature = "os")]
            Source::System(port) => port.mem(),
        }
    }

    fn ident(&self) -> Option<Ident> {
        match &self.source {
            Source::Given { me, .. } => *me,
            #[cfg(feature = "os")]
            Source::System(port) => port.ident(),
        }
    }

    const CAN_BE_REPLACED: bool = cfg!(feature = "os");

    fn is_current(&self) -> Option<bool> {
        match &self.source {
            Source::Given { .. } => None,
            #[cfg(feature = "os")]
            Source::System(port) => Port::is_current(port),
        }
    }

    const CAN_FORK: bool = cfg!(feature = "os");

    fn has_forked(&self) -> bool {
        match &self.source {
            Source::Given { .. } => false,
            #[cfg(feature = "os")]
            Source::System(port) => port.has_forked(),
        }
    }

    fn raise(&self) -> u32 {
        match &self.source {
            Source::Given { .. } => {
                let system = &self.shared().system;
                // SAFETY: the caller's function, called as the header says.
                system.raise.map_or(0, |raise| unsafe { raise(system.context) })
            }
            #[cfg(feature = "os")]
            Source::System(port) => port.raise(),
        }
    }

    fn lower(&self, raised: u32) {
        match &self.source {
            Source::Given { .. } => {
                let system = &self.shared().system;
                if let Some(lower) = system.lower {
                    // SAFETY: the caller's function, called as the header says.
                    unsafe { lower(system.context, raised) };
                }
            }
            #[cfg(feature = "os")]
            Source::System(port) => port.lower(raised),
        }
    }

    fn domain(&self) -> u32 {
        match &self.source {
            Source::Given { .. } => self.shared().system.domain,
            #[cfg(feature = "os")]
            Source::System(port) => port.domain(),
        }
    }
}
