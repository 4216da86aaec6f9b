//! A named mutex: wait for it up to a limit, work, give it back whatever happens; if the time is up, say so
//! and leave.
//!
//! `cargo run --example mutex_with_a_limit [SECONDS]` waits that long at the most, 10 s by default.
//!
//! Asserts that a process that waits in vain leaves without having worked, and that the next one gets the
//! lock when its holder unlocks, fails in the middle of its work, or (where a death can be proven) is killed.

mod common;

use std::time::{Duration, Instant};

use common::{Other, PATIENCE, Result};
use strait::{Channel, LockError, Plan, RegionName, RegionOptions};

const PLAN: Plan = Plan::new(&[Channel::mutex::<u64>("account")]);

/// The exit status of a process that waited in vain.
const TIMED_OUT: i32 = 3;

/// Holds the lock until it is asked to go on.
fn hold(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut account = region.mutex::<u64>("account")?;
    let guard = account.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?;
    common::ready();
    common::until_told()?;
    guard.unlock()?;
    Ok(())
}

/// Waits, works, and gives the lock back: the guard does so wherever the work ends.
fn work(name: &str, limit: &str, amount: &str) -> Result<()> {
    let limit = Duration::from_secs_f64(limit.parse()?);
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut account = region.mutex::<u64>("account")?;
    let start = Instant::now();
    let mut guard = match account.lock_timeout(limit) {
        Ok(lock) => lock.or_roll_back().map_err(|_| "half written")?,
        Err(LockError::TimedOut) => {
            println!("not locked in {limit:?}, leaving");
            std::process::exit(TIMED_OUT)
        }
        Err(error) => return Err(error.into()),
    };
    println!("locked after {:?}", start.elapsed());
    let amount: u64 = amount.parse()?; // Where the work can fail.
    guard.update(|sum| *sum += amount);
    Ok(())
}

fn demonstrate(limit: &str) -> Result<()> {
    let name = common::fresh_name("mutex");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;

    println!("a holder that goes on for longer than the limit:");
    let holder = Other::start_and_wait(&["hold", &name])?;
    let status = Other::start(&["work", &name, "0.2", "1"])?.end()?;
    assert_eq!(status.code(), Some(TIMED_OUT));

    println!("a holder that unlocks in time:");
    let worker = Other::start(&["work", &name, limit, "1"])?;
    std::thread::sleep(Duration::from_millis(200));
    holder.finish()?;
    worker.finish()?;

    println!("after a holder that failed in the middle:");
    let status = Other::start(&["work", &name, limit, "a lot"])?.end()?;
    assert_eq!(status.code(), Some(1));
    Other::start(&["work", &name, limit, "1"])?.finish()?;

    let mut expected = 2;
    if common::PROVES_DEATH {
        println!("after a holder that was killed:");
        Other::start_and_wait(&["hold", &name])?.kill()?;
        Other::start(&["work", &name, limit, "1"])?.finish()?;
        expected += 1;
    }
    let mut account = region.mutex::<u64>("account")?;
    let sum = account.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?.get();
    assert_eq!(sum, expected, "each worked once, and those that left did not");
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => demonstrate("10"),
        ["hold", name] => hold(name),
        ["work", name, limit, amount] => work(name, limit, amount),
        [limit] if limit.parse().is_ok_and(|limit| (1..=60).contains(&limit)) => demonstrate(limit),
        _ => common::usage("at most the limit, 1 to 60 seconds"),
    })
}
