//! Contracts: a list of functions over messages, whose client looks like functions, and whose sides refuse each other
//! if they were built for different lists. Made by [`contract!`](crate::contract!).

mod timed;
#[cfg(unix)]
mod unix;

pub use strait_core::contract::{
    ByteStream, ByteStreamError, Carrier, Contract, Difference, Function, FunctionError, Invocation,
    LanesRequests, OpenContractError, RegionCarrier, RegionRequests, Requests, ServeContractError, ShortName,
    StreamCarrier, StreamRequests, difference, is_of,
};
#[doc(hidden)]
pub use strait_core::contract::{
    answer_words, as_text, call, number, plan_channel, post, request_words, stream_buffer, text, text_len,
};
pub use timed::{Timed, TimedIo};
