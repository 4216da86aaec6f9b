//! The controller as firmware: creates the region, and talks to a drive with another instruction set.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use drive_firmware::{create, join};
use drive_link::{CORE, Controller, Idle, tag};
use semihosting::{println, process};

const COMMANDS: u32 = 2_000;
const SETPOINTS: u32 = 1_000;

#[drive_firmware::entry]
fn main() -> ! {
    create().expect("the plan fits");
    let region = join(CORE).expect("the region is there");
    let mut controller = Controller::open(&region).expect("the roles");
    let mut idle = Idle { patience: 50_000_000, rest: |_: &mut _| core::hint::spin_loop() };

    controller.await_shaft(|_| true, &mut idle);
    controller.turn(1, SETPOINTS, &mut idle);
    controller.exchange(COMMANDS, &mut idle);
    assert!(controller.send(tag::STOP, 0), "there is space, for all are answered");
    println!("PASS {COMMANDS} frames each way and {SETPOINTS} latest values, two instruction sets");
    process::exit(0)
}
