//! Contracts: a list of functions over messages, whose client looks like functions, and whose sides refuse each other
//! if they were built for different lists.
//!
//! [`contract!`](crate::contract!) makes of a list a client, a trait for the server, and one hash of the whole. The same
//! contract runs over a channel of calls in a region, and over any stream of bytes.
//!
//! ```
//! use core::time::Duration;
//! use strait_core::{Plan, StaticRegion, port::NoSystem};
//!
//! strait_core::message! {
//!     pub struct Target { pub angle_rad: f64 }
//!     pub struct Position { pub angle_rad: f64 }
//!     pub struct Line { pub text: [u8; 16] }
//! }
//! strait_core::contract! {
//!     /// What a drive does.
//!     pub contract Drive: client DriveClient, server DriveServer {
//!         /// Moves, and returns where it has stopped.
//!         fn move_to(target: Target) -> Position;
//!         /// For the log; no answer.
//!         post note(line: Line);
//!     }
//! }
//!
//! struct Motor { lines: u32 }
//! impl DriveServer for Motor {
//!     fn move_to(&mut self, target: &Target) -> Result<Position, u16> {
//!         if target.angle_rad > 3.0 { Err(7) } else { Ok(Position { angle_rad: target.angle_rad }) }
//!     }
//!     fn note(&mut self, _: &Line) { self.lines += 1; }
//! }
//!
//! const PLAN: Plan = Plan::new(&[Drive::plan_channel("drive", 4)]).participants(2);
//! static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
//! let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
//! let mut requests = Drive::server(&region, "drive").unwrap();
//! let mut drive = Drive::client(&region, "drive", Duration::ZERO).unwrap();
//! let mut motor = Motor { lines: 0 };
//! drive.note(&Line { text: [b'x'; 16] }).unwrap();
//! assert_eq!(Drive::serve(&mut requests, &mut motor, Duration::ZERO), Ok(1));
//! assert_eq!(motor.lines, 1);
//! ```
//!
//! A struct that keeps the client names its carrier: `DriveClient<RegionCarrier<Drive, P>>`, where `P` is the port. To
//! wait for several servers at once, take their endpoints by [`RegionRequests::calls`].
//!
//! Several clients of one server: `Drive::plan_channel("drive", 4).clients(3)`. Each `Drive::client` takes a lane that is
//! free, and `Drive::lanes_server` makes [`LanesRequests`], which `Drive::serve` serves in turns.
//!
//! # If the server dies
//!
//! A function ends with [`FunctionError::ServerGone`], which says whether it may have run. Over a region this needs proof
//! of death, as for every [call](crate::CallClient); over a stream, its end.
//!
//! # If the server misbehaves
//!
//! An answer to another function, or of another length, is [`FunctionError::WrongAnswer`]. A server can say that it has
//! this contract and serve another: the hash finds mistakes, and is no proof against a liar.
//!
//! # If the client misbehaves
//!
//! A function number that the contract does not have, or an argument of another length, is refused with code 0. The
//! server's functions see whole messages only; whether their numbers make sense is theirs to check.

mod carrier;
mod difference;
mod error;
mod lanes;
mod macros;
mod region;
mod stream;
mod text;

pub use carrier::{Carrier, Invocation, Requests};
pub use difference::{Difference, ShortName, difference};
pub use error::{FunctionError, OpenContractError, ServeContractError};
pub use lanes::LanesRequests;
pub use region::{RegionCarrier, RegionRequests};
pub use stream::{ByteStream, ByteStreamError, StreamCarrier, StreamRequests};
pub use text::Function;

/// For the macro.
#[doc(hidden)]
pub use carrier::{call, post};
/// For the macro.
#[doc(hidden)]
pub use text::{answer_words, as_text, number, request_words, stream_buffer, text, text_len};

use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::message::{Message, Shape, ValueType};
use crate::ground::plan::Channel;

/// A contract: what [`contract!`](crate::contract!) makes of a list of functions.
pub trait Contract: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its functions, in the order of their numbers, which begin with 1.
    const FUNCTIONS: &'static [Function];
    /// The canonical text: a line with the name, and one for each function with the shapes of its messages.
    const TEXT: &'static str;
    /// FNV-1a (64 bits) of the text; never 0.
    const HASH: u64 = Shape::hash_of(Self::TEXT.as_bytes());
    /// A request as it is in a region.
    type Request: Message;
    /// An answer as it is in a region.
    type Answer: Message;
}

/// A channel that carries a contract, in a region; for the macro.
#[doc(hidden)]
#[must_use]
pub const fn plan_channel<K: Contract>(name: &str, places: u32) -> Channel<'_> {
    let (request, answer) = text::types_of::<K>();
    Channel::calls_of(name, places, request, answer)
}

/// Whether a region's channel carries this contract: to find a component by what it does.
#[must_use]
pub fn is_of<K: Contract>(channel: &Entry) -> bool {
    let (request, answer) = text::types_of::<K>();
    let is_right = ValueType { hash: channel.type_hash, size: channel.max_len } == request;
    channel.kind == Kind::Calls && is_right && channel.answer == answer
}
