//! How each kind of receiver takes part in a wait for several.

use crate::endpoint::broadcast::BroadcastReader;
use crate::endpoint::call::CallServer;
use crate::endpoint::consumer::Consumer;
use crate::endpoint::lanes::{LanesConsumer, TypedLanesConsumer};
use crate::endpoint::latest::LatestReader;
use crate::endpoint::park_word::Sleepers;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::typed::TypedConsumer;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::WaiterId;

use super::sealed::{self, Place};
use super::{Waitable, place_of_consumer};

impl<P: Port> Waitable for Consumer<P> {}
impl<P: Port> sealed::Sealed for Consumer<P> {
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

    fn searches(&self) -> bool {
        self.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.finds_peer_gone()
    }
}

impl<P: Port, const N: usize> Waitable for LanesConsumer<P, N> {}
impl<P: Port, const N: usize> sealed::Sealed for LanesConsumer<P, N> {
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

    fn searches(&self) -> bool {
        self.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.finds_peer_gone()
    }
}

impl<T: Value + ?Sized, P: Port, const N: usize> Waitable for TypedLanesConsumer<T, P, N> {}
impl<T: Value + ?Sized, P: Port, const N: usize> sealed::Sealed for TypedLanesConsumer<T, P, N> {
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

    fn searches(&self) -> bool {
        self.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.finds_peer_gone()
    }
}

impl<T: Value + ?Sized, P: Port> Waitable for TypedConsumer<T, P> {}
impl<T: Value + ?Sized, P: Port> sealed::Sealed for TypedConsumer<T, P> {
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

    fn searches(&self) -> bool {
        self.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.finds_peer_gone()
    }
}

/// Ready while the newest value is one that this reader has not read.
impl<T: Value + ?Sized, P: Port> Waitable for LatestReader<T, P> {}
impl<T: Value + ?Sized, P: Port> sealed::Sealed for LatestReader<T, P> {
    fn has_data(&mut self) -> bool {
        self.has_fresh() && self.is_published() || self.tell_writer_gone()
    }

    fn place(&self) -> Place<'_> {
        self.park_word.as_ref().map_or(Place::Polled, |word| Place::Word(word, Sleepers::Many))
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.prospect()
    }

    fn searches(&self) -> bool {
        self.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.finds_peer_gone()
    }
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> Waitable for CallServer<Req, Ans, P> {}
impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> sealed::Sealed for CallServer<Req, Ans, P> {
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

impl<T: Value + ?Sized, P: Port> Waitable for BroadcastReader<T, P> {}
impl<T: Value + ?Sized, P: Port> sealed::Sealed for BroadcastReader<T, P> {
    fn has_data(&mut self) -> bool {
        self.has_more() || self.tell_writer_gone()
    }

    fn place(&self) -> Place<'_> {
        self.park_word.as_ref().map_or(Place::Polled, |word| Place::Word(word, Sleepers::Many))
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.prospect()
    }

    fn searches(&self) -> bool {
        self.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.finds_peer_gone()
    }
}
