//! A journal that a disk and a screen both keep in full: one writes, and each of the others gets every entry. The
//! slowest bounds the writer, and is named; one that is killed bounds nobody, and its successor is told what it missed.
//!
//! Asserts that no entry is lost to the disk whatever becomes of the screen, and that the screen's successor accounts
//! for each entry.

mod common;

use std::io::Write;
use std::time::Duration;

use common::{Other, PATIENCE, Result};
use strait::fanout::FanoutConsumer;
use strait::{Channel, Plan, RegionName, RegionOptions, SendError, SystemPort};

strait::message! {
    /// What happened.
    struct Entry { number: u64, value: f64 }
}

/// Entries that can wait for the slowest.
const ROOM: u32 = 64;
const PLAN: Plan = Plan::new(&[Channel::slots::<Entry>("journal", ROOM)
    .consumers(2)
    .consumer_may_block()
    .producer_may_block()]);
const COUNT: u32 = 1000;

/// The numbers of the two consumers.
const DISK: u32 = 0;
const SCREEN: u32 = 1;

type Journal = FanoutConsumer<Entry, SystemPort>;

/// Receives everything to the end.
fn keep(name: &str, consumer: u32) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut journal: Journal = region.fanout_consumer("journal", consumer)?;
    let (first, missed) = (journal.first_sequence(), journal.missed());
    common::ready();
    for number in first..COUNT {
        let entry = journal.recv_timeout(PATIENCE)?;
        assert_eq!((entry.number, journal.sequence()), (u64::from(number), number), "in order, none lost");
    }
    // The screen's first owner had received nothing.
    assert_eq!(first, missed, "what is not received is accounted for");
    // In one piece, because all share the terminal.
    let told = format!("consumer {consumer}: {} entries, {missed} missed\n", COUNT - first);
    std::io::stderr().write_all(told.as_bytes())?;
    Ok(())
}

/// Joins as the screen, and receives nothing.
fn unlucky_screen(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let _journal: Journal = region.fanout_consumer("journal", SCREEN)?;
    common::ready();
    common::until_told() // It is killed in there.
}

fn write() -> Result<()> {
    let name = common::fresh_name("fan-out");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut journal = region.fanout_producer::<Entry>("journal")?;
    let entry = |number: u32| Entry { number: u64::from(number), value: f64::from(number).sqrt() };
    let start = |role: &str, consumer: u32| Other::start_and_wait(&[role, &name, &consumer.to_string()]);
    let disk = start("keep", DISK)?;

    if common::PROVES_DEATH {
        let unlucky = start("die", SCREEN)?;
        for number in 0..ROOM {
            journal.send_timeout(&entry(number), PATIENCE)?;
        }
        // The screen shows nothing, and so the journal is full.
        let full = journal.send_timeout(&entry(ROOM), Duration::from_millis(50));
        assert_eq!(full, Err(SendError::TimedOut));
        let slowest = journal.slowest().ok_or("two have joined")?;
        assert_eq!((slowest.consumer, slowest.lag), (SCREEN, ROOM));
        unlucky.kill()?;
        // Its death is proven, and it bounds nobody.
        journal.send_timeout(&entry(ROOM), PATIENCE)?;
    }
    let screen = start("keep", SCREEN)?;
    for number in journal.next_sequence()..COUNT {
        journal.send_timeout(&entry(number), PATIENCE)?;
    }
    disk.finish()?;
    screen.finish()?;
    println!("{COUNT} entries for each");
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => write(),
        ["keep", name, consumer] => keep(name, consumer.parse()?),
        ["die", name, _] => unlucky_screen(name),
        _ => common::usage("none"),
    })
}
