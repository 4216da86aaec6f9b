//! A contract over a channel of calls in a region.
//!
//! ```text
//!  0          4                                         size
//!  +----------+------------------------------+----------+
//!  | function | argument, or answer          | zeros    |   little-endian, as all words are
//!  +----------+------------------------------+----------+
//! ```
//!
//! The channel's type of requests is the contract's hash, so an endpoint of another contract is refused before it has
//! touched anything. Only then, and only to say what differs, the client opens the channel by the types that it has,
//! and asks for the server's text: function 0, which no contract has.

use core::time::Duration;

use zerocopy::{FromZeros, IntoBytes};

use crate::endpoint::{Attachment, CallClient, CallError, CallServer, ChannelError, Deadline};
use crate::ground::kind::Kind;
use crate::ground::message::ValueType;
use crate::ground::port::Port;

use super::Contract;
use super::carrier::{Carrier, Invocation, Requests, describe, question};
use super::difference::Comparison;
use super::error::{FunctionError, OpenContractError, ServeContractError};
use super::text::{ANSWER_HASH, DESCRIBE, DESCRIBE_LEN, HASH_LEN, function, types_of};

/// Bytes of the function number.
const NUMBER_LEN: usize = 4;
/// The longest requests and answers of another contract for which it is asked what differs: there is no heap.
const LONGEST_OTHER: usize = 1024;

/// The client's side of a contract in a region.
pub struct RegionCarrier<K: Contract, P: Port> {
    calls: CallClient<[u8], [u8], P>,
    contract: core::marker::PhantomData<fn() -> K>,
}

impl<K: Contract, P: Port> RegionCarrier<K, P> {
    /// Opens the client's role of the channel of this name. If the channel is of another contract, waits up to
    /// `timeout` for its server to say what differs.
    ///
    /// # Errors
    ///
    /// [`OpenContractError`].
    pub fn open(region: &Attachment<P>, name: &str, timeout: Duration) -> Result<Self, OpenContractError> {
        let (request, answer) = types_of::<K>();
        let opened = region.free_lane_call_client_of(name, request, answer);
        Self::of(opened.map(|(_, calls)| calls), region, name, timeout)
    }

    /// As [`open`](Self::open), of a lane, from 0: of a channel with several clients, where `open` takes any that is free
    /// and not urgent.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_lane(
        region: &Attachment<P>,
        name: &str,
        lane: u32,
        timeout: Duration,
    ) -> Result<Self, OpenContractError> {
        let (request, answer) = types_of::<K>();
        Self::of(region.lane_call_client_of(name, request, answer, lane), region, name, timeout)
    }

    fn of(
        opened: Result<CallClient<[u8], [u8], P>, ChannelError>,
        region: &Attachment<P>,
        name: &str,
        timeout: Duration,
    ) -> Result<Self, OpenContractError> {
        match opened {
            Ok(calls) => Ok(Self { calls, contract: core::marker::PhantomData }),
            Err(ChannelError::Type) => Err(what_differs::<K, P>(region, name, timeout)),
            Err(error) => Err(OpenContractError::Channel(error)),
        }
    }

    /// The endpoint: to set how it waits, or to look at its server.
    pub fn calls(&mut self) -> &mut CallClient<[u8], [u8], P> {
        &mut self.calls
    }
}

/// Why a channel is of another type. Steps: in proportion to the text of the contract; calls in that proportion.
#[cold]
fn what_differs<K: Contract, P: Port>(
    region: &Attachment<P>,
    name: &str,
    timeout: Duration,
) -> OpenContractError {
    let entry = match region.channel(name) {
        Ok(entry) if entry.kind == Kind::Calls && entry.answer.hash == ANSWER_HASH => entry,
        Ok(_) => return OpenContractError::Channel(ChannelError::Type),
        Err(error) => return OpenContractError::Channel(error),
    };
    let deadline = Deadline::after(region.port(), timeout);
    let types = ValueType { hash: entry.type_hash, size: entry.max_len };
    let asked = region.free_lane_call_client_of(name, types, entry.answer).map(|(_, mut calls)| {
        let mut ask = |request: &[u8], answer: &mut [u8]| {
            let left = deadline.left(region.port());
            calls.call_into_timeout(request, answer, left).or_else(|error| give_up(&mut calls, error))
        };
        let (mut request, mut answer) = ([0; LONGEST_OTHER], [0; LONGEST_OTHER]);
        let request = request.get_mut(..types.size as usize)?;
        let answer = answer.get_mut(..entry.answer.size as usize)?;
        let mut comparison = Comparison::new(K::TEXT);
        let mut offset = 0;
        // Their text is read only as far as it equals ours, and on to the end of a name.
        while offset <= K::TEXT.len() + LONGEST_OTHER {
            let asks = request.get_mut(NUMBER_LEN..NUMBER_LEN + DESCRIBE_LEN)?;
            asks.copy_from_slice(&question::<K>(offset));
            ask(request, answer).ok()?;
            let piece = answer.get(NUMBER_LEN + HASH_LEN..).filter(|piece| !piece.is_empty())?;
            for &byte in piece {
                if byte == 0 {
                    comparison.end();
                    return comparison.found();
                }
                if comparison.push(byte) {
                    return comparison.found();
                }
            }
            offset += piece.len();
        }
        None
    });
    match asked {
        Ok(Some(difference)) => OpenContractError::Differs(difference),
        _ => OpenContractError::DiffersSomewhere,
    }
}

/// Gives a call up that had no answer in time, so that it keeps no place.
fn give_up<P: Port>(calls: &mut CallClient<[u8], [u8], P>, error: CallError) -> Result<(), FunctionError> {
    let CallError::TimedOut { ticket } = error else { return Err(error.into()) };
    let ran = calls.cancel(ticket)?;
    Err(FunctionError::TimedOut { ran })
}

/// The request of a function, in the channel's type.
fn request_of<K: Contract>(number: u32, argument: &[u8]) -> Result<K::Request, FunctionError> {
    let mut request = K::Request::new_zeroed();
    let bytes = request.as_mut_bytes();
    let place = bytes.get_mut(NUMBER_LEN..NUMBER_LEN + argument.len()).ok_or(FunctionError::WrongAnswer)?;
    place.copy_from_slice(argument);
    bytes[..NUMBER_LEN].copy_from_slice(&number.to_le_bytes());
    Ok(request)
}

impl<K: Contract, P: Port> Carrier for RegionCarrier<K, P> {
    type Contract = K;

    fn call(
        &mut self,
        number: u32,
        argument: &[u8],
        into: &mut [u8],
        timeout: Duration,
    ) -> Result<(), FunctionError> {
        let request = request_of::<K>(number, argument)?;
        let mut answer = K::Answer::new_zeroed();
        let called = self.calls.call_into_timeout(request.as_bytes(), answer.as_mut_bytes(), timeout);
        called.or_else(|error| give_up(&mut self.calls, error))?;
        let (head, rest) = answer.as_bytes().split_at(NUMBER_LEN);
        match rest.get(..into.len()) {
            Some(bytes) if head == number.to_le_bytes() => into.copy_from_slice(bytes),
            _ => return Err(FunctionError::WrongAnswer),
        }
        Ok(())
    }

    fn post(&mut self, number: u32, argument: &[u8]) -> Result<(), FunctionError> {
        let request = request_of::<K>(number, argument)?;
        Ok(self.calls.post(request.as_bytes()).map_err(CallError::from)?)
    }
}

/// The server's side of a contract in a region.
///
/// A function that panics refuses its request with code 0, and the panic goes on.
pub struct RegionRequests<K: Contract, P: Port> {
    calls: CallServer<[u8], [u8], P>,
    contract: core::marker::PhantomData<fn() -> K>,
}

impl<K: Contract, P: Port> RegionRequests<K, P> {
    /// Opens the server's role of the channel of this name.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; `Type` if the channel is of another contract.
    pub fn open(region: &Attachment<P>, name: &str) -> Result<Self, ChannelError> {
        let (request, answer) = types_of::<K>();
        let calls = region.call_server_of(name, request, answer)?;
        Ok(Self { calls, contract: core::marker::PhantomData })
    }

    /// The endpoint: to wait for it with others, or to set how it waits.
    pub fn calls(&mut self) -> &mut CallServer<[u8], [u8], P> {
        &mut self.calls
    }
}

impl<K: Contract, P: Port> Requests for RegionRequests<K, P> {
    type Contract = K;

    fn serve<F>(&mut self, timeout: Duration, mut serve: F) -> Result<u32, ServeContractError>
    where
        F: FnMut(Invocation<'_>) -> Result<(), u16>,
    {
        let mut request = K::Request::new_zeroed();
        let mut served = 0;
        while served < self.calls.places() {
            let into = request.as_mut_bytes();
            let next = match served {
                0 => self.calls.next_into_timeout(into, timeout),
                _ => self.calls.try_next_into(into),
            };
            // Dropped if the function panics, which refuses the request.
            let reply = match next {
                Ok(reply) => reply,
                Err(error) if served == 0 => return Err(error.into()),
                Err(_) => break,
            };
            let mut answer = K::Answer::new_zeroed();
            match run::<K>(request.as_bytes(), answer.as_mut_bytes(), &mut serve) {
                // The answer's length is the channel's.
                Ok(()) => drop(reply.answer_from(answer.as_bytes())),
                Err(code) => reply.refuse(code),
            }
            served += 1;
        }
        Ok(served)
    }
}

/// Runs the function that a request names.
pub(super) fn run<K: Contract>(
    request: &[u8],
    answer: &mut [u8],
    serve: &mut impl FnMut(Invocation<'_>) -> Result<(), u16>,
) -> Result<(), u16> {
    let (head, argument) = request.split_first_chunk::<NUMBER_LEN>().ok_or(0_u16)?;
    let (answer_head, into) = answer.split_first_chunk_mut::<NUMBER_LEN>().ok_or(0_u16)?;
    *answer_head = *head;
    let number = u32::from_le_bytes(*head);
    if number == DESCRIBE {
        return describe::<K>(argument, into).map(drop).ok_or(0);
    }
    let function = function::<K>(number).ok_or(0_u16)?;
    let request = argument.get(..function.request_len).ok_or(0_u16)?;
    let answer = into.get_mut(..function.answer_len).ok_or(0_u16)?;
    serve(Invocation { function: number, request, answer })
}
