//! The target `stream`: frames over byte streams.
//!
//! The decoder is fed arbitrary bytes in arbitrary pieces, and must find what a second decoder, written from
//! FORMAT.md, finds in all of them at once. The encoder's bytes are damaged on their way, and every frame
//! that the damage leaves alone, and that no damaged one can hide, must come out as it was sent.

use embedded_io::{ErrorType, Read, Write};
use strait_core::stream::{
    Check, EncodeError, FrameReader, FrameWriter, OVERHEAD, StreamDecoder, StreamEncoder,
};

use crate::common::stream::{Sent, decode};
use crate::input::Input;

/// The longest payload that a decoder here takes.
const LONGEST: usize = 96;

/// The most frames of a run.
const MOST: usize = 64;

/// Feeds a decoder, in pieces; gives the frames, and how many bytes were skipped.
fn feed(decoder: &mut StreamDecoder<'_>, bytes: &[u8], pieces: &mut Input<'_>, found: &mut Vec<Sent>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = (1 + pieces.below(40)).min(rest.len());
        let taken = decoder.push(&rest[..piece]);
        assert!(taken > 0, "a decoder without a frame has space");
        rest = &rest[taken..];
        collect(decoder, found);
    }
}

fn collect(decoder: &mut StreamDecoder<'_>, found: &mut Vec<Sent>) {
    while let Some(frame) = decoder.next_frame() {
        let (tag, sequence, whole) = (frame.tag, frame.sequence, frame.check == Check::Whole);
        found.push(Sent { tag, sequence, payload: frame.payload.to_vec(), whole });
    }
}

/// Some frames with sound headers, and garbage, as the input says.
fn soup(input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !input.is_empty() && bytes.len() < 4000 {
        let kind = input.byte();
        let len = input.below(LONGEST + 20);
        let payload = input.bytes(len).to_vec();
        if kind.is_multiple_of(4) {
            bytes.extend(payload);
            continue;
        }
        let sent = Sent { tag: input.edge(), sequence: input.edge(), payload, whole: kind & 16 == 0 };
        let mut frame = sent.bytes();
        if kind % 4 == 1 {
            let cut = input.below(frame.len());
            frame.truncate(cut);
        }
        if kind % 4 == 2 {
            let at = input.below(frame.len());
            frame[at] ^= 1 << (kind >> 5);
        }
        bytes.extend(frame);
    }
    bytes
}

/// Against the second decoder.
fn against_the_other_decoder(input: &mut Input<'_>) {
    let check = if input.flag() { Check::Whole } else { Check::Header };
    let max_len = input.below(LONGEST + 1);
    let spare = input.below(64);
    let mut pieces = Input::new(input.bytes(16));
    let bytes = if input.flag() { soup(input) } else { input.rest().to_vec() };
    let mut buffer = vec![0; OVERHEAD + max_len + spare];
    let mut decoder = StreamDecoder::new(&mut buffer, check).expect("long enough a buffer");
    decoder.limit(max_len);
    let mut found = Vec::new();
    feed(&mut decoder, &bytes, &mut pieces, &mut found);
    let whole_only = check == Check::Whole;
    let wanted = decode(&bytes, max_len, whole_only, false);
    assert_eq!((&found, decoder.skipped()), (&wanted.0, wanted.1 as u64));
    while decoder.give_up() {
        collect(&mut decoder, &mut found);
    }
    let wanted = decode(&bytes, max_len, whole_only, true);
    assert_eq!((&found, decoder.skipped()), (&wanted.0, wanted.1 as u64));
    let given: usize = found.iter().map(|sent| sent.bytes().len()).sum();
    assert_eq!(given as u64 + decoder.skipped(), bytes.len() as u64, "every byte is accounted for");
}

/// Encodes, damages, decodes.
fn over_a_line_that_lies(input: &mut Input<'_>) {
    let mut space = vec![0; OVERHEAD + LONGEST + input.below(400)];
    let mut encoder = StreamEncoder::new(&mut space, Check::Whole).expect("long enough a buffer");
    let (mut sent, mut bytes): (Vec<Sent>, Vec<u8>) = (Vec::new(), Vec::new());
    encoder.set_next_sequence(input.edge());
    let count = input.below(MOST);
    while sent.len() < count && !input.is_empty() {
        let (tag, len) = (input.edge(), input.below(LONGEST + 2));
        let payload: Vec<u8> = (0..len).map(|i| (i as u8).wrapping_mul(31) ^ tag as u8).collect();
        let sequence = encoder.next_sequence();
        match encoder.push(tag, &payload) {
            Ok(()) => sent.push(Sent { tag, sequence, payload, whole: true }),
            Err(EncodeError::TooLarge) => assert!(len > encoder.max_len()),
            Err(_) => {
                let some = input.below(encoder.pending().len() + 1).max(1);
                bytes.extend(&encoder.pending()[..some]);
                encoder.consume(some);
            }
        }
    }
    bytes.extend(encoder.pending());
    encoder.consume(usize::MAX);
    assert!(encoder.pending().is_empty());
    assert_eq!(bytes, sent.iter().flat_map(Sent::bytes).collect::<Vec<_>>());

    // Only flips, so every frame stays where it was, and it is known which are damaged.
    let mut ends = Vec::new();
    for frame in &sent {
        ends.push(ends.last().unwrap_or(&0) + frame.bytes().len());
    }
    let mut damaged = vec![false; sent.len()];
    let mut pieces = Input::new(input.bytes(16));
    while !input.is_empty() && !bytes.is_empty() {
        let at = input.below(bytes.len());
        let flip = input.byte();
        bytes[at] ^= flip;
        damaged[ends.partition_point(|end| *end <= at)] |= flip != 0;
    }
    let mut buffer = vec![0; OVERHEAD + 2 * LONGEST];
    let mut decoder = StreamDecoder::new(&mut buffer, Check::Whole).expect("long enough a buffer");
    decoder.limit(LONGEST + 1);
    let mut found = Vec::new();
    feed(&mut decoder, &bytes, &mut pieces, &mut found);
    while decoder.give_up() {
        collect(&mut decoder, &mut found);
    }
    // A header that was damaged so that it passes (or twice, to what it was) is beyond the promise; it takes
    // a fuzzer that makes CRCs, and is found out by the second decoder being of the same mind.
    let mind = decode(&bytes, (LONGEST + 1).min(decoder.max_len()), true, true).0;
    assert_eq!(found, mind);
    let forged = found.iter().any(|frame| !sent.contains(frame));
    for (i, frame) in sent.iter().enumerate() {
        // Of three in a row of which the first two are damaged, the third can be lost.
        let hidden = i >= 1 && damaged[i - 1] && i >= 2 && damaged[i - 2];
        assert!(damaged[i] || hidden || forged || found.contains(frame), "frame {i} is lost");
    }
}

/// A line that gives and takes as many bytes as the input says.
struct Line<'i, 'd> {
    bytes: Vec<u8>,
    at: usize,
    input: &'i mut Input<'d>,
}

impl ErrorType for Line<'_, '_> {
    type Error = embedded_io::ErrorKind;
}

impl Read for Line<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let count = (1 + self.input.below(30)).min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Line<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        if self.input.byte() == 255 {
            return Err(embedded_io::ErrorKind::TimedOut);
        }
        let count = (1 + self.input.below(30)).min(bytes.len());
        self.bytes.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A writer and a reader of frames over a line that works by bits.
fn by_writer_and_reader(input: &mut Input<'_>) {
    let mut space = vec![0; OVERHEAD + LONGEST];
    let check = if input.flag() { Check::Whole } else { Check::Header };
    let count = input.below(20);
    let encoder = StreamEncoder::new(&mut space, check).expect("long enough a buffer");
    let mut lens = Input::new(input.bytes(count));
    let mut writer = FrameWriter::new(Line { bytes: Vec::new(), at: 0, input }, encoder);
    let mut sent = Vec::new();
    for tag in 0..count as u32 {
        let payload = vec![tag as u8; lens.below(LONGEST + 1)];
        let sequence = writer.encoder().next_sequence();
        let result = writer.send(tag, &payload);
        // After an error of the line the frame is pending, or was not taken.
        if result.is_ok() || writer.encoder().next_sequence() != sequence {
            sent.push((tag, payload));
        }
    }
    for _ in 0..2000 {
        if writer.flush().is_ok() {
            break;
        }
    }
    let (line, encoder) = writer.into_parts();
    if !encoder.pending().is_empty() {
        return;
    }
    let mut buffer = vec![0; OVERHEAD + LONGEST];
    let decoder = StreamDecoder::new(&mut buffer, check).expect("long enough a buffer");
    let mut reader = FrameReader::new(line, decoder);
    for (tag, payload) in &sent {
        let frame = reader.recv().expect("all that was sent comes");
        assert_eq!((frame.tag, frame.missed, frame.payload), (*tag, 0, &payload[..]));
    }
    assert!(reader.recv().is_err(), "the line is at its end");
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(3) {
        0 => against_the_other_decoder(&mut input),
        1 => over_a_line_that_lies(&mut input),
        _ => by_writer_and_reader(&mut input),
    }
}
