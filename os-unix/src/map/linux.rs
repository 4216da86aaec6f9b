//! Prefault by `madvise`, which makes pages writable without writing to them.

use nix::errno::Errno;
use nix::libc;

use super::{Mapping, touch};

/// Brings every page in, ready for the access that the mapping allows.
pub(super) fn prefault(mapping: &Mapping, read_only: bool) -> Result<(), Errno> {
    let advice = if read_only { libc::MADV_POPULATE_READ } else { libc::MADV_POPULATE_WRITE };
    // SAFETY: the range is mapped and ours (P1), and the advice changes no contents.
    let result = unsafe { libc::madvise(mapping.base.as_ptr(), mapping.len as usize, advice) };
    match Errno::result(result) {
        Err(Errno::EINVAL) => touch(mapping), // Older than Linux 5.14.
        other => return other.map(drop),
    }
    Ok(())
}
