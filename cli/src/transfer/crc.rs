//! CRC-32C (Castagnoli), eight bytes at a time by eight tables.

const POLYNOMIAL: u32 = 0x82F6_3B78;

const TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        tables[0][i] = value;
        i += 1;
    }
    let mut i = 0;
    while i < 256 {
        let mut t = 1;
        while t < 8 {
            let before = tables[t - 1][i];
            tables[t][i] = before >> 8 ^ tables[0][(before & 255) as usize];
            t += 1;
        }
        i += 1;
    }
    tables
};

/// A running checksum.
#[derive(Clone, Copy)]
pub struct Crc(u32);

impl Crc {
    /// Of no bytes.
    pub fn new() -> Self {
        Self(!0)
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in eights {
            let [a, b, c, d] = (self.0 ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
            self.0 = [h, g, f, e, d, c, b, a]
                .into_iter()
                .zip(&TABLES)
                .fold(0, |crc, (byte, table)| crc ^ table[byte as usize]);
        }
        for &byte in rest {
            self.0 = self.0 >> 8 ^ TABLES[0][(self.0 as u8 ^ byte) as usize];
        }
    }

    /// The checksum.
    pub fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc;

    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = Crc::new();
        crc.add(bytes);
        crc.value()
    }

    #[test]
    fn known_vectors() {
        // RFC 3720, B.4, and the check value of the catalogues.
        assert_eq!(crc(&[]), 0);
        assert_eq!(crc(b"123456789"), 0xE306_9283);
        assert_eq!(crc(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc(&[0xFF; 32]), 0x62A8_AB43);
        let ascending: [u8; 32] = std::array::from_fn(|i| i as u8);
        assert_eq!(crc(&ascending), 0x46DD_794E);
    }

    #[test]
    fn pieces_of_any_length_add_up() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| (i * 7) as u8).collect();
        for piece in [1, 3, 8, 13, 999] {
            let mut pieces = Crc::new();
            bytes.chunks(piece).for_each(|chunk| pieces.add(chunk));
            assert_eq!(pieces.value(), crc(&bytes));
        }
    }
}
