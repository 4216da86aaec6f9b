//! A contract over a channel of calls with several clients.

use core::marker::PhantomData;
use core::time::Duration;

use zerocopy::{FromZeros, IntoBytes};

use crate::endpoint::{Attachment, ChannelError, LanesOptions, LanesServer};
use crate::ground::port::Port;

use super::Contract;
use super::carrier::{Invocation, Requests};
use super::error::ServeContractError;
use super::region::run;
use super::text::types_of;

/// The server's side of a contract in a region with up to `N` clients, each in a lane of its own.
///
/// It serves a request of one client after the other. A function that panics refuses its request with code 0, and the
/// panic goes on. A client that is dead, stopped, or breaks the protocol holds up nobody else.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use strait_core::contract::LanesRequests;
/// use strait_core::{Plan, StaticRegion, port::NoSystem};
///
/// strait_core::contract! {
///     contract Counter: client CounterClient, server CounterServer { post add(number: u32); }
/// }
/// struct Sum(u32);
/// impl CounterServer for Sum {
///     fn add(&mut self, number: &u32) { self.0 += number; }
/// }
///
/// const PLAN: Plan = Plan::new(&[Counter::plan_channel("sum", 4).clients(3)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut clients = [(); 2].map(|()| Counter::client(&region, "sum", Duration::ZERO).unwrap());
/// let mut requests: LanesRequests<Counter, _, 3> = Counter::lanes_server(&region, "sum").unwrap();
/// clients.iter_mut().for_each(|client| client.add(&20).unwrap());
/// let mut sum = Sum(2);
/// assert_eq!(Counter::serve(&mut requests, &mut sum, Duration::ZERO), Ok(2));
/// assert_eq!(sum.0, 42);
/// ```
pub struct LanesRequests<K: Contract, P: Port, const N: usize> {
    calls: LanesServer<[u8], [u8], P, N>,
    contract: PhantomData<fn() -> K>,
}

impl<K: Contract, P: Port, const N: usize> LanesRequests<K, P, N> {
    /// Opens the server's role of the channel of this name, whose clients take turns call by call.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; `Type` if the channel is of another contract.
    pub fn open(region: &Attachment<P>, name: &str) -> Result<Self, ChannelError> {
        let (request, answer) = types_of::<K>();
        let calls = region.lanes_call_server_of(name, request, answer, LanesOptions::new().burst(1))?;
        Ok(Self { calls, contract: PhantomData })
    }

    /// The endpoint: to wait for it with others, or to set how it waits.
    pub fn calls(&mut self) -> &mut LanesServer<[u8], [u8], P, N> {
        &mut self.calls
    }
}

impl<K: Contract, P: Port, const N: usize> Requests for LanesRequests<K, P, N> {
    type Contract = K;

    fn serve<F>(&mut self, timeout: Duration, mut serve: F) -> Result<u32, ServeContractError>
    where
        F: FnMut(Invocation<'_>) -> Result<(), u16>,
    {
        let mut request = K::Request::new_zeroed();
        let mut served = 0;
        while served < self.calls.places().saturating_mul(self.calls.lanes()) {
            let into = request.as_mut_bytes();
            let wait = if served == 0 { timeout } else { Duration::ZERO };
            let error = match self.calls.next_into_timeout(into, wait) {
                Ok((_, reply)) => {
                    // The reply is dropped if the function panics, which refuses the request.
                    let mut answer = K::Answer::new_zeroed();
                    match run::<K>(request.as_bytes(), answer.as_mut_bytes(), &mut serve) {
                        // The answer's length is the channel's.
                        Ok(()) => drop(reply.answer_from(answer.as_bytes())),
                        Err(code) => reply.refuse(code),
                    }
                    served += 1;
                    continue;
                }
                Err(error) => error,
            };
            if served == 0 {
                return Err(error.into());
            }
            self.calls.put_off(error);
            break;
        }
        Ok(served)
    }
}
