//! Channels of calls.

use crate::ground::kind::Kind;
use crate::ground::message::{Message, ValueType};

use super::Channel;
use super::channel::lanes_in;

impl<'a> Channel<'a> {
    /// Calls of one client to one server: requests of type `Req`, and for each an answer of type `Ans`. Up to
    /// `places` of them can be out at once, a power of two from 1 to 32.
    ///
    /// Client and server may sleep. For several clients, see [`clients`](Self::clients).
    #[must_use]
    pub const fn calls<Req: Message, Ans: Message>(name: &'a str, places: u32) -> Self {
        Self::calls_of(name, places, ValueType::of::<Req>(), ValueType::of::<Ans>())
    }

    /// As [`calls`](Self::calls), of types that are known at run time.
    #[must_use]
    pub const fn calls_of(name: &'a str, places: u32, request: ValueType, answer: ValueType) -> Self {
        let mut channel = Self::new(name, Kind::Calls, places, request.size as usize, request.hash);
        channel.answer = answer;
        channel.producer_may_block().consumer_may_block()
    }
    /// Lets `count` clients at once, 1 to 256, call one server: each has a lane, with `places` of its own. The server
    /// is a [`LanesServer`](crate::LanesServer), which serves them in turn.
    ///
    /// Order holds within a lane. A client that is stopped or dead, or leaves its answers where they are, holds up
    /// nobody else, and its lane is taken over like any client's role. With 1 this is the ordinary channel of calls.
    /// The first lanes can be [urgent](Self::urgent_lanes).
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, LanesServer, Plan, StaticRegion, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[Channel::calls::<u32, u32>("drive", 4).clients(3)]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut panel = region.lane_call_client::<u32, u32>("drive", 0).unwrap();
    /// let (lane, mut planner) = region.free_lane_call_client::<u32, u32>("drive").unwrap();
    /// assert_eq!(lane, 1);
    /// let (three, four) = (panel.try_call(&3).unwrap(), planner.try_call(&4).unwrap());
    ///
    /// let mut server: LanesServer<u32, u32, _, 4> = region.lanes_call_server("drive").unwrap();
    /// assert_eq!(server.serve(|lane, number| 10 * lane + number), Ok(2));
    /// assert_eq!((panel.poll(three), planner.poll(four)), (Ok(Some(3)), Ok(Some(14))));
    /// ```
    #[must_use]
    pub const fn clients(mut self, count: u32) -> Self {
        self.lanes = if matches!(self.kind, Kind::Calls) { count } else { 0 };
        self.lane_domains = &[];
        self
    }

    /// As [`clients`](Self::clients), one for each of these domains: lane `i` is claimed, and taken over, in `domains[i]`
    /// alone.
    #[must_use]
    pub const fn clients_in(mut self, domains: &'a [u32]) -> Self {
        self.lanes = if matches!(self.kind, Kind::Calls) { lanes_in(domains) } else { 0 };
        self.lane_domains = domains;
        self
    }
}
