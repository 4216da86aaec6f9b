//! Accesses that Device memory does not take, each in a child that must die of it. Where they work, the emulator does
//! not check, and what follows proves nothing.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::plan::BESIDE;

#[cfg(target_arch = "aarch64")]
#[path = "control/aarch64.rs"]
mod accesses;
#[cfg(not(target_arch = "aarch64"))]
#[path = "control/other.rs"]
mod accesses;

const PAGE: usize = 4096;

/// One access at the start of a page.
pub struct Access {
    pub name: &'static str,
    /// # Safety
    ///
    /// A page must be mapped at the address, to read and write.
    pub run: unsafe fn(*mut u8),
}

/// Tries all of them in the memory in this file. Returns the names of those that worked: none, where accesses are
/// checked; `None` on a processor that allows all of them.
pub fn unchecked(memory: &Path) -> Result<Option<Vec<&'static str>>, Box<dyn std::error::Error>> {
    if accesses::ALL.is_empty() {
        return Ok(None);
    }
    let file = File::options().read(true).write(true).open(memory)?;
    let page = NonZeroUsize::new(PAGE).ok_or("no page")?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses a place that is free.
    let at = unsafe { mmap(None, page, access, MapFlags::MAP_SHARED, &file, BESIDE as _) }?;
    let mut worked = Vec::new();
    for access in accesses::ALL {
        // SAFETY: this process has one thread.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => match waitpid(child, None)? {
                WaitStatus::Signaled(_, Signal::SIGBUS, _) => {}
                WaitStatus::Exited(_, 0) => worked.push(access.name),
                other => return Err(format!("{}: {other:?}", access.name).into()),
            },
            ForkResult::Child => {
                // SAFETY: a page is mapped there.
                unsafe { (access.run)(at.cast().as_ptr()) };
                std::process::exit(0);
            }
        }
    }
    Ok(Some(worked))
}
