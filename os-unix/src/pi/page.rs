//! The page that a mutex is in: made complete, checked, mapped, and joined.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use strait_core::port::{Ident, Mem, Probe};
use strait_os_base::{Mapped, OsError};

use super::futex;
use crate::failed::{CreateFailed, OpenFailed};
use crate::file::check;
use crate::file::draft::Draft;
use crate::file::os::named_dir;
use crate::fork::Origin;
use crate::liveness::Tokens;
use crate::map;
use crate::options::Options;
use crate::place::unlink;
use crate::view::check_mode;

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

/// Identities that are tried before the counter is taken for scribbled over.
const TRIES: u32 = 64;

/// Why there is no page; `strait_os::linux::Failed` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The kernel has no `FUTEX_LOCK_PI2`.
    Unsupported,
    /// A mapping for reading alone was asked for.
    ReadOnly,
    /// Not opened.
    Open(OpenFailed),
    /// Not created.
    Create(CreateFailed),
    /// No mutex of this version.
    NotAMutex,
    /// Of another PID namespace.
    OtherNamespace {
        /// The inode of the namespace it was created in.
        theirs: u64,
        /// The inode of this process's namespace.
        ours: u64,
    },
    /// No identity is left.
    Exhausted,
    /// Anything else.
    Os(OsError),
}

impl From<OsError> for Failed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl From<CreateFailed> for Failed {
    fn from(failed: CreateFailed) -> Self {
        match failed {
            CreateFailed::Os(error) => Self::Os(error),
            failed => Self::Create(failed),
        }
    }
}

/// The mutex itself: 16 bytes of shared memory. `strait_os::linux` documents the writers of each word.
#[repr(C)]
#[derive(Debug)]
pub struct Words {
    /// The kernel's word: a thread id and two bits.
    pub word: AtomicU32,
    /// The owner's identity.
    pub owner: AtomicU32,
    /// How often an owner's death was found.
    pub takeovers: AtomicU32,
    /// Whether the data are whole.
    pub state: AtomicU32,
}

/// A mapped page, and this handle's identity and token in it.
#[derive(Debug)]
pub struct Page {
    /// Dropped before the mapping.
    tokens: Tokens,
    map: Mapped,
    origin: Origin,
    ident: Ident,
}

/// Where the mutex of this name is.
pub fn path_of(name: &str) -> Result<PathBuf, OsError> {
    Ok(named_dir()?.join(format!("{PREFIX}{name}")))
}

impl Page {
    /// Opens the page and joins its users.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Failed> {
        if options.map.read_only {
            return Err(Failed::ReadOnly);
        }
        if !futex::is_supported() {
            return Err(Failed::Unsupported);
        }
        let (file, len) = check::open(path, options).map_err(|failed| match failed {
            OpenFailed::TooShort { .. } | OpenFailed::TooLong { .. } => Failed::NotAMutex,
            other => Failed::Open(other),
        })?;
        if len != LEN {
            return Err(Failed::NotAMutex);
        }
        let map = map::shared(&file, LEN, &options.map).map_err(|failed| Failed::Open(failed.into()))?;
        check(map.mem())?;
        let origin = Origin::here()?;
        // SAFETY: both end up in this value, whose fields are dropped in their order, the mapping after
        // the tokens; until then it is a local that outlives them.
        let tokens = unsafe { Tokens::new(file, Some(path), Some(&map)) }?;
        let ident = join(map.mem(), &tokens)?;
        Ok(Self { tokens, map, origin, ident })
    }

    /// The mutex itself.
    #[must_use]
    #[inline]
    pub fn words(&self) -> &Words {
        debug_assert!(at::WORDS + size_of::<Words>() <= self.map.size());
        // SAFETY: the offset is within the mapped page.
        let words = unsafe { self.map.base().byte_add(at::WORDS) }.cast::<Words>();
        // SAFETY: the page is aligned and mapped for as long as `self` lives, whatever is in it makes
        // atomic words, and nobody in this program accesses it otherwise.
        unsafe { words.as_ref() }
    }

    /// This handle's identity.
    #[must_use]
    #[inline]
    pub fn ident(&self) -> Ident {
        self.ident
    }

    /// Whether somebody lives.
    #[must_use]
    pub fn probe(&self, who: Ident) -> Probe {
        self.tokens.probe(who)
    }

    /// Whether this is a forked child of the process that opened it.
    #[must_use]
    #[inline]
    pub fn left(&self) -> bool {
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
pub fn create(path: &Path, options: &Options) -> Result<(), Failed> {
    let namespace = namespace()?;
    check_mode(options.mode)?;
    let draft = Draft::new(path, options.mode, LEN)?;
    let map = map::shared(draft.file(), LEN, &options.map).map_err(CreateFailed::from)?;
    let mem = map.mem();
    mem.setup_write(at::MAGIC, MAGIC);
    mem.setup_write(at::VERSION, VERSION);
    for (word, offset) in namespace.into_iter().zip((at::NAMESPACE..).step_by(4)) {
        mem.setup_write(offset, word);
    }
    Ok(draft.publish(path)?)
}

fn check(mem: &Mem) -> Result<(), Failed> {
    if mem.setup_read(at::MAGIC) != MAGIC || mem.setup_read(at::VERSION) != VERSION {
        return Err(Failed::NotAMutex);
    }
    let theirs = [0, 4, 8, 12].map(|offset| mem.setup_read(at::NAMESPACE + offset));
    let ours = namespace()?;
    let inode = |words: [u32; 4]| u64::from(words[2]) | u64::from(words[3]) << 32;
    if theirs != ours {
        return Err(Failed::OtherNamespace { theirs: inode(theirs), ours: inode(ours) });
    }
    Ok(())
}

/// Device and inode of this process's PID namespace, low words first.
fn namespace() -> Result<[u32; 4], Failed> {
    let found = fs::metadata("/proc/self/ns/pid");
    let found = found.map_err(|error| OsError::io("stat of /proc/self/ns/pid", &error))?;
    let (dev, ino) = (found.dev(), found.ino());
    Ok([dev as u32, (dev >> 32) as u32, ino as u32, (ino >> 32) as u32])
}

/// Takes an identity that nobody has had, and its token. Who dies in between has used up a number.
fn join(mem: &Mem, tokens: &Tokens) -> Result<Ident, Failed> {
    let word = mem.word(at::NEXT).ok_or(Failed::NotAMutex)?;
    // SAFETY: the pointer is that of an aligned word, mapped for as long as `mem` is used.
    let next = unsafe { AtomicU32::from_ptr(word.as_ptr()) };
    for _ in 0..TRIES {
        // ORDERING: Relaxed; nothing else hangs on the number, and the kernel keeps the token.
        let taken = next.fetch_update(Relaxed, Relaxed, |number| number.checked_add(1));
        let number = taken.map_err(|_| Failed::Exhausted)?;
        let (slot, epoch) = (number % Ident::MAX_PLACE + 1, number / Ident::MAX_PLACE + 1);
        let ident = Ident::new(slot, epoch).ok_or(Failed::Exhausted)?;
        if tokens.acquire(ident).is_ok() {
            return Ok(ident);
        }
    }
    Err(Failed::Exhausted)
}

/// Takes the name away. Handles that are open keep working.
pub fn remove(path: &Path) -> Result<(), OpenFailed> {
    unlink(path)
}
