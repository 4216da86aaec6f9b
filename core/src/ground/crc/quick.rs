//! A word at a time, for the model checker: a model checks its region's header some times in each of a million runs.

use super::NIBBLES;

/// What remains of each byte in each place of a word.
static REMAINDERS: [[u32; 256]; 4] = {
    let mut remainders = [[0; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut byte = 0;
        while byte < 256 {
            // A byte of a place goes through as many nibbles as are from there to the word's end.
            let mut register = (byte as u32) << (8 * place);
            let mut nibble = 0;
            while nibble < 8 {
                register = register >> 4 ^ NIBBLES[(register & 15) as usize];
                nibble += 1;
            }
            remainders[place][byte] = register;
            byte += 1;
        }
        place += 1;
    }
    remainders
};

/// Takes in the four bytes that the register was combined with.
#[inline(always)]
pub(super) const fn take_word(register: u32) -> u32 {
    let [a, b, c, d] = register.to_le_bytes();
    REMAINDERS[0][a as usize]
        ^ REMAINDERS[1][b as usize]
        ^ REMAINDERS[2][c as usize]
        ^ REMAINDERS[3][d as usize]
}
