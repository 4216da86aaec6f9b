//! Prefault by `madvise`, which makes pages writable without writing to them.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;
use strait_os_base::Mapped;

/// The kernel's number, which Android's C library does not name.
const SEEK_DATA: libc::c_int = 3;

/// Brings every page in, ready for the access that the mapping allows.
pub(super) fn prefault(mapping: &Mapped, read_only: bool) -> Result<(), Errno> {
    let advice = if read_only { libc::MADV_POPULATE_READ } else { libc::MADV_POPULATE_WRITE };
    // SAFETY: the range is mapped and ours (P1), and the advice changes no contents.
    let result = unsafe { libc::madvise(mapping.base().as_ptr(), mapping.mapped(), advice) };
    match Errno::result(result) {
        Err(Errno::EINVAL) => mapping.touch(), // Older than Linux 5.14.
        other => return other.map(drop),
    }
    Ok(())
}

/// Where the file's next bytes that are no hole start, from `at` on; all count where the file system does not
/// know.
pub(super) fn next_data(file: &File, at: u64) -> Option<u64> {
    // SAFETY: the call takes and returns numbers. Below 2 GiB, so the place fits 32 bits with a sign.
    let found = unsafe { libc::lseek(file.as_raw_fd(), at as libc::off_t, SEEK_DATA) };
    match Errno::result(found) {
        Ok(start) => u64::try_from(start).ok(),
        Err(Errno::ENXIO) => None,
        Err(_) => Some(at),
    }
}
