//! Channels of calls.

use crate::ground::kind::Kind;
use crate::ground::message::{Message, ValueType};

use super::Channel;

impl<'a> Channel<'a> {
    /// Calls of one client to one server: requests of type `Req`, and for each an answer of type `Ans`. Up to
    /// `places` of them can be out at once, a power of two from 1 to 32.
    ///
    /// Client and server may sleep. Several clients of a server have a channel each; if those share a
    /// [`doorbell`](Self::doorbell), the server waits for all of them with [`wait_any`](crate::wait_any).
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
}
