//! Tasks of FreeRTOS: frames from an interrupt through three of them, a mutex that they contend for, and a
//! priority inversion with and without the ceiling.
#![no_std]
#![no_main]

mod contention;
mod exchange;
mod inversion;
mod kernel;
mod port;

use core::cell::Cell;
use core::time::Duration;

use cortex_m_rt::entry;
use critical_section::{Mutex, with};
use semihosting::{println, process};
use strait_core::{Attachment, Channel, Plan, StaticRegion, WaitPolicy};

use kernel::Task;
use port::{Kernel, Rtos};

const PLAN: Plan = Plan::new(&[
    Channel::latest::<u32>("ticks").consumer_may_block(),
    Channel::frames("measured", 128, 16).producer_may_block().consumer_may_block(),
    Channel::frames("commands", 128, 16).producer_may_block().consumer_may_block(),
    Channel::mutex::<u32>("total"),
    Channel::mutex::<u32>("plant"),
])
.line(4)
.participants(16);

static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
static KERNEL: Kernel = Kernel::new();

/// The notification by which the program's own tasks start and end.
const APPLICATION: u32 = 0;
/// Of the task that conducts the others.
const CONDUCTOR: u32 = 6;
/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(10);
/// Looking often before sleeping is of no use on one core. And no probe period heals a lost wake here, so
/// that it would be found.
const POLICY: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };

static CONDUCTED_BY: Mutex<Cell<Option<Task>>> = Mutex::new(Cell::new(None));

/// Joins the region, with this ceiling.
fn join(ceiling: u32) -> Attachment<Rtos> {
    let local = REGION.attach(&KERNEL).expect("the plan has room for all tasks");
    Attachment::attach(Rtos::new(local.port(), &KERNEL, ceiling)).expect("it is the same region")
}

/// Tells the conductor that a task is done.
fn done() {
    let conductor = with(|section| CONDUCTED_BY.borrow(section).get());
    kernel::notify(conductor.expect("it started this task"), APPLICATION);
}

/// Waits until this many tasks are done, which count themselves.
fn await_all(tasks: &Mutex<Cell<u32>>, all: u32) {
    while with(|section| tasks.borrow(section).get()) < all {
        kernel::take_notice(APPLICATION, 1000);
    }
}

/// Adds to a count of the program's own.
fn count(counter: &Mutex<Cell<u32>>) -> u32 {
    with(|section| {
        let counter = counter.borrow(section);
        counter.set(counter.get() + 1);
        counter.get()
    })
}

fn conduct() {
    with(|section| CONDUCTED_BY.borrow(section).set(Some(kernel::current())));
    REGION.create(&PLAN, 1, &KERNEL).expect("the plan fits");
    let frames = exchange::run();
    let (locks, contended) = contention::run();
    let without = inversion::run(0);
    let with_ceiling = inversion::run(inversion::HIGH);
    assert_eq!((without, with_ceiling), (inversion::STEPS, 0));
    println!(
        "PASS {frames} frames from the tick through three tasks; {locks} locks, {contended} sleeps for \
         them, an exact total; a middle task delays the urgent one by {without} steps, by {with_ceiling} \
         under the ceiling"
    );
    process::exit(0)
}

#[entry]
fn main() -> ! {
    kernel::spawn(CONDUCTOR, conduct);
    kernel::start()
}
