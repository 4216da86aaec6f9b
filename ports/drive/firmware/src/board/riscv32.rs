//! A RISC-V of 32 bits (QEMU's virt). Its serial line is the mailbox: a byte rings, whatever it is.
//!
//! All interrupts stay masked, so that no handler runs. WFI ends all the same when one is pending that is enabled.

use riscv::{asm, register::mie};
pub use riscv_rt::entry;

use crate::mailbox::Mailbox;

/// Registers of the serial line: its byte, which interrupts it raises, and its state.
const DATA: *mut u8 = 0x1000_0000 as *mut u8;
const RAISED: *mut u8 = 0x1000_0001 as *mut u8;
const STATE: *mut u8 = 0x1000_0005 as *mut u8;
/// Raises one when a byte has come.
const OF_CAME: u8 = 1;
/// In its state: a byte has come, and there is space for one that leaves.
const CAME: u8 = 1;
const SPACE: u8 = 0x20;
/// The number of its interrupt.
const LINE: usize = 10;

/// Registers of the interrupt controller: a line's priority, the lines of this core, and the line that is pending,
/// which is claimed and given back.
const PRIORITIES: *mut u32 = 0x0C00_0000 as *mut u32;
const LINES: *mut u32 = 0x0C00_2000 as *mut u32;
const CLAIM: *mut u32 = 0x0C20_0004 as *mut u32;

/// The clock, of 100 ns a tick, and when its interrupt is pending; low words first.
const NOW: *mut u32 = 0x0200_BFF8 as *mut u32;
const THEN: *mut u32 = 0x0200_4000 as *mut u32;
const TICK_NS: u64 = 100;

/// The serial line.
struct Serial;

/// Switches the mailbox on.
pub fn mailbox() -> &'static dyn Mailbox {
    write(PRIORITIES.wrapping_add(LINE), 1);
    write(LINES, 1 << LINE);
    write(RAISED, OF_CAME);
    // SAFETY: no handler runs, for interrupts are masked.
    unsafe { mie::set_mext() };
    // SAFETY: as above.
    unsafe { mie::set_mtimer() };
    &Serial
}

fn read<T>(register: *mut T) -> T {
    // SAFETY: a register of this board, which nobody else uses.
    unsafe { register.read_volatile() }
}

fn write<T>(register: *mut T, value: T) {
    // SAFETY: a register of this board, which nobody else uses.
    unsafe { register.write_volatile(value) }
}

/// Lets the timer's interrupt be pending from this tick on.
fn set_timer(then: u64) {
    // Never earlier than it is to be, while half of it is stored.
    for (word, value) in [(1, u32::MAX), (0, then as u32), (1, (then >> 32) as u32)] {
        write(THEN.wrapping_add(word), value);
    }
}

impl Mailbox for Serial {
    fn ring(&self) {
        // What was stored is in memory before the device is told.
        asm::fence();
        // Where there is no space, bytes have not left yet, which ring too.
        if read(STATE) & SPACE != 0 {
            write(DATA, 0);
        }
    }

    fn take(&self) -> bool {
        let line = read(CLAIM);
        let mut rung = false;
        while read(STATE) & CAME != 0 {
            read(DATA);
            crate::note_ring();
            rung = true;
        }
        if line != 0 {
            write(CLAIM, line);
        }
        rung
    }

    fn doze(&self, nanos: u64) {
        set_timer(self.now_ns().saturating_add(nanos) / TICK_NS);
        asm::wfi();
        set_timer(u64::MAX);
    }

    fn now_ns(&self) -> u64 {
        let high = || read(NOW.wrapping_add(1));
        loop {
            let before = high();
            let low = read(NOW);
            if high() == before {
                return (u64::from(before) << 32 | u64::from(low)) * TICK_NS;
            }
        }
    }
}
