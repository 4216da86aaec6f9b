//! mps2-an385: a Cortex-M3. Its first serial line is the mailbox: a byte rings, whatever it is.
//!
//! All interrupts stay masked, so that no handler runs. WFI ends all the same when one is pending that is enabled.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::asm;
use cortex_m::interrupt::{InterruptNumber, disable};
use cortex_m::peripheral::{NVIC, Peripherals, SCB, syst::SystClkSource};
pub use cortex_m_rt::entry;

use crate::mailbox::Mailbox;

/// Registers of the serial line.
const DATA: *mut u32 = 0x4000_4000 as *mut u32;
const STATE: *mut u32 = 0x4000_4004 as *mut u32;
const CONTROL: *mut u32 = 0x4000_4008 as *mut u32;
const INTERRUPTS: *mut u32 = 0x4000_400C as *mut u32;
const DIVIDER: *mut u32 = 0x4000_4010 as *mut u32;
/// In its state: a byte has not left yet, and one has come.
const LEAVING: u32 = 1;
const CAME: u32 = 2;
/// In its control register: send, receive, and interrupt when a byte has come.
const ON: u32 = 1 | 2 | 8;
/// Among its interrupts: a byte has come.
const OF_CAME: u32 = 2;

/// Registers of a timer that counts down.
const TIMER: *mut u32 = 0x4000_0000 as *mut u32;
const VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const RELOAD: *mut u32 = 0x4000_0008 as *mut u32;
/// One of its ticks, and of the core's own timer's.
const TICK_NS: u64 = 40;
/// The core's own timer counts from this at most.
const LONGEST: u64 = (1 << 24) - 1;

/// The serial line's interrupt when a byte has come.
#[derive(Clone, Copy)]
struct Came;

// SAFETY: it is the board's first interrupt.
unsafe impl InterruptNumber for Came {
    fn number(self) -> u16 {
        0
    }
}

/// The serial line.
struct Serial {
    /// The clock's rounds, and its last reading. It is read once a round at least, which takes 171 s.
    rounds: AtomicU32,
    last: AtomicU32,
}

/// Switches the mailbox on.
pub fn mailbox() -> &'static dyn Mailbox {
    static SERIAL: Serial = Serial { rounds: AtomicU32::new(0), last: AtomicU32::new(0) };
    disable();
    for (register, value) in [(DIVIDER, 16), (CONTROL, ON), (RELOAD, u32::MAX), (VALUE, u32::MAX), (TIMER, 1)]
    {
        write(register, value);
    }
    // SAFETY: no handler runs, for interrupts are masked.
    unsafe { NVIC::unmask(Came) };
    &SERIAL
}

fn read(register: *mut u32) -> u32 {
    // SAFETY: a register of this board, which nobody else uses.
    unsafe { register.read_volatile() }
}

fn write(register: *mut u32, value: u32) {
    // SAFETY: a register of this board, which nobody else uses.
    unsafe { register.write_volatile(value) }
}

impl Mailbox for Serial {
    fn ring(&self) {
        asm::dsb(); // An interrupt is no memory access: what was stored must be there before it.
        // A byte that has not left rings too.
        if read(STATE) & LEAVING == 0 {
            write(DATA, 0);
        }
    }

    fn take(&self) -> bool {
        let mut rung = false;
        while read(STATE) & CAME != 0 {
            read(DATA);
            crate::note_ring();
            rung = true;
        }
        write(INTERRUPTS, OF_CAME);
        NVIC::unpend(Came);
        rung
    }

    fn doze(&self, nanos: u64) {
        // SAFETY: nobody else uses this timer.
        let mut timer = unsafe { Peripherals::steal() }.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload((nanos / TICK_NS).clamp(1, LONGEST) as u32);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        asm::dsb();
        asm::wfi();
        timer.disable_counter();
        SCB::clear_pendst();
    }

    fn now_ns(&self) -> u64 {
        let (now, last) = (u32::MAX - read(VALUE), self.last.load(Relaxed));
        let rounds = self.rounds.load(Relaxed) + u32::from(now < last);
        self.last.store(now, Relaxed);
        self.rounds.store(rounds, Relaxed);
        (u64::from(rounds) << 32 | u64::from(now)) * TICK_NS
    }
}
