//! The drive and the panel as two real processes. Checks its own result.

use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

use strait::{RegionName, RegionOptions};
use verify_your_app::{Drive, PLAN, Panel, Stopped};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The panel's process: orders five jobs, and stops the drive if it is asked to.
fn panel(name: &str, stop: bool) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut panel = Panel::open(&region)?;
    for job in 1..=5 {
        while !panel.order(job) {
            sleep(Duration::from_millis(1));
        }
    }
    sleep(Duration::from_millis(100)); // The drive does its jobs and falls asleep.
    if stop {
        panel.emergency_stop()?;
    }
    // Ends without giving its roles back, as a crash would.
    std::process::exit(0);
}

/// Runs the drive against a panel in a process of its own.
fn shift(stop: bool) -> Result<(Stopped, Vec<u32>, ExitStatus)> {
    let name = format!("verify-your-app-{}", std::process::id());
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut drive = Drive::open(&region)?;
    let mut other = Command::new(std::env::current_exe()?)
        .args(["panel", &name, if stop { "stop" } else { "leave" }])
        .spawn()?;
    let stopped = drive.run();
    let ended = other.wait()?;
    RegionName::new(&name)?.remove()?;
    Ok((stopped, drive.done().to_vec(), ended))
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if let [_, role, name, how] = &args[..]
        && role == "panel"
    {
        return panel(name, how == "stop");
    }
    for (stop, expected) in [(true, Stopped::ByOperator), (false, Stopped::PanelDied)] {
        let (stopped, done, ended) = shift(stop)?;
        println!("drive stopped: {stopped:?}, after jobs {done:?}");
        assert!(ended.success());
        if cfg!(target_os = "linux") || stop {
            assert_eq!((stopped, done), (expected, vec![1, 2, 3, 4, 5]));
        }
    }
    Ok(())
}
