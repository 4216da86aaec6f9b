//! `embedded_io`'s kind (release 0.7) of an error of pipes.

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
