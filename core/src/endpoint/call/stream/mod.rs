//! Calls with several answers: a channel of calls for the requests and their ends, and a queue of frames for the parts
//! in between.
//!
//! ```text
//!   client   request, ticket ------------------------> takes it           server
//!            looks at the end, then for a part <====== part, part, ...    tag = ticket
//!            parts of another ticket are dropped <---- count, done        the call's answer
//! ```
//!
//! # Guarantees
//!
//! - The parts come in order, each once, and all before the end, which has their number: the server publishes them
//!   before it ends the call, and the client looks whether the call has ended before it looks for a part (K1 to K5 of
//!   calls hold of request and end).
//! - A part of a call that was cancelled never comes as one of a newer call: the ticket in its tag differs.
//! - Neither side waits for the other without a bound: the server learns that there is no room, and the client looks at
//!   as many parts of old calls as the queue takes.
//! - Loads and stores alone, between any two domains.
//!
//! # Trade-offs
//!
//! - One stream at a time a client, and so a server needs no table of them. Parts of old calls take room until the client
//!   looks.
//!
//! # Several clients
//!
//! Each has a lane of the calls and the lane of the parts that has the same number, which are as above; the server of all
//! has both roles in each. One doorbell for the consumers of all parts would wake one client for another's part, and the
//! lanes of a queue have no others. So a client sleeps on the word of its lane of the calls, wait A, which is its own, and
//! parts and ends ring there.
//!
//! # If a peer dies
//!
//! A server: the client gets what was published, and then [`PeerDied`](crate::CallError::PeerDied), as of any call. A
//! successor does not run the request again, because nobody knows which parts the client has.
//! A client: the server finds the queue full, or sends parts that nobody reads, and its successor drops those, also while
//! it finds no place for a call of its own.
//!
//! # If a peer misbehaves
//!
//! A part of the wrong size, or a number of parts that is not that of those that came, latches a fault.

mod claims;
mod client;
mod error;
mod lanes;
mod parts;
mod server;

pub use client::{StreamClient, Streamed};
pub use error::PartError;
pub use lanes::LanesStreamServer;
pub use parts::Parts;
pub use server::StreamServer;

use core::marker::PhantomData;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::message::{About, Field, Message, Shape, ValueType};
use crate::ground::plan::Channel;
use crate::ground::port::Port;
use crate::protocol::frames;

/// The answer that ends a stream of this part: the number of parts.
struct EndOf<Part>(PhantomData<Part>);

impl<Part: Message> EndOf<Part> {
    const SHAPE: Shape = Shape::Struct(
        &[Field { name: "stream", offset: 0, shape: Part::SHAPE, about: About::NOTHING }],
        size_of::<u32>(),
    );
    const TYPE: ValueType = ValueType { hash: Self::SHAPE.hash(), size: size_of::<u32>() as u32 };
}

/// The type of the parts of a stream, of which the directory has the hash in the type of their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartType {
    /// The type of the answer that ends a stream.
    pub end: ValueType,
    /// The size of a part.
    pub len: u32,
}

impl PartType {
    /// The type `Part`.
    #[must_use]
    pub const fn of<Part: Message>() -> Self {
        Self { end: EndOf::<Part>::TYPE, len: size_of::<Part>() as u32 }
    }

    /// The type that has this canonical descriptor and size.
    ///
    /// ```
    /// use strait_core::PartType;
    /// assert_eq!(PartType::described("u64", 8), PartType::of::<u64>());
    /// ```
    #[must_use]
    pub const fn described(descriptor: &str, len: u32) -> Self {
        Self { end: ValueType { hash: Shape::hash_of_end(descriptor), size: size_of::<u32>() as u32 }, len }
    }

    /// The capacity of a queue of frames that takes at least this many parts; more than a plan takes if they are too many.
    #[must_use]
    pub const fn capacity(self, parts: u32) -> u32 {
        if self.len > u32::MAX / 4 {
            return u32::MAX;
        }
        let one = frames::footprint(self.len) as u64;
        // One more, which is lost at the ring's end, and the free header behind the last.
        let bytes = (one * (parts as u64 + 2)).next_power_of_two();
        if bytes > u32::MAX as u64 { u32::MAX } else { bytes as u32 }
    }
}

impl<'a> Channel<'a> {
    /// Calls of one client to one server that each have any number of answers of type `Part`, and an end: the requests.
    /// The answers take a channel of their own, of [`parts`](Self::parts). For several clients, see
    /// [`parts_for`](Self::parts_for). Up to `places` calls, a power of two up to
    /// 32, can be with the server: one is enough, two let the client call again while the server still has a call that
    /// was cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{CallError, Channel, PartError, Plan, StaticRegion, Streamed, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[
    ///     Channel::streams::<u32, u64>("squares", 2),
    ///     Channel::parts::<u64>("squares.parts", 16),
    /// ])
    /// .participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut client = region.stream_client::<u32, u64>("squares", "squares.parts").unwrap();
    /// let mut server = region.stream_server::<u32, u64>("squares", "squares.parts").unwrap();
    /// client.start(&3).unwrap();
    /// let served = server.serve(|&count, parts| (0..u64::from(count)).try_for_each(|n| parts.send(&(n * n))));
    /// assert_eq!(served, Ok(1));
    /// let got = [(); 4].map(|()| client.try_next().unwrap().unwrap());
    /// assert_eq!(got, [Streamed::Part(0), Streamed::Part(1), Streamed::Part(4), Streamed::End { parts: 3 }]);
    ///
    /// // The server never waits for its client.
    /// client.start(&1_000_000).unwrap();
    /// let (count, mut parts) = server.try_next().unwrap();
    /// let sent = (0..u64::from(count)).take_while(|n| parts.send(n).is_ok()).count();
    /// assert!((16..100).contains(&sent));
    /// assert_eq!(parts.send(&0), Err(PartError::Full));
    /// client.cancel().unwrap();
    /// assert_eq!(parts.send(&0), Err(PartError::Cancelled));
    /// ```
    #[must_use]
    pub const fn streams<Req: Message, Part: Message>(name: &'a str, places: u32) -> Self {
        Self::calls_of(name, places, ValueType::of::<Req>(), EndOf::<Part>::TYPE)
    }

    /// The answers of a channel of [`streams`](Self::streams): a queue of frames that takes at least `parts` of them,
    /// up to 2^20. Its producer is the server, and its consumer the client. Both may sleep.
    #[must_use]
    pub const fn parts<Part: Message>(name: &'a str, parts: u32) -> Self {
        Self::queue_of_parts(name, parts, PartType::of::<Part>()).consumer_may_block()
    }

    const fn queue_of_parts(name: &'a str, parts: u32, part: PartType) -> Self {
        Self::frames(name, part.capacity(parts), part.len).producer_may_block()
    }
}

impl<P: Port> Attachment<P> {
    /// The entries of a channel of streams: of the requests, and of the parts.
    fn stream<Req: Message, Part: Message>(
        &self,
        name: &str,
        parts: &str,
    ) -> Result<(Entry, Entry), ChannelError> {
        let calls = self.calls_of(name, ValueType::of::<Req>(), EndOf::<Part>::TYPE)?;
        let parts = self.of_kind(parts, Kind::Frames)?;
        if (parts.max_len as usize) < size_of::<Part>() {
            return Err(ChannelError::Type);
        }
        Ok((calls, parts))
    }
}
