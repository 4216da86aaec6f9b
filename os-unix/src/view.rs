//! A region as this process has it: mapped, with the tokens held in it; and before that, memory that is to
//! become one.

use core::time::Duration;
use std::fs::File;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use strait_core::ground::header::{MAGIC, VERSION, at};
use strait_core::port::{Mem, WaitPoint};
use strait_os_base::{Mapped, MappedRegion, OpenRegion, OsError, ShareFailed, directory_of};

use crate::failed::FromIo as _;
use crate::failed::{CreateFailed, OpenFailed, ReceiveFailed};
use crate::file::check;
use crate::file::draft::Draft;
use crate::fork::Origin;
use crate::liveness::Tokens;
use crate::map;
use crate::options::Options;
use crate::place::Place;
use crate::window::{MappedWindow, Window};
use crate::{entropy, memfd, wait};

/// A mapped region, the tokens held in it, and the process that opened it.
#[derive(Debug)]
pub struct View {
    /// The region, mapped for as long as the view is.
    pub region: OpenRegion<Tokens>,
    origin: Origin,
    path: Option<PathBuf>,
    /// Whether the memory is a device's.
    is_device: bool,
}

impl View {
    /// Opens the region at a place, which is checked first.
    pub fn open(place: &Place, options: &Options) -> Result<Self, OpenFailed> {
        let path = place.file_path();
        let (file, len) = check::open(path, options)?;
        Self::of_file(file, len, Some(path), options)
    }

    /// Receives a sealed region over a socket. Its seals and its length are checked before it is mapped.
    pub fn receive(socket: BorrowedFd<'_>, options: &Options) -> Result<Self, ReceiveFailed> {
        let (file, len) = memfd::accept(socket)?;
        let mut start = [0; at::TOTAL_LEN as usize + 4];
        file.read_exact_at(&mut start, 0).map_err(|error| OsError::io("pread", &error))?;
        let word = |at: u32| {
            let at = at as usize;
            u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]])
        };
        // Of another version, the length may be elsewhere: mapping it says so.
        let known = word(at::MAGIC) == MAGIC && word(at::VERSION) == VERSION;
        if known && word(at::TOTAL_LEN) != len {
            return Err(ReceiveFailed::WrongSize { header: word(at::TOTAL_LEN), found: len });
        }
        Self::of_file(file, len, None, options).map_err(ReceiveFailed::Open)
    }

    /// Takes part in the region in a window, or just looks.
    pub fn in_window(place: &Window, window: MappedWindow, options: &Options) -> Result<Self, OpenFailed> {
        let MappedWindow { file, map, offset, is_device, has_locks } = window;
        let region = MappedRegion::check(map).map_err(OpenFailed::Attach)?;
        let (origin, path) = (Origin::here()?, place.path());
        let joins = (!options.map.read_only).then_some(region.map());
        let tokens = if has_locks {
            // SAFETY: as in `new`; the mapping starts at that offset.
            unsafe { Tokens::of_window(file, path, joins, offset) }?
        } else {
            // SAFETY: the same.
            unsafe { Tokens::unproven(file, joins, offset) }?
        };
        let region = OpenRegion::new(tokens, region);
        Ok(Self { region, origin, path: path.map(Into::into), is_device })
    }

    /// Whether the processor compares and swaps in this memory for certain.
    #[must_use]
    pub fn has_compare_and_swap(&self) -> bool {
        !self.is_device || crate::DEVICES_COMPARE_AND_SWAP
    }

    /// Maps a file that has been checked.
    fn of_file(file: File, len: u32, path: Option<&Path>, options: &Options) -> Result<Self, OpenFailed> {
        let map = if options.map.any_owner && options.map.read_only {
            check::starts_like_a_region(&file)?;
            map::copy(&file, len)?
        } else {
            map::shared(&file, len, &options.map)?
        };
        let region = MappedRegion::check(map).map_err(OpenFailed::Attach)?;
        Ok(Self::new(region, file, path, path, !options.map.read_only)?)
    }

    /// Takes part in the region that is mapped from `file`, or just looks. `now` is where the file can be
    /// opened now, if it has a name; `path` where it is in the end.
    fn new(
        region: MappedRegion,
        file: File,
        now: Option<&Path>,
        path: Option<&Path>,
        joins: bool,
    ) -> Result<Self, OsError> {
        let origin = Origin::here()?;
        // SAFETY: both end up in one `OpenRegion`, which drops the mapping after the tokens; until then it is a
        // local that outlives them.
        let tokens = unsafe { Tokens::new(file, now, joins.then_some(region.map())) }?;
        let region = OpenRegion::new(tokens, region);
        Ok(Self { region, origin, path: path.map(Into::into), is_device: false })
    }

    /// Whether this is a forked child of the process that opened the region.
    #[must_use]
    #[inline]
    pub fn left(&self) -> bool {
        self.origin.left()
    }

    /// See [`strait_core::port::Wait::wait_any`].
    pub fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        wait::wait_any(points, timeout);
    }

    /// See [`strait_core::port::Wait::wait`].
    pub fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        wait::wait(point, expected, timeout);
    }

    /// See [`strait_core::port::Wait::wake`].
    pub fn wake(&self, point: WaitPoint<'_>) {
        wait::wake(point);
    }

    /// See [`strait_core::port::Wait::wake_first`].
    pub fn wake_first(&self, point: WaitPoint<'_>, most: u32) -> bool {
        wait::wake_first(point, most)
    }

    /// Whether the region is sealed memory.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        memfd::is_sealed(self.region.tokens().file())
    }

    /// Whether the region's path still leads to it.
    pub fn is_current(&self) -> Result<bool, OsError> {
        let Some(path) = &self.path else { return Ok(true) };
        let own = self.region.tokens().file().metadata().map_err(|error| OsError::io("fstat", &error))?;
        match path.symlink_metadata() {
            Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(OsError::io("lstat", &error)),
        }
    }

    /// Whether a process can be a forked child of the one that opened the region.
    pub const CAN_FORK: bool = true;

    /// Whether waits ask for [`is_known_current`](Self::is_known_current).
    pub const CAN_BE_REPLACED: bool = true;

    /// Whether the region's path still leads to it; `None` if it has none, or that cannot be seen. In another root
    /// directory the path leads nowhere, and the file has its name all the same.
    #[must_use]
    pub fn is_known_current(&self) -> Option<bool> {
        let path = self.path.as_ref()?;
        let is_current = self.is_current().ok()?;
        let has_name = || self.region.tokens().file().metadata().is_ok_and(|own| own.nlink() > 0);
        let is_unseen = !is_current && path.symlink_metadata().is_err() && has_name();
        (!is_unseen).then_some(is_current)
    }

    /// Waits until the region's file, and its name, are on storage.
    pub fn sync(&self) -> Result<(), OsError> {
        map::sync(self.region.map())?;
        let failed = |error: std::io::Error| OsError::io("fsync", &error);
        self.region.tokens().file().sync_all().map_err(failed)?;
        match &self.path {
            Some(path) => File::open(directory_of(path)).and_then(|dir| dir.sync_all()).map_err(failed),
            None => Ok(()),
        }
    }

    /// Hands sealed memory over a socket.
    pub fn share(&self, socket: BorrowedFd<'_>) -> Result<(), ShareFailed> {
        memfd::share(socket, self.region.tokens().file())
    }
}

/// Zeros that are going to be a region, and that nobody else can find yet.
pub struct New {
    map: Mapped,
    file: File,
    instance: u64,
    publication: Publication,
}

impl New {
    /// Reserves the space of a region at a place, where nothing appears yet.
    pub fn at(place: &Place, len: u32, options: &Options) -> Result<Self, CreateFailed> {
        check_mode_of_region(options)?;
        let target = place.file_path();
        if target.symlink_metadata().is_ok() {
            return Err(CreateFailed::AlreadyExists); // Early; `publish` is what makes sure.
        }
        let draft = Draft::new(target, options.mode, len)?;
        let file = draft.file().try_clone().map_err(|error| CreateFailed::from_io("dup", &error))?;
        Self::mapped(file, len, options, Publication(Some((draft, target.into()))))
    }

    /// Reserves the space of a region in sealed memory.
    pub fn sealed(len: u32, options: &Options) -> Result<Self, CreateFailed> {
        check_mode_of_region(options)?;
        let file = memfd::create(options.mode, len)?;
        memfd::seal(&file)?;
        Self::mapped(file, len, options, Publication(None))
    }

    fn mapped(
        file: File,
        len: u32,
        options: &Options,
        publication: Publication,
    ) -> Result<Self, CreateFailed> {
        let map = map::shared(&file, len, &options.map)?;
        Ok(Self { map, file, instance: entropy::random_u64()?, publication })
    }

    /// The memory to lay the region out in.
    #[must_use]
    pub fn mem(&self) -> &Mem {
        self.map.mem()
    }

    /// The region's number.
    #[must_use]
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// The region that was laid out, and what makes it appear.
    pub fn into_view(self) -> Result<(View, Publication), CreateFailed> {
        let Self { map, file, publication, .. } = self;
        let region = MappedRegion::check(map).map_err(|_| OsError::NOT_KEPT)?;
        let (now, path) = match &publication.0 {
            Some((draft, target)) => (draft.path(), Some(target.as_path())),
            None => (None, None),
        };
        let view = View::new(region, file, now, path, true)?;
        Ok((view, publication))
    }
}

/// Gives a new region its name. Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct Publication(Option<(Draft, PathBuf)>);

impl Publication {
    /// Gives the region its name, in one step. Never replaces what has the name already.
    pub fn publish(&mut self, _view: &View) -> Result<(), CreateFailed> {
        self.0.as_ref().map_or(Ok(()), |(draft, target)| draft.publish(target))
    }
}

/// Whether a region can have this mode: readable and writable by its owner, executable by nobody.
pub(crate) fn check_mode(mode: u32) -> Result<(), CreateFailed> {
    if mode & 0o600 != 0o600 || mode & !0o666 != 0 {
        return Err(CreateFailed::Mode { mode });
    }
    Ok(())
}

/// As [`check_mode`], and that whoever may read the region may write to it too, unless the options allow it: a shared lock
/// needs the right to read alone, is in the way of every token, and can be taken on all of the file at once.
fn check_mode_of_region(options: &Options) -> Result<(), CreateFailed> {
    let mode = options.mode;
    check_mode(mode)?;
    let only_read = (mode >> 2) & !(mode >> 1) & 0o011;
    if only_read != 0 && !options.readers {
        return Err(CreateFailed::ReadersMode { mode });
    }
    Ok(())
}
