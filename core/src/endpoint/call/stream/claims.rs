//! Streams of several clients: their channels, and claiming roles.

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::lanes::group::Group;
use crate::ground::message::{Message, ValueType};
use crate::ground::plan::Channel;
use crate::ground::port::Port;
use crate::ground::ring::Value;

use super::{LanesStreamServer, PartType, StreamClient};

impl<'a> Channel<'a> {
    /// The answers of [`streams`](Self::streams) with this many [`clients`](Self::clients), 1 to 256: as
    /// [`parts`](Self::parts), for each client a queue of its own. Neither a queue of one client, nor its death, affects
    /// another. All clients are in one domain.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, LanesStreamServer, Plan, StaticRegion, Streamed, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[
    ///     Channel::streams::<u32, u64>("squares", 2).clients(3),
    ///     Channel::parts_for::<u64>("squares.parts", 16, 3),
    /// ])
    /// .participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut one = region.lane_stream_client::<u32, u64>("squares", "squares.parts", 0).unwrap();
    /// let (lane, mut other) = region.free_lane_stream_client::<u32, u64>("squares", "squares.parts").unwrap();
    /// assert_eq!(lane, 1);
    /// let mut server: LanesStreamServer<u32, u64, _, 4> =
    ///     region.lanes_stream_server("squares", "squares.parts").unwrap();
    ///
    /// // Two streams at once.
    /// one.start(&7).unwrap();
    /// other.start(&8).unwrap();
    /// while let Ok((_, parts)) = server.try_next() {
    ///     parts.keep();
    /// }
    /// for (lane, square) in [(1, 64), (0, 49)] {
    ///     let mut parts = server.parts(lane).unwrap();
    ///     parts.send(&square).unwrap();
    ///     parts.keep();
    /// }
    /// assert_eq!(other.try_next(), Ok(Some(Streamed::Part(64))));
    /// assert_eq!(one.try_next(), Ok(Some(Streamed::Part(49))));
    /// assert_eq!(server.parts(0).unwrap().end(), 1);
    /// assert_eq!(one.try_next(), Ok(Some(Streamed::End { parts: 1 })));
    /// assert_eq!(other.try_next(), Ok(None));
    /// ```
    #[must_use]
    pub const fn parts_for<Part: Message>(name: &'a str, parts: u32, clients: u32) -> Self {
        Self::parts_of(name, parts, PartType::of::<Part>(), clients)
    }

    /// As [`parts_for`](Self::parts_for), of a type that is known at run time. The requests then are
    /// [`calls_of`](Self::calls_of) with the type's [`end`](PartType::end) as their answer.
    #[must_use]
    pub const fn parts_of(name: &'a str, parts: u32, part: PartType, clients: u32) -> Self {
        let lanes = Self::queue_of_parts(name, parts, part).producers(clients);
        // Each client of several has a word of its own among the calls. A number that cannot be is refused by the plan.
        if clients == 1 { lanes.consumer_may_block() } else { lanes }
    }
}

/// A client, and the number of its lane.
type Claimed<Req, Part, P> = Result<(u32, StreamClient<Req, Part, P>), ChannelError>;

impl<P: Port> Attachment<P> {
    /// Claims the client's role of a lane, from 0, of a channel of streams with several clients. Of a channel with one
    /// client, lane 0 is that channel.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], `NoLane` also if the parts were planned for fewer clients; the roles are then as they were, or
    /// free.
    pub fn lane_stream_client<Req: Message, Part: Message>(
        &self,
        name: &str,
        parts: &str,
        lane: u32,
    ) -> Result<StreamClient<Req, Part, P>, ChannelError> {
        self.lane_of_stream(name, parts, ValueType::of::<Req>(), PartType::of::<Part>(), lane)
    }

    /// As [`lane_stream_client`](Self::lane_stream_client), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lane_stream_client_of(
        &self,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
        lane: u32,
    ) -> Result<StreamClient<[u8], [u8], P>, ChannelError> {
        self.lane_of_stream(name, parts, request, part, lane)
    }

    /// Claims the client's role of any lane that is free, or whose client is proven dead, and is neither urgent nor
    /// another domain's; returns the lane's number too. Steps: one claim a lane at most.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn free_lane_stream_client<Req: Message, Part: Message>(
        &self,
        name: &str,
        parts: &str,
    ) -> Claimed<Req, Part, P> {
        self.any_lane_of_stream(name, parts, ValueType::of::<Req>(), PartType::of::<Part>())
    }

    /// As [`free_lane_stream_client`](Self::free_lane_stream_client), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn free_lane_stream_client_of(
        &self,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
    ) -> Claimed<[u8], [u8], P> {
        self.any_lane_of_stream(name, parts, request, part)
    }

    /// Claims the server's role of a channel of streams with up to `N` clients, which take turns call by call. The requests
    /// that a dead server had taken are not run again.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], `NoLane` also if the parts were planned for fewer clients; the roles are then as they were, or
    /// free.
    pub fn lanes_stream_server<Req: Message, Part: Message, const N: usize>(
        &self,
        name: &str,
        parts: &str,
    ) -> Result<LanesStreamServer<Req, Part, P, N>, ChannelError> {
        LanesStreamServer::open(self, name, parts, ValueType::of::<Req>(), PartType::of::<Part>())
    }

    /// As [`lanes_stream_server`](Self::lanes_stream_server), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lanes_stream_server_of<const N: usize>(
        &self,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
    ) -> Result<LanesStreamServer<[u8], [u8], P, N>, ChannelError> {
        LanesStreamServer::open(self, name, parts, request, part)
    }

    /// The lanes of a channel of streams: of the requests, and of the parts.
    pub(super) fn stream_groups(
        &self,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
    ) -> Result<(Group, Group), ChannelError> {
        let calls = self.calls_group(name, request, part.end)?;
        let parts = self.frames_group(parts)?;
        if parts.first.max_len < part.len { Err(ChannelError::Type) } else { Ok((calls, parts)) }
    }

    fn lane_of_stream<Req: Value + ?Sized, Part: Value + ?Sized>(
        &self,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
        lane: u32,
    ) -> Result<StreamClient<Req, Part, P>, ChannelError> {
        let (calls, parts) = self.stream_groups(name, parts, request, part)?;
        StreamClient::open(self, &calls.lane(self, lane)?, &parts.lane(self, lane)?, part.len as usize)
    }

    fn any_lane_of_stream<Req: Value + ?Sized, Part: Value + ?Sized>(
        &self,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
    ) -> Claimed<Req, Part, P> {
        let (calls, parts) = self.stream_groups(name, parts, request, part)?;
        calls.any(self, |entry| {
            StreamClient::open(self, entry, &parts.lane(self, entry.lane.index)?, part.len as usize)
        })
    }
}
