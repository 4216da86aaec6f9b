//! One contract, [`client`] and [`server`], over three carriers between two processes: a socket, the
//! standard streams of a child, and rings in shared memory.
//!
//! The contract knows `embedded_io`'s `Read` and `Write`, and neither the carrier nor the system.

use std::error::Error;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use embedded_io::{Read, Write};
use embedded_io_adapters::std::FromStd;
use strait::stream::{
    Check, FrameReader, FrameWriter, OVERHEAD, StreamDecoder, StreamEncoder, StreamRecvError,
};
use strait::{Channel, Options, Plan, Region, RingReader, RingWriter};

/// The longest message, in bytes: more than a frame of the rings, which are byte pipes here.
const LONGEST: usize = 2000;
const MESSAGES: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(10);

/// The tag of a message that is to come back reversed.
const REVERSE: u32 = 1;
/// The tag of the last message, which comes back with the number of those before.
const COUNT: u32 = 2;

const PLAN: Plan = Plan::new(&[
    Channel::frames("requests", 4096, 1000).consumer_may_block().producer_may_block(),
    Channel::frames("responses", 4096, 1000).consumer_may_block().producer_may_block(),
]);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

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
        "pipe" => server(FromStd::new(std::io::stdin()), FromStd::new(std::io::stdout())),
        "ring" => {
            let region = Region::named(place)?.open_or_create(&PLAN, &Options::new())?;
            let requests = RingReader::new(region.consumer("requests")?, PATIENCE, &mut []);
            let responses = RingWriter::new(region.producer("responses")?, PATIENCE);
            server(requests, responses)
        }
        _ => Err("no such carrier".into()),
    }
}

fn other(carrier: &str, place: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([carrier, place]);
    Ok(command)
}

fn finish(carrier: &str, mut other: Child) -> Result<()> {
    assert!(other.wait()?.success());
    println!("{carrier}: {MESSAGES} messages there and back");
    Ok(())
}

/// The connection that comes first, if one comes in time.
fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                // On some systems it has this from the listener.
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn main() -> Result<()> {
    if let [_, carrier, place] = &std::env::args().collect::<Vec<_>>()[..] {
        return serve(carrier, place);
    }

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let child = other("tcp", &listener.local_addr()?.to_string())?.spawn()?;
    let stream = accept(&listener)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    client(FromStd::new(&stream), FromStd::new(&stream))?;
    finish("tcp", child)?;

    let mut child = other("pipe", "")?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (input, output) = (child.stdout.take().ok_or("no pipe")?, child.stdin.take().ok_or("no pipe")?);
    client(FromStd::new(input), FromStd::new(output))?;
    finish("pipe", child)?;

    let name = format!("one-contract-{}", std::process::id());
    let region = Region::named(&name)?.open_or_create(&PLAN, &Options::new())?;
    let child = other("ring", &name)?.spawn()?;
    let responses = RingReader::new(region.consumer("responses")?, PATIENCE, &mut []);
    let requests = RingWriter::new(region.producer("requests")?, PATIENCE);
    let result = client(responses, requests);
    let finished = finish("ring", child);
    Region::named(&name)?.remove()?;
    result.and(finished)
}
