//! A queue in a file: filled by a process that is gone by the time another drains it.
//!
//! `cargo run --example survive_a_restart`. What was sent survives the end of all processes; a loss
//! of power only up to the last `sync`.

use std::process::Command;

use strait::{Channel, Options, Plan, Region};

const PLAN: Plan = Plan::new(&[Channel::frames("journal", 65536, 256)]);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn fill(path: &str) -> Result<()> {
    let region = Region::at(path).create(&PLAN, &Options::new())?;
    let mut journal = region.producer("journal")?;
    for n in 0..100_u32 {
        journal.try_send(n, format!("entry {n}").as_bytes())?;
    }
    region.port().sync()?;
    Ok(())
}

fn main() -> Result<()> {
    if let Some(path) = std::env::args().nth(1) {
        return fill(&path);
    }
    let dir = std::env::temp_dir().join(format!("strait-example-{}", std::process::id()));
    std::fs::create_dir(&dir)?;
    let path = dir.join("journal");
    let filled = Command::new(std::env::current_exe()?).arg(&path).status()?;
    assert!(filled.success());

    // Nobody has the file open now.
    let region = Region::at(&path).open(&Options::new())?;
    let mut journal = region.consumer("journal")?;
    let mut buffer = [0; 256];
    for n in 0..100 {
        let entry = journal.try_recv(&mut buffer)?;
        assert_eq!(buffer[..entry.len], *format!("entry {n}").as_bytes());
    }
    assert!(journal.is_empty());
    println!("100 entries drained after a restart");
    // Windows deletes no directory with an open file in it.
    drop(journal);
    drop(region);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
