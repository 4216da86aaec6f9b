//! An echo server on a named pipe of bytes: it waits for a client, reads up to 1024 bytes, sends
//! them back, and both close.
//!
//! Asserts that each client got back what it sent, and that the end of either side reaches the other as the
//! end, not as silence.

mod common;

use common::{Other, PATIENCE, Result};
use strait::pipe::{Pipe, PipeError, PipeListener, PipeName, PipeOptions};

const CLIENTS: usize = 3;

fn ask(name: &str, words: &str) -> Result<()> {
    let mut pipe = Pipe::connect_timeout(&PipeName::new(name)?, &PipeOptions::new(), PATIENCE)?;
    pipe.write_timeout(words.as_bytes(), PATIENCE)?;
    let mut answer: Vec<u8> = Vec::new();
    let mut buffer = [0; 1024];
    // The answer may come in pieces, as bytes do; the server's close is its end.
    loop {
        match pipe.read_timeout(&mut buffer, PATIENCE) {
            Ok(len) => answer.extend(&buffer[..len]),
            Err(PipeError::PeerEnded) => break,
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(answer, words.as_bytes());
    println!("{} bytes came back", answer.len());
    Ok(())
}

fn serve() -> Result<()> {
    let name = common::fresh_name("echo");
    let mut listener = PipeListener::bind(&PipeName::new(&name)?, &PipeOptions::new())?;
    for n in 1..=CLIENTS {
        let client = Other::start(&["ask", &name, &"knock ".repeat(50 * n)])?;
        let mut pipe = listener.accept_timeout(PATIENCE)?;
        let mut buffer = [0; 1024];
        let len = pipe.read_timeout(&mut buffer, PATIENCE)?;
        pipe.write_timeout(&buffer[..len], PATIENCE)?;
        // Everything written arrives, although this end is closed at once.
        pipe.flush_timeout(PATIENCE)?;
        drop(pipe);
        client.finish()?;
    }
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => serve(),
        ["ask", name, words] => ask(name, words),
        _ => common::usage("none"),
    })
}
