//! Memory on the heap, aligned to a page, between guards: AddressSanitizer reports any access to them, and
//! their bytes show a write that it did not see.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

use strait_core::port::Mem;

const PAGE: usize = 4096;
const CANARY: u8 = 0xA5;

/// A region's memory, and the guards around it.
pub struct Guarded {
    start: NonNull<u8>,
    len: usize,
}

#[cfg(fuzzing)]
mod sanitizer {
    use std::ffi::c_void;

    unsafe extern "C" {
        pub fn __asan_poison_memory_region(start: *const c_void, len: usize);
        pub fn __asan_unpoison_memory_region(start: *const c_void, len: usize);
    }
}

impl Guarded {
    /// `len` bytes of zeros.
    ///
    /// # Panics
    ///
    /// If there is no memory.
    #[must_use]
    pub fn new(len: u32) -> Self {
        let len = len as usize;
        let layout = Self::layout(len);
        // SAFETY: the layout's size is not 0.
        let start = NonNull::new(unsafe { alloc(layout) }).expect("there is memory");
        // SAFETY: freshly allocated, this long.
        unsafe { start.write_bytes(CANARY, layout.size()) };
        let guarded = Self { start, len };
        // SAFETY: inside the allocation.
        unsafe { guarded.base().write_bytes(0, len) };
        guarded.close();
        guarded
    }

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(2 * PAGE + len, PAGE).expect("a sound layout")
    }

    fn base(&self) -> NonNull<u8> {
        // SAFETY: the first guard is a page long.
        unsafe { self.start.add(PAGE) }
    }

    fn guards(&self) -> [NonNull<u8>; 2] {
        // SAFETY: inside the allocation.
        let after = unsafe { self.start.add(PAGE + self.len) };
        [self.start, after]
    }

    /// From here on, an access to a guard is reported.
    #[cfg(fuzzing)]
    fn close(&self) {
        for guard in self.guards() {
            // SAFETY: a page of the allocation, which is opened again before anybody reads it.
            unsafe { sanitizer::__asan_poison_memory_region(guard.as_ptr().cast(), PAGE) };
        }
    }

    #[cfg(fuzzing)]
    fn open(&self) {
        for guard in self.guards() {
            // SAFETY: a page of the allocation.
            unsafe { sanitizer::__asan_unpoison_memory_region(guard.as_ptr().cast(), PAGE) };
        }
    }

    #[cfg(not(fuzzing))]
    fn close(&self) {}

    #[cfg(not(fuzzing))]
    fn open(&self) {}

    /// The memory between the guards.
    #[must_use]
    pub fn mem(&self) -> Mem {
        // SAFETY: aligned to a page, valid as long as `self`, which the holder of the handle keeps, and
        // reached through the handle alone.
        unsafe { Mem::from_raw(self.base(), self.len as u32) }
    }

    /// Panics if a byte of a guard is not what it was.
    ///
    /// # Panics
    ///
    /// See above.
    pub fn assert_intact(&self) {
        self.open();
        for guard in self.guards() {
            // SAFETY: a page of the allocation, initialised in `new`; nobody may write there.
            let bytes = unsafe { std::slice::from_raw_parts(guard.as_ptr(), PAGE) };
            assert!(bytes == [CANARY; PAGE], "a byte outside the region was written");
        }
        self.close();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_intact();
        }
        self.open();
        // SAFETY: allocated in `new` by the same layout.
        unsafe { dealloc(self.start.as_ptr(), Self::layout(self.len)) };
    }
}
