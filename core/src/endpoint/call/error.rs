//! What calls end with: tickets, and errors of either side.

use core::fmt;

use crate::protocol::Violation;

/// Names a call that is out, until its answer was taken or the call given up.
///
/// It belongs to the [`CallClient`](crate::CallClient) that made the call. A ticket that is dropped keeps its place
/// taken: [`cancel`](crate::CallClient::cancel) gives the place up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u32);

impl Ticket {
    /// The ticket as a number, for interfaces to other languages. Equal numbers are equal calls for 2^32 calls.
    #[must_use]
    pub fn to_bits(self) -> u32 {
        self.0
    }

    /// The ticket of a number. A number that no call has is [`CallError::UnknownTicket`] wherever it is used.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

/// What is known about a request that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// No server has acted on it, and none ever will.
    No,
    /// A server had taken it: it may have run, in part or in whole.
    Maybe,
}

/// Error of a call that does not wait. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryCallError {
    /// The place that comes next is taken: by a call that the server has not done, or by one whose ticket is out.
    Full,
    /// The number of bytes differs from the size of the channel's requests.
    WrongSize,
    /// The server wrote what no honest server writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for TryCallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => CallError::Full.fmt(f),
            Self::WrongSize => CallError::WrongSize.fmt(f),
            Self::Fault(violation) => CallError::Fault(*violation).fmt(f),
        }
    }
}

impl core::error::Error for TryCallError {}

/// Error of a call that waits, or of taking an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The place that comes next stayed taken for the time allowed, or is kept by a ticket that is out. Nothing was
    /// sent.
    Full,
    /// The number of bytes differs from the size of the channel's requests, or answers. Nothing has changed.
    WrongSize,
    /// There was no answer in time. That proves nothing: the call is still out. Wait again with the ticket, or cancel
    /// the call.
    TimedOut {
        /// The call.
        ticket: Ticket,
    },
    /// The server is proven dead, or was succeeded by one that did not run the request again. The ticket is used up.
    PeerDied {
        /// Whether the request has run.
        ran: Ran,
    },
    /// The region was [removed, or made anew](crate::port::Port::is_current), and the server is absent or dead: nobody can
    /// come to serve in this one. The call was withdrawn, and the ticket is used up. Of waits alone.
    Replaced {
        /// Whether the request has run.
        ran: Ran,
    },
    /// The server refused the request. The ticket is used up.
    Refused {
        /// The server's reason: a number of its own, or 0 if it dropped the request without an answer.
        code: u16,
    },
    /// The ticket names no call that is out: its answer was taken, the call given up, or another client made it.
    UnknownTicket,
    /// The server wrote what no honest server writes. Latched: every later call returns it.
    Fault(Violation),
}

impl From<TryCallError> for CallError {
    fn from(error: TryCallError) -> Self {
        match error {
            TryCallError::Full => Self::Full,
            TryCallError::WrongSize => Self::WrongSize,
            TryCallError::Fault(violation) => Self::Fault(violation),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "no place is free for the call; take or cancel the answers that are out, or plan for more places",
            ),
            Self::WrongSize => {
                f.write_str("the bytes are not as many as the channel's values have; see its plan")
            }
            Self::TimedOut { .. } => {
                f.write_str("the call had no answer in the time allowed; it is still out, so wait again or cancel it")
            }
            Self::PeerDied { ran: Ran::No } => f.write_str("the server of the calls died, and the request has not run; call again"),
            Self::PeerDied { ran: Ran::Maybe } => f.write_str("the server of the calls died, and the request may have run; ask its successor before you call again"),
            Self::Replaced { ran: Ran::No } => f.write_str("the name of the calls' region leads to another one or to none, so no server can come, and the request has not run; open it again, and call there"),
            Self::Replaced { ran: Ran::Maybe } => f.write_str("the name of the calls' region leads to another one or to none, so no server can come, and the request may have run; open it again, and ask there before you call again"),
            Self::Refused { code } => write!(f, "the server of the calls refused the request; its code is {code}"),
            Self::UnknownTicket => f.write_str("the ticket names no call that is out; keep the one that the call returned"),
            Self::Fault(violation) => write!(f, "the server of the calls broke the protocol ({violation}); close the client and check that server"),
        }
    }
}

impl core::error::Error for CallError {}

/// Error of taking a request. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServeError {
    /// There is no request now; one may come.
    Empty,
    /// No request came in time.
    TimedOut,
    /// The region was [removed, or made anew](crate::port::Port::is_current), and the client is absent or dead: nobody can
    /// come to call in this one. Once a probe period, of waits alone.
    Replaced,
    /// The buffer's size differs from that of the channel's requests.
    WrongSize,
    /// The client wrote what no honest client writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the channel of calls has no request; try again later"),
            Self::TimedOut => f.write_str("the channel of calls had no request in the time allowed"),
            Self::Replaced => f.write_str(
                "the channel of calls has no request, and its region's name leads to another one or to none, so no client \
                 can come; open it again",
            ),
            Self::WrongSize => CallError::WrongSize.fmt(f),
            Self::Fault(violation) => write!(
                f,
                "the client of the calls broke the protocol ({violation}); close the server and check that client"
            ),
        }
    }
}

impl core::error::Error for ServeError {}
