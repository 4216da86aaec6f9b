//! Messages on a named pipe, read through a buffer of 100 bytes: each call receives a part, until the message
//! is complete.
//!
//! Asserts that every message, from none to 100,000 bytes, arrives whole, one by one, and in as many parts as
//! it takes; and that nothing is lost by a receiver that looks without waiting.

mod common;

use common::{Other, PATIENCE, Result};
use strait::pipe::{BindError, MessageListener, MessagePipe, PipeError, PipeName, PipeOptions};

const BUFFER: usize = 100;
const LENGTHS: [usize; 7] = [0, 1, 99, 100, 101, 12_345, 100_000];

fn message(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + len) as u8).collect()
}

fn send(name: &str) -> Result<()> {
    let mut pipe = MessagePipe::connect_timeout(&PipeName::new(name)?, &PipeOptions::new(), PATIENCE)?;
    for len in LENGTHS {
        pipe.send_timeout(&message(len), PATIENCE)?;
    }
    // The receiver says that it has all.
    let received = pipe.recv_timeout(&mut [0; BUFFER], PATIENCE)?;
    assert_eq!(received.len, 4);
    Ok(())
}

/// Receives a message, and says in how many parts it came.
fn receive(pipe: &mut MessagePipe) -> Result<(Vec<u8>, usize)> {
    let (mut message, mut parts) = (Vec::new(), 0);
    let mut buffer = [0; BUFFER];
    loop {
        let part = match pipe.try_recv(&mut buffer) {
            // Nothing there yet: something else could be done now. Here it is waiting.
            Err(PipeError::NotReady) => pipe.recv_timeout(&mut buffer, PATIENCE)?,
            other => other?,
        };
        message.extend(&buffer[..part.len]);
        parts += 1;
        if !part.more {
            return Ok((message, parts));
        }
    }
}

fn serve() -> Result<()> {
    let name = common::fresh_name("parts");
    let mut listener = match MessageListener::bind(&PipeName::new(&name)?, &PipeOptions::new()) {
        Err(BindError::Unsupported) => {
            println!("skipped: this system has no pipes of messages");
            return Ok(());
        }
        other => other?,
    };
    let sender = Other::start(&["send", &name])?;
    let mut pipe = listener.accept_timeout(PATIENCE)?;
    for len in LENGTHS {
        let (received, parts) = receive(&mut pipe)?;
        assert!(received == message(len), "the message of {len} bytes");
        assert!(parts >= len.div_ceil(BUFFER).max(1));
        println!("{len} bytes in {parts} parts");
    }
    pipe.send_timeout(b"done", PATIENCE)?;
    pipe.flush_timeout(PATIENCE)?;
    sender.finish()
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => serve(),
        ["send", name] => send(name),
        _ => common::usage("none"),
    })
}
