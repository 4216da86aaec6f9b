//! A producer that dies between any two of its stores, and its successors that do the same. The
//! images are made by a second writer of the format, a store at a time.

use crate::common::raw::{self, Store};
use crate::common::{Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::{Channel, Consumer, Plan, TryRecvError, format::Entry};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112),
    Channel::slots::<[u32; 3]>("slots", 4),
    Channel::compact::<[u32; 3]>("compact", 4),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(6);

/// Sequences and tags of all frames that are there.
fn receive_all(rx: &mut Consumer<TestPort>) -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    while let Ok(got) = rx.try_recv(&mut [0; 112]) {
        all.push((got.sequence, got.tag));
    }
    assert_eq!(rx.fault(), None);
    all
}

fn sequences(rx: &mut Consumer<TestPort>) -> Vec<u32> {
    receive_all(rx).into_iter().map(|(sequence, _)| sequence).collect()
}

/// Brings the queue of frames to where `sent` frames of `len` bytes were sent and all but the last
/// one received.
fn lead_up(sent: u32, len: usize) -> Region {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    for tag in 0..sent {
        tx.try_send(tag, &vec![tag as u8; len]).unwrap();
        if tag + 1 < sent {
            rx.try_recv(&mut [0; 112]).unwrap();
            rx.flush();
        }
    }
    region.after_death_of_all()
}

/// Only what a producer stores before it counts: its block's mark, and the ring.
fn published(image: &[u8], entry: &Entry, ring: u32) -> Vec<u8> {
    let mark = entry.block_a as usize..entry.block_a as usize + 8;
    let data = entry.data as usize..(entry.data + ring) as usize;
    [&image[mark], &image[data]].concat()
}

/// What a successor and a consumer find in an image: frames 0 to `sent`, or one less, and the
/// successor's own behind them.
fn check_succession(image: &[u8], sent: u32, step: usize) -> usize {
    let region = Region::from_bytes(image);
    let (a, b) = (region.join(), region.join());
    let mut tx = a.producer("frames").unwrap_or_else(|error| panic!("step {step}: {error}"));
    let visible = tx.next_sequence();
    assert!(visible == sent || visible == sent + 1, "step {step}: {visible} frames of {sent}");
    let mut rx = b.consumer("frames").unwrap();
    assert_eq!(rx.len(), visible - (sent - 1), "step {step}");
    let found = receive_all(&mut rx);
    assert!(found.iter().all(|frame| frame.1 == frame.0), "step {step}");
    let mut all: Vec<u32> = found.into_iter().map(|frame| frame.0).collect();
    tx.try_send(1000, b"successor").unwrap();
    tx.try_send(1001, &[1; 40]).unwrap();
    all.extend(sequences(&mut rx));
    assert_eq!(all, (sent - 1..visible + 2).collect::<Vec<_>>(), "step {step}");
    assert!(region.is_intact());
    (visible - sent) as usize
}

/// A producer of frames dies between any two stores of a send, without a pad and with one.
#[test]
fn a_producer_dies_between_any_two_stores() {
    let mut pads = 0;
    for sent in 1..24 {
        for (lead, len) in [(0, 30), (20, 0), (0, 96), (100, 17)] {
            let region = lead_up(sent, lead);
            let (entry, before) = (region.entry("frames"), region.bytes());
            let stores = raw::frame(&before, &entry, sent, &vec![0xDD; len]);
            let images = raw::deaths(&before, &stores);

            // The second writer of these tests does what the first does.
            let mut tx = region.join().producer("frames").unwrap();
            tx.try_send(sent, &vec![0xDD; len]).unwrap();
            let last = images.last().unwrap();
            assert_eq!(published(last, &entry, 256), published(&region.bytes(), &entry, 256));

            pads += usize::from(stores.iter().any(|store| store.bytes == [0xFF; 4]));
            let seen: Vec<_> =
                images.iter().enumerate().map(|(step, image)| check_succession(image, sent, step)).collect();
            assert!(seen.is_sorted(), "once visible, always visible");
            assert_eq!(seen.iter().sum::<usize>(), 3, "visible by the commit, and after each mark");
        }
    }
    assert!(pads > 5, "the ring's end was crossed {pads} times");
}

/// The successor dies in its turn, between any two stores, before and after it was brought up to date.
#[test]
fn the_successor_dies_too() {
    for sent in [1, 3, 6] {
        let region = lead_up(sent, 40);
        let (entry, before) = (region.entry("frames"), region.bytes());
        let first = raw::frame(&before, &entry, sent, &[1; 40]);
        for image in raw::deaths(&before, &first) {
            let region = Region::from_bytes(&image);
            let second = region.join();
            let tx = second.producer("frames").unwrap();
            let visible = tx.next_sequence();
            second.die(tx);
            let between = region.bytes();
            let stores = raw::frame(&between, &entry, visible, &[2; 40]);
            for (step, image) in raw::deaths(&between, &stores).iter().enumerate() {
                let region = Region::from_bytes(image);
                let mut tx = region.join().producer("frames").unwrap();
                let seen = tx.next_sequence();
                assert!(seen == visible || seen == visible + 1, "step {step}");
                tx.try_send(seen, b"third").unwrap();
                let all = sequences(&mut region.join().consumer("frames").unwrap());
                assert_eq!(all, (sent - 1..=seen).collect::<Vec<_>>(), "step {step}");
            }
        }
    }
}

/// The words by which a successor starts lag by a publication: once both, once the first of them.
#[test]
fn a_mark_that_lags_is_caught_up_with() {
    for lag_of_sequence in [0, 1] {
        for sent in 2..20 {
            let region = lead_up(sent, 40);
            let entry = region.entry("frames");
            let member = region.join();
            let mut tx = member.producer("frames").unwrap();
            let mark = region.peek(entry.block_a + at::MARK);
            tx.try_send(sent, &[3; 50]).unwrap();
            region.poke(entry.block_a + at::MARK, mark);
            region.poke(entry.block_a + at::MARK_SEQUENCE, sent + 1 - lag_of_sequence);
            member.die(tx);
            assert_eq!(check_succession(&region.bytes(), sent, 0), 1);
        }
    }
}

fn number(value: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes.chunks_exact_mut(4).for_each(|word| word.copy_from_slice(&value.to_le_bytes()));
    bytes
}

type Stores = fn(&[u8], &Entry, &[u8]) -> Vec<Store>;

/// The same for queues of values: in a batch of three, the second is cut short anywhere.
#[test]
fn a_producer_of_values_dies_between_any_two_stores() {
    for (name, writer) in [("slots", raw::slot as Stores), ("compact", raw::compact as Stores)] {
        for lead in 0..10 {
            let region = Region::new(&PLAN);
            let entry = region.entry(name);
            let member = region.join();
            let mut tx = member.typed_producer::<[u32; 3]>(name).unwrap();
            let mut rx = member.typed_consumer::<[u32; 3]>(name).unwrap();
            for value in 0..lead {
                tx.try_send(&[value; 3]).unwrap();
                assert_eq!(rx.try_recv(), Ok([value; 3]));
            }
            rx.flush();
            tx.try_send(&[lead; 3]).unwrap();
            member.die((tx, rx));

            let before = region.bytes();
            let stores = writer(&before, &entry, &number(lead + 1));
            let mut seen = Vec::new();
            for (step, image) in raw::deaths(&before, &stores).iter().enumerate() {
                let region = Region::from_bytes(image);
                let member = region.join();
                let mut tx = member.typed_producer::<[u32; 3]>(name).unwrap();
                let next = tx.next_sequence();
                assert!(next == lead + 1 || next == lead + 2, "{name}, step {step}");
                tx.try_send(&[1000; 3]).unwrap();
                let mut rx = member.typed_consumer::<[u32; 3]>(name).unwrap();
                for value in lead..next {
                    assert_eq!(
                        (rx.try_recv(), rx.sequence()),
                        (Ok([value; 3]), value),
                        "{name}, step {step}"
                    );
                }
                assert_eq!((rx.try_recv(), rx.sequence()), (Ok([1000; 3]), next), "{name}, step {step}");
                assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}, step {step}");
                seen.push(next - lead - 1);
            }
            assert!(seen.is_sorted(), "once visible, always visible");
            // Slots: by the sequence, and after the mark. Compact: by the mark, which is the tail.
            assert_eq!(seen.iter().sum::<u32>(), if name == "slots" { 2 } else { 1 });
            let after = Region::from_bytes(raw::deaths(&before, &stores).last().unwrap());
            region.join().typed_producer::<[u32; 3]>(name).unwrap().try_send(&[lead + 1; 3]).unwrap();
            let ring = 4 * entry.stride;
            let mark = |region: &Region| region.peek(entry.block_a + at::MARK);
            assert_eq!(mark(&after), mark(&region), "the second writer does what the first does");
            assert_eq!(
                published(&after.bytes(), &entry, ring)[8..],
                published(&region.bytes(), &entry, ring)[8..]
            );
        }
    }
}
