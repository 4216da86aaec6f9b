//! The system's streams for contracts: a limit of time over several reads and writes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use strait_core::contract::{ByteStream, ByteStreamError};
use strait_os::pipe::{Pipe, PipeError};

/// The shortest wait of a read or write: 0 would mean for ever to a socket.
const SHORTEST: Duration = Duration::from_micros(1);
/// The longest wait of one read or write, which every system takes; it is repeated until the time allowed is over.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest time allowed; a longer one is cut to this.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// A stream whose reads and writes take a time-out. Implement it for a stream of your own to carry contracts over it.
pub trait TimedIo {
    /// Reads some bytes, waiting up to `timeout`, which is never 0; 0 bytes are the stream's end.
    ///
    /// # Errors
    ///
    /// [`io::Error`]; of kind `TimedOut` or `WouldBlock` if nothing came.
    fn read_timeout(&mut self, into: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// Writes some bytes, waiting up to `timeout`, which is never 0.
    ///
    /// # Errors
    ///
    /// [`io::Error`]; of kind `TimedOut` or `WouldBlock` if none was written.
    fn write_timeout(&mut self, from: &[u8], timeout: Duration) -> io::Result<usize>;
}

impl TimedIo for TcpStream {
    fn read_timeout(&mut self, into: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.set_read_timeout(Some(timeout))?;
        self.read(into)
    }

    fn write_timeout(&mut self, from: &[u8], timeout: Duration) -> io::Result<usize> {
        self.set_write_timeout(Some(timeout))?;
        self.write(from)
    }
}

impl TimedIo for Pipe {
    fn read_timeout(&mut self, into: &mut [u8], timeout: Duration) -> io::Result<usize> {
        Pipe::read_timeout(self, into, timeout).map_err(of_pipe)
    }

    fn write_timeout(&mut self, from: &[u8], timeout: Duration) -> io::Result<usize> {
        Pipe::write_timeout(self, from, timeout).map_err(of_pipe)
    }
}

fn of_pipe(error: PipeError) -> io::Error {
    let kind = match error {
        PipeError::TimedOut | PipeError::NotReady => io::ErrorKind::TimedOut,
        PipeError::PeerEnded => io::ErrorKind::BrokenPipe,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Carries a contract over a stream: a socket, a pipe, or any that is [`TimedIo`].
///
/// Over TCP, set `nodelay`: a request is one small write, and the answer is waited for.
#[derive(Debug)]
pub struct Timed<T> {
    io: T,
    /// When the time allowed is over.
    end: Instant,
    /// One attempt was made after that, for what was there already.
    is_over: bool,
    failure: Option<io::Error>,
}

impl<T: TimedIo> Timed<T> {
    /// Over this stream.
    pub fn new(io: T) -> Self {
        Self { io, end: Instant::now(), is_over: false, failure: None }
    }

    /// The error with which the stream failed, if it did.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// The stream.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Tries until there is an outcome or the time is over; once at least, so that no time still takes what is there.
    fn run(
        &mut self,
        mut attempt: impl FnMut(&mut T, Duration) -> io::Result<usize>,
    ) -> Result<usize, ByteStreamError> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() && std::mem::replace(&mut self.is_over, true) {
                return Err(ByteStreamError::TimedOut);
            }
            match attempt(&mut self.io, left.clamp(SHORTEST, LONGEST)) {
                Ok(count) => return Ok(count),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {}
                    _ => {
                        self.failure = Some(error);
                        return Err(ByteStreamError::Closed);
                    }
                },
            }
        }
    }
}

impl<T: TimedIo> ByteStream for Timed<T> {
    fn limit(&mut self, timeout: Duration) {
        self.end = Instant::now() + timeout.min(FOREVER);
        self.is_over = false;
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ByteStreamError> {
        self.run(|io, timeout| io.read_timeout(into, timeout))
    }

    fn write(&mut self, from: &[u8]) -> Result<usize, ByteStreamError> {
        self.run(|io, timeout| io.write_timeout(from, timeout))
    }
}
