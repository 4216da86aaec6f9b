//! The content of messages: words by which a receiver checks that all of them came, and of which message.
//!
//! Word `i` of message `seq` is `seq + i`. A receiver that sums a message's words knows what the sum must
//! be; a word that is lost, torn or of another message changes it.

use std::mem::MaybeUninit;

/// The bytes of a word.
pub const WORD: usize = size_of::<u64>();

#[inline(always)]
fn word(seq: u64, i: usize) -> u64 {
    seq.wrapping_add(i as u64)
}

/// The words of a message as a value.
#[inline(always)]
pub fn value<const N: usize>(seq: u64) -> [u64; N] {
    std::array::from_fn(|i| word(seq, i))
}

/// Writes a message into words that hold nothing yet.
#[inline(always)]
pub fn fill_uninit(words: &mut [MaybeUninit<u64>], seq: u64) {
    for (i, place) in words.iter_mut().enumerate() {
        place.write(word(seq, i));
    }
}

/// Writes a message into bytes, whatever their alignment.
#[inline(always)]
pub fn fill_bytes(bytes: &mut [u8], seq: u64) {
    for (i, place) in bytes.as_chunks_mut::<WORD>().0.iter_mut().enumerate() {
        *place = word(seq, i).to_ne_bytes();
    }
}

/// The sum of a message's words.
#[inline(always)]
pub fn sum(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum, word| sum.wrapping_add(*word))
}

/// The sum of a message's words, read from bytes.
#[inline(always)]
pub fn sum_bytes(bytes: &[u8]) -> u64 {
    let words = bytes.as_chunks::<WORD>().0;
    words.iter().fold(0, |sum, word| sum.wrapping_add(u64::from_ne_bytes(*word)))
}

/// The expected sum of message `seq` of this many words.
#[inline(always)]
pub fn expected(seq: u64, words: usize) -> u64 {
    let words = words as u64;
    seq.wrapping_mul(words).wrapping_add(words * words.wrapping_sub(1) / 2)
}

/// Ends the process if a received message is not the one expected: no figure is worth anything then.
#[inline(always)]
pub fn check(seq: u64, words: usize, sum: u64) {
    if sum != expected(seq, words) {
        wrong(seq, words, sum);
    }
}

#[cold]
fn wrong(seq: u64, words: usize, sum: u64) -> ! {
    panic!("WRONG DATA: message {seq} of {words} words sums up to {sum}, not {}", expected(seq, words))
}

#[cfg(test)]
mod tests {
    use super::{expected, fill_bytes, sum, sum_bytes, value};

    #[test]
    fn all_forms_agree() {
        assert_eq!(sum(&value::<7>(5)), expected(5, 7));
        let mut bytes = [0; 57];
        fill_bytes(&mut bytes[1..], 5);
        assert_eq!(sum_bytes(&bytes[1..]), expected(5, 7));
        assert_ne!(expected(5, 7), expected(6, 7));
    }
}
