//! The port: one participant's view of one region, as the endpoints hold it.

use core::fmt;
use core::ops::RangeInclusive;
use core::ptr::null_mut;
use core::time::Duration;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use std::path::PathBuf;
use std::sync::Arc;

use strait_core::participants::{self, Card, TableFull};
use strait_core::{Clock, Header, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint};
use windows_sys::Win32::Foundation::{DuplicateHandle, ERROR_ACCESS_DENIED};
use windows_sys::Win32::System::Memory::{FILE_MAP_READ, FILE_MAP_WRITE};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::error::{FromCall as _, OsError};
use crate::file;
use crate::file::draft::{directory_of, sweep};
use crate::liveness::Tokens;
use crate::map::Mapping;
use crate::region::ShareError;
use crate::section::Sign;
use crate::wait::Events;
use crate::{clock, whoami};

/// Where a region lies, and what keeps it there.
#[derive(Debug)]
pub(crate) enum Home {
    Named { sign: Sign, _memory: OwnedHandle, instance: u64 },
    File(PathBuf),
    Sealed(OwnedHandle),
}

/// A mapped region and the kernel's objects that belong to it.
pub(crate) struct View {
    mem: Mem,
    tokens: Tokens,
    events: Events,
    home: Home,
    map: Mapping,
}

impl View {
    pub(crate) fn new(map: Mapping, tokens: Tokens, events: Events, home: Home) -> Self {
        Self { mem: map.mem(), tokens, events, home, map }
    }

    pub(crate) fn mem(&self) -> &Mem {
        &self.mem
    }

    fn is_current(&self) -> Result<bool, OsError> {
        match (&self.home, &self.tokens) {
            (Home::Named { sign, instance, .. }, _) => Ok(sign.instance() == Some(*instance)),
            (Home::File(path), Tokens::File(tokens)) => file::leads_to(path, tokens.file()),
            _ => Ok(true),
        }
    }
}

impl Wait for View {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.events.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.events.wake(point);
    }

    fn pause(&self, how_long: Duration) {
        std::thread::sleep(how_long);
    }
}

impl Clock for View {
    fn now_ns(&self) -> u64 {
        clock::now_ns()
    }
}

// SAFETY: `Dead` is the kernel's answer that nobody holds the token of that very incarnation, which
// is taken before it is published and lost only when its process has ended or has given it back
// (see the invariants of the liveness modules); an acquire fence follows. Everything else is `Alive`
// or `Unknown`.
unsafe impl Liveness for View {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        self.tokens.acquire(who)
    }

    fn release(&self, who: Ident) {
        self.tokens.release(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        self.tokens.probe(who)
    }
}

/// What all clones of a port share; the last one leaves the region.
struct Inner {
    /// Dropped before the sweeper.
    view: View,
    /// The slots of this port's domain. Those of others are filled by who knows what, and never hold a
    /// token.
    own: RangeInclusive<u32>,
    seat: Option<Seat>,
    sweeper: Sweeper,
}

/// Deletes regions that were removed and nobody has open any more, when it is dropped, if the one that
/// this process had open was removed: it may have been the last.
#[derive(Default)]
struct Sweeper(Option<PathBuf>);

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            sweep(directory_of(path));
        }
    }
}

/// A place in the participant table that is ours, and where that table is.
struct Seat {
    ident: Ident,
    header: Header,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(seat) = &self.seat {
            participants::leave(&self.view.mem, &seat.header, seat.ident);
            self.view.release(seat.ident);
        }
        if let Home::File(path) = &self.view.home
            && self.view.is_current() == Ok(false)
        {
            self.sweeper.0 = Some(path.clone());
        }
    }
}

/// One participant's view of one region: what a [`strait_core::Attachment`] and its endpoints work
/// through on Windows.
///
/// Clones are one participant. Its token is given back, and the mapping ends, with the last of them.
#[derive(Clone)]
pub struct WindowsPort(Arc<Inner>);

impl WindowsPort {
    /// Looks at the region without taking part in it.
    pub(crate) fn looking(view: View, header: &Header) -> Self {
        Self::seated(view, header, None)
    }

    /// Takes a place in the participant table.
    pub(crate) fn joining(view: View, header: &Header) -> Result<Self, TableFull> {
        let card = Card { pid: std::process::id(), started: whoami::start_time(), boot: 0 };
        let ident = participants::join(&view.mem, header, 0, &view, card)?;
        Ok(Self::seated(view, header, Some(Seat { ident, header: *header })))
    }

    fn seated(view: View, header: &Header, seat: Option<Seat>) -> Self {
        let own = participants::slots_of(&view.mem, header, 0);
        Self(Arc::new(Inner { view, own, seat, sweeper: Sweeper::default() }))
    }

    /// Puts a new region under its name; see [`Sign::publish`].
    pub(crate) fn publish(&self, old: Option<u64>) -> bool {
        matches!(&self.view().home, Home::Named { sign, instance, .. } if sign.publish(old, *instance))
    }

    /// Whether the region is a section without a name, which is handed over by
    /// [`share`](Self::share). (No peer can cut a region short on Windows, whatever it lies in.)
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        matches!(self.view().home, Home::Sealed(_))
    }

    /// Whether the region's name or path still leads to this region. If it was removed, or made
    /// anew, this handle goes on working in the old memory, which newcomers never see. Sealed
    /// memory has no name, so nothing changes.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the path cannot be looked at.
    pub fn is_current(&self) -> Result<bool, OsError> {
        self.view().is_current()
    }

    /// Waits until the region's file is on storage as the memory was when this was called. A
    /// file-backed region survives the death of all processes without this; it survives a loss of
    /// power only up to here. Blocks on the disk: not for a control loop.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the storage refuses.
    pub fn sync(&self) -> Result<(), OsError> {
        let view = self.view();
        view.map.sync()?;
        match &view.tokens {
            Tokens::File(tokens) => {
                tokens.file().sync_all().map_err(|error| OsError::io("FlushFileBuffers", &error))
            }
            Tokens::Event(_) => Ok(()),
        }
    }

    /// Puts a handle of a sealed region into another process, and answers with its number there. Tell
    /// the process that number, by a pipe or its command line; it makes an
    /// [`OwnedHandle`] of it and gives that to [`Region::receive`](crate::Region::receive).
    ///
    /// `process` is a handle with the right `PROCESS_DUP_HANDLE`; a [`Child`](std::process::Child) is
    /// one.
    ///
    /// # Errors
    ///
    /// [`ShareError`]; nothing was handed over then.
    pub fn share(&self, process: impl AsHandle) -> Result<usize, ShareError> {
        let Home::Sealed(memory) = &self.view().home else { return Err(ShareError::NotSealed) };
        let mut there = null_mut();
        // SAFETY: it names this process, and cannot fail.
        let this = unsafe { GetCurrentProcess() };
        let (from, to) = (memory.as_raw_handle(), process.as_handle().as_raw_handle());
        let rights = FILE_MAP_READ | FILE_MAP_WRITE;
        // SAFETY: all three handles are open, and the pointer is a local's.
        if unsafe { DuplicateHandle(this, from, to, &raw mut there, rights, 0, 0) } == 0 {
            let error = OsError::last("DuplicateHandle");
            let denied = error.is(ERROR_ACCESS_DENIED);
            return Err(if denied { ShareError::NotPermitted } else { ShareError::Os(error) });
        }
        Ok(there as usize)
    }

    fn view(&self) -> &View {
        &self.0.view
    }
}

impl fmt::Debug for WindowsPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowsPort")
            .field("ident", &self.ident())
            .field("home", &self.view().home)
            .field("len", &self.mem().len())
            .finish()
    }
}

impl Wait for WindowsPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.view().wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.view().wake(point);
    }

    fn pause(&self, how_long: Duration) {
        self.view().pause(how_long);
    }
}

impl Clock for WindowsPort {
    fn now_ns(&self) -> u64 {
        self.view().now_ns()
    }
}

// SAFETY: as for `View`, to which it forwards what is asked of its own domain; of others, it never
// answers `Dead`.
unsafe impl Liveness for WindowsPort {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        self.view().acquire(who)
    }

    fn release(&self, who: Ident) {
        self.view().release(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        if self.0.own.contains(&who.slot()) { self.view().probe(who) } else { Probe::Unknown }
    }
}

// SAFETY: the mapping lives in the view, which every clone keeps, and is never moved. The identity
// is fixed when the port is made, and its token is held until the last clone is dropped.
unsafe impl Port for WindowsPort {
    fn mem(&self) -> &Mem {
        self.view().mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.0.seat.as_ref().map(|seat| seat.ident)
    }
}
