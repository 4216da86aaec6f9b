//! Accesses that Device memory does not take, each in a child that must die of it. Where they work, the emulator does
//! not check, and what follows proves nothing. Where they do not, the core's old copies are tried in the same memory, and
//! must die of every length and place that is not aligned; its copies of today, in a frame, of none.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use strait::unix::RegionWindow;
use strait::{Channel, Plan, RegionOptions};

use crate::plan::{BESIDE, GUEST, WINDOW, pattern};

#[cfg(target_arch = "aarch64")]
#[path = "control/aarch64.rs"]
mod accesses;
#[cfg(not(target_arch = "aarch64"))]
#[path = "control/other.rs"]
mod accesses;

use accesses::{is_aligned, old_copy};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PAGE: usize = 4096;

/// What the copies are tried with: the two kinds of places that the core's have in 16 bytes, and lengths.
const PLACES: [usize; 2] = [0, 8];
const LENGTHS: std::ops::RangeInclusive<usize> = 9..=128;

/// A queue of the guest with itself. Its payloads start at multiples of 16.
const OWN: Plan<'static> = Plan::new(&[Channel::frames("own", 4096, 256).domains(GUEST, GUEST)]);

/// One access at the start of a page.
pub struct Access {
    pub name: &'static str,
    /// # Safety
    ///
    /// A page must be mapped at the address, to read and write.
    pub run: unsafe fn(*mut u8),
}

/// What was found out about a device's memory.
pub enum Found {
    /// The processor allows all accesses.
    AnyIsFine,
    /// The emulator does not check: these worked.
    Unchecked(Vec<&'static str>),
    /// So many of the old copies died, of how many; none of the core's.
    Checked(usize, usize),
}

/// Tries all of them in the memory in this file.
pub fn try_all(memory: &Path) -> Result<Found> {
    if accesses::ALL.is_empty() {
        return Ok(Found::AnyIsFine);
    }
    let file = File::options().read(true).write(true).open(memory)?;
    let page = NonZeroUsize::new(PAGE).ok_or("no page")?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses a place that is free.
    let device = unsafe { mmap(None, page, access, MapFlags::MAP_SHARED, &file, BESIDE as _) }?;
    let device: *mut u8 = device.cast().as_ptr();
    let mut worked = Vec::new();
    for access in accesses::ALL {
        // SAFETY: a page is mapped there.
        if !dies(access.name, || unsafe { (access.run)(device) })? {
            worked.push(access.name);
        }
    }
    if !worked.is_empty() {
        return Ok(Found::Unchecked(worked));
    }
    // SAFETY: as above.
    let ordinary = unsafe { mmap_anonymous(None, page, access, MapFlags::MAP_PRIVATE) }?;
    let (died, tried) = old_copies(device, ordinary.cast().as_ptr())?;
    own_copies(memory)?;
    Ok(Found::Checked(died, tried))
}

/// Tries the old copies from a device's page and to it. Returns how many died, of how many.
fn old_copies(device: *mut u8, ordinary: *mut u8) -> Result<(usize, usize)> {
    let all = || PLACES.into_iter().flat_map(|at| LENGTHS.map(move |len| (at, len)));
    let (mut died, mut tried) = (0, 0);
    let mut bytes = [0; 128];
    for (at, len) in all() {
        bytes[..len].copy_from_slice(&pattern(len));
        // SAFETY: the page is longer than the place and the length together.
        let place = unsafe { ordinary.add(at) };
        // SAFETY: as above; none of the three overlap.
        unsafe { old_copy(bytes.as_ptr(), place, len) };
        bytes = [0; 128];
        // SAFETY: as above.
        unsafe { old_copy(place, bytes.as_mut_ptr(), len) };
        if bytes[..len] != pattern(len) {
            return Err(format!("the old copy of {len} bytes at {at} is none").into());
        }
    }
    let mut private = [0_u128; 8];
    let private: *mut u8 = private.as_mut_ptr().cast();
    for (at, len) in all() {
        // SAFETY: as above.
        let place = unsafe { device.add(at) };
        // SAFETY: as above.
        let load = dies("an old load", || unsafe { old_copy(place, private, len) })?;
        // SAFETY: as above.
        let store = dies("an old store", || unsafe { old_copy(private, place, len) })?;
        if [load, store] != [!is_aligned(at, len); 2] {
            return Err(format!("old copies of {len} bytes at {at} die: {load}, {store}").into());
        }
        died += usize::from(load) + usize::from(store);
        tried += 2;
    }
    Ok((died, tried))
}

/// Writes and reads parts of frames, of the same lengths at the same places in the same memory.
fn own_copies(memory: &Path) -> Result<()> {
    let window = RegionWindow::new(memory, BESIDE + u64::from(WINDOW)).len(WINDOW);
    let options = RegionOptions::new().domain(GUEST);
    // A run before may have left one there.
    window.erase(&options)?;
    let region = window.create(&OWN, &options)?;
    let (mut producer, mut consumer) = (region.producer("own")?, region.consumer("own")?);
    for (at, len) in PLACES.into_iter().flat_map(|at| LENGTHS.map(move |len| (at, len))) {
        let mut grant = producer.reserve(at + len)?;
        grant.write(at, &pattern(len));
        grant.commit();
        let mut buf = [0; 128];
        let frame = consumer.peek()?;
        frame.copy_from(at, &mut buf[..len]);
        frame.release();
        if buf[..len] != pattern(len) {
            return Err(format!("{len} bytes at {at} came back as others").into());
        }
    }
    Ok(())
}

/// Whether a child dies of it by a bus error.
fn dies(what: &str, run: impl FnOnce()) -> Result<bool> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Signaled(_, Signal::SIGBUS, _) => Ok(true),
            WaitStatus::Exited(_, 0) => Ok(false),
            other => Err(format!("{what}: {other:?}").into()),
        },
        ForkResult::Child => {
            run();
            // SAFETY: it never returns; nothing of the parent's is flushed or dropped.
            unsafe { nix::libc::_exit(0) }
        }
    }
}
