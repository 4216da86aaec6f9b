//! Calls: one client, one server, requests and answers.

mod client;
mod error;
pub(super) mod inspect;
mod outcome;
mod places;
mod reply;
mod server;
mod tasks;

pub use client::CallClient;
pub use error::{CallError, Ran, ServeError, Ticket, TryCallError};
pub use reply::Reply;
pub use server::{CallServer, Interrupted};
