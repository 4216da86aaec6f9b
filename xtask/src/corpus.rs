//! Which inputs of a fuzz target are kept in the repository: few and short ones, which cover together what all
//! of them cover, as far as so few can.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most inputs of a target.
const MOST: usize = 48;

/// The longest input.
const LONGEST: u64 = 4095;

/// An input, and what it covers by libFuzzer's count.
struct Measured {
    path: PathBuf,
    features: Vec<u32>,
}

/// Replaces what is in the folder `kept` by the inputs that cover most; returns how many they are. `control`
/// is what libFuzzer writes when it merges: which files there are, and what each of them covers.
///
/// # Errors
///
/// From the file system.
pub fn keep(control: &Path, kept: &Path) -> io::Result<usize> {
    let measured = read(&fs::read_to_string(control)?);
    let mut chosen = Vec::new();
    for index in choose(&measured) {
        chosen.push(fs::read(&measured[index].path)?);
    }
    for file in fs::read_dir(kept)? {
        fs::remove_file(file?.path())?;
    }
    for bytes in &chosen {
        fs::write(kept.join(name(bytes)), bytes)?;
    }
    Ok(chosen.len())
}

/// A name that says nothing but which bytes these are: FNV-1a of them.
fn name(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    format!("{hash:016x}")
}

/// Reads a control file: two numbers, the paths, and lines `FT index feature...`.
fn read(text: &str) -> Vec<Measured> {
    let mut lines = text.lines();
    let count = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
    // How many of them are the folder's that is merged into.
    lines.next();
    let mut measured: Vec<Measured> =
        lines.by_ref().take(count).map(|path| Measured { path: path.into(), features: Vec::new() }).collect();
    for line in lines {
        let mut words = line.split_whitespace();
        if words.next() != Some("FT") {
            continue;
        }
        let mut numbers = words.filter_map(|word| word.parse::<u32>().ok());
        if let Some(found) = numbers.next().and_then(|index| measured.get_mut(index as usize)) {
            found.features = numbers.collect();
        }
    }
    measured
}

/// The inputs to keep, each time the one that adds most.
fn choose(measured: &[Measured]) -> Vec<usize> {
    let short = |input: &Measured| fs::metadata(&input.path).is_ok_and(|file| file.len() <= LONGEST);
    let mut left: Vec<usize> = (0..measured.len()).filter(|&index| short(&measured[index])).collect();
    let (mut covered, mut chosen) = (HashSet::new(), Vec::new());
    while chosen.len() < MOST {
        let adds = |index: usize| {
            measured[index].features.iter().filter(|feature| !covered.contains(*feature)).count()
        };
        let Some((count, best)) = left.iter().map(|&index| (adds(index), index)).max() else { break };
        if count == 0 {
            break;
        }
        covered.extend(measured[best].features.iter().copied());
        left.retain(|&index| index != best);
        chosen.push(best);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_control_file_is_read() {
        let measured = read("2\n0\na/one\na/two\nSTARTED 0 3\nFT 0 5 6\nCOV 0 1\nSTARTED 1 3\nFT 1 6\n");
        assert_eq!(measured.len(), 2);
        assert_eq!(measured[0].path.to_str(), Some("a/one"));
        assert_eq!((&measured[0].features[..], &measured[1].features[..]), (&[5, 6][..], &[6][..]));
    }
}
