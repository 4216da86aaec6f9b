//! A timer interrupt and the main loop share a region in a `static`: frames, a latest value, and a
//! main loop that sleeps until something comes. Still no unsafe: [`StaticRegion`] hands the memory over.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::time::Duration;

use cortex_m::interrupt::{self, Mutex};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::{Peripherals, asm};
use cortex_m_rt::{entry, exception};
use semihosting::{println, process};
use strait_core::{
    Channel, LatestWriter, Plan, Producer, Reading, StaticRegion, WaitPolicy,
    port::{Clock, LocalPort, Wait, WaitPoint},
};

strait_core::message! {
    /// Where the shaft is.
    struct Shaft { tick: u32, angle: u32 }
}

/// One core and no cache: nothing is gained by keeping words apart.
const PLAN: Plan =
    Plan::new(&[Channel::frames("events", 256, 16).consumer_may_block(), Channel::latest::<Shaft>("shaft")])
        .line(4)
        .participants(2);

static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();

/// 200 microseconds at 25 MHz.
const CYCLES_A_TICK: u32 = 5_000;
const NANOS_A_TICK: u64 = 200_000;
/// An event comes with every fifth tick.
const TICKS_AN_EVENT: u32 = 5;
const EVENTS: u32 = 200;

/// The endpoints' needs of the board: a clock, and sleep until the next interrupt.
struct Board {
    ticks: Mutex<Cell<u64>>,
    sleeps: Mutex<Cell<u32>>,
}

static BOARD: Board = Board { ticks: Mutex::new(Cell::new(0)), sleeps: Mutex::new(Cell::new(0)) };

impl Clock for Board {
    fn now_ns(&self) -> u64 {
        interrupt::free(|cs| self.ticks.borrow(cs).get()) * NANOS_A_TICK
    }
}

impl Wait for Board {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, _: Duration) {
        // An interrupt that comes between the look and the sleep ends the sleep, and then runs.
        interrupt::free(|cs| {
            if point.word.read_plain() == expected {
                let sleeps = self.sleeps.borrow(cs);
                sleeps.set(sleeps.get() + 1);
                asm::wfi();
            }
        });
    }

    fn wake(&self, _: WaitPoint<'_>) {} // The interrupt that wakes has ended the sleep already.
}

/// The interrupt's endpoints.
struct Encoder {
    events: Producer<LocalPort<'static, Board>>,
    shaft: LatestWriter<Shaft, LocalPort<'static, Board>>,
    tick: u32,
}

impl Encoder {
    fn open() -> Option<Self> {
        let attachment = REGION.attach(&BOARD).ok()?;
        let (events, shaft) = (attachment.producer("events").ok()?, attachment.latest_writer("shaft").ok()?);
        Some(Self { events, shaft, tick: 0 })
    }

    fn step(&mut self) {
        self.tick += 1;
        self.shaft.publish(&Shaft { tick: self.tick, angle: 3 * self.tick });
        if self.tick.is_multiple_of(TICKS_AN_EVENT) {
            // If the queue is full, the event is lost and counted.
            let _ = self.events.try_send(self.tick, b"index mark");
        }
    }
}

#[exception]
fn SysTick() {
    static mut ENCODER: Option<Encoder> = None;

    interrupt::free(|cs| {
        let ticks = BOARD.ticks.borrow(cs);
        ticks.set(ticks.get() + 1);
    });
    if ENCODER.is_none() {
        *ENCODER = Encoder::open();
    }
    if let Some(encoder) = ENCODER {
        encoder.step();
    }
}

fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(CYCLES_A_TICK);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

#[entry]
fn main() -> ! {
    let attachment = REGION.create(&PLAN, 1, &BOARD).expect("the region");
    let mut events = attachment.consumer("events").expect("the role");
    let mut shaft = attachment.latest_reader::<Shaft>("shaft").expect("the channel");
    // Sleep at once; a spinning core would only keep the processor warm.
    events.set_wait_policy(WaitPolicy { spin: 0, ..WaitPolicy::parking() });
    start(Peripherals::take().expect("nobody else takes them").SYST);

    let mut buffer = [0; 16];
    for number in 0..EVENTS {
        let event = events.recv_timeout(&mut buffer, Duration::from_secs(1)).expect("an event");
        assert_eq!(event.sequence, number, "an event was lost or came twice");
        assert_eq!(event.tag, (number + 1) * TICKS_AN_EVENT);
        assert_eq!(&buffer[..event.len], b"index mark");
        let Reading::Fresh(now) = shaft.read() else { panic!("the shaft stands still") };
        assert!(now.tick >= event.tag && now.angle == 3 * now.tick, "half a value");
    }
    let sleeps = interrupt::free(|cs| BOARD.sleeps.borrow(cs).get());
    assert!(sleeps >= EVENTS, "the main loop did not sleep");
    println!("PASS {EVENTS} frames and a latest value from the interrupt, {sleeps} sleeps in between");
    process::exit(0)
}
