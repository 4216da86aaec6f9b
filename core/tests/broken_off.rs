//! What a batch or a grant publishes that a panic breaks off; and the largest legal frame in an empty ring.
//! `tests/killed/broken_off.rs` has the same with processes that are killed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use crate::common::{Member, Region};
use strait_core::{Channel, ConsumerOptions, Plan, TryRecvError, TrySendError};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 256, 64).consumer_may_block(),
    Channel::slots::<u32>("slots", 8).consumer_may_block(),
    Channel::compact::<u32>("compact", 8).consumer_may_block(),
])
.line(4)
.participants(4);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

fn panics(act: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "the user's own fault");
}

/// Marks the consumer of a channel as asleep; returns how often somebody was woken.
fn asleep(region: &Region, name: &str) -> u32 {
    region.poke(region.entry(name).wait_b, 1);
    region.counts.wakes.load(Relaxed)
}

/// The values before the panic are there, and a consumer that sleeps is woken for them.
#[test]
fn a_batch_of_values_that_a_panic_breaks_off_is_sent_so_far() {
    for name in ["slots", "compact"] {
        let (region, a, b) = setup();
        let mut tx = a.typed_producer::<u32>(name).unwrap();
        let mut rx = b.typed_consumer::<u32>(name).unwrap();
        let wakes = asleep(&region, name);
        let values = (1..6).map(|number| if number == 4 { panic!("no fourth") } else { number });
        panics(|| _ = tx.try_send_batch(values));
        assert_eq!(region.counts.wakes.load(Relaxed), wakes + 1, "{name}: somebody slept for them");
        let mut got = Vec::new();
        assert_eq!(rx.recv_batch(9, |value| got.push(value)), Ok(3));
        assert_eq!((got, tx.try_send(&4), rx.try_recv()), (vec![1, 2, 3], Ok(()), Ok(4)), "{name}");
        // At the very first, nothing is there and nothing is broken.
        panics(|| _ = tx.try_send_batch(std::iter::from_fn(|| -> Option<u32> { panic!("none at all") })));
        assert_eq!(
            (rx.try_recv(), tx.try_send(&5), rx.try_recv()),
            (Err(TryRecvError::Empty), Ok(()), Ok(5))
        );
    }
}

#[test]
fn a_batch_of_frames_that_a_panic_breaks_off_is_sent_so_far() {
    let (region, a, b) = setup();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let wakes = asleep(&region, "frames");
    let frames = (1..6).map(|tag| if tag == 3 { panic!("no third") } else { (tag, &b"frame"[..]) });
    panics(|| _ = tx.try_send_batch(frames));
    assert_eq!(region.counts.wakes.load(Relaxed), wakes + 1);
    let mut got = Vec::new();
    assert_eq!(rx.recv_batch(9, |peek| got.push((peek.info().tag, peek.info().sequence))), Ok(2));
    tx.try_send(3, b"frame").unwrap();
    assert_eq!(rx.try_recv_frame::<8>().unwrap().sequence(), 2, "and the next one follows");
    assert_eq!(got, [(1, 0), (2, 1)]);
}

/// A batch that sends nothing wakes nobody.
#[test]
fn a_batch_that_is_refused_wakes_nobody() {
    let (region, a, b) = setup();
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    let _rx = b.typed_consumer::<u32>("slots").unwrap();
    assert_eq!(tx.try_send_batch(0..9), Ok(8));
    let wakes = asleep(&region, "slots");
    assert_eq!(tx.try_send_batch([9]), Err(TrySendError::Full));
    assert_eq!(region.counts.wakes.load(Relaxed), wakes);
}

/// Neither its end nor a panic publishes a grant, and the next frame has its place and number.
#[test]
fn a_grant_that_is_not_committed_was_never_there() {
    let (region, a, b) = setup();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let wakes = asleep(&region, "frames");
    for round in 0..50 {
        let mut grant = tx.reserve(40).unwrap();
        grant.write(0, &[round; 40]);
        panics(|| {
            let mut grant = tx.reserve(64).unwrap();
            grant.write(0, &[round; 64]);
            panic!("half-way");
        });
        assert_eq!(
            (tx.next_sequence(), rx.try_recv(&mut [0; 64])),
            (u32::from(round), Err(TryRecvError::Empty))
        );
        tx.reserve(5).unwrap().commit_len(3);
        let frame = rx.try_recv_frame::<64>().unwrap();
        assert_eq!((frame.sequence(), frame.payload().len()), (u32::from(round), 3));
    }
    assert_eq!(region.counts.wakes.load(Relaxed), wakes + 1, "for the first that was committed");
}

/// Of a ring that is empty, the largest legal frame is accepted wherever the last one ended, by this producer and by a
/// successor.
#[test]
fn the_largest_legal_frame_fits_an_empty_ring_at_every_position() {
    for capacity in [64_u32, 128, 256, 1024, 4096] {
        let longest = (capacity / 2 - 16) as usize;
        let channels = [Channel::frames("f", capacity, longest as u32)];
        let plan = Plan::new(&channels).line(4).participants(3);
        let payload = vec![7; longest];
        for (start, options) in (0..capacity / 16).flat_map(|start| {
            [(start, ConsumerOptions::new()), (start, ConsumerOptions::new().release_every(1))]
        }) {
            let region = Region::new(&plan);
            let (a, b) = (region.join(), region.join());
            let (mut tx, mut rx) = (a.producer("f").unwrap(), b.consumer_with("f", options).unwrap());
            for _ in 0..start {
                tx.try_send(0, &[]).unwrap();
                rx.try_recv(&mut []).unwrap();
                assert_eq!(rx.try_recv(&mut []), Err(TryRecvError::Empty));
            }
            if start % 2 == 1 {
                drop(tx);
                tx = a.producer("f").unwrap();
            }
            assert_eq!(tx.try_send(1, &payload), Ok(()), "{capacity} bytes, at {}", start * 16);
            let mut buffer = vec![0; longest];
            assert_eq!(rx.try_recv(&mut buffer).map(|got| got.len), Ok(longest));
            assert_eq!((&buffer, rx.try_recv(&mut buffer.clone())), (&payload, Err(TryRecvError::Empty)));
            // And again, a lap on.
            assert_eq!(tx.try_send(2, &payload), Ok(()), "{capacity} bytes, behind {}", start * 16);
        }
    }
}

/// Half the ring is the most: one granule more would not fit an empty ring everywhere.
#[test]
fn a_longer_frame_would_not_fit_everywhere() {
    let fits = |capacity: u32, payload: u32| {
        let frame = 16 + payload;
        (0..capacity).step_by(16).all(|at| {
            let to_end = capacity - at;
            let pad = if frame > to_end { to_end } else { 0 };
            pad + frame + 16 <= capacity
        })
    };
    for capacity in [64, 128, 256, 1024, 4096] {
        assert!(fits(capacity, capacity / 2 - 16) && !fits(capacity, capacity / 2), "{capacity}");
    }
}
