//! A peer writes wrong positions, lengths and payloads: FAULTS 30 to 35 and 47. An error or a latched
//! fault, never a panic, a hang, or an access outside the region. (36 to 40, 45 and 46 are in
//! `lies_state.rs`, 41 and 43 in `wait.rs`, 42 in `latest.rs`, 44 in `random_images.rs`.)

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::faulty::{assert_faulty, assert_faulty_values};
use crate::common::{Member, Region};
use strait_core::ground::entry::at;
use strait_core::ground::sync::Word;
use strait_core::port::RELAXED;
use strait_core::protocol::{Nothing, compact};
use strait_core::{
    Channel, ChannelError, Plan, SendError, TryRecvError, TrySendError, Violation,
    format::{Entry, inspect},
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112).consumer_may_block(),
    Channel::slots::<u32>("slots", 8),
    Channel::compact::<u32>("compact", 8),
    Channel::latest::<u32>("latest"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(6);
const READY: u32 = 1 << 31;

fn region() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// FAULT 30: The tail is further ahead of the head than the ring is long.
#[test]
fn fault_30_a_tail_beyond_the_ring() {
    let (region, a, b) = region();
    let entry = region.entry("compact");
    let mut rx = b.typed_consumer::<u32>("compact").unwrap();
    region.poke(entry.block_a + at::MARK, 9);
    assert_faulty_values(&mut rx, Violation::Index);
    assert_eq!(inspect::channel_state(region.mem(), 4, &entry).consumer_fault, Violation::Index as u32);
    assert!(inspect::channel_state(region.mem(), 4, &entry).len <= 8, "no more than there can be");
    assert_eq!(
        a.typed_producer::<u32>("compact").err(),
        Some(ChannelError::Fault(Violation::Index)),
        "nor can a producer start from there"
    );
    region.poke(entry.block_a + at::MARK, 0);
    assert_faulty_values(&mut rx, Violation::Index);
    drop(rx);
    a.typed_producer::<u32>("compact").unwrap().try_send(&1).unwrap();
    assert_eq!(b.typed_consumer::<u32>("compact").unwrap().try_recv(), Ok(1), "a new consumer starts clean");
}

/// The same of the other side: a head that is ahead of the tail.
#[test]
fn fault_30_a_head_ahead_of_the_tail() {
    let (region, a, _) = region();
    for (name, ahead) in [("frames", 16), ("slots", 1), ("compact", 1)] {
        let entry = region.entry(name);
        region.poke(entry.block_b + at::HEAD, ahead);
        let error = match name {
            "frames" => a.producer(name).err(),
            _ => a.typed_producer::<u32>(name).err(),
        };
        assert_eq!(error, Some(ChannelError::Fault(Violation::Index)), "{name}");
        region.poke(entry.block_b + at::HEAD, 0);
    }
    let mut tx = a.producer("frames").unwrap();
    let entry = region.entry("frames");
    tx.try_send(1, &[0; 8]).unwrap();
    region.poke(entry.block_b + at::HEAD, 1024);
    tx.try_send(2, &[]).unwrap(); // there was space by what is known of the head
    assert_eq!(tx.try_send(3, &[0; 60]), Err(TrySendError::Fault(Violation::Index)));
    region.poke(entry.block_b + at::HEAD, 0);
    assert_eq!(tx.try_send(4, &[]), Err(TrySendError::Fault(Violation::Index)), "latched");
    assert_eq!(tx.reserve(1).err(), Some(TrySendError::Fault(Violation::Index)));
    assert_eq!(tx.try_send_batch([(1, &[][..])]), Err(TrySendError::Fault(Violation::Index)));
    assert_eq!(tx.send_timeout(1, &[], Duration::from_secs(60)), Err(SendError::Fault(Violation::Index)));
    assert_eq!(inspect::channel_state(region.mem(), 4, &entry).producer_fault, Violation::Index as u32);
}

/// A batch that a violation cuts short reports it with the next call at the latest.
#[test]
fn a_lie_behind_a_batch_is_latched() {
    let (region, a, _) = region();
    let entry = region.entry("slots");
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    tx.try_send(&0).unwrap(); // a look at an honest head, which does for a quarter of the ring
    region.poke(entry.block_b + at::HEAD, 100);
    assert_eq!(tx.try_send_batch([0; 20]), Ok(1));
    assert_eq!(tx.try_send(&0), Err(TrySendError::Fault(Violation::Index)));
    assert_eq!(tx.fault(), Some(Violation::Index));
}

/// FAULT 31: Positions near 2^32 are honest: they wrap.
#[test]
fn fault_31_positions_wrap() {
    let (region, a, b) = region();
    let entry = region.entry("frames");
    let start = 0_u32.wrapping_sub(256);
    for offset in [entry.block_a + at::MARK, entry.block_b + at::HEAD] {
        region.poke(offset, start);
    }
    region.poke(entry.block_a + at::MARK_SEQUENCE, u32::MAX - 3);
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    for i in 0..40 {
        tx.try_send(i, &[i as u8; 50]).unwrap();
        let frame = rx.try_recv_frame::<64>().unwrap();
        assert_eq!(
            (frame.tag(), frame.sequence(), frame.payload()[49]),
            (i, (u32::MAX - 3).wrapping_add(i), i as u8)
        );
    }
    assert!(region.peek(entry.block_a + at::MARK) < start);
}

/// FAULT 32: An index moves backwards.
#[test]
fn fault_32_an_index_moves_backwards() {
    let (region, a, b) = region();
    let entry = region.entry("compact");
    let (mut tx, mut rx) =
        (a.typed_producer::<u32>("compact").unwrap(), b.typed_consumer::<u32>("compact").unwrap());
    tx.try_send_batch([1, 2, 3]).unwrap();
    assert_eq!([rx.try_recv(), rx.try_recv(), rx.try_recv()], [Ok(1), Ok(2), Ok(3)]);
    region.poke(entry.block_a + at::MARK, 2);
    assert_faulty_values(&mut rx, Violation::Index);

    // Within what is known already: it is looked at again once that is used up.
    let (tail, head) = (Word::new(3), Word::new(0));
    let mut rx = compact::Consumer::adopt(&head, 8, 1, false);
    for _ in 0..3 {
        assert_eq!(rx.look(&tail), Ok(rx.head.pos()));
        let _ = rx.head.advance(1);
        tail.store(2, RELAXED);
    }
    assert_eq!(rx.look(&tail), Err(Nothing::Violation(Violation::Index)));

    // As far ahead as the ring is long, while the value received last is in use.
    let (tail, head) = (Word::new(1), Word::new(0));
    let mut rx = compact::Consumer::adopt(&head, 8, 1, true);
    assert_eq!(rx.look(&tail), Ok(0));
    let _ = rx.head.advance(1);
    tail.store(9, RELAXED);
    assert_eq!(rx.look(&tail), Err(Nothing::Violation(Violation::Index)));

    let entry = region.entry("frames");
    let mut tx = a.producer("frames").unwrap();
    let mut rx = b.consumer("frames").unwrap();
    (0..3).for_each(|tag| tx.try_send(tag, &[0; 48]).unwrap());
    rx.recv_batch(3, |_| ()).unwrap();
    rx.flush();
    assert_eq!(tx.len(), 0);
    tx.try_send(4, &[0; 100]).unwrap();
    region.poke(entry.block_b + at::HEAD, 0);
    assert!(tx.len() <= 256, "a bound all the same");
    assert_eq!(tx.fault(), Some(Violation::Index));
    assert_eq!(tx.try_send(5, &[0; 100]), Err(TrySendError::Fault(Violation::Index)));
}

/// The commit word of the frame at this place of the ring.
fn commit_at(entry: &Entry, place: u32) -> u32 {
    entry.data + place
}

/// FAULT 33: A frame is longer than the channel's maximum, or than the ring goes on.
#[test]
fn fault_33_a_length_beyond_the_slot() {
    for lie in [READY | 113, READY | 256, READY | (READY - 2), READY | 1 << 30] {
        let (region, a, b) = region();
        let entry = region.entry("frames");
        let mut rx = b.consumer("frames").unwrap();
        region.poke(commit_at(&entry, 0), lie);
        assert_faulty(&mut rx, Violation::Length);
        assert_eq!(a.producer("frames").err(), Some(ChannelError::Fault(Violation::Length)));
    }
    // Within the maximum, but over the ring's end: also one as long as those before it.
    for len in [17, 96] {
        let (region, a, b) = region();
        let entry = region.entry("frames");
        let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
        for _ in 0..2 {
            tx.try_send(0, &[0; 96]).unwrap();
            rx.try_recv(&mut [0; 112]).unwrap();
        }
        region.poke(commit_at(&entry, 224), READY | len);
        assert_faulty(&mut rx, Violation::Length);
    }
}

/// Runs `read` over and over while another thread flips a range between two contents.
fn while_flipping(region: &Region, offset: u32, contents: [&[u8]; 2], mut read: impl FnMut()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                contents.iter().for_each(|bytes| region.write(offset, bytes));
            }
        });
        let end = Instant::now() + Duration::from_millis(150);
        while Instant::now() < end {
            read();
        }
        over.store(true, Relaxed);
    });
}

/// FAULT 34: The length flips between two reads of it: there is one read, and all go by that.
#[test]
fn fault_34_a_length_that_flips_is_read_once() {
    let (region, a, b) = region();
    let entry = region.entry("frames");
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    tx.try_send(1, &[7; 100]).unwrap();
    let (short, long) = ((READY | 8).to_le_bytes(), (READY | 100).to_le_bytes());
    let mut seen = [0; 2];
    while_flipping(&region, commit_at(&entry, 0), [&short, &long], || {
        let peek = rx.peek().unwrap();
        let len = peek.info().len;
        assert!(len == 8 || len == 100);
        seen[usize::from(len == 100)] += 1;
        let mut buffer = [0; 112];
        assert_eq!(peek.copy_from(0, &mut buffer), len);
        assert!(buffer[..len].iter().all(|&byte| byte == 7) && buffer[len..].iter().all(|&byte| byte == 0));
        match rx.try_recv(&mut [0; 4]) {
            Err(TryRecvError::TooSmall { needed }) => assert!(needed == 8 || needed == 100),
            other => panic!("{other:?}"),
        }
    });
    println!("seen {} short, {} long", seen[0], seen[1]);
    assert!(seen[0] + seen[1] > 100);
}

/// FAULT 35: The payload flips while it is copied: a mixture, of the length that was checked.
#[test]
fn fault_35_a_payload_that_flips_is_mixed_at_worst() {
    let (region, a, b) = region();
    let entry = region.entry("frames");
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    tx.try_send(1, &[0x11; 112]).unwrap();
    let mut copies = 0;
    while_flipping(&region, entry.data + 16, [&[0x11; 112], &[0x22; 112]], || {
        let mut buffer = [0; 112];
        assert_eq!(rx.peek().unwrap().copy_from(0, &mut buffer), 112);
        assert!(buffer.iter().all(|&byte| byte == 0x11 || byte == 0x22));
        copies += 1;
    });
    assert!(copies > 100);
    assert_eq!(rx.try_recv(&mut [0; 112]).unwrap().len, 112);
    assert_eq!(rx.fault(), None, "that is a matter of values");
}

/// FAULT 47: A frame's sequence is replayed: it is shown as found, and the receiver can detect it.
#[test]
fn fault_47_a_replayed_sequence_is_shown() {
    let (region, a, b) = region();
    let entry = region.entry("frames");
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let mut seen = Vec::new();
    for lie in [0, 0, u32::MAX, 5, 5, 1 << 31] {
        let place = region.peek(entry.block_a + at::MARK) & 255;
        tx.try_send(1, &[]).unwrap();
        region.poke(entry.data + place + at::SEQUENCE, lie);
        seen.push(rx.try_recv(&mut []).unwrap().sequence);
        assert!(rx.len() <= 16);
    }
    assert_eq!(seen, [0, 0, u32::MAX, 5, 5, 1 << 31]);
}
