//! Liveness tokens as open-file-description locks.
//!
//! # Invariants
//!
//! - L1. The token's description is opened by this process alone, never sent, held by one descriptor, and
//!   closed in forked children. So its locks end with this process, and not before the token is
//!   released.
//! - L2. The probe's description is another one, on which nobody ever takes a lock. So a probe sees
//!   this process's own tokens as what they are: held.
//!   Only exclusive locks count: a token is one, and taking one needs the right to write to the file. A shared
//!   lock needs the right to read alone; it keeps nobody alive, but is in the way of whoever joins.
//! - L3. An identity is held here only if it is in `held`, and changes there under its mutex. So
//!   nobody takes a token that a sibling holds already (the kernel would agree, since the lock is
//!   the description's), or gives back one that is not his.
//! - L4. Where `locks` is false, no lock is taken and nobody is probed: all descriptors of a dma-buf are one
//!   description (L1 and L2 cannot hold), on which each probe would find every token free, and each
//!   participant dead.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::libc;
use nix::sys::statfs::fstatfs;
use strait_core::port::{Ident, Probe, TokenRefused};
use strait_os_base::{Mapped, OsError, proof_of};

use super::ofd;
use crate::entropy;
use crate::fd;
use crate::fork::Token;

/// Tokens are at offsets beyond every possible content of the file.
const TOKEN_BASE: u64 = 1 << 40;
/// The smallest page, and the windows of a file whose tokens have places of their own. Two regions that are 4 TiB
/// apart share theirs, and then one more participant may seem alive.
const PAGE: u64 = 4096;
const WINDOWS: u64 = 1 << 30;
/// Bytes by which two open file descriptions are distinguished.
const TRIAL_BASE: u64 = 1 << 41;
const TRIALS: u32 = 8;

/// File systems whose locks a server or another program keeps, and may lose: their word is no
/// proof. In order: NFS, SMB, CIFS, SMB2, 9P, FUSE, Ceph, AFS, Coda, Lustre, GFS2, OCFS2, GPFS, BeeGFS,
/// OrangeFS, and the shared folders of VirtualBox and VMware.
const REMOTE: [u32; 17] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x0102_1997,
    0x6573_5546,
    0x00C3_6400,
    0x5346_414F,
    0x7375_7245,
    0x0BD0_0BD0,
    0x0116_1970,
    0x7461_636F,
    0x4750_4653,
    0x1983_0326,
    0x2003_0528,
    0x786F_4256,
    0xBACB_ACBC,
];

/// The error of a region that came over a socket, or was opened by another user's rights.
const NOT_TWICE: OsError = OsError::explained(
    "the region's mode does not let this user open it once more; create it with one that does, as 0666 for sealed \
     memory that another user receives",
    libc::EACCES,
);

/// The tokens that this process holds in one region, and the means to probe others.
#[derive(Debug)]
pub struct Tokens {
    /// Dropped before the file.
    token: Option<Token>,
    probe: File,
    /// Where the tokens of this region start.
    first: u64,
    /// Whether tokens are locks (L4).
    locks: bool,
    proves_death: bool,
    held: Mutex<Vec<Ident>>,
}

impl Tokens {
    /// Prepares the region's file for probes, and for tokens too if it takes part in the region
    /// through the mapping `joins`. `file` must be a description that only this process has; `path`
    /// is where the file is, if it has a name.
    ///
    /// # Safety
    ///
    /// `joins` must be a mapping of `file` that lives longer than the result.
    pub(crate) unsafe fn new(
        file: File,
        path: Option<&Path>,
        joins: Option<&Mapped>,
    ) -> Result<Self, OsError> {
        // SAFETY: the caller's promise, of the file's start.
        unsafe { Self::of_window(file, path, joins, 0) }
    }

    /// The same of a region that is mapped from `offset` on, a multiple of the page. Tokens of two regions in one
    /// file are apart.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new), where `joins` is mapped from that offset.
    pub(crate) unsafe fn of_window(
        file: File,
        path: Option<&Path>,
        joins: Option<&Mapped>,
        offset: u64,
    ) -> Result<Self, OsError> {
        let kind = fstatfs(&file).map_err(|error| OsError::new("fstatfs", error as i32))?;
        let proves_death = !REMOTE.contains(&(kind.filesystem_type().0 as u32));
        let token = match joins {
            Some(map) => {
                let open = || another(&file, path).map(Into::into);
                // SAFETY: the caller keeps the mapping longer than the token, which is dropped before
                // the file: their order in `Tokens`, and here.
                Some(unsafe { Token::open(Some(file.as_fd()), (map.base(), map.size(), offset), open) }?)
            }
            None => None,
        };
        let distinct = token.as_ref().map(|token| token.with(|fd| is_distinct(fd, &file)));
        match distinct {
            None | Some(Some(Ok(true))) => {}
            Some(other) => {
                let error = other.and_then(Result::err).unwrap_or(Errno::EBADF);
                return Err(what_failed(error));
            }
        }
        let first = TOKEN_BASE + ((offset / PAGE % WINDOWS) << 32);
        Ok(Self { token, probe: file, first, locks: true, proves_death, held: Mutex::new(Vec::new()) })
    }

    /// The same of memory that has no locks (L4). Nobody's life or death is known in it.
    ///
    /// # Safety
    ///
    /// As for [`of_window`](Self::of_window).
    pub(crate) unsafe fn unproven(file: File, joins: Option<&Mapped>, offset: u64) -> Result<Self, OsError> {
        let token = match joins {
            Some(map) => {
                let copy = || file.try_clone().and_then(fd::keep).map_err(|error| OsError::io("dup", &error));
                let open = || copy().map(Into::into);
                // SAFETY: as in `of_window`. No lock is taken on the description, so that the mapping keeps none.
                Some(unsafe { Token::open(None, (map.base(), map.size(), offset), open) }?)
            }
            None => None,
        };
        let held = Mutex::new(Vec::new());
        Ok(Self { token, probe: file, first: TOKEN_BASE, locks: false, proves_death: false, held })
    }

    /// The region's file.
    pub(crate) fn file(&self) -> &File {
        &self.probe
    }

    /// See [`strait_core::port::Liveness::acquire`].
    pub fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let token = self.token.as_ref().ok_or(TokenRefused)?;
        if token.left_behind() {
            return Err(TokenRefused); // Before the mutex, which may be shut for ever in a child.
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains(&who) {
            return Err(TokenRefused); // L3
        }
        match token.with(|fd| if self.locks { ofd::lock(fd, self.offset(who)) } else { Ok(()) }) {
            Some(Ok(())) => held.push(who),
            _ => return Err(TokenRefused),
        }
        Ok(())
    }

    /// See [`strait_core::port::Liveness::release`].
    pub fn release(&self, who: Ident) {
        let Some(token) = self.token.as_ref().filter(|token| !token.left_behind()) else { return };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = held.iter().position(|&other| other == who) else { return };
        held.swap_remove(at);
        if !self.locks {
            return;
        }
        // Cannot fail for a lock that is held; if it did, the token would end with the process.
        let _ = token.with(|fd| ofd::unlock(fd, self.offset(who)));
    }

    /// See [`strait_core::port::Liveness::probe`], whose contract this keeps: `Dead` is the kernel's answer that
    /// nobody holds the token of that very incarnation. The token is taken before it is published, and lost only when
    /// its process has ended or has given it back (L1). Everything else is `Alive` or `Unknown`.
    pub fn probe(&self, who: Ident) -> Probe {
        if !self.proves_death {
            return Probe::Unknown;
        }
        proof_of(ofd::is_locked(&self.probe, self.offset(who)).ok().map(|locked| !locked))
    }

    fn offset(&self, who: Ident) -> u64 {
        self.first + u64::from(who.word())
    }
}

/// What to say of a trial that went wrong.
fn what_failed(error: Errno) -> OsError {
    let text = match error {
        Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP => {
            "this system or file system has no open-file-description locks, which prove that a participant lives; \
             put the region elsewhere, or open it read-only"
        }
        Errno::EAGAIN | Errno::EACCES => {
            "another process has locked all of the region's file, so that no life can be proven by it; end that process"
        }
        Errno::EBADF => {
            "the region's file cannot be opened a second time, through /proc/self/fd or its path; mount /proc"
        }
        _ => return OsError::new("try a lock on the region's file, by which lives are proven", error as i32),
    };
    OsError::explained(text, error as i32)
}

/// Opens the file that `file` is again: a description of its own. By way of `/proc`, or of `path`
/// if that fails.
pub(crate) fn another(file: &File, path: Option<&Path>) -> Result<File, OsError> {
    let by_number = format!("/proc/self/fd/{}", file.as_raw_fd());
    let error = match reopen(Path::new(&by_number), file, 0) {
        Ok(new) => return Ok(new),
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => NOT_TWICE,
        Err(error) => OsError::io("open the region once more through /proc/self/fd", &error),
    };
    match path.map(|path| reopen(path, file, libc::O_NOFOLLOW)) {
        Some(Ok(new)) => Ok(new),
        _ => Err(error),
    }
}

fn reopen(path: &Path, file: &File, flags: i32) -> std::io::Result<File> {
    let flags = flags | libc::O_NONBLOCK;
    let new = File::options().read(true).write(true).custom_flags(flags).open(path)?;
    let new = fd::keep(new)?;
    let (old, found) = (file.metadata()?, new.metadata()?);
    if (old.dev(), old.ino()) != (found.dev(), found.ino()) {
        return Err(std::io::Error::from_raw_os_error(libc::ESTALE));
    }
    Ok(new)
}

/// Whether the two are different descriptions of one file: then, and only then, the lock of one is
/// in the other's way.
fn is_distinct(new: BorrowedFd<'_>, old: &File) -> Result<bool, Errno> {
    for _ in 0..TRIALS {
        let random = entropy::random_u64().map_err(|_| Errno::EIO)?;
        let offset = TRIAL_BASE + (random >> 24);
        match ofd::lock(new, offset) {
            Ok(()) => {}
            Err(Errno::EAGAIN | Errno::EACCES) => continue, // Somebody else tries that very byte.
            Err(error) => return Err(error),
        }
        let distinct = ofd::is_locked(old, offset);
        ofd::unlock(new, offset)?;
        return distinct;
    }
    Err(Errno::EAGAIN)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use strait_core::port::{Ident, Probe};
    use strait_os_base::MapOptions;

    use super::{Tokens, ofd};
    use crate::map;

    /// FAULT 145. A lock on the one description that all have is in nobody's way: it would prove everybody dead.
    #[test]
    fn fault_145_nobody_is_dead_in_memory_without_locks_of_ones_own() {
        let path = std::env::temp_dir().join(format!("strait-unproven-{}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path).expect("a file");
        std::fs::remove_file(&path).expect("unlinked");
        file.set_len(4096).expect("its length");
        let map = map::shared(&file, 4096, &MapOptions::PLAIN).expect("a mapping");
        let copy = || file.try_clone().expect("the same description");
        ofd::lock(&file, 1).expect("a lock");
        assert_eq!(ofd::is_locked(copy(), 1), Ok(false), "it is the holder's, whoever asks");
        // SAFETY: the mapping lives longer than both.
        let tokens = || unsafe { Tokens::unproven(copy(), Some(&map), 0) }.expect("tokens");
        let (ours, theirs) = (tokens(), tokens());
        let who = Ident::new(1, 1).expect("an identity");
        ours.acquire(who).expect("a token");
        assert!(ours.acquire(who).is_err(), "once");
        assert_eq!((ours.probe(who), theirs.probe(who)), (Probe::Unknown, Probe::Unknown));
        ours.release(who);
        ours.acquire(who).expect("it was given back");
        drop(ours);
        assert_eq!(theirs.probe(who), Probe::Unknown);
    }
}
