//! What carries a contract's requests and answers.

use core::time::Duration;

use crate::ground::message::Message;

use super::Contract;
use super::error::{FunctionError, ServeContractError};
use super::text::{DESCRIBE_LEN, HASH_LEN};

/// Carries calls from a contract's client to its server, and the answers back.
pub trait Carrier {
    /// The contract that was agreed on when the carrier was opened.
    type Contract: Contract;

    /// Calls a function: sends the bytes of its argument, and waits up to `timeout` for those of its answer.
    ///
    /// # Errors
    ///
    /// [`FunctionError`]. If the lengths are not the function's, the server refuses it, or it is `WrongAnswer`.
    fn call(
        &mut self,
        function: u32,
        request: &[u8],
        answer: &mut [u8],
        timeout: Duration,
    ) -> Result<(), FunctionError>;

    /// Sends a request to which there is no answer.
    ///
    /// # Errors
    ///
    /// [`FunctionError`]; nothing was sent then.
    fn post(&mut self, function: u32, request: &[u8]) -> Result<(), FunctionError>;
}

/// Brings the requests to a contract's server, and takes the answers back.
pub trait Requests {
    /// The contract that is served.
    type Contract: Contract;

    /// Serves the requests that are there, waiting up to `timeout` for the first; returns how many there were, which is
    /// bounded. A question for the text counts too. `serve` writes the answer, or returns the code with which it refuses
    /// the request.
    ///
    /// # Errors
    ///
    /// [`ServeContractError`], if there is not even one.
    fn serve<F>(&mut self, timeout: Duration, serve: F) -> Result<u32, ServeContractError>
    where
        F: FnMut(Invocation<'_>) -> Result<(), u16>;
}

/// A request, whose length is that of its function's argument, and the place for the answer.
#[derive(Debug)]
pub struct Invocation<'a> {
    /// The function's number, from 1.
    pub function: u32,
    /// The bytes of the argument.
    pub request: &'a [u8],
    /// The place for the bytes of the answer, of their length.
    pub answer: &'a mut [u8],
}

impl Invocation<'_> {
    /// Runs a function with an answer.
    ///
    /// # Errors
    ///
    /// The code with which it refuses; 0 if a length is wrong.
    pub fn call<Req: Message, Ans: Message>(
        self,
        run: impl FnOnce(&Req) -> Result<Ans, u16>,
    ) -> Result<(), u16> {
        let request = Req::read_from_bytes(self.request).map_err(|_| 0_u16)?;
        run(&request)?.write_to(self.answer).map_err(|_| 0)
    }

    /// Runs a function without an answer.
    ///
    /// # Errors
    ///
    /// 0 if the length is wrong.
    pub fn post<Req: Message>(self, run: impl FnOnce(&Req)) -> Result<(), u16> {
        run(&Req::read_from_bytes(self.request).map_err(|_| 0_u16)?);
        Ok(())
    }
}

/// Calls a function of a contract; for the macro.
///
/// # Errors
///
/// [`FunctionError`].
pub fn call<C: Carrier, Req: Message, Ans: Message>(
    carrier: &mut C,
    function: u32,
    request: &Req,
    timeout: Duration,
) -> Result<Ans, FunctionError> {
    let mut answer = Ans::new_zeroed();
    carrier.call(function, request.as_bytes(), answer.as_mut_bytes(), timeout)?;
    Ok(answer)
}

/// Posts to a function of a contract; for the macro.
///
/// # Errors
///
/// [`FunctionError`].
pub fn post<C: Carrier, Req: Message>(
    carrier: &mut C,
    function: u32,
    request: &Req,
) -> Result<(), FunctionError> {
    carrier.post(function, request.as_bytes())
}

/// The bytes by which a client asks for the server's text from `offset` on.
pub(super) fn question<K: Contract>(offset: usize) -> [u8; DESCRIBE_LEN] {
    let mut bytes = [0; DESCRIBE_LEN];
    bytes[..HASH_LEN].copy_from_slice(&K::HASH.to_le_bytes());
    bytes[HASH_LEN..].copy_from_slice(&(offset as u32).to_le_bytes());
    bytes
}

/// Writes the answer to such a request: the hash, and a piece of the text, with zeros behind its end. Returns whether
/// the client has this contract; `None` if the request is none.
pub(super) fn describe<K: Contract>(request: &[u8], answer: &mut [u8]) -> Option<bool> {
    let (hash, rest) = request.split_first_chunk::<HASH_LEN>()?;
    let offset = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    let (head, piece) = answer.split_first_chunk_mut::<HASH_LEN>()?;
    *head = K::HASH.to_le_bytes();
    piece.fill(0);
    let text = K::TEXT.as_bytes().get(offset..).unwrap_or_default();
    let len = text.len().min(piece.len());
    piece[..len].copy_from_slice(&text[..len]);
    Some(u64::from_le_bytes(*hash) == K::HASH)
}
