//! Stream frames, a second time: straight from FORMAT.md, on all bytes at once, with a CRC a bit at a
//! time.

use super::rng::Rng;

/// CRC-32C.
pub fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = !0_u32;
    for byte in parts.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
        }
    }
    !crc
}

/// A frame, sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub tag: u32,
    pub sequence: u32,
    pub payload: Vec<u8>,
    pub whole: bool,
}

impl Sent {
    pub fn bytes(&self) -> Vec<u8> {
        let whole = if self.whole { 1 << 30 } else { 0 };
        let words = [1 << 31 | whole | self.payload.len() as u32, self.tag, self.sequence];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let trailer = crc(&[&bytes, &self.payload]);
        bytes.extend(crc(&[&bytes]).to_le_bytes());
        bytes.extend(&self.payload);
        if self.whole {
            bytes.extend(trailer.to_le_bytes());
        }
        bytes
    }

    pub fn random(rng: &mut Rng, sequence: u32, longest: usize, whole: bool) -> Self {
        let mut payload = vec![0; rng.below(longest + 1)];
        payload.iter_mut().for_each(|byte| *byte = rng.next() as u8);
        Self { tag: rng.word(), sequence, payload, whole }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The frames that a decoder finds in these bytes, and how many bytes it has skipped by then. With
/// `ended`, it is told that no more will come.
pub fn decode(bytes: &[u8], max_len: usize, whole_only: bool, ended: bool) -> (Vec<Sent>, usize) {
    let (mut at, mut doubt, mut skipped, mut frames) = (0, 0, 0, Vec::new());
    while at < bytes.len() {
        let rest = &bytes[at..];
        let sound = rest.len() >= 16 && word(rest, 0) >> 31 == 1 && crc(&[&rest[..12]]) == word(rest, 12);
        if rest.len() < 16 && !ended {
            break;
        }
        let (len, whole) = if sound {
            ((word(rest, 0) & 0x3FFF_FFFF) as usize, word(rest, 0) >> 30 & 1 == 1)
        } else {
            (usize::MAX, false)
        };
        if len > max_len || whole_only && !whole {
            (at, skipped) = (at + 1, skipped + 1);
            continue;
        }
        let total = 16 + len + if whole { 4 } else { 0 };
        if rest.len() < total {
            if !ended {
                break;
            }
            (at, skipped) = (at + 1, skipped + 1);
        } else if whole && word(rest, 16 + len) != crc(&[&rest[..12], &rest[16..16 + len]]) {
            let step = if at < doubt { total } else { 1 };
            doubt = if at < doubt { doubt } else { at + total };
            (at, skipped) = (at + step, skipped + step);
        } else {
            let payload = rest[16..16 + len].to_vec();
            frames.push(Sent { tag: word(rest, 4), sequence: word(rest, 8), payload, whole });
            at += total;
        }
    }
    (frames, skipped)
}
