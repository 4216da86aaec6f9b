//! Two processes: one measures, the other prints; found by name.
//!
//! `cargo run --example two_processes` starts the second process itself. Its result is checked.

use std::process::Command;
use std::time::Duration;

use strait::{Channel, Options, Plan, Region};

strait::frame! {
    /// What the encoder saw.
    struct Reading {
        time_ns: u64,
        angle_rad: f64,
    }
}

const PLAN: Plan = Plan::new(&[Channel::slots::<Reading>("readings", 64).consumer_may_block()]);
const COUNT: u64 = 1000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn measure(name: &str) -> Result<()> {
    let region = Region::named(name)?.open_or_create(&PLAN, &Options::new())?;
    let mut readings = region.typed_producer::<Reading>("readings")?;
    for n in 0..COUNT {
        let reading = Reading { time_ns: n, angle_rad: n as f64 / 100.0 };
        // Full is no failure here: the other side has its own pace.
        while readings.try_send(&reading).is_err() {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    Ok(())
}

fn print(name: &str) -> Result<()> {
    let region = Region::named(name)?.open_or_create(&PLAN, &Options::new())?;
    let mut readings = region.typed_consumer::<Reading>("readings")?;
    let mut sum = 0.0;
    for n in 0..COUNT {
        let reading = readings.recv_timeout(Duration::from_secs(5))?;
        assert_eq!(reading.time_ns, n, "in order, none lost");
        sum += reading.angle_rad;
    }
    println!("{COUNT} readings, mean angle {:.3} rad", sum / COUNT as f64);
    Ok(())
}

fn main() -> Result<()> {
    if let Some(name) = std::env::args().nth(1) {
        return measure(&name);
    }
    let name = format!("two-processes-{}", std::process::id());
    // Whoever comes first creates it. Kept open here, for on Windows a name goes with its last user.
    let _region = Region::named(&name)?.open_or_create(&PLAN, &Options::new())?;
    let mut other = Command::new(std::env::current_exe()?).arg(&name).spawn()?;
    let printed = print(&name);
    let ended = other.wait()?;
    Region::named(&name)?.remove()?;
    assert!(ended.success());
    printed
}
