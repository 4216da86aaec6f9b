//! Calls to the drive, of which each must end, once, in a way that the documentation states.

use std::collections::VecDeque;

use drive_link::patterns::{Ask, Told, ask};
use strait::call::{CallError, Ran, Ticket, TryCallError};
use strait::{CallClient, ChannelError, Region, SystemPort};

/// A client of one channel of calls, and the calls that are out.
pub struct Caller {
    pub client: CallClient<Ask, Told, SystemPort>,
    out: VecDeque<(Ticket, u32)>,
    /// Requests that have to be made anew.
    anew: VecDeque<u32>,
    next: u32,
    /// Calls that were answered.
    pub answered: u32,
    /// Calls that may have run, as their client was told.
    pub maybe: u32,
    /// Answers to requests that an earlier boot had taken.
    pub again: u32,
}

impl Caller {
    /// Claims the client's role.
    pub fn open(region: &Region, name: &str) -> Result<Self, ChannelError> {
        let client = region.call_client(name)?;
        let (out, anew) = Default::default();
        Ok(Self { client, out, anew, next: 0, answered: 0, maybe: 0, again: 0 })
    }

    /// Asks for a number, which is not counted.
    pub fn ask(&mut self, number: u32, what: u32) -> Ticket {
        self.client.try_call(&Ask { number, what }).expect("there is a place")
    }

    /// Makes calls until there is no place for one more.
    pub fn fill(&mut self) {
        while self.call(self.next) {
            self.next += 1;
        }
    }

    /// Makes a call, unless there is no place: the next one is that of the call made so many calls ago.
    fn call(&mut self, number: u32) -> bool {
        match self.client.try_call(&Ask { number, what: ask::TRIPLE }) {
            Ok(ticket) => self.out.push_back((ticket, number)),
            Err(TryCallError::Full) => return false,
            Err(error) => panic!("a call failed: {error}"),
        }
        true
    }

    /// Takes the answers that have come. A request that may have run is made anew, because it may run twice.
    /// Returns whether no call is out.
    pub fn take(&mut self) -> bool {
        for _ in 0..self.out.len() {
            let Some((ticket, number)) = self.out.pop_front() else { break };
            match self.client.poll(ticket) {
                Ok(None) => self.out.push_back((ticket, number)),
                Ok(Some(told)) => {
                    assert_eq!((told.number, told.triple), (number, 3 * number), "another call's answer");
                    self.answered += 1;
                    self.again += told.again;
                }
                Err(CallError::PeerDied { ran: Ran::Maybe }) => {
                    self.maybe += 1;
                    self.anew.push_back(number);
                }
                Err(error) => panic!("call {number} failed: {error}"),
            }
        }
        while let Some(&number) = self.anew.front()
            && self.call(number)
        {
            self.anew.pop_front();
        }
        self.out.is_empty() && self.anew.is_empty()
    }

    /// Panics unless each call was answered.
    pub fn check(&self) {
        assert_eq!(self.answered, self.next, "calls without an answer");
    }
}
