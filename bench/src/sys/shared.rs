//! Memory that a child made by `fork` shares with its parent.

use std::num::NonZeroUsize;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

use crate::error::Result;

/// A type for which zeros are a value and which threads may share: atomics, and arrays of them.
///
/// # Safety
///
/// The implementer promises just that.
pub unsafe trait Zeroed: Sync {}

/// A value of zeros, shared with children and never unmapped: the process is short.
pub fn zeroed<T: Zeroed>() -> Result<&'static T> {
    let len = NonZeroUsize::new(size_of::<T>()).ok_or("cannot share what has no size")?;
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
    // SAFETY: a new mapping disturbs nothing that exists.
    let map = unsafe { mmap_anonymous(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags) };
    let map = map.map_err(|error| format!("cannot map {len} bytes of shared memory: {error}"))?;
    // SAFETY: the mapping is page-aligned, this long, zeroed, stays for good, and `T` takes zeros.
    Ok(unsafe { map.cast::<T>().as_ref() })
}
