//! A contract over a stream of bytes, in the frames of [`stream`](crate::stream).
//!
//! ```text
//!   client                                     server
//!   tag 0,  its hash, offset        ------->                  once, when it connects
//!                                   <-------   tag 0, its hash, a piece of its text
//!   tag 1.. argument                ------->
//!                                   <-------   tag 1.., answer; or tag REFUSED + code, nothing
//! ```
//!
//! A frame is as long as its message. An answer has the sequence number of its request, so one that comes late is known
//! and dropped. A server refuses all functions until a client with its own hash has asked; a client whose hash differs
//! reads the server's text as far as it equals its own, and says what differs.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use zerocopy::{FromZeros, IntoBytes};

use crate::endpoint::Ran;
use crate::stream::{Check, EncodeError, StreamDecoder, StreamEncoder};

use super::Contract;
use super::carrier::{Carrier, Invocation, Requests, describe, question};
use super::difference::Comparison;
use super::error::{FunctionError, OpenContractError, ServeContractError};
use super::text::{DESCRIBE, HASH_LEN, PIECE_LEN, function, stream_buffer};

/// The bit of a tag that says that the request is refused; the code is in the low 16 bits.
const REFUSED: u32 = 1 << 31;
/// How long a post, or an answer, may take to be written, unless set.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// The most requests that one call of `serve` serves.
const MOST_AT_ONCE: u32 = 32;

/// A stream of bytes both ways, with a limit of time.
pub trait ByteStream {
    /// Sets how long the reads and writes that follow may take together, until this is called again.
    fn limit(&mut self, timeout: Duration);

    /// Reads some bytes; 0 is the stream's end.
    ///
    /// # Errors
    ///
    /// [`ByteStreamError`]; no byte was lost if it is `TimedOut`.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ByteStreamError>;

    /// Writes some bytes.
    ///
    /// # Errors
    ///
    /// [`ByteStreamError`]; nothing was written if it is `TimedOut`.
    fn write(&mut self, from: &[u8]) -> Result<usize, ByteStreamError>;
}

/// Error of a stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ByteStreamError {
    /// The time allowed is over.
    TimedOut,
    /// The stream failed, or the other side has closed it.
    Closed,
}

impl fmt::Display for ByteStreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the stream took longer than the time allowed; try again later",
            Self::Closed => "the stream failed or was closed by the other side; connect again",
        })
    }
}

impl core::error::Error for ByteStreamError {}

/// A stream, and the frames that are under way in both directions.
struct Link<'b, S> {
    io: S,
    encoder: StreamEncoder<'b>,
    decoder: StreamDecoder<'b>,
    write_limit: Duration,
}

impl<'b, S: ByteStream> Link<'b, S> {
    fn new<K: Contract>(io: S, into: &'b mut [u8], out: &'b mut [u8]) -> Result<Self, OpenContractError> {
        let needed = stream_buffer(K::FUNCTIONS);
        if into.len().min(out.len()) < needed {
            return Err(OpenContractError::BufferTooShort { needed });
        }
        let decoder = StreamDecoder::new(into, Check::Whole);
        let encoder = StreamEncoder::new(out, Check::Whole);
        match (encoder, decoder) {
            (Some(encoder), Some(decoder)) => Ok(Self { io, encoder, decoder, write_limit: WRITE_LIMIT }),
            _ => Err(OpenContractError::BufferTooShort { needed }),
        }
    }

    /// Puts a frame behind what is pending.
    fn push(&mut self, tag: u32, payload: &[u8]) -> Result<(), FunctionError> {
        let pushed = self.encoder.push(tag, payload);
        if pushed != Err(EncodeError::Full) {
            return pushed.map_err(|_| FunctionError::Full);
        }
        self.flush().map_err(|error| match error {
            ByteStreamError::TimedOut => FunctionError::Full,
            ByteStreamError::Closed => FunctionError::ServerGone { ran: Ran::No },
        })?;
        self.encoder.push(tag, payload).map_err(|_| FunctionError::Full)
    }

    /// Writes all that is pending. A write a byte at worst.
    fn flush(&mut self) -> Result<(), ByteStreamError> {
        while !self.encoder.pending().is_empty() {
            match self.io.write(self.encoder.pending())? {
                0 => return Err(ByteStreamError::Closed),
                count => self.encoder.consume(count),
            }
        }
        Ok(())
    }

    /// Reads some bytes into the decoder.
    fn fill(&mut self) -> Result<(), ByteStreamError> {
        match self.io.read(self.decoder.space())? {
            0 => Err(ByteStreamError::Closed),
            count => {
                self.decoder.fill(count);
                Ok(())
            }
        }
    }
}

/// What is known of a call that was written, at least in part.
fn unanswered(error: ByteStreamError) -> FunctionError {
    match error {
        ByteStreamError::TimedOut => FunctionError::TimedOut { ran: Ran::Maybe },
        ByteStreamError::Closed => FunctionError::ServerGone { ran: Ran::Maybe },
    }
}

/// The client's side of a contract over a stream. One call at a time.
///
/// A call that had no answer in time leaves the stream in order: its answer is dropped when it comes.
pub struct StreamCarrier<'b, K: Contract, S> {
    link: Link<'b, S>,
    contract: PhantomData<fn() -> K>,
}

impl<'b, K: Contract, S: ByteStream> StreamCarrier<'b, K, S> {
    /// Asks the server at the other end which contract it has, waiting up to `timeout`. Each buffer bounds the frames
    /// of one direction.
    ///
    /// # Errors
    ///
    /// [`OpenContractError`].
    pub fn connect(
        io: S,
        into: &'b mut [u8],
        out: &'b mut [u8],
        timeout: Duration,
    ) -> Result<Self, OpenContractError> {
        let mut carrier = Self { link: Link::new::<K>(io, into, out)?, contract: PhantomData };
        carrier.link.io.limit(timeout);
        let mut comparison = Comparison::new(K::TEXT);
        let mut offset = 0;
        // Their text is read only as far as it equals ours, and on to the end of a name, which is cut off.
        while offset < K::TEXT.len() + 4 * PIECE_LEN {
            let mut piece = [0; PIECE_LEN];
            let asked = carrier.ask(DESCRIBE, &question::<K>(offset), &mut piece);
            asked.map_err(OpenContractError::NoAnswer)?;
            let (hash, text) = piece.split_at(HASH_LEN);
            if hash == K::HASH.to_le_bytes() {
                return Ok(carrier);
            }
            let end = text.iter().position(|&byte| byte == 0);
            let is_enough = text[..end.unwrap_or(text.len())].iter().any(|&byte| comparison.push(byte));
            if end.is_some() || is_enough {
                comparison.end();
                break;
            }
            offset += text.len();
        }
        Err(comparison.found().map_or(OpenContractError::DiffersSomewhere, OpenContractError::Differs))
    }

    /// Sets how long a post may take to be written; 1 s unless set. What is not written then, is with the next call.
    pub fn set_write_limit(&mut self, limit: Duration) {
        self.link.write_limit = limit;
    }

    /// The stream.
    pub fn io(&mut self) -> &mut S {
        &mut self.link.io
    }

    /// Sends a request and waits for its answer, within the stream's limit.
    fn ask(&mut self, number: u32, request: &[u8], answer: &mut [u8]) -> Result<(), FunctionError> {
        let sequence = self.link.encoder.next_sequence();
        self.link.push(number, request)?;
        self.link.flush().map_err(unanswered)?;
        loop {
            match self.link.decoder.next_frame() {
                Some(frame) if frame.sequence != sequence => {}
                Some(frame) if frame.tag == number && frame.payload.len() == answer.len() => {
                    answer.copy_from_slice(frame.payload);
                    return Ok(());
                }
                Some(frame) if frame.tag & REFUSED != 0 && frame.payload.is_empty() => {
                    return Err(FunctionError::Refused { code: frame.tag as u16 });
                }
                Some(_) => return Err(FunctionError::WrongAnswer),
                None => self.link.fill().map_err(unanswered)?,
            }
        }
    }
}

impl<K: Contract, S: ByteStream> Carrier for StreamCarrier<'_, K, S> {
    type Contract = K;

    fn call(
        &mut self,
        number: u32,
        request: &[u8],
        answer: &mut [u8],
        timeout: Duration,
    ) -> Result<(), FunctionError> {
        self.link.io.limit(timeout);
        self.ask(number, request, answer)
    }

    fn post(&mut self, number: u32, request: &[u8]) -> Result<(), FunctionError> {
        self.link.io.limit(self.link.write_limit);
        self.link.push(number, request)?;
        match self.link.flush() {
            // It is in the buffer, and is written with what follows.
            Ok(()) | Err(ByteStreamError::TimedOut) => Ok(()),
            Err(ByteStreamError::Closed) => Err(FunctionError::ServerGone { ran: Ran::Maybe }),
        }
    }
}

/// The server's side of a contract over a stream: of one client.
///
/// A function that panics refuses its request with code 0, if the server goes on to serve.
pub struct StreamRequests<'b, K: Contract, S> {
    link: Link<'b, S>,
    /// The client has this contract.
    agreed: bool,
    contract: PhantomData<fn() -> K>,
}

impl<'b, K: Contract, S: ByteStream> StreamRequests<'b, K, S> {
    /// Serves the client at the other end. Each buffer bounds the frames of one direction.
    ///
    /// # Errors
    ///
    /// [`OpenContractError::BufferTooShort`].
    pub fn accept(io: S, into: &'b mut [u8], out: &'b mut [u8]) -> Result<Self, OpenContractError> {
        Ok(Self { link: Link::new::<K>(io, into, out)?, agreed: false, contract: PhantomData })
    }

    /// Sets how long an answer may take to be written; 1 s unless set. A client that does not read loses answers.
    pub fn set_write_limit(&mut self, limit: Duration) {
        self.link.write_limit = limit;
    }

    /// The stream.
    pub fn io(&mut self) -> &mut S {
        &mut self.link.io
    }

    /// Writes what is pending, as far as the client takes it in time.
    fn write(&mut self) -> Result<(), ByteStreamError> {
        if self.link.encoder.pending().is_empty() {
            return Ok(());
        }
        self.link.io.limit(self.link.write_limit);
        match self.link.flush() {
            Err(ByteStreamError::Closed) => Err(ByteStreamError::Closed),
            Ok(()) | Err(ByteStreamError::TimedOut) => Ok(()),
        }
    }

    /// Serves the next request that the decoder has, if there is one.
    fn serve_one(&mut self, serve: &mut impl FnMut(Invocation<'_>) -> Result<(), u16>) -> bool {
        let Link { decoder, encoder, .. } = &mut self.link;
        let Some(frame) = decoder.next_frame() else { return false };
        let number = frame.tag;
        let mut answer = K::Answer::new_zeroed();
        let into = answer.as_mut_bytes();
        let mut owed = Owed { encoder, sequence: frame.sequence, frame: Some((REFUSED, &[])) };
        if number == DESCRIBE {
            let piece = &mut into[..PIECE_LEN];
            if let Some(agreed) = describe::<K>(frame.payload, piece) {
                self.agreed = agreed;
                owed.frame = Some((DESCRIBE, piece));
            }
            return true;
        }
        let Some(function) = function::<K>(number).filter(|_| self.agreed) else { return true };
        if function.answer.is_none() {
            // Nobody waits for it, not even to learn of a refusal.
            owed.frame = None;
        }
        if function.request_len == frame.payload.len() {
            let into = &mut into[..function.answer_len];
            let served = serve(Invocation { function: number, request: frame.payload, answer: &mut *into });
            owed.frame = owed.frame.map(|_| match served {
                Ok(()) => (number, &*into),
                Err(code) => (REFUSED | u32::from(code), &[][..]),
            });
        }
        true
    }
}

/// The answer that is owed to a request: a refusal until there is a better one, also in a panic.
struct Owed<'a, 'b, 'p> {
    encoder: &'a mut StreamEncoder<'b>,
    sequence: u32,
    /// Tag and payload; `None` if nothing is owed.
    frame: Option<(u32, &'p [u8])>,
}

impl Drop for Owed<'_, '_, '_> {
    fn drop(&mut self) {
        if let Some((tag, payload)) = self.frame {
            self.encoder.set_next_sequence(self.sequence);
            // There is room, except beside the answers that a client does not read: it loses this one.
            _ = self.encoder.push(tag, payload);
        }
    }
}

impl<K: Contract, S: ByteStream> Requests for StreamRequests<'_, K, S> {
    type Contract = K;

    fn serve<F>(&mut self, timeout: Duration, mut serve: F) -> Result<u32, ServeContractError>
    where
        F: FnMut(Invocation<'_>) -> Result<(), u16>,
    {
        // What a panic or a slow client has left is written first, so that there is room for the next answer.
        self.write().map_err(|_| ServeContractError::ClientGone)?;
        self.link.io.limit(timeout);
        let mut served = 0;
        while served < MOST_AT_ONCE {
            if self.serve_one(&mut serve) {
                served += 1;
                if self.write().is_err() {
                    break;
                }
            } else if served > 0 {
                break;
            } else {
                self.link.fill().map_err(|error| match error {
                    ByteStreamError::TimedOut => ServeContractError::TimedOut,
                    ByteStreamError::Closed => ServeContractError::ClientGone,
                })?;
            }
        }
        Ok(served)
    }
}
