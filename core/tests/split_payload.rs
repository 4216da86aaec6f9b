//! Payload split off from control words: where everything is, and directories that contradict it. (What
//! ports do with it is in the Unix port's `incoherent.rs`, which has two caches.)

use crate::common::{Region, raw};
use strait_core::ground::entry::{self, at};
use strait_core::ground::format::Contents;
use strait_core::ground::header;
use strait_core::{
    Attachment, Channel, Plan,
    format::{AttachError, Entry, Header, Kind, inspect},
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::compact::<[u8; 12]>("c", 4).domains(0, 1).consumer_may_block(),
    Channel::latest_bytes("l", 100).buffers(4).domains(0, 1).consumer_may_block(),
    Channel::compact::<u8>("d", 8).doorbell(1),
];

fn entries(region: &Region) -> (Header, Vec<Entry>) {
    let header = Header::check(region.mem()).unwrap();
    (header, header.channels(region.mem()).collect())
}

/// The participants' end.
fn floor(header: &Header) -> u32 {
    header.participants + header.participant_count * header::PARTICIPANT_LEN
}

#[test]
fn all_control_words_lie_before_all_payload() {
    for (line, boundary) in [(4, 8), (32, 32), (64, 4096), (128, 256), (4096, 64)] {
        let plan = Plan::new(CHANNELS).line(line).participants(1).split_payload(boundary);
        let region = Region::new(&plan);
        let (header, entries) = entries(&region);
        let payload = header.payload;
        assert_eq!((payload as usize, header.total_len as usize), (plan.payload_start(), plan.size()));
        assert!(payload.is_multiple_of(boundary) && payload.is_multiple_of(line));
        assert_eq!(entries.len(), 3);
        let (mut control, mut data) = (floor(&header), payload);
        for entry in &entries {
            let blocks = entry.blocks(line).unwrap();
            assert!(entry.split_payload && entry.block_a >= control && entry.wait_b < payload);
            control = entry.block_c + blocks.wait_b;
            assert_eq!(entry.data, data, "one behind the other");
            data += blocks.len_data;
            assert!(control <= payload && blocks.len_data >= entry.capacity * entry.stride);
            assert!(data.is_multiple_of(line.max(8)));
            if entry.kind == Kind::Latest {
                assert_eq!(entry.stride, 100_u32.next_multiple_of(line.max(16)), "the value alone");
                assert!(blocks.len_a >= at::HEADERS + 16 * entry.capacity);
            }
        }
        assert_eq!(data, header.total_len);
    }
    assert_eq!(Plan::new(CHANNELS).payload_start(), 0);
    assert_eq!(
        Plan::new(&[]).line(4).split_payload(64).payload_start(),
        Plan::new(&[]).line(4).split_payload(64).size()
    );
}

/// Somebody's cache may hold it, and would write it back later.
#[test]
fn formatting_does_not_touch_payload() {
    let plan = Plan::new(CHANNELS).line(4).participants(1).split_payload(64);
    let region = Region::from_bytes(&vec![0xA7; plan.size()]);
    strait_core::format::initialise(region.mem(), &plan, 1, Contents::Unknown).unwrap();
    let (bytes, start) = (region.bytes(), plan.payload_start());
    assert!(bytes[start..].iter().all(|&byte| byte == 0xA7));
    let (header, entries) = entries(&region);
    assert!(bytes[floor(&header) as usize..start].iter().all(|&byte| byte == 0));
    let state = inspect::channel_state(region.mem(), header.line, &entries[1]);
    assert_eq!((state.len, state.sent), (0, 0), "the headers are not where the values are");
}

#[test]
fn contradictions_are_found() {
    let plan = Plan::new(CHANNELS).line(4).participants(1).split_payload(64);
    let sound = Region::new(&plan).bytes();
    let forged = |at: u32, word: u32| {
        let mut image = sound.clone();
        image[at as usize..at as usize + 4].copy_from_slice(&word.to_le_bytes());
        raw::seal(&mut image);
        Region::from_bytes(&image)
    };
    let (payload, total) = (plan.payload_start() as u32, plan.size() as u32);
    for word in [0, 4, 128, payload + 4, total + 8, u32::MAX] {
        let region = forged(header::at::PAYLOAD, word);
        assert_eq!(Header::check(region.mem()), Err(AttachError::Header), "{word}");
    }
    assert_eq!(
        Header::check(forged(header::at::INCOMPAT, 3).mem()),
        Err(AttachError::Features { unknown: 2 })
    );
    // Data among the control words, past the end, or not aligned; control words among the data.
    let (data, block_a) = (header::HEADER_LEN + 84, header::HEADER_LEN + 72);
    for (at, word) in [(data, payload - 64), (data, total - 8), (data, payload + 4), (block_a, payload)] {
        let region = forged(at, word);
        let header = Header::check(region.mem()).unwrap();
        assert_eq!(header.channels(region.mem()).count(), 2, "{word} at {at}");
    }
    // A queue published in its payload.
    for kind in [1, 2, 5] {
        let region = forged(header::HEADER_LEN + 32, kind);
        assert_eq!(Header::check(region.mem()).unwrap().channels(region.mem()).count(), 2);
    }
    assert_eq!(entry::ENTRY_LEN, 128);
    let region = Region::from_bytes(&sound);
    let port = crate::common::TestPort::looking_at(&region, None);
    assert_eq!(Attachment::attach(port).err(), Some(AttachError::Apart));
}
