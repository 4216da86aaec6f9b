//! A semaphore that guards a shared resource: two berths, and more ships than that; found by name, waited for
//! with a limit. Once in a region, and once as the system's own.
//!
//! Asserts that there were never more ships in port than berths, that a ship that comes while all are taken
//! leaves when its time is up, that every other one was served, and (where a death can be proven) that the
//! berth of a ship that was killed comes back.

mod common;

use std::time::Duration;

use common::{Other, PATIENCE, Result};
use strait::{
    Channel, Plan, RegionName, RegionOptions,
    error::SemaphoreError,
    semaphore::{NamedSemaphore, SemAcquireError},
};

strait::message! {
    /// The harbour master's count.
    struct Port {
        present: u32,
        most: u32,
        served: u32,
    }
}

const BERTHS: u32 = 2;
const SHIPS: u32 = 6;
const PLAN: Plan = Plan::new(&[Channel::permits("berths", BERTHS), Channel::mutex::<Port>("port")]);

/// Holds a berth until it is asked to go on.
fn stay(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut berths = region.permits("berths")?;
    let _berth = berths.acquire_timeout(PATIENCE)?;
    common::ready();
    common::until_told()
}

/// Waits for a berth, unloads and leaves.
fn unload(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let (mut berths, mut port) = (region.permits("berths")?, region.mutex::<Port>("port")?);
    let berth = berths.acquire_timeout(PATIENCE)?;
    let mut count = |change: fn(&mut Port)| -> Result<()> {
        port.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?.update(change);
        Ok(())
    };
    count(|port| {
        port.present += 1;
        port.most = port.most.max(port.present);
    })?;
    std::thread::sleep(Duration::from_millis(50));
    count(|port| {
        port.present -= 1;
        port.served += 1;
    })?;
    berth.release()?;
    Ok(())
}

fn watch() -> Result<()> {
    let name = common::fresh_name("berths");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut berths = region.permits("berths")?;

    let stay = || Other::start_and_wait(&["stay", &name]);
    let (one, two) = (stay()?, stay()?);
    let refused = berths.acquire_timeout(Duration::from_millis(200)).err();
    assert_eq!(refused, Some(SemaphoreError::TimedOut), "both berths are taken");
    println!("no berth in 200 ms, leaving");

    let ships: Result<Vec<_>> = (0..SHIPS).map(|_| Other::start(&["unload", &name])).collect();
    if common::PROVES_DEATH {
        one.kill()?;
    } else {
        one.finish()?;
    }
    two.finish()?;
    for ship in ships? {
        ship.finish()?;
    }
    let mut port = region.mutex::<Port>("port")?;
    let port = port.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?.get();
    assert_eq!((port.present, port.served), (0, SHIPS));
    assert!(port.most <= BERTHS);
    // A permit is given back when it is dropped, so to take all of them takes a handle each.
    let mut other = region.permits("berths")?;
    let _all = (berths.try_acquire()?, other.try_acquire()?);
    println!("{SHIPS} ships served, {} at a time at the most; both berths are free", port.most);
    RegionName::new(&name)?.remove()?;
    Ok(())
}

/// Holds a permit of the system's semaphore until it is asked to go on.
fn stay_outside(name: &str) -> Result<()> {
    let places = NamedSemaphore::open(name)?;
    places.acquire_timeout(PATIENCE)?;
    common::ready();
    common::until_told()?;
    Ok(places.release(1)?)
}

/// The same with the system's own semaphore, for meeting programs that know nothing of regions. Its permits
/// belong to nobody: those that a process held when it was killed are gone.
fn watch_outside() -> Result<()> {
    let name = common::fresh_name("places");
    let places = NamedSemaphore::create(&name, 1)?;
    let other = Other::start_and_wait(&["stay-outside", &name])?;
    let refused = places.acquire_timeout(Duration::from_millis(200)).err();
    assert_eq!(refused, Some(SemAcquireError::TimedOut), "the other process has it");
    other.finish()?;
    places.acquire_timeout(PATIENCE)?;
    assert_eq!(places.try_acquire().err(), Some(SemAcquireError::Empty), "there was but one");
    println!("the system's semaphore: not acquired in 200 ms, but once it was released");
    NamedSemaphore::remove(&name)?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => watch().and_then(|()| watch_outside()),
        ["stay", name] => stay(name),
        ["stay-outside", name] => stay_outside(name),
        ["unload", name] => unload(name),
        _ => common::usage("none"),
    })
}
