//! Random numbers that can be reproduced: the seed is fixed, or STRAIT_SEED, and always printed.

use proptest::test_runner::{Config, RngSeed};

pub use super::rng::Rng;

/// The seed of this run.
pub fn seed() -> u64 {
    let seed = match std::env::var("STRAIT_SEED") {
        Ok(text) => text.trim().parse().expect("STRAIT_SEED is a number"),
        Err(_) => 0x5EED,
    };
    println!("STRAIT_SEED={seed}");
    seed
}

/// This many cases of a property, from this run's seed.
pub fn property(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed()), ..Config::default() }
}
