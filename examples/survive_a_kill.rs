//! A consumer is killed in the middle of its work, and its successor goes on with the very message.
//!
//! `cargo run --example survive_a_kill`. Linux, where the kernel proves a death.

use std::io::Read;
use std::process::{Command, Stdio};

use strait::{Channel, Options, Peer, Plan, Region};

const PLAN: Plan = Plan::new(&[Channel::frames("orders", 4096, 64)]);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Takes the first order, and never gets it done.
fn unlucky_worker(name: &str) -> Result<()> {
    let region = Region::named(name)?.open(&Options::new())?;
    let mut orders = region.consumer("orders")?;
    let order = orders.peek()?;
    println!("working on order {}", order.info().tag);
    loop {
        std::thread::park();
    }
}

fn main() -> Result<()> {
    if let Some(name) = std::env::args().nth(1) {
        return unlucky_worker(&name);
    }
    if !cfg!(any(target_os = "linux", windows)) {
        println!("skipped: this system cannot prove a death");
        return Ok(());
    }
    let name = format!("survive-a-kill-{}", std::process::id());
    let region = Region::named(&name)?.create(&PLAN, &Options::new())?;
    let mut orders = region.producer("orders")?;
    for tag in 1..=3 {
        orders.try_send(tag, b"drill here")?;
    }

    let mut worker = Command::new(std::env::current_exe()?).arg(&name).stdout(Stdio::piped()).spawn()?;
    worker.stdout.as_mut().expect("piped").read_exact(&mut [0])?;
    assert_eq!(orders.peer(), Peer::Present);
    worker.kill()?;
    worker.wait()?;
    assert_eq!(orders.peer(), Peer::Dead);

    let mut successor = region.consumer("orders")?;
    println!("took over from participant {}", successor.taken_over_from().expect("a dead one"));
    let mut buffer = [0; 64];
    for expected in 1..=3 {
        let order = successor.try_recv(&mut buffer)?;
        assert_eq!(order.tag, expected, "every order, the interrupted one first");
        println!("order {}: {}", order.tag, String::from_utf8_lossy(&buffer[..order.len]));
    }
    Region::named(&name)?.remove()?;
    Ok(())
}
