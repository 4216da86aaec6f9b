//! Frames into anything that is `embedded_io::Write`.

use core::fmt;

use embedded_io::{Error, ErrorKind, Write, WriteReady};

use super::encoder::{EncodeError, StreamEncoder};

/// Writes frames to a stream.
///
/// A write that fails half-way through a frame loses nothing: the rest is sent by the next call. So a
/// stream may be non-blocking, or have a time-out; the stream decides how long a call may take.
///
/// # Examples
///
/// ```
/// use strait_core::stream::{Check, FrameWriter, OVERHEAD, StreamEncoder};
/// let (mut line, mut buffer) = ([0; 128], [0; 64]);
/// let encoder = StreamEncoder::new(&mut buffer, Check::Whole).unwrap();
/// let mut writer = FrameWriter::new(&mut line[..], encoder);
/// writer.send(7, b"motor on").unwrap();
/// // The rest of the line is free.
/// assert_eq!(writer.io().len(), 128 - OVERHEAD - 8);
/// ```
#[derive(Debug)]
pub struct FrameWriter<'b, W> {
    io: W,
    encoder: StreamEncoder<'b>,
}

impl<'b, W: Write> FrameWriter<'b, W> {
    /// A writer to `io`.
    #[must_use]
    pub fn new(io: W, encoder: StreamEncoder<'b>) -> Self {
        Self { io, encoder }
    }

    /// Sends a frame: what is pending first, if there is no space beside it, and the frame itself. One
    /// write, if the stream takes it all at once. Does not flush the stream.
    ///
    /// # Errors
    ///
    /// [`StreamSendError`]; its variant shows whether the frame was taken.
    pub fn send(&mut self, tag: u32, payload: &[u8]) -> Result<(), StreamSendError<W::Error>> {
        match self.encoder.push(tag, payload) {
            Ok(()) => {}
            Err(EncodeError::TooLarge) => return Err(StreamSendError::TooLarge),
            Err(EncodeError::Full) => {
                self.drain().map_err(Stopped::before)?;
                self.encoder.push(tag, payload).map_err(|_| StreamSendError::TooLarge)?;
            }
        }
        self.drain().map_err(Stopped::after)
    }

    /// Sends all that is pending, and flushes the stream.
    ///
    /// # Errors
    ///
    /// [`StreamSendError::Unfinished`] or `Closed`.
    pub fn flush(&mut self) -> Result<(), StreamSendError<W::Error>> {
        self.drain().map_err(Stopped::after)?;
        self.io.flush().map_err(StreamSendError::Unfinished)
    }

    /// Writes what is pending while the stream takes it at once; returns whether that was all. With
    /// [`encoder`](Self::encoder) and `push`, this is sending that never blocks.
    ///
    /// # Errors
    ///
    /// [`StreamSendError::Unfinished`] or `Closed`.
    pub fn try_flush(&mut self) -> Result<bool, StreamSendError<W::Error>>
    where
        W: WriteReady,
    {
        while !self.encoder.pending().is_empty() {
            if !self.io.write_ready().map_err(StreamSendError::Unfinished)? {
                return Ok(false);
            }
            self.write_some().map_err(Stopped::after)?;
        }
        Ok(true)
    }

    /// Writes all that is pending. A write a byte at worst.
    fn drain(&mut self) -> Result<(), Stopped<W::Error>> {
        while !self.encoder.pending().is_empty() {
            self.write_some()?;
        }
        Ok(())
    }

    fn write_some(&mut self) -> Result<(), Stopped<W::Error>> {
        match self.io.write(self.encoder.pending()) {
            Ok(0) => Err(Stopped::Closed),
            Ok(count) => {
                self.encoder.consume(count);
                Ok(())
            }
            Err(error) => Err(Stopped::Io(error)),
        }
    }
}

impl<'b, W> FrameWriter<'b, W> {
    /// The encoder: to put in frames without sending them yet, or under other numbers.
    pub fn encoder(&mut self) -> &mut StreamEncoder<'b> {
        &mut self.encoder
    }

    /// The stream.
    pub fn io(&mut self) -> &mut W {
        &mut self.io
    }

    /// The stream, and the encoder with what is pending.
    #[must_use]
    pub fn into_parts(self) -> (W, StreamEncoder<'b>) {
        (self.io, self.encoder)
    }
}

/// The reason why writing stopped.
enum Stopped<E> {
    Closed,
    Io(E),
}

impl<E> Stopped<E> {
    fn before(self) -> StreamSendError<E> {
        match self {
            Self::Closed => StreamSendError::Closed,
            Self::Io(error) => StreamSendError::Io(error),
        }
    }

    fn after(self) -> StreamSendError<E> {
        match self {
            Self::Closed => StreamSendError::Closed,
            Self::Io(error) => StreamSendError::Unfinished(error),
        }
    }
}

/// Error of sending a frame, or of sending all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamSendError<E> {
    /// Longer than the encoder's buffer allows; it can never fit. Not taken.
    TooLarge,
    /// The stream failed while earlier frames were sent. This one was not taken; send it again.
    Io(E),
    /// The stream failed, and all that was taken will be sent by the next call. Do not send it again.
    Unfinished(E),
    /// The stream takes nothing more. What is pending will not arrive.
    Closed,
}

impl<E: fmt::Display> fmt::Display for StreamSendError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => EncodeError::TooLarge.fmt(f),
            Self::Io(error) => write!(f, "the stream failed before the frame was taken: {error}"),
            Self::Unfinished(error) => {
                write!(f, "the stream failed within a frame, call again to go on: {error}")
            }
            Self::Closed => f.write_str("the stream takes nothing more"),
        }
    }
}

impl<E: Error> core::error::Error for StreamSendError<E> {}

impl<E: Error> Error for StreamSendError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge => ErrorKind::OutOfMemory,
            Self::Io(error) | Self::Unfinished(error) => error.kind(),
            Self::Closed => ErrorKind::WriteZero,
        }
    }
}
