//! One process controls, and its state goes to all screens: every value to each that keeps up, and to a slow one
//! what there still is, with the number of values that it missed. A recorder looks on through a read-only
//! mapping, and takes nobody's place.
//!
//! Asserts that what each screen received and what it missed add up to what was published.

mod common;

use std::io::Write;
use std::time::Duration;

use common::{Other, PATIENCE, Result};
use strait::broadcast::{BroadcastRecvError, BroadcastStart};
use strait::{BroadcastReader, Channel, Plan, Region, RegionName, RegionOptions, SystemPort};

strait::message! {
    /// The state of the machine.
    struct State {
        tick: u64,
        angle_rad: f64,
    }
}

const PLAN: Plan = Plan::new(&[Channel::broadcast::<State>("state", 64).consumer_may_block()]);
const COUNT: u64 = 2000;
/// The tick that says that the machine is off.
const OFF: u64 = COUNT;

fn open(region: &Region) -> Result<BroadcastReader<State, SystemPort>> {
    Ok(region.broadcast_reader("state", BroadcastStart::Oldest)?)
}

/// Shows what it receives until the machine is off, and takes its time over each value.
fn screen(name: &str, drawing: &str, options: &RegionOptions) -> Result<()> {
    let drawing = Duration::from_micros(drawing.parse()?);
    let region = RegionName::new(name)?.open(options)?;
    let mut state = open(&region)?;
    common::ready();
    let (mut shown, mut missed) = (0, 0);
    loop {
        match state.recv_timeout(PATIENCE) {
            Ok(now) => {
                shown += 1;
                assert_eq!(now.tick, shown + missed, "in order, none twice, none unaccounted for");
                if now.tick == OFF {
                    break;
                }
                if !drawing.is_zero() {
                    std::thread::sleep(drawing);
                }
            }
            Err(BroadcastRecvError::Lagged { lost }) => missed += lost,
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(shown + missed, COUNT);
    // In one piece, because the screens share the terminal.
    std::io::stderr()
        .write_all(format!("drawing {drawing:?}: {shown} shown, {missed} missed\n").as_bytes())?;
    Ok(())
}

fn control() -> Result<()> {
    let name = common::fresh_name("broadcast");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut state = region.broadcast_writer::<State>("state")?;
    let screens = [["screen", &name, "0"], ["screen", &name, "5000"], ["record", &name, "0"]];
    let mut others = Vec::new();
    for screen in screens {
        others.push(Other::start_and_wait(&screen)?);
    }
    for tick in 1..=COUNT {
        // Never waits, however many look on and however slow they are.
        state.publish(&State { tick, angle_rad: tick as f64 / 100.0 });
        if tick.is_multiple_of(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    for other in others {
        other.finish()?;
    }
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => control(),
        ["screen", name, drawing] => screen(name, drawing, &RegionOptions::new()),
        ["record", name, drawing] => screen(name, drawing, &RegionOptions::new().read_only(true)),
        _ => common::usage("none"),
    })
}
