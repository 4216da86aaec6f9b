//! A nibble at a time.
//!
//! Sixteen entries instead of 256: a microcontroller pays for tables, and even so this is faster than
//! the lines that need it.

use super::NIBBLES;

/// Takes in the four bytes that the register was combined with.
#[inline(always)]
pub(super) const fn take_word(mut register: u32) -> u32 {
    let mut nibble = 0;
    while nibble < 8 {
        register = register >> 4 ^ NIBBLES[(register & 15) as usize];
        nibble += 1;
    }
    register
}
