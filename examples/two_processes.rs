//! Two processes: one measures, the other prints; found by name.
//!
//! Asserts that the readings come in order and none is lost.

mod common;

use common::{Other, PATIENCE, Result};
use strait::{Channel, Plan, RegionName, RegionOptions};

strait::message! {
    /// A reading of the encoder.
    struct Reading {
        time_ns: u64,
        angle_rad: f64,
    }
}

const PLAN: Plan =
    Plan::new(&[Channel::slots::<Reading>("readings", 64).consumer_may_block().producer_may_block()]);
const COUNT: u64 = 1000;

fn measure(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut readings = region.typed_producer::<Reading>("readings")?;
    for n in 0..COUNT {
        let reading = Reading { time_ns: n, angle_rad: n as f64 / 100.0 };
        readings.send_timeout(&reading, PATIENCE)?;
    }
    Ok(())
}

fn print() -> Result<()> {
    let name = common::fresh_name("two-processes");
    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let other = Other::start(&["measure", &name])?;
    let mut readings = region.typed_consumer::<Reading>("readings")?;
    let mut sum = 0.0;
    for n in 0..COUNT {
        let reading = readings.recv_timeout(PATIENCE)?;
        assert_eq!(reading.time_ns, n, "in order, none lost");
        sum += reading.angle_rad;
    }
    println!("{COUNT} readings, mean angle {:.3} rad", sum / COUNT as f64);
    other.finish()?;
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => print(),
        ["measure", name] => measure(name),
        _ => common::usage("none"),
    })
}
