//! The least port with a queue: an interrupt, a main loop, and nothing else. Its size is in COSTS.md.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::{Peripherals, asm};
use cortex_m_rt::{entry, exception};
use semihosting::{print, process};
use strait_core::{StaticProducer, StaticQueue};

static QUEUE: StaticQueue<u32, 8> = StaticQueue::new();

#[exception]
fn SysTick() {
    static mut TX: Option<StaticProducer<'static, u32, 8>> = None;
    static mut NUMBER: u32 = 0;

    if TX.is_none() {
        *TX = QUEUE.take_producer();
    }
    if let Some(tx) = TX
        && tx.push(*NUMBER).is_ok()
    {
        *NUMBER += 1;
    }
}

#[entry]
fn main() -> ! {
    let (Some(mut rx), Some(peripherals)) = (QUEUE.take_consumer(), Peripherals::take()) else {
        process::exit(1)
    };
    let mut timer = peripherals.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(5_000);
    timer.enable_counter();
    timer.enable_interrupt();
    let mut expected = 0;
    while expected < 100 {
        match rx.pop() {
            Some(number) if number == expected => expected += 1,
            Some(_) => process::exit(1),
            None => asm::wfi(),
        }
    }
    print!("PASS 100 values from the interrupt\n");
    process::exit(0)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    process::exit(2)
}
