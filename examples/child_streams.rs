//! Anonymous pipes between parent and child: the child's standard input and output are redirected, and two
//! pipes make a duplex one.
//!
//! Asserts that the child, which knows nothing of pipes, answered every line; that a child that is silent
//! costs no more than the time-out; and that the end of either side reaches the other.

mod common;

use std::io::{BufRead, Write};
use std::process::Command;
use std::time::Duration;

use common::{PATIENCE, Result};
use strait::pipe::{PipeError, ReadEnd, WriteEnd};

/// Any program that reads lines and writes lines.
fn shout() -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        writeln!(std::io::stdout().lock(), "{}!", line?.to_uppercase())?;
    }
    Ok(())
}

/// The next line, and what was read beyond it stays in `read`.
fn line(from: &mut ReadEnd, read: &mut Vec<u8>, timeout: Duration) -> std::result::Result<String, PipeError> {
    loop {
        if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = read.drain(..=end).collect();
            return Ok(String::from_utf8_lossy(&line).trim_end().into());
        }
        let mut buffer = [0; 64];
        let len = from.read_timeout(&mut buffer, timeout)?;
        read.extend(&buffer[..len]);
    }
}

fn listen() -> Result<()> {
    let (mut to, stdin) = WriteEnd::pair()?;
    let (mut from, stdout) = ReadEnd::pair()?;
    // The command, which holds the child's ends, is dropped at the end of the statement.
    let mut child =
        Command::new(std::env::current_exe()?).arg("shout").stdin(stdin).stdout(stdout).spawn()?;
    let mut read = Vec::new();
    for n in 1..=100 {
        let question = format!("knock {n}\n");
        assert_eq!(to.write_timeout(question.as_bytes(), PATIENCE)?, question.len());
        assert_eq!(line(&mut from, &mut read, PATIENCE)?, format!("KNOCK {n}!"));
    }
    let silence = line(&mut from, &mut read, Duration::from_millis(50));
    assert_eq!(silence, Err(PipeError::TimedOut), "nobody asked");

    // The end of its input ends the child, and that the output.
    drop(to);
    assert_eq!(line(&mut from, &mut read, PATIENCE), Err(PipeError::PeerEnded));
    assert!(child.wait()?.success());
    println!("100 lines there and back");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => listen(),
        ["shout"] => shout(),
        _ => common::usage("none"),
    })
}
