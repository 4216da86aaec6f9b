//! A consumer is killed in the middle of its work, and its successor goes on with the very message.
//!
//! Linux and Windows, where the kernel proves a death. Asserts that the successor sees every order, the
//! interrupted one first.

mod common;

use common::{Other, Result};
use strait::{Channel, PeerStatus, Plan, RegionName, RegionOptions};

const PLAN: Plan = Plan::new(&[Channel::frames("orders", 4096, 64)]);

/// Takes the first order, and never gets it done.
fn unlucky_worker(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut orders = region.consumer("orders")?;
    let _order = orders.peek()?;
    common::ready();
    common::until_told() // It is killed in there.
}

fn employ() -> Result<()> {
    if !common::PROVES_DEATH {
        println!("skipped: this system cannot prove a death");
        return Ok(());
    }
    let name = common::fresh_name("survive-a-kill");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut orders = region.producer("orders")?;
    for tag in 1..=3 {
        orders.try_send(tag, b"drill here")?;
    }

    let worker = Other::start_and_wait(&["work", &name])?;
    assert_eq!(orders.peer(), PeerStatus::Present);
    worker.kill()?;
    assert_eq!(orders.peer(), PeerStatus::Dead);

    let mut successor = region.consumer("orders")?;
    println!("took over from participant {}", successor.taken_over_from().expect("a dead one"));
    let mut buffer = [0; 64];
    for expected in 1..=3 {
        let order = successor.try_recv(&mut buffer)?;
        assert_eq!(order.tag, expected, "every order, the interrupted one first");
        println!("order {}: {}", order.tag, String::from_utf8_lossy(&buffer[..order.len]));
    }
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => employ(),
        ["work", name] => unlucky_worker(name),
        _ => common::usage("none"),
    })
}
