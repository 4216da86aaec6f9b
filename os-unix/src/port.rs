//! The port: one participant's view of one region, as the endpoints hold it.

use core::fmt;
use core::time::Duration;
use std::fs::File;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strait_core::participants::{self, Card, TableFull};
use strait_core::{Clock, Header, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint};

use crate::error::{FromCall as _, OsError};
use crate::file::draft::directory_of;
use crate::fork::Origin;
use crate::liveness::Tokens;
use crate::map::Mapping;
use crate::region::ShareError;
use crate::{clock, memfd, wait, whoami};

/// A mapped region, the tokens held in it, and the process that did that.
pub(crate) struct View {
    mem: Mem,
    /// Dropped before the mapping.
    tokens: Tokens,
    map: Mapping,
    origin: Origin,
}

impl View {
    /// Takes part in the region that is mapped from `file`, or just looks. `path` is where the file
    /// can be opened now, if it has a name.
    pub(crate) fn new(map: Mapping, file: File, path: Option<&Path>, joins: bool) -> Result<Self, OsError> {
        let origin = Origin::here()?;
        // SAFETY: both end up in this value, whose fields are dropped in their order, the mapping
        // after the tokens; until then it is a local that outlives them.
        let tokens = unsafe { Tokens::new(file, path, joins.then_some(&map)) }?;
        Ok(Self { mem: map.mem(), tokens, map, origin })
    }

    pub(crate) fn mem(&self) -> &Mem {
        &self.mem
    }
}

impl Wait for View {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        wait::wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        wait::wake(point);
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
    view: View,
    path: Option<PathBuf>,
    domain: u32,
    /// The slots of the domain. Those of others are filled by who knows what, and never hold a token.
    own: RangeInclusive<u32>,
    seat: Option<Seat>,
}

/// A place in the participant table that is ours, and where that table is.
struct Seat {
    ident: Ident,
    header: Header,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.view.origin.left() {
            return; // The seat is the parent's.
        }
        if let Some(seat) = &self.seat {
            participants::leave(&self.view.mem, &seat.header, seat.ident);
            self.view.release(seat.ident);
        }
    }
}

/// One participant's view of one region: what a [`strait_core::Attachment`] and its endpoints work
/// through on Unix.
///
/// Clones are one participant. Its token is given back, and the mapping ends, with the last of them.
///
/// # After a fork
///
/// The child is no participant, and its parent still is one. In the child the port's
/// [`ident`](Port::ident) is `None`, so new claims through it are refused. On Linux the child's
/// mapping turns into a private copy: whatever it does with endpoints that were made before the fork,
/// dropping them included, stays with it and goes nowhere. On other systems it must not touch them,
/// not even drop them. A child that wants to take part opens the region anew.
///
/// This rests on the handlers of `pthread_atfork`, which `fork` runs, and `_Fork` and a bare `clone`
/// do not.
///
/// # Other domains
///
/// The kernel's proof of death reaches the processes of one system, so of participants of another domain
/// (see [`Options::domain`](crate::Options::domain)) this port says `Unknown`. Nor does its wake reach
/// them, or theirs this one: who sleeps for them sleeps for its probe period at a time.
///
/// # Closed descriptors
///
/// Closing descriptors that this crate opened (as some daemons do with all of them) forfeits the
/// proof of life: others would take the participant for dead while it works.
#[derive(Clone)]
pub struct UnixPort(Arc<Inner>);

impl UnixPort {
    /// Looks at the region without taking part in it.
    pub(crate) fn looking(view: View, path: Option<&Path>, header: &Header, domain: u32) -> Self {
        Self::seated(view, path, header, domain, None)
    }

    /// Takes a place of the domain in the participant table.
    pub(crate) fn joining(
        view: View,
        path: Option<&Path>,
        header: &Header,
        domain: u32,
    ) -> Result<Self, TableFull> {
        let card = Card { pid: std::process::id(), started: whoami::start_time(), boot: 0 };
        let ident = participants::join(&view.mem, header, domain, &view, card)?;
        Ok(Self::seated(view, path, header, domain, Some(Seat { ident, header: *header })))
    }

    fn seated(view: View, path: Option<&Path>, header: &Header, domain: u32, seat: Option<Seat>) -> Self {
        let own = participants::slots_of(&view.mem, header, domain);
        Self(Arc::new(Inner { view, path: path.map(Into::into), domain, own, seat }))
    }

    /// Whether this is a forked child of the process that opened the region, where the port is of
    /// no use but for looking at what is read-only.
    #[must_use]
    pub fn forked(&self) -> bool {
        self.0.view.origin.left()
    }

    /// Whether the region is sealed memory, which no peer can cut short.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        memfd::is_sealed(self.file())
    }

    /// Whether the region's name or path still leads to this region. If it was removed, or made
    /// anew, this handle goes on working in the old memory, which newcomers never see. Sealed
    /// memory has no name, so nothing changes.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the path cannot be looked at.
    pub fn is_current(&self) -> Result<bool, OsError> {
        let Some(path) = &self.0.path else { return Ok(true) };
        let own = self.file().metadata().map_err(|error| OsError::io("fstat", &error))?;
        match path.symlink_metadata() {
            Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(OsError::io("lstat", &error)),
        }
    }

    /// Waits until the region's file, and its name, are on storage as the memory was when this was
    /// called. A file-backed region survives the death of all processes without this; it survives
    /// a loss of power only up to here. Blocks on the disk: not for a control loop.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the storage refuses.
    pub fn sync(&self) -> Result<(), OsError> {
        self.0.view.map.sync()?;
        let failed = |error: std::io::Error| OsError::io("fsync", &error);
        self.file().sync_all().map_err(failed)?;
        match &self.0.path {
            Some(path) => File::open(directory_of(path)).and_then(|dir| dir.sync_all()).map_err(failed),
            None => Ok(()),
        }
    }

    /// Hands a sealed region over a Unix socket, to be taken by
    /// [`Region::receive`](crate::Region::receive). Blocks as long as the socket does. The peer gets
    /// a description of the memory that shares no lock with this process.
    ///
    /// # Errors
    ///
    /// [`ShareError`]; nothing was handed over then.
    pub fn share(&self, socket: impl AsFd) -> Result<(), ShareError> {
        if self.forked() {
            return Err(ShareError::Forked);
        }
        memfd::share(socket.as_fd(), self.file())
    }

    fn file(&self) -> &File {
        self.0.view.tokens.file()
    }
}

impl fmt::Debug for UnixPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixPort")
            .field("ident", &self.ident())
            .field("path", &self.0.path)
            .field("len", &self.mem().len())
            .finish()
    }
}

impl Wait for UnixPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.0.view.wait(point, expected, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.0.view.wake(point);
    }

    fn pause(&self, how_long: Duration) {
        self.0.view.pause(how_long);
    }
}

impl Clock for UnixPort {
    fn now_ns(&self) -> u64 {
        self.0.view.now_ns()
    }
}

// SAFETY: as for `View`, to which it forwards what is asked of its own domain; of others, it never
// answers `Dead`.
unsafe impl Liveness for UnixPort {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        self.0.view.acquire(who)
    }

    fn release(&self, who: Ident) {
        self.0.view.release(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        if self.0.own.contains(&who.slot()) { self.0.view.probe(who) } else { Probe::Unknown }
    }
}

// SAFETY: the mapping lives in the view, which every clone keeps, and is never moved. The identity
// is fixed when the port is made, and its token is held until the last clone is dropped. (In a
// forked child the identity is `None` and the memory a private copy: it is no participant.)
unsafe impl Port for UnixPort {
    fn mem(&self) -> &Mem {
        self.0.view.mem()
    }

    fn ident(&self) -> Option<Ident> {
        if self.forked() {
            return None;
        }
        self.0.seat.as_ref().map(|seat| seat.ident)
    }

    fn domain(&self) -> u32 {
        self.0.domain
    }
}
