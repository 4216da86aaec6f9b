//! CRC-32C (Castagnoli, reflected, initial and final value all ones).

#[cfg(any(not(strait_loom), test))]
mod small;
#[cfg(not(strait_loom))]
use small::take_word;

#[cfg(any(strait_loom, test))]
mod quick;
#[cfg(strait_loom)]
use quick::take_word;

/// What remains of each nibble.
const NIBBLES: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 { value >> 1 ^ 0x82F6_3B78 } else { value >> 1 };
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
};

/// A running CRC-32C.
#[derive(Clone, Copy)]
pub struct Crc(u32);

impl Crc {
    /// Nothing hashed yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(!0)
    }

    /// Adds the four bytes of a little-endian word.
    #[must_use]
    pub const fn word(self, word: u32) -> Self {
        Self(take_word(self.0 ^ word))
    }

    /// Adds bytes. Steps: two a byte.
    #[must_use]
    pub const fn bytes(mut self, bytes: &[u8]) -> Self {
        let mut i = 0;
        while i < bytes.len() {
            let low = self.0 ^ bytes[i] as u32;
            let high = low >> 4 ^ NIBBLES[(low & 15) as usize];
            self.0 = high >> 4 ^ NIBBLES[(high & 15) as usize];
            i += 1;
        }
        self
    }

    /// The checksum.
    #[must_use]
    pub const fn finish(self) -> u32 {
        !self.0
    }
}

impl Default for Crc {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Crc;

    #[test]
    fn known_vectors() {
        // RFC 3720, B.4: 32 bytes of zeros, of ones, and ascending.
        let zeros = (0..8).fold(Crc::new(), |crc, _| crc.word(0));
        assert_eq!(zeros.finish(), 0x8A91_36AA);
        let ones = (0..8).fold(Crc::new(), |crc, _| crc.word(!0));
        assert_eq!(ones.finish(), 0x62A8_AB43);
        let ascending = (0..8_u8).fold(Crc::new(), |crc, i| {
            let at = i * 4;
            crc.word(u32::from_le_bytes([at, at + 1, at + 2, at + 3]))
        });
        assert_eq!(ascending.finish(), 0x46DD_794E);
        assert_eq!(Crc::new().bytes(b"123456789").finish(), 0xE306_9283);
    }

    #[test]
    fn a_model_computes_the_same() {
        let words = (0..100_000_u32).map(|i| i.wrapping_mul(0x9E37_79B9));
        assert!(words.into_iter().all(|word| super::small::take_word(word) == super::quick::take_word(word)));
    }

    #[test]
    fn bytes_and_words_are_one() {
        let bytes = [0xFE, 0xCA, 0x0D, 0xF0];
        let (one, other) = (Crc::new().bytes(&bytes), Crc::new().word(u32::from_le_bytes(bytes)));
        assert_eq!(one.finish(), other.finish());
        assert_eq!(Crc::new().bytes(&bytes[..1]).bytes(&bytes[1..]).finish(), one.finish());
    }
}
