//! Errors of the crate as exceptions of `strait._errors`. The text is the crate's own.

use core::fmt::Display;

use pyo3::PyErr;
use strait::error::{ChangeError, PublishError, SemaphoreError, UnlockError};
use strait::format::FormatError;
use strait::{
    ChannelError, CreateError, LockError, OpenError, OpenOrCreateError, RecvError, SendError, TryRecvError,
    TrySendError,
};

mod python {
    //! The exceptions, which are defined in Python so that some can have two bases.
    macro_rules! exceptions {
        ($($name:ident)+) => { $(pyo3::import_exception!(strait._errors, $name);)+ };
    }
    exceptions! {
        AlreadyExists BadName BadPlan Busy Closed Contended Damaged Deadlock Empty Error Fault Full InUse NotARegion
        NotDescribed NotFound NotOwner NotPermitted Overflow PeerGone Poisoned ReadOnly TableFull TimedOut TooLarge WrongKind
        WrongSize WrongType
    }
}
pub use python::*;

/// An error of the crate, as an exception.
pub trait ToPython {
    /// The exception.
    fn to_python(self) -> PyErr;
}

/// The value, or the error as an exception.
pub fn raised<T, E: ToPython>(result: Result<T, E>) -> pyo3::PyResult<T> {
    result.map_err(E::to_python)
}

fn text(error: &impl Display) -> String {
    error.to_string()
}

impl ToPython for CreateError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::AlreadyExists => AlreadyExists::new_err(said),
            Self::Format(FormatError::Plan(_)) => BadPlan::new_err(said),
            Self::NotPermitted | Self::ReadOnlyFileSystem => NotPermitted::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for OpenError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::NotFound => NotFound::new_err(said),
            Self::NotPermitted { .. } | Self::WrongOwner { .. } | Self::TooOpen(_) => {
                NotPermitted::new_err(said)
            }
            Self::NotAFile { .. } | Self::TooShort { .. } | Self::TooLong { .. } | Self::Attach(_) => {
                NotARegion::new_err(said)
            }
            Self::TableFull => TableFull::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for OpenOrCreateError {
    fn to_python(self) -> PyErr {
        match self {
            Self::Open(error) => error.to_python(),
            Self::Create(error) => error.to_python(),
            _ => Contended::new_err(text(&self)),
        }
    }
}

impl ToPython for ChannelError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::NotFound => NotFound::new_err(said),
            Self::Kind { .. } => WrongKind::new_err(said),
            Self::Type => WrongType::new_err(said),
            Self::Busy => Busy::new_err(said),
            Self::ReadOnly => ReadOnly::new_err(said),
            Self::Damaged(_) => Damaged::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for TrySendError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::Full => Full::new_err(said),
            Self::TooLarge => TooLarge::new_err(said),
            Self::WrongSize => WrongSize::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for SendError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::TimedOut => TimedOut::new_err(said),
            Self::PeerGone => PeerGone::new_err(said),
            Self::TooLarge => TooLarge::new_err(said),
            Self::WrongSize => WrongSize::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for TryRecvError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::Empty => Empty::new_err(said),
            Self::WrongSize { .. } => WrongSize::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for RecvError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::TimedOut => TimedOut::new_err(said),
            Self::PeerGone => PeerGone::new_err(said),
            Self::WrongSize { .. } => WrongSize::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for ChangeError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::PeerGone => PeerGone::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for PublishError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::TooLarge { .. } => TooLarge::new_err(said),
            Self::WrongSize { .. } => WrongSize::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for LockError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::Busy => Busy::new_err(said),
            Self::TimedOut => TimedOut::new_err(said),
            Self::Deadlock => Deadlock::new_err(said),
            Self::Poisoned => Poisoned::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for UnlockError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::NotOwner => NotOwner::new_err(said),
            Self::GivenUp => Poisoned::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}

impl ToPython for SemaphoreError {
    fn to_python(self) -> PyErr {
        let said = text(&self);
        match self {
            Self::Empty => Empty::new_err(said),
            Self::TimedOut => TimedOut::new_err(said),
            Self::Overflow => Overflow::new_err(said),
            Self::Contended => Contended::new_err(said),
            Self::Fault(_) => Fault::new_err(said),
            _ => Error::new_err(said),
        }
    }
}
