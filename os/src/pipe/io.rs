//! `embedded_io` (release 0.7) on the streams. Their calls wait for the time-out that the handle was
//! given, and the peer's end is an error, never a mere 0.

use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::{Pipe, PipeError, ReadEnd, WriteEnd};

impl Error for PipeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Cancelled => ErrorKind::Interrupted,
            Self::PeerEnded => ErrorKind::BrokenPipe,
            Self::Broken | Self::Fault => ErrorKind::InvalidData,
            Self::TooLarge => ErrorKind::InvalidInput,
            Self::Unsupported => ErrorKind::Unsupported,
            Self::NotReady | Self::Os(_) => ErrorKind::Other,
        }
    }
}

impl ErrorType for Pipe {
    type Error = PipeError;
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, PipeError> {
        self.read_timeout(buf, self.timeout())
    }
}

impl ReadReady for Pipe {
    fn read_ready(&mut self) -> Result<bool, PipeError> {
        self.is_readable()
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, PipeError> {
        self.write_timeout(bytes, self.timeout())
    }

    fn flush(&mut self) -> Result<(), PipeError> {
        self.flush_timeout(self.timeout())
    }
}

impl WriteReady for Pipe {
    fn write_ready(&mut self) -> Result<bool, PipeError> {
        self.is_writable()
    }
}

impl ErrorType for ReadEnd {
    type Error = PipeError;
}

impl Read for ReadEnd {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, PipeError> {
        self.read_timeout(buf, self.timeout())
    }
}

impl ReadReady for ReadEnd {
    fn read_ready(&mut self) -> Result<bool, PipeError> {
        self.is_readable()
    }
}

impl ErrorType for WriteEnd {
    type Error = PipeError;
}

impl Write for WriteEnd {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, PipeError> {
        self.write_timeout(bytes, self.timeout())
    }

    fn flush(&mut self) -> Result<(), PipeError> {
        self.flush_timeout(self.timeout())
    }
}

impl WriteReady for WriteEnd {
    fn write_ready(&mut self) -> Result<bool, PipeError> {
        self.is_writable()
    }
}
