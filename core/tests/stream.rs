//! Frames over a stream: golden vectors both ways, and any chunking of any bytes against a second
//! decoder.

use crate::common::listing::Listing;
use crate::common::rng::Rng;
use crate::common::seed::{property, seed};
use crate::common::stream::{self, Sent};
use proptest::prelude::*;
use strait_core::stream::{Check, EncodeError, MAX_PAYLOAD, OVERHEAD, StreamDecoder, StreamEncoder};

const GOLDEN: &str = include_str!("golden/stream.hex");

fn golden_frames() -> [Sent; 3] {
    let sent = |tag, sequence, payload: &[u8], whole| Sent { tag, sequence, payload: payload.into(), whole };
    [sent(7, 0, b"hi", false), sent(8, 1, b"motor on", true), sent(u32::MAX, 0x0102_0304, b"", true)]
}

fn check(whole: bool) -> Check {
    if whole { Check::Whole } else { Check::Header }
}

/// All frames that are there now.
fn drain(decoder: &mut StreamDecoder<'_>) -> Vec<Sent> {
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame() {
        let (tag, sequence, whole) = (frame.tag, frame.sequence, frame.check == Check::Whole);
        frames.push(Sent { tag, sequence, payload: frame.payload.to_vec(), whole });
    }
    frames
}

#[test]
fn the_encoder_produces_the_listing() {
    let mut found = Vec::new();
    for frame in golden_frames() {
        let mut buffer = [0; 64];
        let mut encoder = StreamEncoder::new(&mut buffer, check(frame.whole)).unwrap();
        encoder.set_next_sequence(frame.sequence);
        encoder.push(frame.tag, &frame.payload).unwrap();
        found.extend_from_slice(encoder.pending());
    }
    Listing::parse(GOLDEN).assert_matches(&found);
}

#[test]
fn the_listing_is_decoded() {
    let mut buffer = [0; 28];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Header).unwrap();
    let mut found = Vec::new();
    for byte in Listing::parse(GOLDEN).bytes {
        assert_eq!(decoder.push(&[byte]), 1);
        found.extend(drain(&mut decoder));
    }
    assert_eq!((found.as_slice(), decoder.skipped(), decoder.buffered()), (&golden_frames()[..], 0, 0));
}

#[test]
fn the_second_decoder_agrees_with_the_listing() {
    let bytes = Listing::parse(GOLDEN).bytes;
    assert_eq!(stream::decode(&bytes, 8, false, false), (golden_frames().to_vec(), 0));
    assert_eq!(golden_frames().map(|frame| frame.bytes()).concat(), bytes);
}

#[test]
fn bounds_are_the_buffers() {
    assert!(StreamEncoder::new(&mut [0; OVERHEAD - 1], Check::Header).is_none());
    assert!(StreamDecoder::new(&mut [0; OVERHEAD - 1], Check::Header).is_none());
    let mut buffer = [0; OVERHEAD + 8];
    let mut encoder = StreamEncoder::new(&mut buffer, Check::Whole).unwrap();
    assert_eq!(encoder.max_len(), 8);
    assert_eq!(encoder.push(1, &[0; 9]), Err(EncodeError::TooLarge));
    assert_eq!(encoder.push_with(1, MAX_PAYLOAD + 1, |_| panic!()), Err(EncodeError::TooLarge));
    assert_eq!(encoder.push_with(1, usize::MAX, |_| panic!()), Err(EncodeError::TooLarge));
    encoder.push(1, &[0; 8]).unwrap();
    encoder.consume(1);
    assert_eq!(encoder.push(1, b""), Err(EncodeError::Full), "and not too large");
    encoder.consume(usize::MAX);
    assert_eq!((encoder.pending(), encoder.next_sequence()), (&[][..], 1), "what failed has no number");
}

#[test]
fn what_is_too_large_is_skipped_and_what_follows_is_found() {
    let frames: Vec<Sent> = (0..3)
        .map(|n| Sent { tag: n, sequence: n, payload: vec![0; if n == 1 { 9 } else { 8 }], whole: true })
        .collect();
    let mut buffer = [0; 256];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Header).unwrap();
    decoder.limit(8);
    decoder.limit(100);
    assert_eq!(decoder.max_len(), 8);
    for frame in &frames {
        let bytes = frame.bytes();
        assert_eq!(decoder.push(&bytes), bytes.len());
    }
    assert_eq!(decoder.next_frame().map(|frame| (frame.sequence, frame.missed)), Some((0, 0)));
    assert_eq!(decoder.next_frame().map(|frame| (frame.sequence, frame.missed)), Some((2, 1)));
    assert_eq!(decoder.next_frame(), None);
    assert_eq!((decoder.skipped(), decoder.failed()), (29, 0));
}

#[test]
fn gaps_show_and_a_new_beginning_is_none() {
    let mut buffer = [0; 64];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Header).unwrap();
    let numbers = [(5, 0), (6, 0), (9, 2), (9, 0), (u32::MAX, 0), (0, 0), (2, 1), (0, 0), (1, 0)];
    for (sequence, missed) in numbers {
        let frame = Sent { tag: 0, sequence, payload: vec![], whole: false };
        decoder.push(&frame.bytes());
        let frame = decoder.next_frame().unwrap();
        assert_eq!((frame.sequence, frame.missed), (sequence, missed));
    }
}

#[test]
fn one_who_asks_for_the_whole_check_takes_nothing_less() {
    let (mut one, mut other) = ([0; 64], [0; 64]);
    let mut strict = StreamDecoder::new(&mut one, Check::Whole).unwrap();
    let mut lax = StreamDecoder::new(&mut other, Check::Header).unwrap();
    for whole in [false, true] {
        let bytes = Sent { tag: 1, sequence: 0, payload: vec![7; 5], whole }.bytes();
        strict.push(&bytes);
        lax.push(&bytes);
        assert_eq!((drain(&mut strict).len(), drain(&mut lax).len()), (usize::from(whole), 1));
    }
    assert_eq!((strict.skipped(), lax.skipped()), (21, 0));
}

#[test]
fn a_frame_cut_short_is_given_up() {
    let frame = |n: u32| Sent { tag: n, sequence: n, payload: vec![n as u8; 20], whole: true };
    let mut buffer = [0; 256];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Whole).unwrap();
    assert!(!decoder.give_up());
    decoder.push(&frame(0).bytes()[..30]);
    decoder.push(&frame(1).bytes()[..18]);
    decoder.push(&frame(2).bytes()[..2]);
    assert_eq!(decoder.next_frame(), None);
    while decoder.give_up() {
        assert_eq!(decoder.next_frame(), None);
    }
    assert_eq!((decoder.buffered(), decoder.skipped()), (0, 50));
    decoder.push(&frame(3).bytes());
    assert_eq!(drain(&mut decoder), [frame(3)]);
}

/// A misbehaving sender that puts a header every 16 bytes, each of a frame as long as can be: the bytes
/// that are summed up are those of the frames that failed.
#[test]
fn nested_headers_cost_no_more_than_two_passes() {
    const LONG: usize = 1024;
    let mut nested = Vec::new();
    for n in 0..2000 {
        nested.extend(&Sent { tag: n, sequence: n, payload: vec![0; LONG], whole: true }.bytes()[..16]);
    }
    let mut buffer = vec![0; OVERHEAD + LONG];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Whole).unwrap();
    let mut rest = &nested[..];
    while !rest.is_empty() {
        let count = decoder.push(rest);
        assert!(count > 0, "there is always space once all frames are out");
        rest = &rest[count..];
        assert_eq!(decoder.next_frame(), None);
    }
    let summed = decoder.failed() as usize * (OVERHEAD + LONG);
    assert!(decoder.failed() > 10, "it is a liar");
    assert!(summed <= 2 * nested.len(), "{summed} bytes summed up of {}", nested.len());
}

/// What happens to the bytes on the way.
#[derive(Clone, Debug)]
enum Damage {
    Insert(Vec<u8>),
    Drop(usize),
    Flip(u8),
    /// A second copy of the bytes before.
    Repeat(usize),
}

fn damage() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
    let kind = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..40).prop_map(Damage::Insert),
        (1_usize..60).prop_map(Damage::Drop),
        any::<u8>().prop_map(Damage::Flip),
        (1_usize..60).prop_map(Damage::Repeat),
    ];
    (any::<prop::sample::Index>(), kind)
}

fn apply(bytes: &mut Vec<u8>, at: usize, damage: &Damage) {
    match damage {
        Damage::Insert(more) => drop(bytes.splice(at..at, more.iter().copied())),
        Damage::Drop(count) => drop(bytes.drain(at..bytes.len().min(at + count))),
        Damage::Flip(mask) => bytes[at] ^= mask,
        Damage::Repeat(count) => {
            let again = bytes[at.saturating_sub(*count)..at].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

/// Puts the bytes through a decoder in these chunks, over and over; `room` is what its buffer has beyond
/// the longest frame.
fn through(
    bytes: &[u8],
    chunks: &[usize],
    max_len: usize,
    room: usize,
    whole: bool,
    end: bool,
) -> (Vec<Sent>, usize) {
    let mut buffer = vec![0xEE; OVERHEAD + max_len + room];
    let mut decoder = StreamDecoder::new(&mut buffer, check(whole)).unwrap();
    decoder.limit(max_len);
    let (mut frames, mut given, mut at) = (Vec::new(), 0, 0);
    for chunk in chunks.iter().cycle() {
        if at == bytes.len() {
            break;
        }
        let count = decoder.push(&bytes[at..bytes.len().min(at + chunk)]);
        assert!(count > 0, "there is always space once all frames are out");
        at += count;
        let more = drain(&mut decoder);
        given += more.iter().map(|frame| frame.bytes().len()).sum::<usize>();
        frames.extend(more);
        assert_eq!(given + decoder.skipped() as usize + decoder.buffered(), at, "no byte is lost");
    }
    while end && decoder.give_up() {
        frames.extend(drain(&mut decoder));
    }
    (frames, decoder.skipped() as usize)
}

proptest! {
    #![proptest_config(property(1500))]

    #[test]
    fn any_chunking_of_any_bytes_gives_what_the_second_decoder_gives(
        numbers in any::<u64>(),
        whole in prop::collection::vec(any::<bool>(), 0..12),
        damages in prop::collection::vec(damage(), 0..4),
        chunks in prop::collection::vec(1_usize..80, 1..8),
        room in 0_usize..100,
        (max_len, whole_only, end) in (0_usize..64, any::<bool>(), any::<bool>()),
    ) {
        let rng = &mut Rng::new(numbers);
        let frames: Vec<Sent> =
            whole.iter().zip(0..).map(|(whole, n)| Sent::random(rng, n, 48, *whole)).collect();
        let mut bytes: Vec<u8> = frames.iter().flat_map(Sent::bytes).collect();
        for (at, damage) in &damages {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                apply(&mut bytes, at, damage);
            }
        }
        let expected = stream::decode(&bytes, max_len, whole_only, end);
        prop_assert_eq!(&through(&bytes, &chunks, max_len, room, whole_only, end), &expected);
        if damages.is_empty() {
            let fit = |frame: &&Sent| frame.payload.len() <= max_len && (frame.whole || !whole_only);
            let fitting: Vec<Sent> = frames.iter().filter(fit).cloned().collect();
            prop_assert_eq!(expected.0, fitting);
        }
    }

    /// Frames in at any pace, bytes out at any pace: what was taken comes out, in order and with its
    /// number, and what was refused leaves no trace.
    #[test]
    fn the_encoder_keeps_to_a_queue_of_bytes(
        space in OVERHEAD..200,
        ops in prop::collection::vec((any::<bool>(), 0_usize..120), 1..80),
        whole in any::<bool>(),
    ) {
        let mut buffer = vec![0; space];
        let mut encoder = StreamEncoder::new(&mut buffer, check(whole)).unwrap();
        let (mut queued, mut sequence) = (Vec::new(), 0);
        for (push, n) in ops {
            if push {
                let frame = Sent { tag: n as u32, sequence, payload: vec![n as u8; n], whole };
                let bytes = frame.bytes();
                let expected = if n > space - OVERHEAD {
                    Err(EncodeError::TooLarge)
                } else if queued.len() + bytes.len() > space {
                    Err(EncodeError::Full)
                } else {
                    Ok(())
                };
                prop_assert_eq!(encoder.push(frame.tag, &frame.payload), expected);
                if expected.is_ok() {
                    queued.extend(bytes);
                    sequence += 1;
                }
            } else {
                encoder.consume(n);
                queued.drain(..n.min(queued.len()));
            }
            prop_assert_eq!((encoder.pending(), encoder.next_sequence()), (&queued[..], sequence));
        }
    }
}

/// Random bytes, in which pieces of true frames float: nothing but the invariants.
#[test]
fn random_bytes_do_no_harm() {
    let mut rng = Rng::new(seed());
    for round in 0..300 {
        let (max_len, room) = (rng.below(300), rng.below(50));
        let mut bytes = Vec::new();
        for n in 0..40 {
            let piece = Sent::random(&mut rng, n, 300, round % 2 == 0).bytes();
            bytes.extend((0..rng.below(100)).map(|_| rng.next() as u8 | 0x80));
            bytes.extend(&piece[..rng.below(piece.len() + 1)]);
        }
        let chunks: Vec<usize> = (0..9).map(|_| 1 + rng.below(400)).collect();
        let expected = stream::decode(&bytes, max_len, false, true);
        assert_eq!(through(&bytes, &chunks, max_len, room, false, true), expected, "round {round}");
    }
}
