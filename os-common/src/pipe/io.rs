//! `embedded_io` (release 0.7) on the streams. Their calls wait for the time-out that the handle was
//! given, and the peer's end is an error, never a mere 0.

use embedded_io::{Error, ErrorKind};

use super::error::PipeError;

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

/// Puts `embedded_io`'s traits on an adapter's pipe, its end to read from and its end to write to. A macro,
/// for both the traits and the types are of other crates than this one.
#[macro_export]
macro_rules! embedded_io_on_pipes {
    ($pipe:ty, $read_end:ty, $write_end:ty) => {
        $crate::embedded_io_on_pipes! { @errors $pipe, $read_end, $write_end }
        $crate::embedded_io_on_pipes! { @reads $pipe, $read_end }
        $crate::embedded_io_on_pipes! { @writes $pipe, $write_end }
    };
    (@errors $($on:ty),*) => {$(
        impl $crate::__private::embedded_io::ErrorType for $on {
            type Error = $crate::pipe::PipeError;
        }
    )*};
    (@reads $($on:ty),*) => {$(
        impl $crate::__private::embedded_io::Read for $on {
            fn read(&mut self, buf: &mut [u8]) -> Result<usize, $crate::pipe::PipeError> {
                self.read_timeout(buf, self.timeout())
            }
        }

        impl $crate::__private::embedded_io::ReadReady for $on {
            fn read_ready(&mut self) -> Result<bool, $crate::pipe::PipeError> {
                self.is_readable()
            }
        }
    )*};
    (@writes $($on:ty),*) => {$(
        impl $crate::__private::embedded_io::Write for $on {
            fn write(&mut self, buf: &[u8]) -> Result<usize, $crate::pipe::PipeError> {
                self.write_timeout(buf, self.timeout())
            }

            fn flush(&mut self) -> Result<(), $crate::pipe::PipeError> {
                self.flush_timeout(self.timeout())
            }
        }

        impl $crate::__private::embedded_io::WriteReady for $on {
            fn write_ready(&mut self) -> Result<bool, $crate::pipe::PipeError> {
                self.is_writable()
            }
        }
    )*};
}
