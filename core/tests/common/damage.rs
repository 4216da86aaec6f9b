//! A sound region in which some words are something else: an error or sane data, and nothing outside is touched.

use super::seed::{Rng, seed};
use super::{Member, Region, raw};

const IMAGES: usize = if cfg!(miri) { 20 } else { 4_000 };

/// Some words of a region for 8 channels and 4 participants are something else.
fn damaged(rng: &mut Rng, sound: &[u8]) -> Vec<u8> {
    let mut image = sound.to_vec();
    // The directory, or what it describes: not the table of participants between them.
    let directory = 128..128 + 8 * 128;
    let blocks = directory.end + 4 * 64..image.len() - 4;
    let is_sealed = rng.below(3) == 0;
    for _ in 0..1 + rng.below(12) {
        let range = if is_sealed && rng.below(2) == 0 { &directory } else { &blocks };
        let at = (range.start + rng.below(range.len())) & !3;
        let old = raw::load(&image, at as u32);
        let new = match rng.below(4) {
            0 => rng.next() as u32,
            1 => old ^ 1 << rng.below(32),
            2 => rng.below(300) as u32,
            _ => u32::MAX - rng.below(3) as u32,
        };
        image[at..at + 4].copy_from_slice(&new.to_le_bytes());
    }
    if is_sealed {
        raw::seal(&mut image);
    }
    image
}

/// Tries `exercise` on images of a sound region that are damaged at random. It returns how many endpoints it opened,
/// how many messages it received, and how many faults it was told.
pub fn any_image_of(sound: &[u8], exercise: impl Fn(&Member) -> [u32; 3]) {
    let seed = seed();
    let mut tally = [0; 3];
    for number in 0..IMAGES {
        let mut rng = Rng::new(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let region = Region::from_bytes(&damaged(&mut rng, sound));
        let found = exercise(&region.join());
        tally.iter_mut().zip(found).for_each(|(all, one)| *all += one);
        assert!(region.is_intact(), "STRAIT_SEED={seed}, image {number}");
    }
    println!("{tally:?} endpoints, messages and faults; STRAIT_SEED={seed}");
    assert!(cfg!(miri) || tally.iter().all(|&count| count as usize > IMAGES / 10), "{tally:?}");
}
