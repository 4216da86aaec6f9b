//! A region whose words are scribbled over, and calls that are made meanwhile.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use strait::port::{Mem, Port, RELAXED};
use strait::{Channel, ChannelError, Plan, Region, RegionOptions, SealedRegion};
use strait_core::protocol::frames::{PAD, READY};

use super::common::PATIENCE;
use super::common::rng::Rng;
use super::outcome::Call;

pub const RING: u32 = 512;
pub const MAX_FRAME: usize = 200;
pub const SLOTS: u32 = 8;

pub type Value = [u64; 5];

/// Each channel's words end where the next one's begin; the last is there for the one before it.
pub const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", RING, MAX_FRAME as u32).consumer_may_block().producer_may_block(),
    Channel::slots::<Value>("slots", SLOTS).consumer_may_block().producer_may_block(),
    Channel::compact::<Value>("compact", SLOTS).consumer_may_block().producer_may_block(),
    Channel::latest::<Value>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", MAX_FRAME as u32).consumer_may_block(),
    Channel::broadcast::<Value>("broadcast", SLOTS).consumer_may_block(),
    Channel::slots::<Value>("fan-out", SLOTS).consumers(2).consumer_may_block().producer_may_block(),
    Channel::compact::<u8>("end", 1),
]);

/// How long a test scribbles, and how many calls it makes at the least.
const LASTS: Duration = Duration::from_millis(150);
const CALLS: u32 = 200;
/// A time-out that is soon over.
pub const SOON: Duration = Duration::from_micros(200);

/// One mapping, every channel half full. (The same memory mapped twice has two addresses, and no race
/// detector sees that they are one.)
pub fn region() -> Region {
    let region = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed memory");
    let mut frames = region.producer("frames").unwrap();
    (0..4).for_each(|tag| frames.try_send(tag, &[1; 40]).unwrap());
    for name in ["slots", "compact"] {
        let mut values = region.typed_producer::<Value>(name).unwrap();
        (0..SLOTS / 2).for_each(|_| values.try_send(&[1; 5]).unwrap());
    }
    let mut broadcast = region.broadcast_writer::<Value>("broadcast").unwrap();
    (0..2 * SLOTS).for_each(|_| {
        broadcast.publish(&[1; 5]);
    });
    region.latest_writer::<Value>("latest").unwrap().publish(&[1; 5]);
    region.latest_writer::<[u8]>("bytes").unwrap().publish_from(1, &[1; 40]).unwrap();
    region
}

/// A range of a region, and the words that stood there in good times.
pub struct Target<'m> {
    mem: &'m Mem,
    from: u32,
    sound: Vec<u32>,
    /// The longest rest between two bursts, in turns of a loop.
    rest: usize,
}

impl<'m> Target<'m> {
    pub fn new(mem: &'m Mem, from: u32, to: u32, rest: usize) -> Self {
        Self { mem, from, sound: words(mem, from, to), rest }
    }

    /// All that belongs to one channel.
    pub fn channel(region: &'m Region, name: &str) -> Self {
        let mut entries = region.channels().skip_while(|entry| entry.name() != Some(name));
        // The parts of one channel have one name.
        let (this, next) =
            (entries.next().unwrap(), entries.find(|entry| entry.name() != Some(name)).unwrap());
        Self::new(region.port().mem(), this.block_a, next.block_a, 500)
    }

    fn store(&self, index: usize, value: u32) {
        self.mem.word(self.from + 4 * index as u32).expect("inside").store(value, RELAXED);
    }

    pub fn restore(&self) {
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
    pub fn others(&self) -> Vec<u32> {
        let end = self.from + 4 * self.sound.len() as u32;
        [words(self.mem, 0, self.from), words(self.mem, end, self.mem.len())].concat()
    }
}

fn words(mem: &Mem, from: u32, to: u32) -> Vec<u32> {
    (from..to).step_by(4).map(|offset| mem.word(offset).expect("inside").load(RELAXED)).collect()
}

/// Runs `round` over and over while `target` is scribbled over; each time the range is put in order
/// before. A round returns how many calls did something, so that a test that does nothing fails.
pub fn under_fire(target: &Target<'_>, mut round: impl FnMut(&mut Rng) -> u32) {
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
pub fn channel_under_fire<E>(
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
