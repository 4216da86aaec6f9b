//! Tokens and mappings, which a handler takes away from every forked child.
//!
//! The child's copies of token descriptors are closed, so that it does not keep a dead parent alive.
//! Its mappings are replaced by private ones, of the same file or, where that cannot be mapped so (a dma-buf cannot),
//! of a copy: it sees what was there, and what it stores goes nowhere, so that endpoints which it inherited, and
//! drops in the end, cannot disturb the parent's. And they are [disowned](disown), so that those endpoints return
//! errors.
//!
//! # Invariants
//!
//! - F1. A token's descriptor is opened, entered in [`TABLE`], taken out and closed with the gate
//!   shut. `fork` shuts the gate for its own duration, so a child finds every inherited token in
//!   the table, and none half-way.
//! - F2. An entry belongs to the one [`Token`] that names it, as long as that was made in this
//!   generation. A child's handler empties the table and then starts a new generation.
//! - F3. An entry's range, if it has one, is mapped from its `file`, which stays open, for as long as the entry is
//!   there. That is another description than the token's: a mapping keeps its description, and so
//!   the locks of that, alive. Or the range has no file: it is memory that cannot be mapped privately, and the
//!   token's description has no locks.
//!
//! A child counts as its parent for as long as it has not come out of `fork`, which the kernel's
//! scheduling bounds. `_Fork` and a bare `clone` run no handlers: a child made so keeps its parent's tokens until it
//! ends or executes a program.

use core::ffi::{c_int, c_void};
use core::ptr::{NonNull, null_mut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use nix::libc;
use strait_core::port::{Mem, disown};
use strait_os_base::OsError;

/// Mappings with a token that one process can have.
const MAX_TOKENS: usize = 1024;
const FREE: RawFd = -1;
/// Offsets of mappings are multiples of it.
const MAP_UNIT: u64 = 4096;
/// What endpoints do in memory.
const ACCESS: c_int = libc::PROT_READ | libc::PROT_WRITE;
/// `MREMAP_MAYMOVE` and `MREMAP_FIXED`, which Android's C library does not name: to this place, whatever is there.
const MOVE_TO: c_int = 1 | 2;
/// The error where there is no entry; the limit on descriptors has nothing to do with it.
const FULL: OsError = OsError::explained(
    "this process has 1024 regions, mutexes and listeners' descriptors open, which is the most it can have; close one",
    libc::EMFILE,
);

/// A token's descriptor, and where its region is mapped from which other descriptor. All accesses
/// are relaxed: the gate orders them, and a child has one thread.
struct Entry {
    token: AtomicI32,
    file: AtomicI32,
    base: AtomicPtr<c_void>,
    len: AtomicUsize,
    /// Where in the file the range starts, in units of [`MAP_UNIT`].
    from: AtomicUsize,
}

impl Entry {
    const fn free() -> Self {
        Self {
            token: AtomicI32::new(FREE),
            file: AtomicI32::new(FREE),
            base: AtomicPtr::new(null_mut()),
            len: AtomicUsize::new(0),
            from: AtomicUsize::new(0),
        }
    }
}

static TABLE: [Entry; MAX_TOKENS] = [const { Entry::free() }; MAX_TOKENS];
static GENERATION: AtomicU32 = AtomicU32::new(0);
static SHUT: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<c_int> = OnceLock::new();

fn shut_gate() {
    while SHUT.swap(true, Ordering::Acquire) {
        // Held for a system call or two. Sleeping, not yielding: the holder may have a lower
        // real-time priority on this very core.
        std::thread::sleep(Duration::from_micros(20));
    }
}

fn open_gate() {
    SHUT.store(false, Ordering::Release);
}

/// The gate, shut until this is dropped.
struct Gate;

impl Gate {
    fn shut() -> Self {
        shut_gate();
        Self
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        open_gate();
    }
}

extern "C" fn before_fork() {
    shut_gate();
}

extern "C" fn in_parent() {
    open_gate();
}

/// Only what a signal handler may do: loads, stores, and bare system calls.
extern "C" fn in_child() {
    for entry in &TABLE {
        let token = entry.token.swap(FREE, Ordering::Relaxed);
        if token == FREE {
            continue;
        }
        // SAFETY: the entry was an open descriptor of this process (F1, F2), which nobody else
        // uses: the other threads do not exist here, and this one is inside `fork`.
        unsafe { libc::close(token) };
        if entry.len.load(Ordering::Relaxed) == 0 {
            continue;
        }
        let file = entry.file.load(Ordering::Relaxed);
        let (base, len) = (entry.base.load(Ordering::Relaxed), entry.len.load(Ordering::Relaxed));
        let from = entry.from.load(Ordering::Relaxed) as u64 * MAP_UNIT;
        // SAFETY: the range is mapped from this very place of the file and ours (F3). Its users go on
        // with a mapping of the same contents at the same place.
        if !unsafe { make_private(base, len, file, from) } {
            // Better memory that cannot be touched in the child than the parent's.
            // SAFETY: the range is ours (F3), and the child knows not to use it.
            unsafe { shut_off(base, len) };
            continue;
        }
        if let (Some(base), Ok(len)) = (NonNull::new(base), u32::try_from(len)) {
            // SAFETY: just mapped for reading and writing, and nothing unmaps it while this thread is in here.
            disown(&unsafe { Mem::from_raw(base.cast(), len) });
        }
    }
    GENERATION.fetch_add(1, Ordering::Relaxed);
    open_gate();
}

/// Replaces a shared mapping by a private one of the same contents; false if it cannot be. Which memory cannot be mapped
/// privately is known before: a kernel that refuses to map over a range may have unmapped what was there.
///
/// # Safety
///
/// `len` bytes at `base` must be mapped from this place of the file, if there is one, be readable, and be the caller's.
unsafe fn make_private(base: *mut c_void, len: usize, file: RawFd, from: u64) -> bool {
    if file == FREE {
        // SAFETY: the caller's promise.
        return unsafe { make_copy(base, len) };
    }
    let kind = libc::MAP_PRIVATE | libc::MAP_FIXED;
    // SAFETY: the caller's promise: what is replaced is the caller's.
    let mapped = unsafe { libc::mmap64(base, len, ACCESS, kind, file, from as libc::off64_t) };
    mapped != libc::MAP_FAILED
}

/// Puts pages in the place of whatever is there, or is not any more, that nobody can touch, and nothing else gets.
///
/// # Safety
///
/// The range must be the caller's, and not be used.
unsafe fn shut_off(base: *mut c_void, len: usize) {
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: the caller's promise: what is replaced is the caller's.
    unsafe { libc::mmap64(base, len, libc::PROT_NONE, kind, -1, 0) };
}

/// As [`make_private`] by a copy, of memory that is mapped shared alone.
///
/// # Safety
///
/// `len` bytes at `base` must be mapped, be readable, and be the caller's.
unsafe fn make_copy(base: *mut c_void, len: usize) -> bool {
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the kernel chooses a place that is free, so no memory of ours is replaced.
    let copy = unsafe { libc::mmap64(null_mut(), len, ACCESS, kind, -1, 0) };
    if copy == libc::MAP_FAILED {
        return false;
    }
    // Whole words, which are aligned, as memory of devices wants it: both start on a page, and end on one.
    for at in 0..len.div_ceil(size_of::<usize>()) {
        // SAFETY: within the pages that are mapped there, by the caller's promise.
        let from = unsafe { base.cast::<usize>().add(at) };
        // SAFETY: within the pages that were just mapped.
        let to = unsafe { copy.cast::<usize>().add(at) };
        // SAFETY: mapped and aligned. Others may store there meanwhile: it is their state at one moment or another.
        let word = unsafe { from.read_volatile() };
        // SAFETY: mapped, aligned, and nobody else's.
        unsafe { to.write_volatile(word) };
    }
    // SAFETY: both ranges are the caller's or ours, and of one length: the copy takes the place of the mapping.
    let moved = unsafe { libc::syscall(libc::SYS_mremap, copy, len, len, MOVE_TO, base) };
    if moved == -1 {
        // SAFETY: the range is ours, and nobody knows it.
        unsafe { libc::munmap(copy, len) };
    }
    moved != -1
}

fn install() -> Result<(), OsError> {
    let code = *INSTALLED.get_or_init(|| {
        // SAFETY: the handlers are `extern "C"` functions that live as long as the program, touch
        // statics only, and do in the child what is allowed there.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) }
    });
    if code == 0 { Ok(()) } else { Err(OsError::new("pthread_atfork", code)) }
}

/// The process in which something was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(u32);

impl Origin {
    /// This process.
    pub(crate) fn here() -> Result<Self, OsError> {
        install()?;
        Ok(Self(GENERATION.load(Ordering::Relaxed)))
    }

    /// Whether this is a forked child of that process.
    pub(crate) fn left(self) -> bool {
        self.0 != GENERATION.load(Ordering::Relaxed)
    }
}

/// A descriptor that exists in the process that opened it and in no forked child.
#[derive(Debug)]
pub(crate) struct Token {
    entry: usize,
    origin: Origin,
}

impl Token {
    /// Opens the descriptor, which must be marked close-on-exec and be a description of its own.
    ///
    /// # Safety
    ///
    /// The `range` (start and length) must be mapped from `file`, from the offset that is its third part on, a
    /// multiple of the page; and both must stay as they are until the token is dropped. Without a file, a child gets a
    /// copy: of memory that can be mapped shared alone.
    pub(crate) unsafe fn open(
        file: Option<BorrowedFd<'_>>,
        range: (NonNull<c_void>, usize, u64),
        open: impl FnOnce() -> Result<OwnedFd, OsError>,
    ) -> Result<Self, OsError> {
        Self::entered(file.map_or(FREE, |file| file.as_raw_fd()), range, open)
    }

    /// Opens the descriptor, which must be marked close-on-exec, and nothing is mapped from.
    pub(crate) fn alone<E: From<OsError>>(open: impl FnOnce() -> Result<OwnedFd, E>) -> Result<Self, E> {
        Self::entered(FREE, (NonNull::dangling(), 0, 0), open)
    }

    fn entered<E: From<OsError>>(
        file: RawFd,
        range: (NonNull<c_void>, usize, u64),
        open: impl FnOnce() -> Result<OwnedFd, E>,
    ) -> Result<Self, E> {
        let origin = Origin::here()?;
        let _gate = Gate::shut();
        let free = TABLE.iter().position(|entry| entry.token.load(Ordering::Relaxed) == FREE);
        let index = free.ok_or(FULL)?;
        let token = open()?;
        let entry = &TABLE[index];
        entry.file.store(file, Ordering::Relaxed);
        entry.base.store(range.0.as_ptr(), Ordering::Relaxed);
        entry.len.store(range.1, Ordering::Relaxed);
        entry.from.store((range.2 / MAP_UNIT) as usize, Ordering::Relaxed);
        entry.token.store(token.into_raw_fd(), Ordering::Relaxed);
        Ok(Self { entry: index, origin })
    }

    /// Whether this is a forked child of the process that opened it.
    pub(crate) fn left_behind(&self) -> bool {
        self.origin.left()
    }

    /// Uses the descriptor; `None` in a forked child.
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(BorrowedFd<'_>) -> R) -> Option<R> {
        if self.left_behind() {
            return None;
        }
        let fd = TABLE[self.entry].token.load(Ordering::Relaxed);
        // SAFETY: the entry is ours (F2), so the descriptor stays open until `self` is dropped,
        // which the borrow of `self` prevents. A fork cannot begin in this thread during that time.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        Some(use_it(fd))
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let _gate = Gate::shut();
        if self.origin.left() {
            return; // The handler has closed it, and the entry may be somebody else's by now.
        }
        let fd = TABLE[self.entry].token.swap(FREE, Ordering::Relaxed);
        // SAFETY: the entry was ours (F2) and held an open descriptor, which is closed here once.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt as _;

    use core::ffi::c_void;
    use core::ptr::null_mut;

    use nix::libc;

    use super::{ACCESS, FREE, Token, make_private, shut_off};
    use strait_os_base::OsError;

    /// FAULT 144. What a child has of memory that cannot be mapped privately.
    #[test]
    fn fault_144_a_copy_takes_the_place_of_what_can_be_mapped_shared_alone() {
        let path = std::env::temp_dir().join(format!("strait-fork-copy-{}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path).expect("a file");
        std::fs::remove_file(&path).expect("unlinked");
        let bytes: Vec<u8> = (0..3 * 65536).map(|at| (at % 251) as u8).collect();
        file.write_all_at(&bytes, 0).expect("written");
        // The last page in part, as a window of any length.
        let len = bytes.len() - 100;
        // SAFETY: the kernel chooses a place that is free.
        let base = unsafe { libc::mmap64(null_mut(), len, ACCESS, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        assert_ne!(base, libc::MAP_FAILED);
        // SAFETY: just mapped, and this test's.
        assert!(unsafe { make_private(base, len, FREE, 0) });
        // SAFETY: mapped there as before, and nobody else's.
        let copy = unsafe { core::slice::from_raw_parts_mut(base.cast::<u8>(), len) };
        assert_eq!(copy, &bytes[..len]);
        copy.fill(0xFF);
        let mut found = vec![0; bytes.len()];
        file.read_exact_at(&mut found, 0).expect("read");
        assert_eq!(found, bytes, "what is stored goes nowhere");
        // SAFETY: the range is this test's, and not used any more.
        unsafe { shut_off(base, len) };
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the maps");
        let shut = format!("{:x}-", base.addr());
        let line = maps.lines().find(|line| line.trim_start_matches('0').starts_with(&shut));
        assert!(line.is_some_and(|line| line.contains("---p")), "nothing else gets the place: {line:?}");
        // SAFETY: the same.
        unsafe { libc::munmap(base.cast::<c_void>(), len) };
    }

    #[test]
    fn a_token_is_open_until_it_is_dropped() {
        let open = || Ok::<_, OsError>(File::open("/dev/null").expect("open").into());
        let token = Token::alone(open).expect("a token");
        let fd = token.with(|fd| fd.as_raw_fd()).expect("not forked");
        assert!(std::fs::metadata(format!("/proc/self/fd/{fd}")).is_ok());
        let other = Token::alone(open).expect("another");
        assert_ne!(other.with(|fd| fd.as_raw_fd()), Some(fd));
    }
}
