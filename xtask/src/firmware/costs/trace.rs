//! Instructions of each call, from the emulator's log of executed instructions.

use std::collections::{BTreeMap, BTreeSet};

/// The most instructions that a call of each scene took. The log holds one line an instruction; calls
/// of functions that start at `probes` are paired, in their order, with the `scene` lines of `output`.
pub fn steps(log: &str, probes: &BTreeSet<u32>, output: &str) -> Result<BTreeMap<String, u32>, String> {
    let calls = calls(log.lines().filter_map(place), probes);
    let scenes: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("scene ")).collect();
    if calls.len() != scenes.len() {
        return Err(format!("{} calls, but {} scenes", calls.len(), scenes.len()));
    }
    let mut most = BTreeMap::new();
    for (scene, count) in scenes.into_iter().zip(calls) {
        let entry = most.entry(scene.to_owned()).or_insert(0);
        *entry = count.max(*entry);
    }
    Ok(most)
}

/// The address in a line like `Trace 0: 0x7f.. [00800400/00004db8/00000110/ff020201] name`.
fn place(line: &str) -> Option<u32> {
    let (_, inside) = line.split_once('[')?;
    u32::from_str_radix(inside.split('/').nth(1)?, 16).ok()
}

fn calls(places: impl Iterator<Item = u32>, probes: &BTreeSet<u32>) -> Vec<u32> {
    let mut calls = Vec::new();
    // Where the call under way returns to, and how much it has taken.
    let mut open: Option<([u32; 2], u32)> = None;
    let mut last = 0;
    for place in places {
        open = match open {
            Some((back, count)) if back.contains(&place) => {
                calls.push(count);
                None
            }
            Some((back, count)) => Some((back, count + 1)),
            // A call takes two or four bytes.
            None if probes.contains(&place) => Some(([last + 2, last + 4], 1)),
            None => None,
        };
        last = place;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn the_most_of_each_scene_counts() {
        let line = |place: u32| format!("Trace 0: 0x7fd9 [00800400/{place:08x}/00000110/ff020201] f\n");
        // Two calls of the function at 0x100, of three instructions and of two.
        let log: String = [0x10, 0x100, 0x102, 0x104, 0x14, 0x16, 0x100, 0x104, 0x18].map(line).concat();
        let steps = |output| steps(&log, &[0x100].into(), output);
        let most = |pairs: &[(&str, u32)]| Ok(pairs.iter().map(|(name, n)| ((*name).into(), *n)).collect());
        assert_eq!(steps("scene a\nram x\nscene a\n"), most(&[("a", 3)]));
        assert_eq!(steps("scene a\nscene b\n"), most(&[("a", 3), ("b", 2)]));
        assert!(steps("scene a\n").is_err());
    }
}
