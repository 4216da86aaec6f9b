//! The page that a mutex lies in: made complete, checked, mapped, and joined.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use strait_core::{Ident, Mem, Probe};

use super::error::PiOpenError;
use super::futex;
use super::words::Words;
use crate::error::{FromCall as _, OsError};
use crate::file::check;
use crate::file::draft::Draft;
use crate::file::os::named_dir;
use crate::fork::Origin;
use crate::liveness::Tokens;
use crate::map::{MapError, Mapping};
use crate::name;
use crate::options::Options;
use crate::region::{CreateError, OpenError};

/// The prefix of a mutex's file; not that of regions, which are listed.
const PREFIX: &str = "strait-pi.";
const LEN: u32 = 4096;
/// `SPIM` in memory.
const MAGIC: u32 = u32::from_le_bytes(*b"SPIM");
const VERSION: u32 = 0;

/// Offsets in the page.
mod at {
    pub(super) const MAGIC: u32 = 0;
    pub(super) const VERSION: u32 = 4;
    pub(super) const NAMESPACE: u32 = 8;
    pub(super) const NEXT: u32 = 24;
    pub(super) const WORDS: usize = 64;
}

/// Rounds of opening and creating before a mutex that comes and goes is given up.
const ROUNDS: u32 = 16;
/// Identities that are tried before the counter is taken for scribbled over.
const TRIES: u32 = 64;

/// A mapped page, and this handle's identity and token in it.
#[derive(Debug)]
pub(super) struct Page {
    /// Dropped before the mapping.
    tokens: Tokens,
    map: Mapping,
    origin: Origin,
    ident: Ident,
}

/// Where the mutex of this name lies.
pub(super) fn path_of(name: &str) -> Result<PathBuf, PiOpenError> {
    name::check_name(name)?;
    let dir = named_dir().map_err(name::NameError::NoDirectory)?;
    Ok(dir.join(format!("{PREFIX}{name}")))
}

impl Page {
    /// Opens the page, or creates it if it is not there.
    pub(super) fn open_or_create(path: &Path, options: &Options) -> Result<Self, PiOpenError> {
        for _ in 0..ROUNDS {
            match Self::open(path, options) {
                Err(PiOpenError::NotFound) => {}
                other => return other,
            }
            match create(path, options) {
                Ok(()) | Err(PiOpenError::Create(CreateError::AlreadyExists)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(PiOpenError::Contended)
    }

    /// Opens the page and joins those who use it.
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, PiOpenError> {
        if options.read_only {
            return Err(PiOpenError::ReadOnly);
        }
        if !futex::is_supported() {
            return Err(PiOpenError::Unsupported);
        }
        let (file, len) = check::open(path, options).map_err(|error| match error {
            OpenError::TooShort { .. } | OpenError::TooLong { .. } => PiOpenError::NotAMutex,
            other => other.into(),
        })?;
        if len != LEN {
            return Err(PiOpenError::NotAMutex);
        }
        let map = Mapping::new(&file, LEN, options).map_err(OpenError::from)?;
        check(&map.mem())?;
        let origin = Origin::here()?;
        // SAFETY: both end up in this value, whose fields are dropped in their order, the mapping after
        // the tokens; until then it is a local that outlives them.
        let tokens = unsafe { Tokens::new(file, Some(path), Some(&map)) }?;
        let ident = join(&map.mem(), &tokens)?;
        Ok(Self { tokens, map, origin, ident })
    }

    /// The mutex itself.
    pub(super) fn words(&self) -> &Words {
        let (base, len) = self.map.range();
        debug_assert!(at::WORDS + size_of::<Words>() <= len);
        // SAFETY: the offset is within the mapped page.
        let words = unsafe { base.byte_add(at::WORDS) }.cast::<Words>();
        // SAFETY: the page is aligned and mapped for as long as `self` lives, whatever is in it makes
        // atomic words, and nobody in this program accesses it otherwise.
        unsafe { words.as_ref() }
    }

    /// Who this handle is.
    pub(super) fn ident(&self) -> Ident {
        self.ident
    }

    /// Whether somebody lives.
    pub(super) fn probe(&self, who: Ident) -> Probe {
        self.tokens.probe(who)
    }

    /// Whether this is a forked child of the process that opened it.
    pub(super) fn left(&self) -> bool {
        self.origin.left()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !self.left() {
            self.tokens.release(self.ident);
        }
    }
}

/// Makes the page, which appears under its name complete.
fn create(path: &Path, options: &Options) -> Result<(), PiOpenError> {
    let namespace = namespace()?;
    if options.mode & 0o600 != 0o600 || options.mode & !0o666 != 0 {
        return Err(CreateError::Mode { mode: options.mode }.into());
    }
    let draft = Draft::new(path, options.mode, LEN)?;
    let map = Mapping::new(draft.file(), LEN, options).map_err(|error| match error {
        MapError::Map(error) => PiOpenError::Os(error),
        MapError::Lock(error) => CreateError::Lock(error).into(),
    })?;
    let mem = map.mem();
    mem.setup_write(at::MAGIC, MAGIC);
    mem.setup_write(at::VERSION, VERSION);
    for (word, offset) in namespace.into_iter().zip((at::NAMESPACE..).step_by(4)) {
        mem.setup_write(offset, word);
    }
    Ok(draft.publish(path)?)
}

fn check(mem: &Mem) -> Result<(), PiOpenError> {
    if mem.setup_read(at::MAGIC) != MAGIC || mem.setup_read(at::VERSION) != VERSION {
        return Err(PiOpenError::NotAMutex);
    }
    let theirs = [0, 4, 8, 12].map(|offset| mem.setup_read(at::NAMESPACE + offset));
    let ours = namespace()?;
    let inode = |words: [u32; 4]| u64::from(words[2]) | u64::from(words[3]) << 32;
    if theirs != ours {
        return Err(PiOpenError::OtherNamespace { theirs: inode(theirs), ours: inode(ours) });
    }
    Ok(())
}

/// Device and inode of this process's PID namespace, low words first.
fn namespace() -> Result<[u32; 4], PiOpenError> {
    let found = fs::metadata("/proc/self/ns/pid");
    let found = found.map_err(|error| OsError::io("stat of /proc/self/ns/pid", &error))?;
    let (dev, ino) = (found.dev(), found.ino());
    Ok([dev as u32, (dev >> 32) as u32, ino as u32, (ino >> 32) as u32])
}

/// Takes an identity that nobody has had, and its token. Who dies in between has used up a number.
fn join(mem: &Mem, tokens: &Tokens) -> Result<Ident, PiOpenError> {
    let word = mem.word(at::NEXT).ok_or(PiOpenError::NotAMutex)?;
    // SAFETY: the pointer is that of an aligned word, mapped for as long as `mem` is used.
    let next = unsafe { AtomicU32::from_ptr(word.as_ptr()) };
    for _ in 0..TRIES {
        // ORDERING: Relaxed; nothing else hangs on the number, and the kernel keeps the token.
        let taken = next.fetch_update(Relaxed, Relaxed, |number| number.checked_add(1));
        let number = taken.map_err(|_| PiOpenError::Exhausted)?;
        let (slot, epoch) = (number % Ident::MAX_SLOT + 1, number / Ident::MAX_SLOT + 1);
        let ident = Ident::new(slot, epoch).ok_or(PiOpenError::Exhausted)?;
        if tokens.acquire(ident).is_ok() {
            return Ok(ident);
        }
    }
    Err(PiOpenError::Exhausted)
}

/// Takes the name away. Those who have the mutex open go on with it.
pub(super) fn remove(path: &Path) -> Result<(), PiOpenError> {
    fs::remove_file(path).map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ENOENT) => PiOpenError::NotFound,
        Some(nix::libc::EACCES | nix::libc::EPERM) => OpenError::NotPermitted.into(),
        _ => OsError::io("unlink", &error).into(),
    })
}
