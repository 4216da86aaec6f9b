//! A region as this process has it: mapped, with the kernel's objects that belong to it.

use core::ptr::null_mut;
use core::time::Duration;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::path::{Path, PathBuf};

use strait_core::format::AttachError;
use strait_core::port::WaitPoint;
use strait_os_base::{MapFailed, Mapped, MappedRegion, OpenRegion, OsError, ShareFailed, directory_of};
use windows_sys::Win32::Foundation::{DuplicateHandle, ERROR_ACCESS_DENIED};
use windows_sys::Win32::System::Memory::{FILE_MAP_READ, FILE_MAP_WRITE};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::error::FromCall as _;
use crate::error::FromOs as _;
use crate::failed::{OpenFailed, ReceiveFailed};
use crate::file::draft::sweep;
use crate::file::{self, check};
use crate::liveness::{EventTokens, FileTokens, Tokens};
use crate::map;
use crate::name::Space;
use crate::options::Options;
use crate::place::{Kind, Place};
use crate::section::{self, Sign};
use crate::security::{self, Descriptor, Sort};
use crate::wait::Events;

/// Rounds of opening before a region that comes and goes is given up.
const ROUNDS: u32 = 16;

/// Where objects of regions without a name are named: peers may be in different sessions.
pub(crate) const ANYWHERE: Space = Space::Global;

/// Where a region is, and what keeps it there.
#[derive(Debug)]
pub(crate) enum Home {
    Named { sign: Sign, _memory: OwnedHandle, instance: u64 },
    File(PathBuf),
    Sealed(OwnedHandle),
}

/// A mapped region and the kernel's objects that belong to it.
#[derive(Debug)]
pub struct View {
    /// The region, mapped for as long as the view is.
    pub region: OpenRegion<Tokens>,
    events: Events,
    home: Home,
    /// Dropped last.
    sweeper: Sweeper,
}

/// Deletes regions that were removed and nobody has open any more, when it is dropped, if the one that
/// this process had open was removed: it may have been the last.
#[derive(Debug, Default)]
struct Sweeper(Option<PathBuf>);

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            sweep(directory_of(path));
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Home::File(path) = &self.home
            && self.is_current() == Ok(false)
        {
            self.sweeper.0 = Some(path.clone());
        }
    }
}

impl View {
    /// Whether a process can be a forked child of the one that opened the region.
    pub const CAN_FORK: bool = false;

    /// Whether waits ask for [`is_known_current`](Self::is_known_current).
    pub const CAN_BE_REPLACED: bool = false;

    /// `None`: a name goes with the last that has the region open.
    #[must_use]
    pub fn is_known_current(&self) -> Option<bool> {
        None
    }

    pub(crate) fn new(region: MappedRegion, tokens: Tokens, events: Events, home: Home) -> Self {
        Self { region: OpenRegion::new(tokens, region), events, home, sweeper: Sweeper::default() }
    }

    /// Opens the region at a place, which is checked first.
    pub fn open(place: &Place, options: &Options) -> Result<Self, OpenFailed> {
        match &place.0 {
            Kind::Named { space, name } => Self::open_named(*space, name, options),
            Kind::File(path) => Self::open_file(path, options),
        }
    }

    fn open_file(path: &Path, options: &Options) -> Result<Self, OpenFailed> {
        let (file, len) = check::open(path, options)?;
        let section = section::of_file(&file, options)?;
        let map = map::shared(section.as_handle(), Some(len), &options.map)?;
        let region = MappedRegion::check(map).map_err(OpenFailed::Attach)?;
        let tokens = FileTokens::new(file, !options.map.read_only).map_err(reopened)?;
        let events = Events::new(ANYWHERE, region.header().instance, Descriptor::of(options)?);
        Ok(Self::new(region, Tokens::File(tokens), events, Home::File(path.into())))
    }

    fn open_named(space: Space, name: &str, options: &Options) -> Result<Self, OpenFailed> {
        for _ in 0..ROUNDS {
            let sign = Sign::open(space, name, options.map.read_only)?.ok_or(OpenFailed::NotFound)?;
            security::check(sign.handle(), Sort::Object, options)?;
            let instance = sign.instance().ok_or(OpenFailed::NotFound)?;
            let memory = section::open_memory(space, instance, options.map.read_only);
            if let Some(memory) = memory.map_err(OpenFailed::from_os)? {
                security::check(memory.as_handle(), Sort::Object, options)?;
                let map = map::shared(memory.as_handle(), None, &options.map)?;
                let home = || Home::Named { sign, _memory: memory, instance };
                match Self::of_memory(map, space, Some(instance), options, home) {
                    // Its name was found in this namespace, so its beacon would be too: all that had it open
                    // have gone, this moment.
                    Err(OpenFailed::OtherNamespace) => continue,
                    other => return other,
                }
            }
            if sign.instance() == Some(instance) {
                break; // It went with the last process that had it open.
            }
        }
        Err(OpenFailed::NotFound)
    }

    /// The region in a section that is mapped, which must be of the `wanted` instance if there is one.
    fn of_memory(
        map: Mapped,
        space: Space,
        wanted: Option<u64>,
        options: &Options,
        home: impl FnOnce() -> Home,
    ) -> Result<Self, OpenFailed> {
        let region = MappedRegion::check(map).map_err(OpenFailed::Attach)?;
        let instance = region.header().instance;
        if wanted.is_some_and(|wanted| wanted != instance) {
            return Err(OpenFailed::Attach(AttachError::Header));
        }
        let (joins, security) = (!options.map.read_only, Descriptor::of(options)?);
        let tokens = EventTokens::open(space, instance, security, joins);
        let tokens = Tokens::Event(tokens.ok_or(OpenFailed::OtherNamespace)?);
        let events = Events::new(space, instance, Descriptor::of(options)?);
        Ok(Self::new(region, tokens, events, home()))
    }

    /// The sealed region of a handle. What the handle is of is checked before it is used.
    pub fn receive(handle: OwnedHandle, options: &Options) -> Result<Self, ReceiveFailed> {
        let map = match map::shared(handle.as_handle(), None, &options.map) {
            Err(MapFailed::NotPermitted | MapFailed::Os(_)) => return Err(ReceiveFailed::NotARegion),
            other => other.map_err(|failed| ReceiveFailed::Open(failed.into()))?,
        };
        Self::of_memory(map, ANYWHERE, None, options, || Home::Sealed(handle)).map_err(ReceiveFailed::Open)
    }

    /// Never: there is no fork.
    #[must_use]
    #[inline]
    pub fn left(&self) -> bool {
        false
    }

    /// See [`strait_core::port::Wait::wait_any`].
    pub fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.events.wait_any(points, timeout);
    }

    /// See [`strait_core::port::Wait::wait`].
    pub fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.events.wait(point, expected, timeout);
    }

    /// See [`strait_core::port::Wait::wake`].
    pub fn wake(&self, point: WaitPoint<'_>) {
        self.events.wake(point);
    }

    /// See [`strait_core::port::Wait::wake_first`]. An event that reaches all sleepers cannot choose.
    pub fn wake_first(&self, point: WaitPoint<'_>, _most: u32) -> bool {
        self.wake(point);
        false
    }

    /// Whether a processor may compare and swap in this memory: it is never a device's.
    #[must_use]
    pub fn has_compare_and_swap(&self) -> bool {
        true
    }

    /// Whether the region is a section without a name.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        matches!(self.home, Home::Sealed(_))
    }

    /// Whether the region's name or path still leads to it.
    pub fn is_current(&self) -> Result<bool, OsError> {
        match (&self.home, self.region.tokens()) {
            (Home::Named { sign, instance, .. }, _) => Ok(sign.instance() == Some(*instance)),
            (Home::File(path), Tokens::File(tokens)) => file::leads_to(path, tokens.file()),
            _ => Ok(true),
        }
    }

    /// Waits until the region's file is on storage.
    pub fn sync(&self) -> Result<(), OsError> {
        map::sync(self.region.map())?;
        match self.region.tokens() {
            Tokens::File(tokens) => {
                tokens.file().sync_all().map_err(|error| OsError::io("FlushFileBuffers", &error))
            }
            Tokens::Event(_) => Ok(()),
        }
    }

    /// Puts a handle of a section without a name into a process. Returns its number there.
    pub fn share(&self, process: BorrowedHandle<'_>) -> Result<usize, ShareFailed> {
        let Home::Sealed(memory) = &self.home else { return Err(ShareFailed::NotSealed) };
        let mut there = null_mut();
        // SAFETY: it names this process, and cannot fail.
        let this = unsafe { GetCurrentProcess() };
        let (from, to) = (memory.as_raw_handle(), process.as_raw_handle());
        let rights = FILE_MAP_READ | FILE_MAP_WRITE;
        // SAFETY: all three handles are open, and the pointer is a local's.
        if unsafe { DuplicateHandle(this, from, to, &raw mut there, rights, 0, 0) } == 0 {
            let error = OsError::last("DuplicateHandle");
            let denied = error.is(ERROR_ACCESS_DENIED);
            return Err(if denied { ShareFailed::NotPermitted } else { ShareFailed::Os(error) });
        }
        Ok(there as usize)
    }

    /// Puts a new region under its name; see [`Sign::publish`].
    pub(crate) fn publish(&self, old: Option<u64>) -> bool {
        matches!(&self.home, Home::Named { sign, instance, .. } if sign.publish(old, *instance))
    }
}

/// The error if a file that has just been opened cannot be opened once more: it is being
/// deleted.
fn reopened(error: OsError) -> OpenFailed {
    match OpenFailed::from_os(error) {
        OpenFailed::NotFound | OpenFailed::NotPermitted { .. } => OpenFailed::NotFound,
        other => other,
    }
}
