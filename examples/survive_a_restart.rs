//! A queue in a file: filled by a process that is killed, drained by one that starts when all have gone.
//!
//! Sent messages survive the end of all processes, however they end; a loss of power only up to the
//! last `sync`. Asserts that each entry is there, in order.

mod common;

use common::{Folder, Other, Result};
use strait::{Channel, Plan, RegionFile, RegionOptions};

const PLAN: Plan = Plan::new(&[Channel::frames("journal", 65536, 256)]);

/// Sends entries, and never gets to close what it has open.
fn fill(path: &str) -> Result<()> {
    let region = RegionFile::new(path).create(&PLAN, &RegionOptions::new())?;
    let mut journal = region.producer("journal")?;
    for n in 0..100_u32 {
        journal.try_send(n, format!("entry {n}").as_bytes())?;
    }
    common::ready();
    common::until_told() // It is killed in there.
}

fn drain() -> Result<()> {
    let folder = Folder::new("survive-a-restart")?;
    let path = folder.path("journal");
    Other::start_and_wait(&["fill", &path])?.kill()?;

    // Nobody has the file open now.
    let region = RegionFile::new(&path).open(&RegionOptions::new())?;
    let mut journal = region.consumer("journal")?;
    let mut buffer = [0; 256];
    for n in 0..100 {
        let entry = journal.try_recv(&mut buffer)?;
        assert_eq!((entry.tag, &buffer[..entry.len]), (n, format!("entry {n}").as_bytes()));
    }
    assert!(journal.is_empty());
    println!("100 entries drained after their sender was killed");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => drain(),
        ["fill", path] => fill(path),
        _ => common::usage("none"),
    })
}
