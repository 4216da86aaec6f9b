//! The three functions, under the C library's names.

use core::ffi::{c_int, c_long, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::libc;

/// How the crate `generator` maps a stack.
const STACK: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
const USED: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// How many are kept at most. A model has some ten threads.
const MOST: usize = 64;

/// A stack that was made here.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stack {
    at: usize,
    len: usize,
}

/// All that were made here and are mapped.
struct Stacks {
    /// Given back.
    free: Vec<Stack>,
    /// In use, each with whether its guard page was there before.
    used: Vec<(Stack, bool)>,
}

static STACKS: Mutex<Stacks> = Mutex::new(Stacks { free: Vec::new(), used: Vec::new() });

fn stacks() -> MutexGuard<'static, Stacks> {
    // Nothing panics with it held.
    STACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names the crate, so that a program is linked with it.
pub fn keep() {
    drop(stacks());
}

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    at: *mut c_void,
    len: usize,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: libc::off_t,
) -> *mut c_void {
    let is_stack = at.is_null() && protection == USED && flags == STACK;
    if is_stack {
        let mut stacks = stacks();
        if let Some(place) = stacks.free.iter().position(|stack| stack.len == len) {
            let stack = stacks.free.swap_remove(place);
            stacks.used.push((stack, true));
            return core::ptr::with_exposed_provenance_mut(stack.at);
        }
    }
    // SAFETY: the caller's promise; the arguments are the system call's own, in its order.
    let mapped = unsafe {
        libc::syscall(
            libc::SYS_mmap,
            at,
            len,
            c_long::from(protection),
            c_long::from(flags),
            c_long::from(fd),
            offset,
        )
    };
    let mapped = core::ptr::with_exposed_provenance_mut(mapped as usize);
    if is_stack && mapped != libc::MAP_FAILED {
        stacks().used.push((Stack { at: mapped.expose_provenance(), len }, false));
    }
    mapped
}

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mprotect(at: *mut c_void, len: usize, protection: c_int) -> c_int {
    if protection == libc::PROT_NONE {
        let mut stacks = stacks();
        let found = stacks.used.iter_mut().find(|(stack, _)| stack.at == at.addr());
        // The guard page is the first one, and each stack of this program has one of the same length.
        if let Some((_, is_guarded)) = found
            && core::mem::replace(is_guarded, true)
        {
            return 0;
        }
    }
    // SAFETY: the caller's promise; the arguments are the system call's own, in its order.
    unsafe { libc::syscall(libc::SYS_mprotect, at, len, c_long::from(protection)) as c_int }
}

/// As the C library's.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn munmap(at: *mut c_void, len: usize) -> c_int {
    let stack = Stack { at: at.addr(), len };
    let mut stacks = stacks();
    if let Some(place) = stacks.used.iter().position(|&(used, _)| used == stack) {
        let (_, is_guarded) = stacks.used.swap_remove(place);
        if is_guarded && stacks.free.len() < MOST {
            stacks.free.push(stack);
            return 0;
        }
    }
    drop(stacks);
    // SAFETY: the caller's promise; the arguments are the system call's own, in its order.
    unsafe { libc::syscall(libc::SYS_munmap, at, len) as c_int }
}

#[cfg(test)]
mod tests {
    use nix::libc;

    use super::{STACK, USED};

    const LEN: usize = 5 << 12;

    fn map() -> *mut u8 {
        // SAFETY: a new mapping anywhere.
        let at = unsafe { libc::mmap(core::ptr::null_mut(), LEN, USED, STACK, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        // SAFETY: the first page of it, which nobody uses yet.
        assert_eq!(unsafe { libc::mprotect(at, 1 << 12, libc::PROT_NONE) }, 0);
        at.cast()
    }

    #[test]
    fn a_stack_that_is_given_back_is_given_again_with_its_guard() {
        super::keep();
        let (first, other) = (map(), map());
        assert_ne!(first, other);
        // SAFETY: it was mapped just now, and is not used any more.
        assert_eq!(unsafe { libc::munmap(first.cast(), LEN) }, 0);
        let again = map();
        assert_eq!(first, again, "the same one");
        // SAFETY: behind the guard page, inside the mapping.
        let second_page = unsafe { again.add(1 << 12) };
        // SAFETY: mapped, and nobody else's.
        unsafe { second_page.write(7) };
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the mappings");
        let guard = format!("{:x}-{:x} ---p", again.addr(), again.addr() + (1 << 12));
        assert!(maps.contains(&guard), "{guard} {maps}");
    }

    #[test]
    fn other_mappings_come_and_go() {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping anywhere.
        let at = unsafe { libc::mmap(core::ptr::null_mut(), LEN, USED, flags, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        // SAFETY: it was mapped just now.
        assert_eq!(unsafe { libc::munmap(at, LEN) }, 0);
        // SAFETY: there is no length.
        assert_eq!(unsafe { libc::munmap(at, 0) }, -1);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINVAL));
    }
}
