//! One contract, [`client`] and [`server`], over four carriers between two processes: a socket, the
//! standard streams of a child, a named pipe, and rings in shared memory.
//!
//! The contract knows `embedded_io`'s `Read` and `Write`, and neither the carrier nor the system.
//! Asserts that over each of them every message came back as asked, and nothing else.

mod common;

use std::net::{TcpListener, TcpStream};

use common::{Other, PATIENCE, Result};
use embedded_io::{Read, Write};
use embedded_io_adapters::std::FromStd;
use strait::pipe::{Pipe, PipeListener, PipeName, PipeOptions};
use strait::stream::{
    Check, FrameReader, FrameWriter, OVERHEAD, StreamDecoder, StreamEncoder, StreamRecvError,
};
use strait::{
    Channel, Plan, RegionName, RegionOptions,
    io::{RingReader, RingWriter},
};

/// The longest message, in bytes: more than a frame of the rings, which are byte pipes here.
const LONGEST: usize = 2000;
const MESSAGES: u32 = 300;

/// The tag of a message that is to come back reversed.
const REVERSE: u32 = 1;
/// The tag of the last message, which comes back with the number of those before.
const COUNT: u32 = 2;

const PLAN: Plan = Plan::new(&[
    Channel::frames("requests", 4096, 1000).consumer_may_block().producer_may_block(),
    Channel::frames("responses", 4096, 1000).consumer_may_block().producer_may_block(),
]);

fn message(n: u32) -> Vec<u8> {
    (0..n * 7 % LONGEST as u32).map(|i| (n + i) as u8).collect()
}

/// Asks for messages to be reversed, and checks what comes back.
fn client<R, W>(input: R, output: W) -> Result<()>
where
    R: Read<Error: 'static>,
    W: Write<Error: 'static>,
{
    let (mut into, mut out) = ([0; OVERHEAD + LONGEST], [0; OVERHEAD + LONGEST]);
    let decoder = StreamDecoder::new(&mut into, Check::Whole).ok_or("the buffer is too short")?;
    let encoder = StreamEncoder::new(&mut out, Check::Whole).ok_or("the buffer is too short")?;
    let (mut reader, mut writer) = (FrameReader::new(input, decoder), FrameWriter::new(output, encoder));
    for n in 0..MESSAGES {
        let mut expected = message(n);
        writer.send(REVERSE, &expected)?;
        writer.flush()?;
        expected.reverse();
        let answer = reader.recv()?;
        assert_eq!((answer.tag, answer.sequence, answer.payload), (REVERSE, n, &expected[..]));
    }
    writer.send(COUNT, &[])?;
    writer.flush()?;
    assert_eq!(reader.recv()?.payload, MESSAGES.to_le_bytes());
    assert_eq!(reader.decoder().skipped(), 0);
    Ok(())
}

/// Does as asked, until it has been asked for the count or the client has gone.
fn server<R, W>(input: R, output: W) -> Result<()>
where
    R: Read<Error: 'static>,
    W: Write<Error: 'static>,
{
    let (mut into, mut out) = ([0; OVERHEAD + LONGEST], [0; OVERHEAD + LONGEST]);
    let decoder = StreamDecoder::new(&mut into, Check::Whole).ok_or("the buffer is too short")?;
    let encoder = StreamEncoder::new(&mut out, Check::Whole).ok_or("the buffer is too short")?;
    let (mut reader, mut writer) = (FrameReader::new(input, decoder), FrameWriter::new(output, encoder));
    let mut count = 0_u32;
    loop {
        let request = match reader.recv() {
            Ok(request) => request,
            Err(StreamRecvError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let last = request.tag == COUNT;
        if last {
            writer.send(COUNT, &count.to_le_bytes())?;
        } else {
            let mut payload = request.payload.to_vec();
            payload.reverse();
            writer.send(request.tag, &payload)?;
        }
        writer.flush()?;
        if last {
            return Ok(());
        }
        count += 1;
    }
}

/// The second process: serves over the carrier that its arguments name.
fn serve(carrier: &str, place: &str) -> Result<()> {
    match carrier {
        "tcp" => {
            let stream = TcpStream::connect(place)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            server(FromStd::new(&stream), FromStd::new(&stream))
        }
        "streams" => server(FromStd::new(std::io::stdin()), FromStd::new(std::io::stdout())),
        "pipe" => {
            let pipe = Pipe::connect_timeout(&PipeName::new(place)?, &PipeOptions::new(), PATIENCE)?;
            server(pipe.try_clone()?, pipe)
        }
        "ring" => {
            let region = RegionName::new(place)?.open_or_create(&PLAN, &RegionOptions::new())?;
            let requests = RingReader::new(region.consumer("requests")?, PATIENCE, &mut []);
            let responses = RingWriter::new(region.producer("responses")?, PATIENCE);
            server(requests, responses)
        }
        _ => common::usage("none"),
    }
}

fn finish(carrier: &str, other: Other) -> Result<()> {
    other.finish()?;
    println!("{carrier}: {MESSAGES} messages there and back");
    Ok(())
}

/// The first process: a client over each carrier in turn.
fn ask() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let other = Other::start(&["tcp", &listener.local_addr()?.to_string()])?;
    let stream = common::accept(&listener)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    client(FromStd::new(&stream), FromStd::new(&stream))?;
    finish("tcp", other)?;

    let (other, input, output) = Other::start_talking(&["streams", ""])?;
    client(FromStd::new(output), FromStd::new(input))?;
    finish("streams", other)?;

    let name = common::fresh_name("one-contract");
    let mut listener = PipeListener::bind(&PipeName::new(&name)?, &PipeOptions::new())?;
    let other = Other::start(&["pipe", &name])?;
    let pipe = listener.accept_timeout(PATIENCE)?;
    client(pipe.try_clone()?, pipe)?;
    finish("pipe", other)?;

    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let other = Other::start(&["ring", &name])?;
    let responses = RingReader::new(region.consumer("responses")?, PATIENCE, &mut []);
    let requests = RingWriter::new(region.producer("requests")?, PATIENCE);
    client(responses, requests)?;
    finish("ring", other)?;
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => ask(),
        [carrier, place] => serve(carrier, place),
        _ => common::usage("none"),
    })
}
