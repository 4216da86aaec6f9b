//! A core without compare-and-swap: messages by loads and stores alone, locks through a critical
//! section that all users on the one core share.
//!
//! strait's atomics are portable-atomic's: where the core has no compare-and-swap, that enters the
//! critical section that the program supplies (`sections.rs`). Here an interrupt and the main loop
//! use everything at once, and count the entries to it.
#![no_std]
#![no_main]

mod board;
mod interrupt;
mod sections;

use semihosting::{println, process};
use strait_core::{
    Channel, Consumer, LatestReader, Mutex, Plan, Reading, Semaphore, StaticConsumer, StaticQueue,
    StaticRegion, TypedProducer,
    port::{LocalPort, NoSystem},
};

pub use interrupt::tick;
use sections::entered;

strait_core::message! {
    /// Where the shaft is.
    struct Shaft { tick: u32, angle: u32 }

    /// How often each side locked.
    struct Tally { main: u32, interrupt: u32 }
}

const SLOTS: usize = 8;
const ROUNDS: u32 = 500;
/// More than one interrupt for each round.
const MOST_TICKS: u32 = 4 * ROUNDS;

static SAMPLES: StaticQueue<u32, SLOTS> = StaticQueue::new();

const PLAN: Plan = Plan::new(&[
    Channel::frames("events", 256, 16),
    Channel::slots::<u32>("commands", 4),
    Channel::latest::<Shaft>("shaft"),
    Channel::mutex::<Tally>("tally"),
    Channel::semaphore("credit", 0, MOST_TICKS),
])
.line(4)
.participants(2);

static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();

type Port = LocalPort<'static, NoSystem>;

/// The main loop's endpoints.
struct Control {
    samples: StaticConsumer<'static, u32, SLOTS>,
    events: Consumer<Port>,
    commands: TypedProducer<u32, Port>,
    shaft: LatestReader<Shaft, Port>,
    tally: Mutex<Tally, Port>,
    credit: Semaphore<Port>,
}

impl Control {
    fn open() -> Option<Self> {
        let region = REGION.create(&PLAN, 1, &NoSystem).ok()?;
        Some(Self {
            samples: SAMPLES.take_consumer()?,
            events: region.consumer("events").ok()?,
            commands: region.typed_producer("commands").ok()?,
            shaft: region.latest_reader("shaft").ok()?,
            tally: region.mutex("tally").ok()?,
            credit: region.semaphore("credit").ok()?,
        })
    }

    /// One message of each kind: no critical section.
    fn messages(&mut self, round: u32) -> u32 {
        let before = entered();
        let tick = loop {
            match self.samples.pop() {
                Some(tick) => break tick,
                None => board::sleep(),
            }
        };
        let mut buffer = [0; 16];
        let event = self.events.try_recv(&mut buffer).expect("it comes with the sample");
        assert_eq!((event.tag, &buffer[..event.len]), (tick, &tick.to_le_bytes()[..]));
        let Reading::Fresh(now) = self.shaft.read() else { panic!("the shaft stands still") };
        assert!(now.tick >= tick && now.angle == 3 * now.tick, "half a value");
        self.commands.try_send(&round).expect("the interrupt takes them all");
        assert_eq!(entered(), before, "a message needed a critical section");
        tick
    }

    /// Takes the lock, in every fourth round for so long that the interrupt finds it taken.
    fn lock(&mut self, round: u32) {
        let before = entered();
        let lock = self.tally.try_lock().expect("the interrupt gives it back before it ends");
        let mut tally = lock.or_roll_back().ok().expect("nobody died");
        if round.is_multiple_of(4) {
            board::sleep();
        }
        tally.update(|tally| tally.main += 1);
        tally.unlock().expect("it is ours");
        assert_eq!(entered(), before + 2, "locking and unlocking are a compare-and-swap each");
    }
}

#[board::entry]
fn main() -> ! {
    let mut control = Control::open().expect("the region");
    interrupt::install(interrupt::Encoder::open().expect("the region"));
    board::start_ticks();

    let mut last = 0;
    for round in 1..=ROUNDS {
        let tick = control.messages(round);
        assert!(tick > last, "a sample came twice");
        last = tick;
        control.lock(round);
        control.credit.try_acquire().expect("one for each sample");
    }
    let encoder = interrupt::remove().expect("it was installed");

    let tally = control.tally.try_lock().ok().and_then(|lock| lock.or_roll_back().ok()).expect("free").get();
    assert_eq!(tally, Tally { main: ROUNDS, interrupt: encoder.locked });
    assert!(encoder.missed >= ROUNDS / 4, "the lock was never contended");
    assert_eq!(control.credit.count(), encoder.sent - ROUNDS, "the semaphore has miscounted");
    println!(
        "PASS {ROUNDS} rounds of queue, frames, latest value without a critical section; one lock taken {} + {} \
         times and {} times refused, with exact totals",
        tally.main, tally.interrupt, encoder.missed
    );
    process::exit(0)
}
