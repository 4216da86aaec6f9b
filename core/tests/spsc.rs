//! What queues promise, one promise a test, and both kinds between two threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::{
    Channel, Consumer, ConsumerOptions, Delivery, PeerStatus, Plan, Producer, SendError, TryRecvError,
    TrySendError, TypedConsumer, TypedProducer,
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112),
    Channel::slots::<u64>("slots", 8),
    Channel::compact::<u64>("compact", 8),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(64).participants(4);

type Frames = (Producer<TestPort>, Consumer<TestPort>);
type Values = (TypedProducer<u64, TestPort>, TypedConsumer<u64, TestPort>);

fn frames(region: &Region, options: ConsumerOptions) -> Frames {
    let (a, b) = (region.join(), region.join());
    (a.producer("frames").unwrap(), b.consumer_with("frames", options).unwrap())
}

fn values(region: &Region, name: &str) -> Values {
    let (a, b) = (region.join(), region.join());
    (a.typed_producer(name).unwrap(), b.typed_consumer(name).unwrap())
}

fn fill(tx: &mut Producer<TestPort>, len: usize) -> usize {
    (0..).take_while(|_| tx.try_send(0, &vec![7; len]).is_ok()).count()
}

/// FAULT 65: A frame that can never fit is distinguished at once from one that does not fit now, full or
/// not.
#[test]
fn fault_65_too_large_is_not_full() {
    let (mut tx, _rx) = frames(&Region::new(&PLAN), ConsumerOptions::new());
    assert_eq!(tx.try_send(1, &[0; 113]), Err(TrySendError::TooLarge));
    assert_eq!(tx.reserve(usize::MAX).err(), Some(TrySendError::TooLarge));
    let asked = Instant::now();
    assert_eq!(tx.send_timeout(1, &[0; 113], Duration::from_secs(60)), Err(SendError::TooLarge));
    assert!(asked.elapsed() < Duration::from_secs(30), "it does not wait for what cannot come");
    tx.try_send(1, &[0; 112]).unwrap();
    assert_eq!(tx.try_send(1, &[0; 112]), Err(TrySendError::Full));
    assert_eq!(tx.try_send(1, &[0; 113]), Err(TrySendError::TooLarge));
    assert_eq!(tx.refused(), 1, "only want of space is counted");
}

#[test]
fn the_largest_frame_fits_wherever_the_tail_is() {
    for lead in (0..=256).step_by(16) {
        let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new());
        for _ in 0..lead / 16 {
            tx.try_send(0, &[]).unwrap();
            rx.try_recv(&mut []).unwrap();
            assert_eq!(rx.try_recv(&mut []), Err(TryRecvError::Empty));
        }
        tx.try_send(9, &[5; 112]).unwrap();
        assert_eq!(rx.try_recv_frame::<112>().unwrap().payload(), [5; 112]);
    }
}

#[test]
fn empty_frames_are_frames() {
    let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new());
    for tag in 0..15 {
        tx.try_send(tag, &[]).unwrap();
    }
    assert_eq!(tx.try_send(15, &[]), Err(TrySendError::Full), "a granule stays free");
    for tag in 0..15 {
        let got = rx.try_recv(&mut []).unwrap();
        assert_eq!((got.tag, got.sequence, got.len), (tag, tag, 0));
    }
    assert_eq!(rx.try_recv(&mut []), Err(TryRecvError::Empty));
}

#[test]
fn too_small_a_buffer_keeps_the_frame() {
    let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new().delivery(Delivery::AtMostOnce));
    tx.try_send(4, b"ten bytes!").unwrap();
    for _ in 0..3 {
        assert_eq!(rx.try_recv(&mut [0; 9]), Err(TryRecvError::TooSmall { needed: 10 }));
        assert_eq!(rx.try_recv_frame::<9>().err(), Some(TryRecvError::TooSmall { needed: 10 }));
        assert_eq!(rx.len(), 1);
    }
    let mut buffer = [0xEE; 12];
    assert_eq!(rx.try_recv(&mut buffer).unwrap().len, 10);
    assert_eq!(&buffer, b"ten bytes!\xEE\xEE", "the bytes behind the frame are unchanged");
}

#[test]
fn a_dropped_grant_was_never_there() {
    let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new());
    for _ in 0..100 {
        let mut grant = tx.reserve(100).unwrap();
        grant.write(0, &[1; 100]);
    }
    assert_eq!((tx.len(), tx.next_sequence(), rx.len()), (0, 0, 0));
    assert_eq!(rx.try_recv(&mut [0; 112]), Err(TryRecvError::Empty));
    tx.try_send(1, b"real").unwrap();
    assert_eq!(rx.try_recv_frame::<8>().unwrap().sequence(), 0);
}

/// FAULT 64: A panic while a grant or a peek is held releases nothing and publishes nothing.
#[test]
fn fault_64_a_panic_drops_a_grant_without_harm() {
    let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut grant = tx.reserve(10).unwrap();
        grant.write(0, b"half");
        panic!("while a grant is held");
    }));
    assert!(panicked.is_err());
    tx.try_send(1, b"first").unwrap();
    tx.try_send(2, b"second").unwrap();
    for _ in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            rx.recv_batch(10, |peek| {
                assert_eq!(peek.info().tag, 1);
                panic!("while a frame is peeked at");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(rx.len(), 2, "neither frame is released");
    }
    let mut tags = Vec::new();
    assert_eq!(rx.recv_batch(10, |peek| tags.push(peek.info().tag)), Ok(2));
    assert_eq!(tags, [1, 2]);
}

#[test]
fn slices_are_for_those_who_trust() {
    let region = Region::new(&PLAN);
    // SAFETY: all participants are this test's, and honest.
    let trusting = unsafe { region.join().attachment.trusting_peers() };
    let (mut tx, mut rx) = (trusting.producer("frames").unwrap(), trusting.consumer("frames").unwrap());
    let mut grant = tx.reserve(6).unwrap();
    grant.as_mut_slice().unwrap().copy_from_slice(b"direct");
    grant.commit_len(usize::MAX);
    let peek = rx.peek().unwrap();
    assert_eq!(peek.as_slice(), Some(&b"direct"[..]));
    peek.release();
    tx.reserve(0).unwrap().commit();
    assert_eq!(rx.peek().unwrap().as_slice(), Some(&b""[..]));
}

/// The space that stays refused while the consumer holds a frame and publishes its head late: at most
/// that frame's, and less than a quarter of the ring.
#[test]
fn lazy_release_costs_a_quarter_of_the_ring_at_most() {
    let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new().release_every(1000));
    let capacity = fill(&mut tx, 0);
    let mut freed = 0;
    for received in 1..=capacity {
        rx.try_recv(&mut []).unwrap();
        freed += fill(&mut tx, 0);
        assert!(received - freed <= 1 + 256 / 4 / 16, "{freed} of {received} came back");
    }
}

/// After a refused send, the consumer publishes its next release.
#[test]
fn a_refused_producer_is_told_of_every_release() {
    let (mut tx, mut rx) = frames(&Region::new(&PLAN), ConsumerOptions::new().release_every(1000));
    fill(&mut tx, 0);
    for _ in 0..50 {
        rx.try_recv(&mut []).unwrap();
        rx.release();
        tx.try_send(0, &[]).unwrap();
        assert_eq!(tx.try_send(0, &[]), Err(TrySendError::Full));
    }
    assert_eq!(tx.refused(), 51);
}

#[test]
fn an_idle_consumer_has_released_everything() {
    for name in ["slots", "compact"] {
        let (mut tx, mut rx) = values(&Region::new(&PLAN), name);
        for round in 0..100_u64 {
            tx.try_send(&round).unwrap();
            assert_eq!(rx.try_recv(), Ok(round));
            assert!(!tx.is_empty(), "the value is in use");
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            assert!(tx.is_empty());
        }
        assert_eq!(tx.try_send_batch([1; 20]), Ok(8), "all slots can be taken");
    }
}

#[test]
fn a_batch_takes_from_its_source_what_there_is_space_for_and_no_more() {
    for name in ["slots", "compact"] {
        let (mut tx, mut rx) = values(&Region::new(&PLAN), name);
        let mut source = 0..20;
        assert_eq!(tx.try_send_batch(source.by_ref()), Ok(8));
        assert_eq!(source.clone().next(), Some(8), "nothing was taken that was not sent");
        assert_eq!(tx.try_send_batch(source.by_ref()), Err(TrySendError::Full));
        assert_eq!(tx.try_send_batch([]), Ok(0), "nothing needs no space");
        let mut got = Vec::new();
        assert_eq!(rx.recv_batch(3, |value| got.push(value)), Ok(3));
        assert_eq!(rx.recv_batch(20, |value| got.push(value)), Ok(5));
        assert_eq!(got, Vec::from_iter(0..8));
        assert!(tx.is_empty(), "a batch that found the end has released everything");
        assert_eq!(tx.try_send_batch(source), Ok(8));
    }
}

#[test]
fn a_panic_in_the_middle_of_a_batch_loses_nothing_and_sends_nothing_twice() {
    for name in ["slots", "compact"] {
        let (mut tx, mut rx) = values(&Region::new(&PLAN), name);
        let source = (1..9).map(|number| if number == 4 { panic!("no fourth") } else { number });
        assert!(catch_unwind(AssertUnwindSafe(|| tx.try_send_batch(source))).is_err());
        assert_eq!(tx.next_sequence(), 3);
        tx.try_send(&4).unwrap();

        let mut got = Vec::new();
        let each = |value| {
            got.push(value);
            assert_ne!(value, 3, "the user's own fault");
        };
        assert!(catch_unwind(AssertUnwindSafe(|| rx.recv_batch(9, each))).is_err());
        assert_eq!(rx.recv_batch(9, |value| got.push(value)), Ok(2));
        assert_eq!(got, [1, 2, 3, 3, 4], "{name}: the one in whose course it happened comes again");
    }
}

/// A consumer sees a frame before its producer has noted that it sent it. It must not make the length
/// of an empty queue that of a full one.
#[test]
fn len_is_a_lower_bound_while_the_producer_is_sending() {
    let region = Region::new(&PLAN);
    let entry = region.entry("frames");
    let (mut tx, mut rx) = frames(&region, ConsumerOptions::new());
    tx.try_send(1, b"seen early").unwrap();
    region.poke(entry.block_a + at::MARK_SEQUENCE, 0);
    assert_eq!(rx.try_recv_frame::<16>().unwrap().tag(), 1);
    assert_eq!((rx.len(), rx.is_empty()), (0, true));

    let entry = region.entry("slots");
    let (mut tx, mut rx) = values(&region, "slots");
    tx.try_send(&1).unwrap();
    region.poke(entry.block_a + at::MARK, 0);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((rx.len(), rx.is_empty()), (0, true));
}

/// The same in what tools show, whose words are read at different moments.
#[test]
fn a_snapshot_never_shows_an_empty_queue_as_full() {
    let region = Region::new(&PLAN);
    for (name, mark) in [("frames", at::MARK_SEQUENCE), ("slots", at::MARK), ("compact", at::MARK)] {
        let entry = region.entry(name);
        let head = if name == "frames" { at::HEAD_SEQUENCE } else { at::HEAD };
        region.poke(entry.block_a + mark, 10);
        region.poke(entry.block_b + head, 11);
        let state = strait_core::format::inspect::channel_state(region.mem(), 64, &entry);
        assert_eq!(state.len, 0, "{name}");
    }
}

#[test]
fn both_sides_and_tools_see_the_same_numbers() {
    let region = Region::new(&PLAN);
    let (mut tx, mut rx) = frames(&region, ConsumerOptions::new());
    assert_eq!((tx.capacity(), rx.capacity(), tx.max_len(), rx.max_len()), (256, 256, 112, 112));
    for tag in 0..4 {
        tx.try_send(tag, &[1; 20]).unwrap();
    }
    rx.try_recv(&mut [0; 112]).unwrap();
    rx.flush();
    assert_eq!((tx.len(), rx.len(), tx.refused()), (3 * 48, 3, 0));
    // An upper bound, by a quarter of the ring at most.
    assert!((4 * 48..=4 * 48 + 64).contains(&tx.high_water()), "{}", tx.high_water());
    let state = strait_core::format::inspect::channel_state(region.mem(), 64, &region.entry("frames"));
    assert_eq!((state.len, state.high_water, state.sent, state.refused), (3, tx.high_water(), 4, 0));
    assert_eq!(state.producer.map(|who| who.place()), Some(1));
    assert_eq!(state.consumer.map(|who| who.place()), Some(2));
    assert_eq!((state.producer_fault, state.consumer_fault), (0, 0));
    drop((tx, rx));
    let state = strait_core::format::inspect::channel_state(region.mem(), 64, &region.entry("frames"));
    assert_eq!((state.producer, state.consumer, state.len), (None, None, 3));
}

#[test]
fn peers_are_absent_present_or_dead() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let tx = a.producer("frames").unwrap();
    assert_eq!(tx.peer(), PeerStatus::Absent);
    let rx = b.consumer("frames").unwrap();
    assert_eq!((tx.peer(), rx.peer()), (PeerStatus::Present, PeerStatus::Present));
    b.die(rx);
    assert_eq!(tx.peer(), PeerStatus::Dead);
    let rx = region.join().consumer("frames").unwrap();
    assert_eq!(tx.peer(), PeerStatus::Present);
    drop(rx);
    assert_eq!(tx.peer(), PeerStatus::Absent);
}

/// Says that it is over, also by a panic.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Sends `count` messages from another thread while this one receives: none lost, none twice, in
/// order, whole.
fn between_threads(
    count: u64,
    mut send: impl FnMut(u64) -> bool + Send,
    mut recv: impl FnMut() -> Option<u64>,
) {
    let give_up = Instant::now() + Duration::from_secs(60);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = OnDrop(&over);
        scope.spawn(|| {
            for number in 0..count {
                while !send(number) {
                    assert!(Instant::now() < give_up, "stuck before {number} is sent");
                    if over.0.load(Relaxed) {
                        return;
                    }
                    std::thread::yield_now();
                }
            }
        });
        for number in 0..count {
            let got = loop {
                match recv() {
                    Some(got) => break got,
                    None => std::thread::yield_now(),
                }
                assert!(Instant::now() < give_up, "stuck before {number} is received");
            };
            assert_eq!(got, number);
        }
    });
}

#[test]
fn frames_between_threads() {
    for options in [
        ConsumerOptions::new(),
        ConsumerOptions::new().release_every(1),
        ConsumerOptions::new().delivery(Delivery::AtMostOnce),
    ] {
        let (mut tx, mut rx) = frames(&Region::new(&PLAN), options);
        let payload = |number: u64| number.to_le_bytes().repeat((number % 14) as usize + 1);
        let send = move |number: u64| tx.try_send(number as u32, &payload(number)).is_ok();
        let mut buffer = [0; 112];
        between_threads(30_000, send, || {
            let got = rx.try_recv(&mut buffer).ok()?;
            let number = u64::from(got.sequence);
            assert_eq!((u64::from(got.tag), &buffer[..got.len]), (number, &payload(number)[..]));
            assert!(rx.len() <= 15, "{} frames in a ring for 15", rx.len());
            Some(number)
        });
    }
}

#[test]
fn values_between_threads() {
    for name in ["slots", "compact"] {
        let (mut tx, mut rx) = values(&Region::new(&PLAN), name);
        let send = move |number: u64| tx.try_send(&number).is_ok();
        between_threads(50_000, send, || rx.try_recv().ok());
    }
}

#[test]
fn an_endpoint_moves_between_threads_with_its_member() {
    let region = Region::new(&PLAN);
    let member: Member = region.join();
    let mut tx = member.producer("frames").unwrap();
    std::thread::spawn(move || tx.try_send(1, b"from there").unwrap()).join().unwrap();
    assert_eq!(member.consumer("frames").unwrap().try_recv_frame::<16>().unwrap().payload(), b"from there");
    drop(member);
    assert!(region.is_intact());
}
