//! One region, two systems: a native Linux process and a Windows process under wine use one file.
//!
//! `cargo run --example two_systems` plays both sides on this system. The Windows side is
//! `two_systems.exe SIDE PATH`, where PATH is the file as wine sees it (`Z:` is the root of Linux).
//!
//! Both sides poll: an event of Windows wakes nobody on Linux, nor a futex anybody on Windows. A
//! sleeper would see a message after his probe period at the latest.
//!
//! Both systems prove life by a lock on the same byte of the file. Whether one sees the other's locks is
//! up to wine, so do not build on a death across the border being noticed. What counts is the other
//! direction: as long as it lives, nothing is taken from it.

use std::process::Command;
use std::time::{Duration, Instant};

use strait::{
    Channel, Lock, LockError, Mutex, Plan, Region, RegionFile, RegionOptions, SystemPort, TryRecvError,
    TrySendError,
};

/// Two queues and a lock.
pub const PLAN: Plan = Plan::new(&[
    Channel::frames("to-windows", 1 << 16, 512),
    Channel::frames("to-linux", 1 << 16, 512),
    Channel::mutex::<u64>("count"),
]);

/// Frames each way.
pub const FRAMES: u32 = 100_000;
/// How often each side counts.
pub const COUNTS: u64 = 10_000;

const PATIENCE: Duration = Duration::from_secs(60);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A frame's content follows from its number.
pub fn payload(number: u32) -> Vec<u8> {
    (0..number % 200).map(|at| (number + at) as u8).collect()
}

/// Sends all frames through one queue and receives as many through another, each whole and in order.
pub fn exchange(region: &Region, out: &str, back: &str) -> Result<()> {
    let (mut tx, mut rx) = (region.producer(out)?, region.consumer(back)?);
    let (mut sent, mut received, mut buffer) = (0, 0, [0; 512]);
    let start = Instant::now();
    while sent < FRAMES || received < FRAMES {
        assert!(start.elapsed() < PATIENCE, "{sent} sent, {received} received, and no more");
        let mut idle = true;
        if sent < FRAMES {
            match tx.try_send(sent, &payload(sent)) {
                Ok(()) => (sent, idle) = (sent + 1, false),
                Err(TrySendError::Full) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match rx.try_recv(&mut buffer) {
            Ok(frame) => {
                assert_eq!((frame.tag, frame.sequence), (received, received), "lost or repeated");
                assert_eq!(buffer[..frame.len], payload(received), "damaged");
                (received, idle) = (received + 1, false);
            }
            Err(TryRecvError::Empty) => {}
            Err(error) => return Err(error.into()),
        }
        if idle {
            std::thread::yield_now();
        }
    }
    rx.flush();
    Ok(())
}

/// Adds to the count, one by one, under the lock.
pub fn count(mutex: &mut Mutex<u64, SystemPort>) -> Result<()> {
    for _ in 0..COUNTS {
        let Lock::Held(mut guard) = mutex.lock_timeout(PATIENCE)? else { return Err("nobody died".into()) };
        guard.update(|count| *count += 1);
    }
    Ok(())
}

/// Plays the side of Windows.
fn windows(side: &str, path: &str) -> Result<()> {
    let region = RegionFile::new(path).open(&RegionOptions::new())?;
    let mut mutex = region.mutex::<u64>("count")?;
    match side {
        "exchange" => exchange(&region, "to-linux", "to-windows")?,
        "count" => count(&mut mutex)?,
        "hold" => {
            let _guard = mutex.try_lock()?;
            println!("held");
            std::io::stdin().read_line(&mut String::new())?;
        }
        "wait" => match mutex.lock_timeout(Duration::from_millis(500)) {
            Err(LockError::TimedOut) => println!("timed out"),
            Err(error) => return Err(error.into()),
            Ok(_) => println!("locked"),
        },
        other => return Err(format!("no such side: {other}").into()),
    }
    println!("done");
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [side, path] = &words[..] {
        return windows(side, path);
    }
    let path = std::env::temp_dir().join(format!("strait-two-systems-{}", std::process::id()));
    let region = RegionFile::new(&path).create(&PLAN, &RegionOptions::new())?;
    let both = both_sides(&region, &path);
    RegionFile::new(&path).remove()?;
    both?;
    println!("{FRAMES} frames each way, none lost; {} counted under one lock", 2 * COUNTS);
    Ok(())
}

fn both_sides(region: &Region, path: &std::path::Path) -> Result<()> {
    for side in ["exchange", "count"] {
        let mut other = Command::new(std::env::current_exe()?).arg(side).arg(path).spawn()?;
        match side {
            "exchange" => exchange(region, "to-windows", "to-linux")?,
            _ => count(&mut region.mutex::<u64>("count")?)?,
        }
        assert!(other.wait()?.success());
    }
    let mut mutex = region.mutex::<u64>("count")?;
    let Lock::Held(guard) = mutex.try_lock()? else { return Err("nobody died".into()) };
    assert_eq!(guard.get(), 2 * COUNTS);
    Ok(())
}
