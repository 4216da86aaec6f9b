//! What calls return: tickets, replies, and why there is no answer. [`CallClient`](crate::CallClient) and
//! [`CallServer`](crate::CallServer) are at the root.

pub use strait_core::{CallError, Interrupted, Ran, Reply, ServeError, Ticket, TryCallError};
