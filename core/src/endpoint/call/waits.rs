//! Waiting for calls among other receivers: their clients, and servers of several clients.

use crate::endpoint::park_word::Sleepers;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::wait_any::sealed::{Place, Sealed};
use crate::endpoint::wait_any::{Waitable, place_of_consumer};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::WaiterId;

use super::{CallClient, LanesServer};

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port, const N: usize> Waitable
    for LanesServer<Req, Ans, P, N>
{
}
impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port, const N: usize> Sealed
    for LanesServer<Req, Ans, P, N>
{
    fn looks(&self) -> u32 {
        self.lanes()
    }

    fn has_data(&mut self) -> bool {
        self.has_data()
    }

    fn place(&self) -> Place<'_> {
        place_of_consumer(self.park_word())
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.prospect()
    }
}

/// Ready while a call that is out has ended; [`ended`](CallClient::ended) says which. A look costs one load a call that is
/// out. A dead server is found within the probe period.
impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> Waitable for CallClient<Req, Ans, P> {}
impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> Sealed for CallClient<Req, Ans, P> {
    fn has_data(&mut self) -> bool {
        self.has_answer()
    }

    fn place(&self) -> Place<'_> {
        self.park_word().map_or(Place::Polled, |word| Place::Word(word, Sleepers::One))
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.role.prospect()
    }

    fn looks(&self) -> u32 {
        self.calls_out()
    }

    fn searches(&self) -> bool {
        self.calls_out() > 0
    }

    fn search(&mut self) -> bool {
        self.find_death()
    }
}
