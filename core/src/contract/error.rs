//! Errors of contracts, the same over every carrier.

use core::fmt;

use crate::endpoint::{CallError, ChannelError, Ran, ServeError, ServeLanesError};
use crate::protocol::Violation;

use super::difference::Difference;

/// Error of a contract's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FunctionError {
    /// There was no answer in time. The call was given up, and its answer will be dropped.
    TimedOut {
        /// Whether it may have run.
        ran: Ran,
    },
    /// The server is proven dead, or the stream ended or failed.
    ServerGone {
        /// Whether the request may have run.
        ran: Ran,
    },
    /// The server refused the request.
    Refused {
        /// The server's reason; 0 if it has no such function, or panicked.
        code: u16,
    },
    /// There is no room for the request; nothing was sent.
    Full,
    /// The answer is to another function, or of another length than this function's answers have.
    WrongAnswer,
    /// The server wrote what no honest server writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { ran: Ran::No } => {
                f.write_str("the function had no answer in the time allowed, and will not run; call again")
            }
            Self::TimedOut { ran: Ran::Maybe } => f.write_str(
                "the function had no answer in the time allowed, and may have run; ask the server before you call again",
            ),
            Self::ServerGone { ran: Ran::No } => {
                f.write_str("the server of the contract is gone, and the function has not run; open the contract again")
            }
            Self::ServerGone { ran: Ran::Maybe } => f.write_str(
                "the server of the contract is gone, and the function may have run; ask its successor before you call again",
            ),
            Self::Refused { code } => write!(f, "the server of the contract refused the request; its code is {code}"),
            Self::Full => f.write_str("the contract has no room for the request; try again later, or plan for more places"),
            Self::WrongAnswer => {
                f.write_str("the answer is not one of the contract's function; close the client and check that server")
            }
            Self::Fault(violation) => write!(
                f,
                "the server of the contract broke the protocol ({violation}); close the client and check that server"
            ),
        }
    }
}

impl core::error::Error for FunctionError {}

impl From<CallError> for FunctionError {
    /// Of a time-out this says that the request may have run: the caller has not given it up yet.
    fn from(error: CallError) -> Self {
        match error {
            CallError::Full => Self::Full,
            CallError::TimedOut { .. } => Self::TimedOut { ran: Ran::Maybe },
            CallError::PeerDied { ran } | CallError::Replaced { ran } => Self::ServerGone { ran },
            CallError::Refused { code } => Self::Refused { code },
            CallError::Fault(violation) => Self::Fault(violation),
            // Neither comes from a client that makes the sizes, and keeps no ticket.
            CallError::WrongSize | CallError::UnknownTicket => Self::WrongAnswer,
        }
    }
}

/// Error of finding a contract's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenContractError {
    /// The other side is built for another contract.
    Differs(Difference),
    /// The other side is built for another contract; what differs is not known, because it did not say so in time, the
    /// channel's client is another one, or, in a region, its messages are longer than 1 KiB.
    DiffersSomewhere,
    /// The channel is not that of a contract, or cannot be opened.
    Channel(ChannelError),
    /// A buffer is shorter than the contract's frames.
    BufferTooShort {
        /// Bytes that are needed.
        needed: usize,
    },
    /// The server did not say which contract it has.
    NoAnswer(FunctionError),
}

impl fmt::Display for OpenContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(difference) => {
                write!(f, "the contracts differ: {difference}; build both sides from one definition")
            }
            Self::DiffersSomewhere => f.write_str(
                "the contracts differ, and the server did not say where; build both sides from one definition",
            ),
            Self::Channel(error) => write!(f, "the contract's channel cannot be opened: {error}"),
            Self::BufferTooShort { needed } => {
                write!(f, "the contract's frames need buffers of {needed} bytes; give it longer ones")
            }
            Self::NoAnswer(error) => {
                write!(f, "the server did not say which contract it has ({error}); check that it serves one")
            }
        }
    }
}

impl core::error::Error for OpenContractError {}

/// Error of serving a contract. No request was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServeContractError {
    /// No request came in time.
    TimedOut,
    /// The region was removed, or made anew, and no client is there: nobody can come to this one. Once a probe period.
    Replaced,
    /// The stream ended or failed. A client in a region that dies does not end a server.
    ClientGone,
    /// The client wrote what no honest client writes. Latched: every later call returns it.
    Fault(Violation),
    /// One of several clients wrote in its lane what no honest client writes. Returned once; after that the lane is left
    /// out, and the others go on.
    LaneFault {
        /// The lane.
        lane: u32,
        /// What is wrong in it.
        violation: Violation,
    },
}

impl fmt::Display for ServeContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the contract's server had no request in the time allowed"),
            Self::Replaced => f.write_str(
                "the name of the contract's region leads to another one or to none, so no client can come; open the region again",
            ),
            Self::ClientGone => {
                f.write_str("the contract's client is gone: the stream ended; accept another one")
            }
            Self::Fault(violation) => write!(
                f,
                "the client of the contract broke the protocol ({violation}); close the server and check that client"
            ),
            Self::LaneFault { lane, violation } => write!(
                f,
                "the client in lane {lane} of the contract broke the protocol ({violation}); its lane is left out from now on"
            ),
        }
    }
}

impl core::error::Error for ServeContractError {}

impl From<ServeLanesError> for ServeContractError {
    fn from(error: ServeLanesError) -> Self {
        match error {
            ServeLanesError::Fault { lane, violation } => Self::LaneFault { lane, violation },
            ServeLanesError::Replaced => Self::Replaced,
            // The sizes are the contract's.
            ServeLanesError::Empty | ServeLanesError::TimedOut | ServeLanesError::WrongSize => Self::TimedOut,
        }
    }
}

impl From<ServeError> for ServeContractError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Fault(violation) => Self::Fault(violation),
            ServeError::Replaced => Self::Replaced,
            // The sizes are the contract's.
            ServeError::Empty | ServeError::TimedOut | ServeError::WrongSize => Self::TimedOut,
        }
    }
}
