//! A dynamic data link: a program asks for a value once, or stays linked to it and is told of each change.
//!
//! Asserts that the first look is complete at once, that a linked program sees the last of all changes however many it
//! slept through, and that a link outlives the program that publishes.

mod common;

use common::{Other, PATIENCE, Result};
use strait::{Channel, Plan, Reading, RegionName, RegionOptions};

strait::message! {
    /// A cell of a table, and how often it was changed.
    struct Cell {
        value: f64,
        changes: u64,
    }
}

const PLAN: Plan = Plan::new(&[Channel::latest::<Cell>("cell").consumer_may_block()]);
const CHANGES: u64 = 10_000;

/// The program that has the table. Each time it is started it goes on from what the last one left.
fn change(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let start = match region.latest_reader::<Cell>("cell")?.read() {
        Reading::Fresh(cell) => cell.changes,
        _ => 0,
    };
    let mut cell = region.latest_writer::<Cell>("cell")?;
    for changes in start + 1..=start + CHANGES {
        cell.publish(&Cell { value: changes as f64 / 4.0, changes });
    }
    Ok(())
}

fn follow() -> Result<()> {
    let name = common::fresh_name("hot-link");
    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut link = region.latest_reader::<Cell>("cell")?;
    let mut seen = 0;
    let mut last = 0;
    for round in 1..=2 {
        let other = Other::start(&["change", &name])?;
        while last < round * CHANGES {
            // A hot link: sleeps until there is another value.
            let Reading::Fresh(cell) = link.wait_for_change(PATIENCE) else { return Err("no change".into()) };
            assert!(cell.changes > last, "never an old value");
            assert_eq!(cell.value, cell.changes as f64 / 4.0, "never half of one");
            (last, seen) = (cell.changes, seen + 1);
        }
        other.finish()?;
    }
    // A cold link: one look, by a program that comes later.
    let cell = region.latest_reader::<Cell>("cell")?.read().value().ok_or("nothing")?;
    assert_eq!(cell.changes, 2 * CHANGES);
    RegionName::new(&name)?.remove()?;
    println!("{} changes, of which the link saw {seen}, the last among them", cell.changes);
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => follow(),
        ["change", name] => change(name),
        _ => common::usage("none"),
    })
}
