//! A controller beside LinuxCNC: reads what `example.hal` publishes from the servo thread, and commands back.
//!
//! `cargo run --example linuxcnc_controller -- REGION` runs until it is killed. It can be started before the HAL or
//! after it, and again whenever it has ended.

use std::error::Error;
use std::time::Duration;

use strait::{Channel, Plan, Reading, RegionName, RegionOptions};

strait::message! {
    /// From the HAL: `--publish feedback position:float ticks:float enabled:bit`.
    struct Feedback {
        position: f64,
        ticks: f64,
        enabled: u32,
        pad: u32,
    }

    /// To the HAL: `--read command velocity:float ticks:float run:bit`.
    struct Command {
        velocity: f64,
        ticks: f64,
        run: u32,
        pad: u32,
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::latest::<Feedback>("feedback").consumer_may_block(),
    Channel::latest::<Command>("command").consumer_may_block(),
]);
/// Per second and unit of the position's error.
const GAIN: f64 = 2.0;
const TARGET: f64 = 10.0;
/// After this long without feedback the command is to stand still.
const SILENT: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name] = args.as_slice() else {
        return Err("wrong arguments; usage: linuxcnc_controller REGION".into());
    };
    let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut feedback = region.latest_reader::<Feedback>("feedback")?;
    let mut command = region.latest_writer::<Command>("command")?;
    println!("controller: running");
    loop {
        let next = match feedback.wait_for_change(SILENT) {
            Reading::Fresh(now) if now.enabled != 0 => {
                Command { velocity: GAIN * (TARGET - now.position), ticks: now.ticks, run: 1, pad: 0 }
            }
            Reading::Fresh(now) => Command { velocity: 0.0, ticks: now.ticks, run: 0, pad: 0 },
            _ if !region.port().is_current()? => return Err("the region was removed or made anew".into()),
            _ => Command { velocity: 0.0, ticks: 0.0, run: 0, pad: 0 },
        };
        command.publish(&next);
    }
}
