//! Request and response as frames over TCP, between two processes.
//!
//! The first process serves: a request holds numbers, its tag says what is asked of them, and the
//! response has the request's tag and sequence number. The second asks, with several requests under way
//! at a time. Both ends have buffers of one size, and nothing else bounds or allocates.
//!
//! Asserts that every request was answered rightly, in order.

mod common;

use std::net::{TcpListener, TcpStream};

use common::{Other, PATIENCE, Result};
use embedded_io_adapters::std::FromStd;
use strait::stream::{
    Check, FrameReader, FrameWriter, OVERHEAD, StreamDecoder, StreamEncoder, StreamRecvError,
};

/// The longest request or response, in bytes.
const LONGEST: usize = 1024;
const REQUESTS: u32 = 1000;
/// Requests under way at a time.
const WINDOW: u32 = 8;

const SUM: u32 = 1;
const LARGEST: u32 = 2;
/// The tag of a response to a request that was not understood.
const REFUSED: u32 = 0;

/// The numbers of a payload.
fn numbers(payload: &[u8]) -> impl Iterator<Item = u32> {
    payload.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The two ends of a connection as frames.
type Ends<'s, 'b> = (FrameReader<'b, FromStd<&'s TcpStream>>, FrameWriter<'b, FromStd<&'s TcpStream>>);

/// TCP neither loses nor changes bytes, so the header's check is enough; it shows at once if the other
/// end is no such program.
fn ends<'s, 'b>(stream: &'s TcpStream, into: &'b mut [u8], out: &'b mut [u8]) -> Result<Ends<'s, 'b>> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let decoder = StreamDecoder::new(into, Check::Header).ok_or("the buffer is too short")?;
    let encoder = StreamEncoder::new(out, Check::Header).ok_or("the buffer is too short")?;
    Ok((FrameReader::new(FromStd::new(stream), decoder), FrameWriter::new(FromStd::new(stream), encoder)))
}

/// Answers requests until the client has closed the connection; tells how many there were.
fn serve(stream: &TcpStream) -> Result<u32> {
    let (mut into, mut out) = ([0; OVERHEAD + LONGEST], [0; OVERHEAD + LONGEST]);
    let (mut requests, mut responses) = ends(stream, &mut into, &mut out)?;
    let mut count = 0;
    loop {
        let request = match requests.recv() {
            Ok(request) => request,
            Err(StreamRecvError::Closed) => return Ok(count),
            Err(error) => return Err(error.into()),
        };
        let answer = match request.tag {
            SUM => Some(numbers(request.payload).fold(0, u32::wrapping_add)),
            LARGEST => numbers(request.payload).max(),
            _ => None,
        };
        responses.encoder().set_next_sequence(request.sequence);
        match answer {
            Some(answer) => responses.send(request.tag, &answer.to_le_bytes())?,
            None => responses.send(REFUSED, &[])?,
        }
        count += 1;
    }
}

/// A request and what the response must be.
fn request(n: u32) -> (u32, Vec<u8>, Option<u32>) {
    let values = n..n + n % 100 + 1;
    let payload = values.clone().flat_map(u32::to_le_bytes).collect();
    match n % 3 {
        0 => (SUM, payload, Some(values.sum())),
        1 => (LARGEST, payload, values.max()),
        _ => (77, payload, None),
    }
}

/// Asks, and checks the answers.
fn ask(stream: &TcpStream) -> Result<()> {
    let (mut into, mut out) = ([0; OVERHEAD + LONGEST], [0; OVERHEAD + LONGEST]);
    let (mut responses, mut requests) = ends(stream, &mut into, &mut out)?;
    let mut asked = 0;
    for n in 0..REQUESTS {
        while asked < REQUESTS.min(n + WINDOW) {
            let (tag, payload, _) = request(asked);
            requests.send(tag, &payload)?;
            asked += 1;
        }
        let response = responses.recv()?;
        let (tag, _, answer) = request(n);
        assert_eq!((response.sequence, response.missed), (n, 0), "in order, none lost");
        assert_eq!(response.tag, if answer.is_some() { tag } else { REFUSED });
        assert_eq!(numbers(response.payload).next(), answer);
    }
    Ok(())
}

fn answer() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = Other::start(&["ask", &listener.local_addr()?.to_string()])?;
    let served = serve(&common::accept(&listener)?)?;
    client.finish()?;
    assert_eq!(served, REQUESTS);
    println!("{served} requests answered");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => answer(),
        ["ask", address] => ask(&TcpStream::connect(address)?),
        _ => common::usage("none"),
    })
}
