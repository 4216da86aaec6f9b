//! Memory on the heap, aligned to a page, with guards before and after that show a stray write.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

use strait_core::port::Mem;

const PAGE: usize = 4096;
const CANARY: u8 = 0xA5;

pub struct Guarded {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory in the middle is reached through `Mem` alone, and the guards are only read
// after they were filled.
unsafe impl Send for Guarded {}
// SAFETY: as above.
unsafe impl Sync for Guarded {}

impl Guarded {
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
        guarded
    }

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(2 * PAGE + len, PAGE).expect("a sound layout")
    }

    fn base(&self) -> NonNull<u8> {
        // SAFETY: the first guard is a page long.
        unsafe { self.start.add(PAGE) }
    }

    pub fn mem(&self) -> Mem {
        // SAFETY: aligned to a page, valid as long as `self`, which the holder of the handle keeps alive,
        // and reached through the handle alone.
        unsafe { Mem::from_raw(self.base(), self.len as u32) }
    }

    pub fn is_intact(&self) -> bool {
        let before = self.start;
        // SAFETY: inside the allocation.
        let after = unsafe { self.start.add(PAGE + self.len) };
        [before, after].iter().all(|guard| {
            // SAFETY: a page of the allocation, initialised in `new`; nobody may write there.
            let bytes = unsafe { std::slice::from_raw_parts(guard.as_ptr(), PAGE) };
            bytes == [CANARY; PAGE]
        })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` by the same layout.
        unsafe { dealloc(self.start.as_ptr(), Self::layout(self.len)) };
    }
}
