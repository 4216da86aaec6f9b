//! A timer interrupt produces, the main loop consumes, through a queue in a `static`: no unsafe.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::{Peripherals, asm};
use cortex_m_rt::{entry, exception};
use semihosting::{println, process};
use strait_core::{StaticProducer, StaticQueue};

const SLOTS: usize = 8;
const SAMPLES: u32 = 1000;

/// The interrupt's measurement.
struct Sample {
    number: u32,
    /// Ticks so far at which the queue was full.
    refused: u32,
}

static QUEUE: StaticQueue<Sample, SLOTS> = StaticQueue::new();

#[exception]
fn SysTick() {
    // The runtime makes these the handler's own, so they need no lock.
    static mut TX: Option<StaticProducer<'static, Sample, SLOTS>> = None;
    static mut NEXT: Sample = Sample { number: 0, refused: 0 };

    if TX.is_none() {
        *TX = QUEUE.take_producer();
    }
    let Some(tx) = TX else { return };
    match tx.push(Sample { ..*NEXT }) {
        Ok(()) => NEXT.number += 1,
        Err(_) => NEXT.refused += 1,
    }
}

#[entry]
fn main() -> ! {
    let mut rx = QUEUE.take_consumer().expect("nobody else takes it");
    let mut timer = Peripherals::take().expect("nobody else takes them").SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(5_000); // 200 microseconds at 25 MHz.
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();

    let mut refused = 0;
    for expected in 0..SAMPLES {
        if expected == SAMPLES / 2 {
            // Fall behind for longer than the queue lasts: each tick ends one sleep.
            (0..4 * SLOTS).for_each(|_| asm::wfi());
        }
        let sample = loop {
            match rx.pop() {
                Some(sample) => break sample,
                None => asm::wfi(),
            }
        };
        assert_eq!(sample.number, expected, "a sample is missing, or came twice");
        refused = sample.refused;
    }
    assert!(refused > 0, "the queue was never full");
    assert!(QUEUE.take_producer().is_none(), "the interrupt has that half");
    println!("PASS {SAMPLES} samples from the interrupt in order, {refused} refused while full");
    process::exit(0)
}
