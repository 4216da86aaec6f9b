//! The fuzzer's bytes, read as numbers and choices.

/// Values at the edges of something: of a word, of a ring's positions, of a frame's header.
const EDGES: [u32; 16] = [
    0,
    1,
    2,
    4,
    15,
    16,
    64,
    128,
    1 << 16,
    1 << 30,
    (1 << 31) - 1,
    1 << 31,
    1 << 31 | 16,
    u32::MAX - 15,
    u32::MAX - 1,
    u32::MAX,
];

/// Bytes that are read from the front. When they are used up, every number is 0.
pub struct Input<'d> {
    rest: &'d [u8],
}

impl<'d> Input<'d> {
    /// Reads from the start of `data`.
    #[must_use]
    pub fn new(data: &'d [u8]) -> Self {
        Self { rest: data }
    }

    /// Whether all bytes are used up. A loop over operations ends then, so it has at most as many turns
    /// as there are bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// A choice.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = if bound <= 256 {
            usize::from(self.byte())
        } else {
            usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
        };
        number % bound
    }

    /// Any word.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A word, with preference for those at an edge of something.
    pub fn edge(&mut self) -> u32 {
        match self.byte() {
            choice @ 0..128 => EDGES[usize::from(choice) % EDGES.len()],
            128..160 => 1 << 31 | u32::from(self.byte()),
            160..192 => u32::from(self.byte()).wrapping_neg(),
            192..224 => u32::from(self.byte()),
            _ => self.word(),
        }
    }

    /// A number of either size.
    pub fn wide(&mut self) -> u64 {
        u64::from(self.edge()) | u64::from(self.edge()) << 32
    }

    /// The next `count` bytes, or as many as are left.
    pub fn bytes(&mut self, count: usize) -> &'d [u8] {
        let (first, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        first
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'d [u8] {
        std::mem::take(&mut self.rest)
    }
}
