//! Frames over lines that change bytes: what the checks find, tried at random and counted out.

use std::collections::HashSet;

use crate::common::rng::Rng;
use crate::common::seed::seed;
use crate::common::stream::Sent;
use strait_core::ground::crc::Crc;
use strait_core::stream::{Check, OVERHEAD, StreamDecoder};

/// What each single flipped bit changes of a CRC-32C over `len` bytes: first those of the bytes, then
/// those of the CRC itself. The CRC is linear, so this covers all combinations of flips.
fn changes(len: usize) -> Vec<u32> {
    let mut bytes = vec![0; len];
    let clean = Crc::new().bytes(&bytes).finish();
    let mut changes = Vec::new();
    for at in 0..len * 8 {
        bytes[at / 8] = 1 << (at % 8);
        changes.push(Crc::new().bytes(&bytes).finish() ^ clean);
        bytes[at / 8] = 0;
    }
    changes.extend((0..32).map(|bit| 1 << bit));
    changes
}

/// Whether all sums of up to three changes differ. Then no six flips cancel out, because three of them
/// would equal the other three; nor seven, because an odd number never cancels out.
#[test]
fn seven_flips_in_a_header_are_found() {
    let changes = changes(12);
    assert_eq!(changes.len(), 128);
    let mut sums = vec![0];
    for (a, &one) in changes.iter().enumerate() {
        sums.push(one);
        for (b, &two) in changes.iter().enumerate().take(a) {
            sums.push(one ^ two);
            sums.extend(changes.iter().take(b).map(|three| one ^ two ^ three));
        }
    }
    let all = sums.len();
    assert_eq!(all, 1 + 128 + 128 * 127 / 2 + 128 * 127 * 126 / 6);
    assert_eq!(sums.into_iter().collect::<HashSet<_>>().len(), all);
    assert!(no_odd_number_cancels(&changes));
}

/// The same with sums of two, for four flips and so five.
#[test]
fn five_flips_in_a_frame_of_640_bytes_are_found() {
    let changes = changes(12 + 640);
    let mut seen = vec![0_u64; 1 << 26];
    let mut is_new = |sum: u32| {
        let (word, bit) = (sum as usize >> 6, 1 << (sum & 63));
        let new = seen[word] & bit == 0;
        seen[word] |= bit;
        new
    };
    assert!(is_new(0));
    for (a, &one) in changes.iter().enumerate() {
        assert!(is_new(one) && changes[..a].iter().all(|two| is_new(one ^ two)), "bit {a}");
    }
    assert!(no_odd_number_cancels(&changes));
}

/// Whether every single flip changes an odd number of the CRC's bits: then so does an odd number of flips.
fn no_odd_number_cancels(changes: &[u32]) -> bool {
    changes.iter().all(|change| change.count_ones() % 2 == 1)
}

/// Frames and noise through a line that flips each bit with a chance of 1 in `one_in`, and now and then
/// loses or makes up a byte. Returns how many were sent, came as they were sent, and came otherwise.
fn over_a_bad_line(rng: &mut Rng, whole: bool, one_in: usize, rounds: usize) -> [usize; 3] {
    let mut counts = [0; 3];
    let mut buffer = [0; OVERHEAD + 100];
    let check = if whole { Check::Whole } else { Check::Header };
    let mut decoder = StreamDecoder::new(&mut buffer, check).unwrap();
    for _ in 0..rounds {
        let frames: Vec<Sent> = (0..20).map(|n| Sent::random(rng, n, 100, whole)).collect();
        let mut bytes: Vec<u8> = frames.iter().flat_map(Sent::bytes).collect();
        for bit in 0..bytes.len() * 8 {
            if rng.below(one_in) == 0 {
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        let at = rng.below(bytes.len());
        if rng.below(2) == 0 {
            bytes.remove(at);
        } else {
            bytes.insert(at, rng.next() as u8);
        }
        counts[0] += frames.len();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            rest = &rest[decoder.push(rest)..];
            while let Some(frame) = decoder.next_frame() {
                let as_sent = frames
                    .get(frame.sequence as usize)
                    .is_some_and(|sent| (frame.tag, frame.payload) == (sent.tag, &sent.payload[..]));
                counts[if as_sent { 1 } else { 2 }] += 1;
            }
        }
        while decoder.give_up() {
            assert_eq!(decoder.next_frame(), None);
        }
    }
    counts
}

#[test]
fn with_the_whole_check_no_wrong_frame_is_delivered() {
    let mut rng = Rng::new(seed());
    for one_in in [200, 2000, 20_000] {
        let [sent, right, wrong] = over_a_bad_line(&mut rng, true, one_in, 300);
        println!("a flip in {one_in} bits: {right} of {sent} frames, {wrong} wrong");
        assert_eq!(wrong, 0);
        assert!(right > 0 && right < sent);
    }
}

/// The control: the same lines, without the check of the payload.
#[test]
fn with_the_header_check_alone_wrong_payloads_are_delivered() {
    let mut rng = Rng::new(seed());
    let [sent, right, wrong] = over_a_bad_line(&mut rng, false, 2000, 100);
    println!("{right} of {sent} frames, {wrong} wrong");
    assert!(wrong > 0);
}

/// Noise that is as much like headers as can be: every fourth byte has the top bit set, lengths are
/// short.
#[test]
fn noise_is_no_frame() {
    let mut rng = Rng::new(seed());
    let mut buffer = [0; OVERHEAD + 256];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Header).unwrap();
    for _ in 0..50_000 {
        let words = [0x8000_0000 | rng.word() & 0x7F, rng.word(), rng.word(), rng.word()];
        for word in words {
            decoder.push(&word.to_le_bytes());
        }
        assert_eq!(decoder.next_frame(), None);
    }
    assert!(decoder.skipped() > 700_000);
}

/// Bursts: whatever happens within 32 bits is found.
#[test]
fn bursts_of_32_bits_are_found() {
    let mut rng = Rng::new(seed());
    let sent = Sent::random(&mut rng, 0, 0, true);
    let sent = Sent { payload: (0..50).map(|n| n * 5).collect(), ..sent };
    for _ in 0..20_000 {
        let mut bytes = sent.bytes();
        let (at, burst) = (rng.below(bytes.len() * 8), u64::from(rng.word()) | 1);
        for bit in (at..bytes.len() * 8).take(32).filter(|bit| burst >> (bit - at) & 1 == 1) {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let mut buffer = [0; 128];
        let mut decoder = StreamDecoder::new(&mut buffer, Check::Whole).unwrap();
        assert_eq!(decoder.push(&bytes), bytes.len());
        assert_eq!(decoder.next_frame(), None, "burst {burst:08x} at {at}");
    }
}
