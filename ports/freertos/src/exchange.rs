//! The tick's interrupt publishes; one task measures, one controls, one acts.

use core::cell::{Cell, RefCell};

use critical_section::{Mutex, with};
use strait_core::{LatestWriter, Reading};

use crate::port::Rtos;
use crate::{LONG, POLICY, await_all, count, done, join, kernel};

const FRAMES: u32 = 500;

/// The interrupt's endpoint, and how often it has published.
struct Ticks {
    writer: LatestWriter<u32, Rtos>,
    count: u32,
}

static TICKS: Mutex<RefCell<Option<Ticks>>> = Mutex::new(RefCell::new(None));
static DONE: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

/// The kernel calls this in the timer's interrupt.
#[unsafe(no_mangle)]
extern "C" fn vApplicationTickHook() {
    with(|section| {
        if let Some(ticks) = TICKS.borrow_ref_mut(section).as_mut() {
            ticks.count += 1;
            ticks.writer.publish(&ticks.count);
        }
    });
}

/// Sends a frame for each tick that it sees.
fn measure() {
    let at = join(0);
    let mut ticks = at.latest_reader::<u32>("ticks").expect("it has any number of readers");
    let mut measured = at.producer("measured").expect("nobody else has it");
    ticks.set_wait_policy(POLICY);
    measured.set_wait_policy(POLICY);
    let mut last = 0;
    for number in 0..FRAMES {
        let Reading::Fresh(tick) = ticks.wait_for_change(LONG) else { panic!("the clock stands still") };
        assert!(tick > last, "a tick was seen twice");
        last = tick;
        measured.send_timeout(number, &number.to_le_bytes(), LONG).expect("it is taken in time");
    }
    count(&DONE);
    done();
}

fn control() {
    let at = join(0);
    let mut measured = at.consumer("measured").expect("nobody else has it");
    let mut commands = at.producer("commands").expect("nobody else has it");
    measured.set_wait_policy(POLICY);
    commands.set_wait_policy(POLICY);
    let mut frame = [0; 16];
    for expected in 0..FRAMES {
        let got = measured.recv_timeout(&mut frame, LONG).expect("it comes in time");
        assert_eq!((got.tag, got.sequence), (expected, expected), "a frame is missing, or came twice");
        commands.send_timeout(!got.tag, &frame[..got.len], LONG).expect("it is taken in time");
    }
    count(&DONE);
    done();
}

/// Sleeps now and then, so that the others have to wait for space.
fn act() {
    let at = join(0);
    let mut commands = at.consumer("commands").expect("nobody else has it");
    commands.set_wait_policy(POLICY);
    let mut frame = [0; 16];
    for expected in 0..FRAMES {
        if expected % 50 == 0 {
            kernel::delay(20);
        }
        let got = commands.recv_timeout(&mut frame, LONG).expect("it comes in time");
        assert_eq!((got.tag, &frame[..got.len]), (!expected, &expected.to_le_bytes()[..]));
    }
    count(&DONE);
    done();
}

/// Answers with the number of frames that went all the way.
pub fn run() -> u32 {
    let writer = join(0).latest_writer("ticks").expect("nobody else has it");
    with(|section| TICKS.borrow_ref_mut(section).replace(Ticks { writer, count: 0 }));
    for (priority, task) in [(3, measure as fn()), (2, control), (1, act)] {
        kernel::spawn(priority, task);
    }
    await_all(&DONE, 3);
    FRAMES
}
