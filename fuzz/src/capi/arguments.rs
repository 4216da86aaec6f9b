//! Arguments at the edges of what the header allows.

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use super::{HASH, SIZE};
use crate::input::Input;

/// The longest buffer.
const LONGEST: usize = 200;

/// Bytes on the heap, as many as the length states; or none, and null, with any length.
pub(super) struct Bytes {
    bytes: Vec<u8>,
    is_null: bool,
}

impl Bytes {
    pub(super) fn read(input: &mut Input<'_>) -> Self {
        let len = match input.below(4) {
            0 => SIZE as usize,
            1 => 48,
            _ => input.below(LONGEST),
        };
        Self { bytes: vec![0x5A; len], is_null: input.byte() == 255 }
    }

    pub(super) fn at(&mut self) -> *mut c_void {
        if self.is_null { ptr::null_mut() } else { self.bytes.as_mut_ptr().cast() }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// A place for an answer, or none.
pub(super) fn answer<T>(place: &mut T, input: &mut Input<'_>) -> *mut T {
    match input.byte() {
        255 => ptr::null_mut(),
        254 => ptr::from_mut(place).wrapping_byte_add(1),
        _ => ptr::from_mut(place),
    }
}

pub(super) fn name(names: &[CString], usual: usize, input: &mut Input<'_>) -> *const c_char {
    match input.byte() {
        255 => ptr::null(),
        choice @ 240..255 => names[usize::from(choice) % names.len()].as_ptr(),
        _ => names[usual].as_ptr(),
    }
}

pub(super) fn hash(input: &mut Input<'_>) -> u64 {
    if input.byte() == 255 { input.wide() } else { HASH }
}

pub(super) fn size(input: &mut Input<'_>) -> u32 {
    if input.byte() == 255 { input.edge() } else { SIZE }
}

pub(super) fn timeout(input: &mut Input<'_>) -> u64 {
    [0, 1, 50_000, 1_000_000][input.below(4)]
}
