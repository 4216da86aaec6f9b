//! What calls return: tickets, replies, and why there is no answer. [`CallClient`](crate::CallClient) and
//! [`CallServer`](crate::CallServer) are at the root; the server of several clients is here.

pub use strait_core::{
    CallError, Interrupted, LanesServer, LanesStreamServer, PartError, PartType, Parts, Ran, Reply,
    ServeError, ServeLanesError, StreamClient, StreamServer, Streamed, Ticket, TryCallError,
};
