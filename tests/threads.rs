//! Threads that share one mapping of a region: every message is whole, in order, and handed over with
//! what was written before it. Under a race detector the last of these is what it checks.
#![cfg(any(target_os = "linux", windows))]

mod common;

use std::cell::UnsafeCell;
use std::time::{Duration, Instant};

use common::PATIENCE;
use common::rng::Rng;
use strait::port::RELAXED;
use strait::{
    Channel, Consumer, LatestReader, Plan, Producer, Reading, Region, RegionOptions, SealedRegion,
    StaticQueue, SystemPort, TryRecvError, TrySendError, TypedConsumer, TypedProducer, options::WaitPolicy,
    port::Port,
};

const MAX_FRAME: usize = 200;
const SLOTS: u32 = 8;

const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", 1024, MAX_FRAME as u32).consumer_may_block().producer_may_block(),
    Channel::slots::<Value>("slots", SLOTS).consumer_may_block(),
    Channel::compact::<Value>("compact", SLOTS),
    Channel::latest::<Value>("latest").consumer_may_block(),
]);

type Value = [u64; 5];

fn value(number: u64) -> Value {
    [number, !number, number << 32, number.wrapping_mul(3), number]
}

/// A frame's payload: its length and its bytes follow from its number.
fn payload(number: u32) -> Vec<u8> {
    let mut rng = Rng::new(u64::from(number));
    (0..rng.below(MAX_FRAME + 1)).map(|_| rng.next() as u8).collect()
}

/// One mapping: the same memory mapped twice has two addresses, and no race detector sees that they
/// are one.
fn region() -> Region {
    SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed memory")
}

/// Plain memory beside a queue. A cell is written before a message is sent and read after it was
/// received, so it is the queue's own ordering that keeps the threads from racing for it.
struct Beside(Box<[UnsafeCell<u64>]>);

// SAFETY: a cell is only a place; access to it is up to the callers of the unsafe methods.
unsafe impl Sync for Beside {}

impl Beside {
    fn new(cells: u64) -> Self {
        Self((0..cells).map(|_| UnsafeCell::new(0)).collect())
    }

    /// # Safety
    ///
    /// The caller has the cell to itself.
    unsafe fn put(&self, cell: u64, value: u64) {
        // SAFETY: the pointer is valid, and exclusive by the caller's promise.
        unsafe { self.0[cell as usize].get().write(value) };
    }

    /// # Safety
    ///
    /// Nobody writes to the cell during the call.
    unsafe fn get(&self, cell: u64) -> u64 {
        // SAFETY: the pointer is valid, and nobody writes by the caller's promise.
        unsafe { self.0[cell as usize].get().read() }
    }
}

/// Tries until it works, and lets the others run in between.
fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(started.elapsed() < PATIENCE, "stuck");
        std::thread::yield_now();
    }
}

fn sent<T>(result: Result<T, TrySendError>) -> Option<T> {
    match result {
        Err(TrySendError::Full) => None,
        other => Some(other.expect("nobody misbehaves")),
    }
}

fn received<T>(result: Result<T, TryRecvError>) -> Option<T> {
    match result {
        Err(TryRecvError::Empty) => None,
        other => Some(other.expect("nobody misbehaves")),
    }
}

/// Sends frame `number`, by a copy or in place.
fn send(tx: &mut Producer<SystemPort>, number: u32, content: &[u8]) -> Option<()> {
    if number.is_multiple_of(2) {
        return sent(tx.try_send(number, content));
    }
    let mut grant = sent(tx.reserve(content.len()))?;
    grant.as_mut_slice().expect("the attachment trusts").copy_from_slice(content);
    grant.set_tag(number);
    grant.commit();
    Some(())
}

/// Receives frame `number` by one of three ways: tag, sequence and payload.
fn receive(rx: &mut Consumer<SystemPort>, number: u32) -> Option<(u32, u32, Vec<u8>)> {
    match number % 3 {
        0 => {
            let mut buffer = [0; MAX_FRAME];
            let got = received(rx.try_recv(&mut buffer))?;
            Some((got.tag, got.sequence, buffer[..got.len].to_vec()))
        }
        1 => {
            let got = received(rx.try_recv_frame::<MAX_FRAME>())?;
            Some((got.tag(), got.sequence(), got.payload().to_vec()))
        }
        _ => {
            let peek = received(rx.peek())?;
            let content = peek.as_slice().expect("the attachment trusts").to_vec();
            let info = peek.info();
            peek.release();
            Some((info.tag, info.sequence, content))
        }
    }
}

#[test]
fn frames_of_every_length() {
    const FRAMES: u32 = 8_000;
    // SAFETY: both ends are in this test, and keep the protocol.
    let region = unsafe { region().trusting_peers() };
    let (mut tx, mut rx) = (region.producer("frames").unwrap(), region.consumer("frames").unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..FRAMES {
                let content = payload(number);
                eventually(|| send(&mut tx, number, &content));
            }
        });
        for number in 0..FRAMES {
            let got = eventually(|| receive(&mut rx, number));
            assert_eq!(got, (number, number, payload(number)));
        }
        assert_eq!(rx.try_recv(&mut []), Err(TryRecvError::Empty));
    });
}

fn send_values(mut tx: TypedProducer<Value, SystemPort>, beside: &Beside, count: u64) {
    for number in 0..count {
        // This looks at what the consumer has released.
        eventually(|| (tx.len() < SLOTS).then_some(()));
        // SAFETY: the consumer has released the value that went with this cell, and does not read the
        // cell before it has received the next one.
        unsafe { beside.put(number % u64::from(SLOTS), number) };
        tx.try_send(&value(number)).unwrap();
    }
}

fn values(name: &str) {
    const VALUES: u64 = 20_000;
    let region = region();
    let tx = region.typed_producer::<Value>(name).unwrap();
    let mut rx = region.typed_consumer::<Value>(name).unwrap();
    let beside = Beside::new(SLOTS.into());
    std::thread::scope(|scope| {
        scope.spawn(|| send_values(tx, &beside, VALUES));
        for number in 0..VALUES {
            assert_eq!(eventually(|| received(rx.try_recv())), value(number));
            // SAFETY: its value was received and is not released yet.
            assert_eq!(unsafe { beside.get(number % u64::from(SLOTS)) }, number);
        }
    });
}

#[test]
fn values_published_in_the_slot() {
    values("slots");
}

#[test]
fn values_published_by_index() {
    values("compact");
}

/// Reads until it has seen number `last`.
fn follow(mut reader: LatestReader<Value, SystemPort>, beside: &Beside, last: u64) {
    let mut seen = 0;
    while seen < last {
        let got = eventually(|| match reader.read() {
            Reading::Fresh(got) => Some(got),
            _ => None,
        });
        assert_eq!(got, value(got[0]), "torn");
        assert!(got[0] > seen, "{} after {seen}", got[0]);
        assert_eq!(reader.info().map(|info| info.number), Some(got[0]));
        seen = got[0];
        // SAFETY: the cell was written once, before its value was published.
        assert_eq!(unsafe { beside.get(seen) }, seen);
    }
}

#[test]
fn a_latest_value_with_two_readers() {
    const VALUES: u64 = 30_000;
    let region = region();
    let mut writer = region.latest_writer::<Value>("latest").unwrap();
    let beside = Beside::new(VALUES + 1);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let reader = region.latest_reader::<Value>("latest").unwrap();
            scope.spawn(|| follow(reader, &beside, VALUES));
        }
        for number in 1..=VALUES {
            // SAFETY: nobody reads the cell before its value is published.
            unsafe { beside.put(number, number) };
            writer.publish(&value(number));
            if number.is_multiple_of(64) {
                std::thread::yield_now();
            }
        }
    });
}

#[test]
fn a_static_queue_of_things_on_the_heap() {
    static QUEUE: StaticQueue<Vec<u8>, 4> = StaticQueue::new();
    const VALUES: u32 = 8_000;
    let (mut tx, mut rx) = (QUEUE.take_producer().unwrap(), QUEUE.take_consumer().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..VALUES {
                let mut content = Some(payload(number));
                eventually(|| {
                    content = tx.push(content.take()?).err();
                    content.is_none().then_some(())
                });
            }
        });
        for number in 0..VALUES {
            assert_eq!(eventually(|| rx.pop()), payload(number));
        }
    });
}

/// Sleeps at once, and so long that a lost wake is not overlooked.
const ASLEEP: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: PATIENCE };

/// Answers each of `count` frames by the value of its number, after the latest value of that number.
fn answer(
    mut rx: Consumer<SystemPort>,
    mut latest: LatestReader<Value, SystemPort>,
    mut tx: TypedProducer<Value, SystemPort>,
    count: u64,
) {
    rx.set_wait_policy(ASLEEP);
    latest.set_wait_policy(ASLEEP);
    let mut buffer = [0; MAX_FRAME];
    for number in 1..=count {
        assert_eq!(latest.wait_for_change(PATIENCE), Reading::Fresh(value(number)));
        let got = rx.recv_timeout(&mut buffer, PATIENCE).unwrap();
        assert_eq!((u64::from(got.tag), &buffer[..got.len]), (number, &*payload(got.tag)));
        tx.try_send(&value(number)).unwrap();
    }
}

#[test]
fn sleepers_are_woken_for_every_message() {
    const ROUNDS: u64 = 500;
    let region = region();
    let mut tx = region.producer("frames").unwrap();
    let mut writer = region.latest_writer::<Value>("latest").unwrap();
    let mut back: TypedConsumer<Value, _> = region.typed_consumer("slots").unwrap();
    back.set_wait_policy(ASLEEP);
    let rx = region.consumer("frames").unwrap();
    let latest = region.latest_reader("latest").unwrap();
    let answers = region.typed_producer("slots").unwrap();
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || answer(rx, latest, answers, ROUNDS));
        for number in 1..=ROUNDS {
            writer.publish(&value(number));
            tx.try_send(number as u32, &payload(number as u32)).unwrap();
            assert_eq!(back.recv_timeout(PATIENCE), Ok(value(number)));
        }
    });
    assert!(started.elapsed() < PATIENCE, "a wake was lost");
}

#[test]
fn a_sender_sleeps_until_there_is_space() {
    const FRAMES: u32 = 2_000;
    let region = region();
    let (mut tx, mut rx) = (region.producer("frames").unwrap(), region.consumer("frames").unwrap());
    tx.set_wait_policy(ASLEEP);
    rx.set_wait_policy(ASLEEP);
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..FRAMES {
                tx.send_timeout(number, &payload(number), PATIENCE).unwrap();
            }
        });
        let mut buffer = [0; MAX_FRAME];
        for number in 0..FRAMES {
            if number.is_multiple_of(500) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let got = rx.recv_timeout(&mut buffer, PATIENCE).unwrap();
            assert_eq!((got.tag, &buffer[..got.len]), (number, &*payload(number)));
        }
    });
    assert!(started.elapsed() < PATIENCE, "a wake was lost");
}

/// The cells beside a queue, handed over by a word without any order: the race detector must say so,
/// or it would not see a queue that orders too little either.
#[test]
#[ignore = "races on purpose: the lane `tsan` runs it and expects a report"]
fn control_a_message_without_order() {
    let region = region();
    let entry = region.channel("slots").unwrap();
    let word = |offset| region.port().mem().word(offset).unwrap();
    let beside = Beside::new(1);
    std::thread::scope(|scope| {
        // Kept, for dropping the handle of a thread that has ended would put an order in.
        let _writer = scope.spawn(|| {
            // SAFETY: none; this is the race.
            unsafe { beside.put(0, 1) };
            word(entry.data).store(1, RELAXED);
        });
        eventually(|| (word(entry.data).load(RELAXED) == 1).then_some(()));
        // SAFETY: none; this is the race.
        println!("{}", unsafe { beside.get(0) });
    });
}
