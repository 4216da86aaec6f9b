//! Calls: requests and answers, of one client and one server, or of several clients that each have a lane.

mod client;
mod error;
pub(super) mod inspect;
mod lanes;
mod outcome;
mod places;
mod reply;
mod server;
mod stream;
mod tasks;
mod waits;

pub use client::CallClient;
pub use error::{CallError, Ran, ServeError, Ticket, TryCallError};
pub use lanes::{LanesServer, ServeLanesError};
pub use reply::Reply;
pub use server::{CallServer, Interrupted};
pub use stream::{LanesStreamServer, PartError, PartType, Parts, StreamClient, StreamServer, Streamed};
