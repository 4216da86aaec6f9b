//! A region that several programs change, under a lock inside it, with explicit permissions.
//!
//! Asserts that no change of any program is lost; that a region is its user's alone unless asked otherwise,
//! so that another user is refused; that one that lets in everybody is refused by those that did not ask for
//! that; and that a process that may only read cannot lock.

mod common;

use common::{Other, PATIENCE, Result};
use strait::{Channel, ChannelError, OpenError, Plan, RegionName, RegionOptions};

const PLAN: Plan = Plan::new(&[Channel::mutex::<u64>("account")]);
const CLERKS: u64 = 3;
const DEPOSITS: u64 = 1000;

/// Deposits one coin after the other.
fn deposit(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut account = region.mutex::<u64>("account")?;
    for _ in 0..DEPOSITS {
        let mut guard = account.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?;
        guard.update(|sum| *sum += 1);
    }
    Ok(())
}

/// Tries to get in as another user.
fn intrude(name: &str) -> Result<()> {
    if !common::os::become_nobody()? {
        println!("skipped: to try it as another user takes root, on Unix");
        return Ok(());
    }
    let refused = RegionName::new(name)?.open(&RegionOptions::new()).err();
    assert!(matches!(refused, Some(OpenError::NotPermitted { .. })));
    println!("another user was refused");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => open_account(),
        ["deposit", name] => deposit(name),
        ["intrude", name] => intrude(name),
        _ => common::usage("none"),
    })
}

fn open_account() -> Result<()> {
    let name = common::fresh_name("account");
    let region = RegionName::new(&name)?;
    let created = region.create(&PLAN, &RegionOptions::new())?;
    let clerks: Result<Vec<_>> = (0..CLERKS).map(|_| Other::start(&["deposit", &name])).collect();
    for clerk in clerks? {
        clerk.finish()?;
    }
    let mut account = created.mutex::<u64>("account")?;
    let sum = account.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?.get();
    assert_eq!(sum, CLERKS * DEPOSITS);
    println!("{CLERKS} processes made {DEPOSITS} deposits each, and {sum} are there");

    Other::start(&["intrude", &name])?.finish()?;
    let auditor = region.open(&RegionOptions::new().read_only(true))?;
    assert!(matches!(auditor.mutex::<u64>("account"), Err(ChannelError::ReadOnly)));
    region.remove()?;

    let public = common::os::for_everybody();
    let _created = region.create(&PLAN, &public)?;
    assert!(matches!(region.open(&RegionOptions::new()), Err(OpenError::TooOpen { .. })));
    assert!(region.open(&public).is_ok(), "a process that asks for it gets in");
    println!("a region that lets everybody in was opened only by those that asked for that");
    region.remove()?;
    Ok(())
}
