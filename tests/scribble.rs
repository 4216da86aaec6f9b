//! A thread writes garbage over a channel, without a pause, while another uses one end of it. Whatever
//! happens to stand there, each call ends, with an error or with a value of a length that can be.
#![cfg(any(target_os = "linux", windows))]

mod common;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::PATIENCE;
use common::rng::Rng;
use strait::port::RELAXED;
use strait::{
    Attachment, Channel, ChannelError, Consumer, LatestReader, Plan, Producer, RecvError, Region,
    RegionOptions, SealedRegion, SendError, SystemPort, TryRecvError, TrySendError, TypedConsumer,
    TypedProducer,
    format::inspect,
    port::{Mem, Port},
};
use strait_core::protocol::frames::{PAD, READY};

const RING: u32 = 512;
const MAX_FRAME: usize = 200;
const SLOTS: u32 = 8;

type Value = [u64; 5];

/// Each channel's words end where the next one's begin; the last is there for the one before it.
const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", RING, MAX_FRAME as u32).consumer_may_block().producer_may_block(),
    Channel::slots::<Value>("slots", SLOTS).consumer_may_block().producer_may_block(),
    Channel::compact::<Value>("compact", SLOTS).consumer_may_block().producer_may_block(),
    Channel::latest::<Value>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", MAX_FRAME as u32).consumer_may_block(),
    Channel::compact::<u8>("end", 1),
]);

/// How long a test scribbles, and how many calls it makes at the least.
const LASTS: Duration = Duration::from_millis(150);
const CALLS: u32 = 200;
/// A time-out that is soon over.
const SOON: Duration = Duration::from_micros(200);

/// One mapping, every channel half full. (The same memory mapped twice has two addresses, and no race
/// detector sees that they are one.)
fn region() -> Region {
    let region = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed memory");
    let mut frames = region.producer("frames").unwrap();
    (0..4).for_each(|tag| frames.try_send(tag, &[1; 40]).unwrap());
    for name in ["slots", "compact"] {
        let mut values = region.typed_producer::<Value>(name).unwrap();
        (0..SLOTS / 2).for_each(|_| values.try_send(&[1; 5]).unwrap());
    }
    region.latest_writer::<Value>("latest").unwrap().publish(&[1; 5]);
    region.latest_writer::<[u8]>("bytes").unwrap().publish_from(1, &[1; 40]).unwrap();
    region
}

/// A range of a region, and the words that stood there in good times.
struct Target<'m> {
    mem: &'m Mem,
    from: u32,
    sound: Vec<u32>,
    /// The longest rest between two bursts, in turns of a loop.
    rest: usize,
}

impl<'m> Target<'m> {
    fn new(mem: &'m Mem, from: u32, to: u32, rest: usize) -> Self {
        Self { mem, from, sound: words(mem, from, to), rest }
    }

    /// All that belongs to one channel.
    fn channel(region: &'m Region, name: &str) -> Self {
        let mut entries = region.channels().skip_while(|entry| entry.name() != Some(name));
        let (this, next) = (entries.next().unwrap(), entries.next().unwrap());
        Self::new(region.port().mem(), this.block_a, next.block_a, 500)
    }

    fn store(&self, index: usize, value: u32) {
        self.mem.word(self.from + 4 * index as u32).expect("inside").store(value, RELAXED);
    }

    fn restore(&self) {
        self.sound.iter().enumerate().for_each(|(index, &value)| self.store(index, value));
    }

    /// Overwrites some words at one place: what stood there, something near it, something that a word
    /// may be somewhere, or anything.
    fn scribble(&self, rng: &mut Rng) {
        let start = rng.below(self.sound.len());
        for index in start..(start + 1 + rng.below(8)).min(self.sound.len()) {
            let sound = self.sound[index];
            let value = match rng.below(8) {
                0..4 => sound,
                4 => sound.wrapping_add(rng.below(64) as u32).wrapping_sub(32),
                5 => READY | rng.below(MAX_FRAME + 20) as u32,
                6 => [0, 1, 2, PAD, RING, u32::MAX - 15][rng.below(6)],
                _ => rng.word(),
            };
            self.store(index, value);
        }
    }

    /// Scribbles until it is over, sometimes in haste and sometimes with a rest.
    fn scribble_until(&self, over: &AtomicBool) {
        let mut rng = Rng::new(1);
        while !over.load(Relaxed) {
            (0..rng.below(32)).for_each(|_| self.scribble(&mut rng));
            (0..rng.below(self.rest)).for_each(|_| std::hint::spin_loop());
        }
    }

    /// Everything in the region but this range.
    fn others(&self) -> Vec<u32> {
        let end = self.from + 4 * self.sound.len() as u32;
        [words(self.mem, 0, self.from), words(self.mem, end, self.mem.len())].concat()
    }
}

fn words(mem: &Mem, from: u32, to: u32) -> Vec<u32> {
    (from..to).step_by(4).map(|offset| mem.word(offset).expect("inside").load(RELAXED)).collect()
}

/// Runs `round` over and over while `target` is scribbled over; each time the range is put in order
/// before. A round returns how many calls did something, so that a test that does nothing fails.
fn under_fire(target: &Target<'_>, mut round: impl FnMut(&mut Rng) -> u32) {
    let over = AtomicBool::new(false);
    let (mut calls, mut rng, started) = (0, Rng::new(2), Instant::now());
    std::thread::scope(|scope| {
        scope.spawn(|| target.scribble_until(&over));
        // A round that panics must end the scribbler as well, or the scope waits for ever.
        let _over = Over(&over);
        while started.elapsed() < LASTS || calls < CALLS {
            assert!(started.elapsed() < PATIENCE, "{calls} calls are all that did something");
            target.restore();
            calls += round(&mut rng);
        }
    });
    println!("{calls} calls that did something");
}

/// Says that it is over when dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Opens an end of a channel under fire, and calls it until it has latched a fault. Nothing but this
/// channel changes at the same time.
fn channel_under_fire<E>(
    name: &str,
    open: impl Fn(&Region) -> Result<E, ChannelError>,
    mut call: impl FnMut(&mut E, &mut Rng) -> Call,
) {
    let region = region();
    let target = Target::channel(&region, name);
    let others = target.others();
    under_fire(&target, |rng| {
        let mut end = match open(&region) {
            Ok(end) => end,
            Err(ChannelError::Busy | ChannelError::Fault(_)) => return 0,
            Err(error) => panic!("{error}"),
        };
        let mut done = 0;
        for _ in 0..16 {
            match call(&mut end, rng) {
                Call::Done => done += 1,
                Call::Nothing => {}
                Call::Fault => break,
            }
        }
        done
    });
    assert_eq!(target.others(), others, "a word outside the channel has changed");
}

/// The outcome of a call.
enum Call {
    Done,
    Nothing,
    Fault,
}

impl From<TryRecvError> for Call {
    fn from(error: TryRecvError) -> Self {
        match error {
            TryRecvError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

impl From<RecvError> for Call {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

impl From<TrySendError> for Call {
    fn from(error: TrySendError) -> Self {
        match error {
            TrySendError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

impl From<SendError> for Call {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

/// Calls that sleep are made now and then only: they take most of the time.
fn is_rare(rng: &mut Rng) -> bool {
    rng.below(16) == 0
}

/// A good result must satisfy `check`.
fn checked<T, E: Into<Call>>(result: Result<T, E>, check: impl FnOnce(T) -> bool) -> Call {
    match result {
        Ok(value) => {
            assert!(check(value), "out of bounds");
            Call::Done
        }
        Err(error) => error.into(),
    }
}

/// A buffer between margins.
struct Buffer([u8; MARGIN + MAX_FRAME + MARGIN]);

const MARGIN: usize = 64;
const UNTOUCHED: u8 = 0xA5;

impl Buffer {
    fn new() -> Self {
        Self([UNTOUCHED; MARGIN + MAX_FRAME + MARGIN])
    }

    fn first(&mut self, len: usize) -> &mut [u8] {
        &mut self.0[MARGIN..MARGIN + len]
    }

    /// Whether nothing was written but the first `len` bytes.
    fn only_holds(&self, len: usize) -> bool {
        let (before, after) = (&self.0[..MARGIN], &self.0[MARGIN + len..]);
        before.iter().chain(after).all(|&byte| byte == UNTOUCHED)
    }
}

fn receive_a_frame(rx: &mut Consumer<SystemPort>, rng: &mut Rng) -> Call {
    let mut buffer = Buffer::new();
    let room = rng.below(MAX_FRAME + 1);
    assert!(rx.len() <= RING / 16);
    match rng.below(8) {
        0 => {
            let result = rx.try_recv(buffer.first(room));
            if let Err(TryRecvError::TooSmall { needed }) = result {
                assert!(needed > room && needed <= MAX_FRAME && buffer.only_holds(0));
            }
            checked(result, |got| got.len <= room && buffer.only_holds(got.len))
        }
        1 => checked(rx.try_recv_frame::<MAX_FRAME>(), |got| got.payload().len() <= MAX_FRAME),
        2 => checked(rx.peek(), |peek| {
            let len = peek.info().len;
            let from = rng.below(MAX_FRAME);
            let copied = peek.copy_from(from, buffer.first(room));
            peek.release();
            len <= MAX_FRAME && copied == room.min(len.saturating_sub(from)) && buffer.only_holds(copied)
        }),
        3 => {
            let max = rng.below(RING as usize);
            let result = rx.recv_batch(max, |peek| assert!(peek.info().len <= MAX_FRAME));
            checked(result, |count| count <= max)
        }
        4 if is_rare(rng) => checked(rx.recv_timeout(buffer.first(room), SOON), |got| {
            got.len <= room && buffer.only_holds(got.len)
        }),
        _ => checked(rx.try_recv(buffer.first(MAX_FRAME)), |got| {
            got.len <= MAX_FRAME && buffer.only_holds(got.len)
        }),
    }
}

#[test]
fn a_consumer_of_frames() {
    channel_under_fire("frames", |region| region.consumer("frames"), receive_a_frame);
}

fn receive_values(rx: &mut TypedConsumer<Value, SystemPort>, rng: &mut Rng) -> Call {
    assert!(rx.len() <= SLOTS);
    match rng.below(4) {
        0 => {
            let max = rng.below(2 * SLOTS as usize + 1);
            checked(rx.recv_batch(max, |_| ()), |count| count <= max)
        }
        1 if is_rare(rng) => checked(rx.recv_timeout(SOON), |_| true),
        _ => checked(rx.try_recv(), |_| true),
    }
}

#[test]
fn a_consumer_of_values_published_in_the_slot() {
    channel_under_fire("slots", |region| region.typed_consumer("slots"), receive_values);
}

#[test]
fn a_consumer_of_values_published_by_index() {
    channel_under_fire("compact", |region| region.typed_consumer("compact"), receive_values);
}

fn send_a_frame(tx: &mut Producer<SystemPort>, rng: &mut Rng) -> Call {
    let content = [7; MAX_FRAME];
    let content = &content[..rng.below(MAX_FRAME + 1)];
    assert!(tx.len() <= RING && tx.high_water() <= RING);
    match rng.below(4) {
        0 => checked(tx.reserve(content.len()), |mut grant| {
            let written = grant.write(0, content);
            grant.commit();
            written == content.len()
        }),
        1 if is_rare(rng) => checked(tx.send_timeout(1, content, SOON), |()| true),
        2 => {
            let batch = [(1, content), (2, content)];
            checked(tx.try_send_batch(batch), |count| count <= batch.len())
        }
        _ => checked(tx.try_send(1, content), |()| true),
    }
}

#[test]
fn a_producer_of_frames() {
    channel_under_fire("frames", |region| region.producer("frames"), send_a_frame);
}

fn send_values(tx: &mut TypedProducer<Value, SystemPort>, rng: &mut Rng) -> Call {
    assert!(tx.len() <= SLOTS && tx.high_water() <= SLOTS);
    match rng.below(4) {
        0 => checked(tx.try_send_batch([[7; 5]; 3]), |count| count <= 3),
        1 if is_rare(rng) => checked(tx.send_timeout(&[7; 5], SOON), |()| true),
        _ => checked(tx.try_send(&[7; 5]), |()| true),
    }
}

#[test]
fn a_producer_of_values_published_in_the_slot() {
    channel_under_fire("slots", |region| region.typed_producer("slots"), send_values);
}

#[test]
fn a_producer_of_values_published_by_index() {
    channel_under_fire("compact", |region| region.typed_producer("compact"), send_values);
}

#[test]
fn a_reader_of_latest_values() {
    let read = |reader: &mut LatestReader<Value, SystemPort>, rng: &mut Rng| {
        let reading = if is_rare(rng) { reader.wait_for_change(SOON) } else { reader.read() };
        if reading.value().is_some() { Call::Done } else { Call::Nothing }
    };
    channel_under_fire("latest", |region| region.latest_reader("latest"), read);
}

#[test]
fn a_reader_of_latest_bytes() {
    let read = |reader: &mut LatestReader<[u8], SystemPort>, rng: &mut Rng| {
        let mut buffer = Buffer::new();
        let room = rng.below(MAX_FRAME + 1);
        let reading = if is_rare(rng) {
            reader.wait_for_change_into(buffer.first(room), SOON)
        } else {
            reader.read_into(buffer.first(room))
        };
        assert!(buffer.only_holds(room));
        let Some(info) = reading.value() else { return Call::Nothing };
        assert!(info.len <= MAX_FRAME);
        Call::Done
    };
    channel_under_fire("bytes", |region| region.latest_reader::<[u8]>("bytes"), read);
}

#[test]
fn a_writer_of_latest_values() {
    channel_under_fire(
        "bytes",
        |region| region.latest_writer::<[u8]>("bytes"),
        |writer, rng| {
            assert!(writer.publish_from(1, &[7; MAX_FRAME][..rng.below(MAX_FRAME + 1)]).is_ok());
            Call::Done
        },
    );
}

/// Header, directory and participants too: attaches, looks at all that it finds, and uses it once.
#[test]
fn whoever_attaches() {
    let region = region();
    let port = region.port();
    // A header that is hit at every try would tell nothing of what comes after.
    let target = Target::new(port.mem(), 0, port.mem().len(), 20_000);
    under_fire(&target, |_| {
        let Ok(found) = Attachment::attach(port.clone()) else { return 0 };
        for entry in found.channels() {
            let state = inspect::channel_state(port.mem(), found.header().line, &entry);
            assert!(state.len <= entry.capacity);
        }
        let mut buffer = Buffer::new();
        if let Ok(mut rx) = found.consumer("frames") {
            let _ = rx.try_recv(buffer.first(MAX_FRAME));
        }
        if let Ok(mut tx) = found.producer("frames") {
            let _ = tx.try_send(1, &[7; 100]);
        }
        for name in ["slots", "compact"] {
            if let Ok(mut rx) = found.typed_consumer::<Value>(name) {
                let _ = rx.try_recv();
            }
            if let Ok(mut tx) = found.typed_producer::<Value>(name) {
                let _ = tx.try_send(&[7; 5]);
            }
        }
        if let Ok(mut writer) = found.latest_writer::<Value>("latest") {
            writer.publish(&[7; 5]);
        }
        if let Ok(mut reader) = found.latest_reader::<[u8]>("bytes") {
            reader.read_into(buffer.first(MAX_FRAME));
        }
        assert!(buffer.only_holds(MAX_FRAME));
        1
    });
    // For the ports, which give their places back.
    target.restore();
}

/// The crate as it would be with `memcpy`: the race detector must report it, or its silence
/// above would mean nothing.
#[test]
#[ignore = "races on purpose: the lane `tsan` runs it and expects a report"]
fn control_a_plain_copy() {
    let region = region();
    let target = Target::channel(&region, "bytes");
    let from = region.channel("bytes").unwrap().data;
    let bytes = region.port().mem().span(from, MAX_FRAME as u32).unwrap().as_ptr(0, MAX_FRAME);
    let mut buffer = [0; MAX_FRAME];
    // The detector remembers few accesses, so on a busy machine one round may go unseen.
    for _ in 0..20 {
        under_fire(&target, |_| {
            // SAFETY: the bytes are valid; that another thread writes to them is the race.
            unsafe { bytes.as_ptr().copy_to_nonoverlapping(buffer.as_mut_ptr(), MAX_FRAME) };
            // Or the compiler may leave out a copy that is never looked at.
            std::hint::black_box(&mut buffer);
            1
        });
    }
}

/// A copy that is a byte longer than the buffer: the address sanitizer must say so.
#[test]
#[ignore = "overruns on purpose: the lane `asan` runs it and expects a report"]
fn control_a_copy_past_the_end() {
    let mut buffer = vec![0_u8; MAX_FRAME];
    let content = [7; MAX_FRAME + 1];
    let len = std::hint::black_box(content.len());
    // SAFETY: none for the last byte; this is the overrun.
    unsafe { content.as_ptr().copy_to_nonoverlapping(buffer.as_mut_ptr(), len) };
    std::hint::black_box(buffer);
}
