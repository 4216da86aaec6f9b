//! What came of a call, and where it wrote.

use strait::broadcast::{BroadcastRecvError, BroadcastTryRecvError};
use strait::{RecvError, SendError, TryRecvError, TrySendError};

use super::common::rng::Rng;
use super::fire::MAX_FRAME;

/// The outcome of a call.
pub enum Call {
    Done,
    Nothing,
    Fault,
}

impl From<TryRecvError> for Call {
    fn from(error: TryRecvError) -> Self {
        match error {
            TryRecvError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

impl From<RecvError> for Call {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

// A reader goes on after a fault.
impl From<BroadcastTryRecvError> for Call {
    fn from(_: BroadcastTryRecvError) -> Self {
        Self::Nothing
    }
}

impl From<BroadcastRecvError> for Call {
    fn from(_: BroadcastRecvError) -> Self {
        Self::Nothing
    }
}

impl From<TrySendError> for Call {
    fn from(error: TrySendError) -> Self {
        match error {
            TrySendError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

impl From<SendError> for Call {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Fault(_) => Self::Fault,
            _ => Self::Nothing,
        }
    }
}

/// Calls that sleep are made now and then only: they take most of the time.
pub fn is_rare(rng: &mut Rng) -> bool {
    rng.below(16) == 0
}

/// A good result must satisfy `check`.
pub fn checked<T, E: Into<Call>>(result: Result<T, E>, check: impl FnOnce(T) -> bool) -> Call {
    match result {
        Ok(value) => {
            assert!(check(value), "out of bounds");
            Call::Done
        }
        Err(error) => error.into(),
    }
}

/// A buffer between margins.
pub struct Buffer([u8; MARGIN + MAX_FRAME + MARGIN]);

pub const MARGIN: usize = 64;
pub const UNTOUCHED: u8 = 0xA5;

impl Buffer {
    pub fn new() -> Self {
        Self([UNTOUCHED; MARGIN + MAX_FRAME + MARGIN])
    }

    pub fn first(&mut self, len: usize) -> &mut [u8] {
        &mut self.0[MARGIN..MARGIN + len]
    }

    /// Whether nothing was written but the first `len` bytes.
    pub fn only_holds(&self, len: usize) -> bool {
        let (before, after) = (&self.0[..MARGIN], &self.0[MARGIN + len..]);
        before.iter().chain(after).all(|&byte| byte == UNTOUCHED)
    }
}
