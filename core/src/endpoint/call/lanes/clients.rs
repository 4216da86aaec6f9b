//! Claiming the client's role of a lane.

use crate::endpoint::attachment::Attachment;
use crate::endpoint::call::CallClient;
use crate::endpoint::error::ChannelError;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;

/// A lane's number, and its client.
type Claimed<E> = Result<(u32, E), ChannelError>;

impl<P: Port> Attachment<P> {
    /// Claims the client's role of a lane, from 0, of a channel of calls with several clients. If the lane's last client
    /// is proven dead, the role is taken over, as by [`call_client`](Self::call_client); the other lanes are not touched.
    /// Of a channel with one client, lane 0 is that channel.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn lane_call_client<Req: Message, Ans: Message>(
        &self,
        name: &str,
        lane: u32,
    ) -> Result<CallClient<Req, Ans, P>, ChannelError> {
        let group = self.calls_group(name, ValueType::of::<Req>(), ValueType::of::<Ans>())?;
        CallClient::open(self, &group.lane(self, lane)?)
    }

    /// As [`lane_call_client`](Self::lane_call_client), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn lane_call_client_of(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
        lane: u32,
    ) -> Result<CallClient<[u8], [u8], P>, ChannelError> {
        CallClient::open(self, &self.calls_group(name, request, answer)?.lane(self, lane)?)
    }

    /// Claims the client's role of any lane that is free, or whose client is proven dead, and is neither urgent nor
    /// another domain's; returns the lane's number too. Steps: one claim a lane at most.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn free_lane_call_client<Req: Message, Ans: Message>(
        &self,
        name: &str,
    ) -> Claimed<CallClient<Req, Ans, P>> {
        let group = self.calls_group(name, ValueType::of::<Req>(), ValueType::of::<Ans>())?;
        group.any(self, |entry| CallClient::open(self, entry))
    }

    /// As [`free_lane_call_client`](Self::free_lane_call_client), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn free_lane_call_client_of(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
    ) -> Claimed<CallClient<[u8], [u8], P>> {
        self.calls_group(name, request, answer)?.any(self, |entry| CallClient::open(self, entry))
    }
}
