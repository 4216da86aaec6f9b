//! Random numbers that can be had again: the seed is fixed, or STRAIT_SEED, and always printed.

use proptest::test_runner::{Config, RngSeed};

/// The seed of this run.
pub fn seed() -> u64 {
    let seed = match std::env::var("STRAIT_SEED") {
        Ok(text) => text.trim().parse().expect("STRAIT_SEED is a number"),
        Err(_) => 0x5EED,
    };
    println!("STRAIT_SEED={seed}");
    seed
}

/// So many cases of a property, from this run's seed.
pub fn property(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed()), ..Config::default() }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Below `bound`, which is not 0; the bias does not matter here.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn word(&mut self) -> u32 {
        self.next() as u32
    }
}
