//! A machine that shares nothing with its host: its kernel has what the host's may lack, buffers of drivers (dma-bufs).

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::buffers;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The parameter by which the kernel's command line asks the guest for this.
pub const BUFFERS: &str = "buffers";

/// The kinds of buffers that the guest's kernel has: a udmabuf, and one of the heap `system`.
const KINDS: u32 = 2;

/// What the guest says in the end.
const PASSED: &str = "guest: regions in buffers passed";

/// The guest.
pub fn serve() -> Result<()> {
    let tried = buffers::run()?;
    if tried < KINDS {
        return Err(format!("{tried} of {KINDS} kinds of buffers could be tried").into());
    }
    println!("{PASSED}");
    Ok(())
}

/// The host: it starts the machine, and listens until that has switched itself off.
pub fn run(command: &[&str]) -> Result<()> {
    let (program, args) = command.split_first().ok_or("no command")?;
    let mut machine = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let console = machine.stdout.take().ok_or("no console")?;
    let mut has_passed = false;
    for line in BufReader::new(console).lines() {
        let line = line?;
        println!("{}", line.trim_end());
        has_passed |= line.contains(PASSED);
    }
    let status = machine.wait()?;
    if has_passed && status.success() {
        Ok(())
    } else {
        Err(format!("the guest has failed ({status})").into())
    }
}
