//! Frames out of anything that is `embedded_io::Read`.

use core::fmt;

use embedded_io::{Error, ErrorKind, Read, ReadReady};

use super::decoder::{Found, Search, StreamDecoder, StreamFrame};

/// Reads frames from a stream.
///
/// A read that fails half-way through a frame loses nothing: the next call goes on. So a stream may be
/// non-blocking, or have a time-out; the stream decides how long a read may take.
///
/// # Examples
///
/// ```
/// use strait_core::stream::{Check, FrameReader, StreamDecoder, StreamEncoder, StreamRecvError};
/// let (mut out, mut into) = ([0; 64], [0; 64]);
/// let mut encoder = StreamEncoder::new(&mut out, Check::Whole).unwrap();
/// encoder.push(7, b"motor on").unwrap();
///
/// let decoder = StreamDecoder::new(&mut into, Check::Whole).unwrap();
/// let mut reader = FrameReader::new(encoder.pending(), decoder);
/// assert_eq!(reader.recv().unwrap().payload, b"motor on");
/// assert!(matches!(reader.recv(), Err(StreamRecvError::Closed)));
/// ```
#[derive(Debug)]
pub struct FrameReader<'b, R> {
    io: R,
    decoder: StreamDecoder<'b>,
    /// The stream ended in the middle of a frame, which is yet to be reported.
    cut: bool,
}

impl<'b, R: Read> FrameReader<'b, R> {
    /// A reader from `io`.
    #[must_use]
    pub fn new(io: R, decoder: StreamDecoder<'b>) -> Self {
        Self { io, decoder, cut: false }
    }

    /// The next frame. Reads until one is whole, at worst one read a byte; gives up for now after as many
    /// skipped bytes as the decoder's buffer has.
    ///
    /// # Errors
    ///
    /// [`StreamRecvError`]. After each of them but `Closed`, the next call goes on.
    pub fn recv(&mut self) -> Result<StreamFrame<'_>, StreamRecvError<R::Error>> {
        match self.recv_while(|_| Ok(true))? {
            Some(found) => Ok(self.decoder.frame(found)),
            None => Err(StreamRecvError::Closed),
        }
    }

    /// The next frame, if there is one without waiting. Reads as [`recv`](Self::recv) does.
    ///
    /// # Errors
    ///
    /// [`StreamRecvError`]. After each of them but `Closed`, the next call goes on.
    pub fn try_recv(&mut self) -> Result<Option<StreamFrame<'_>>, StreamRecvError<R::Error>>
    where
        R: ReadReady,
    {
        let found = self.recv_while(R::read_ready)?;
        Ok(found.map(|found| self.decoder.frame(found)))
    }

    /// Searches, and reads while `may_read` allows it.
    fn recv_while(
        &mut self,
        mut may_read: impl FnMut(&mut R) -> Result<bool, R::Error>,
    ) -> Result<Option<Found>, StreamRecvError<R::Error>> {
        let limit = self.decoder.skipped() + self.decoder.capacity() as u64;
        loop {
            match self.decoder.find() {
                Search::Frame(found) => return Ok(Some(found)),
                Search::TooLarge(needed) => return Err(StreamRecvError::TooLarge { needed }),
                Search::NeedsMore if self.decoder.skipped() > limit => return Err(StreamRecvError::Garbage),
                Search::NeedsMore => {}
            }
            if !may_read(&mut self.io).map_err(StreamRecvError::Io)? {
                return Ok(None);
            }
            match self.io.read(self.decoder.space()).map_err(StreamRecvError::Io)? {
                0 => return self.at_end().map(Some),
                count => self.decoder.fill(count),
            }
        }
    }

    /// No more will come: gives up the frame under way, because whole frames may follow it.
    #[cold]
    fn at_end(&mut self) -> Result<Found, StreamRecvError<R::Error>> {
        while self.decoder.give_up() {
            self.cut = true;
            if let Search::Frame(found) = self.decoder.find() {
                return Ok(found);
            }
        }
        if core::mem::take(&mut self.cut) {
            Err(StreamRecvError::UnexpectedEof)
        } else {
            Err(StreamRecvError::Closed)
        }
    }
}

impl<'b, R> FrameReader<'b, R> {
    /// The decoder, with its counts of what was skipped.
    pub fn decoder(&mut self) -> &mut StreamDecoder<'b> {
        &mut self.decoder
    }

    /// The stream.
    pub fn io(&mut self) -> &mut R {
        &mut self.io
    }

    /// The stream, and the decoder with what it has of further frames.
    #[must_use]
    pub fn into_parts(self) -> (R, StreamDecoder<'b>) {
        (self.io, self.decoder)
    }
}

/// Error of receiving a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamRecvError<E> {
    /// The stream failed; or has nothing now, if it does not block. Call again to go on.
    Io(E),
    /// The stream is at its end, after a whole frame.
    Closed,
    /// The stream is at its end, within a frame.
    UnexpectedEof,
    /// A frame came that is longer than the decoder takes. It is skipped; give the decoder more space.
    TooLarge {
        /// Its length.
        needed: usize,
    },
    /// More bytes than the decoder's buffer has went by without a frame: the other end may speak of
    /// something else. Call again to go on.
    Garbage,
}

impl<E: fmt::Display> fmt::Display for StreamRecvError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the stream failed: {error}"),
            Self::Closed => f.write_str("the stream is at its end"),
            Self::UnexpectedEof => f.write_str("the stream ended within a frame"),
            Self::TooLarge { needed } => {
                write!(
                    f,
                    "the frame has {needed} bytes, more than the decoder's buffer allows; give it a longer one"
                )
            }
            Self::Garbage => f.write_str("the stream does not carry frames; check what the other end sends"),
        }
    }
}

impl<E: Error> core::error::Error for StreamRecvError<E> {}

impl<E: Error> Error for StreamRecvError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Closed => ErrorKind::BrokenPipe,
            Self::UnexpectedEof => ErrorKind::ConnectionAborted,
            Self::TooLarge { .. } => ErrorKind::OutOfMemory,
            Self::Garbage => ErrorKind::InvalidData,
        }
    }
}
