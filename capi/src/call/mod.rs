//! Calls: requests of clients, and the answers of a server.

mod client;
mod lanes;
mod server;
mod stream;

pub use client::*;
pub use lanes::*;
pub use server::*;
pub use stream::*;

use strait_core::{CallError, Ran, ServeError, TryCallError, Violation};

use crate::strait_status;

impl From<TryCallError> for strait_status {
    fn from(error: TryCallError) -> Self {
        CallError::from(error).into()
    }
}

impl From<CallError> for strait_status {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Full => Self::Full,
            CallError::WrongSize => Self::WrongSize,
            CallError::TimedOut { .. } => Self::TimedOut,
            CallError::PeerDied { ran: Ran::No } => Self::DidNotRun,
            CallError::PeerDied { ran: Ran::Maybe } => Self::MayHaveRun,
            CallError::Replaced { ran: Ran::No } => Self::Replaced,
            CallError::Replaced { ran: Ran::Maybe } => Self::MayHaveRun,
            CallError::Refused { .. } => Self::Refused,
            CallError::UnknownTicket => Self::UnknownTicket,
            CallError::Fault(Violation::Forked) => Self::Forked,
            _ => Self::Fault,
        }
    }
}

impl From<ServeError> for strait_status {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Empty => Self::Empty,
            ServeError::TimedOut => Self::TimedOut,
            ServeError::Replaced => Self::Replaced,
            ServeError::WrongSize => Self::WrongSize,
            ServeError::Fault(Violation::Forked) => Self::Forked,
            _ => Self::Fault,
        }
    }
}
