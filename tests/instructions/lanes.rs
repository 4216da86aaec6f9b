//! The paths of lanes, of queues and of calls. They have a region and a type of their own: what else uses a function
//! decides whether it is inlined.

use strait::call::{LanesServer, ServeError, ServeLanesError, Ticket, TryCallError};
use strait::error::TryRecvLanesError;
use strait::options::WakeCheck;
use strait::{
    CallClient, CallServer, Channel, Plan, Region, SystemPort, TrySendError, TypedLanesConsumer,
    TypedProducer,
};

use super::paths::Outcome::{self, Done, Nothing, Wrong};
use super::paths::{repeat, show};

/// A value that no other path has.
type Value = i64;

/// The channels: with eight lanes, and with one.
pub const PLAN: Plan = Plan::new(&[
    Channel::slots::<Value>("lanes-8", 64).producers(8),
    Channel::slots::<Value>("lanes-1", 64),
    Channel::calls::<Value, Value>("calls-8", 32).clients(8),
    Channel::calls::<Value, Value>("calls-1", 32),
    Channel::calls::<Value, Value>("calls", 32),
]);

type Tx = TypedProducer<Value, SystemPort>;
type Rx = TypedLanesConsumer<Value, SystemPort, 8>;
type Client = CallClient<Value, Value, SystemPort>;
type Server = CallServer<Value, Value, SystemPort>;
type Servers = LanesServer<Value, Value, SystemPort, 8>;

#[inline(never)]
extern "C" fn send(tx: &mut Tx, value: &mut Value) -> Outcome {
    match tx.try_send(value) {
        Ok(()) => Done,
        Err(TrySendError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn receive(rx: &mut Rx, value: &mut Value) -> Outcome {
    match rx.try_recv() {
        Ok(from) => {
            *value = from.message;
            Done
        }
        Err(TryRecvLanesError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn call(client: &mut Client, ticket: &mut Option<Ticket>) -> Outcome {
    match client.try_call(&7) {
        Ok(made) => {
            *ticket = Some(made);
            Done
        }
        Err(TryCallError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn poll(client: &mut Client, ticket: &mut Option<Ticket>) -> Outcome {
    let Some(ticket) = *ticket else { return Wrong };
    match client.poll(ticket) {
        Ok(Some(_)) => Done,
        Ok(None) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn serve(server: &mut Server, value: &mut Value) -> Outcome {
    match server.try_next() {
        Ok((request, reply)) => {
            reply.answer(&(request + *value));
            Done
        }
        Err(ServeError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn serve_lanes(server: &mut Servers, value: &mut Value) -> Outcome {
    match server.try_next() {
        Ok((from, reply)) => {
            reply.answer(&(from.message + *value));
            Done
        }
        Err(ServeLanesError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

/// Shows every path.
pub fn show_lanes(region: &Region) {
    let value = &mut 1;
    for channel in ["lanes-8", "lanes-1"] {
        let named = |path: &str| format!("{channel}/{path}");
        let mut tx = region.typed_lane_producer::<Value>(channel, 0).expect("nobody has it");
        let mut rx: Rx = region.typed_lanes_consumer(channel).expect("nobody has it");
        repeat(2, send, &mut tx, value);
        show(&named("send"), send, &mut tx, value, Done);
        repeat(1, receive, &mut rx, value);
        show(&named("receive"), receive, &mut rx, value, Done);
        repeat(1, receive, &mut rx, value);
        assert_eq!(receive(&mut rx, value), Nothing);
        show(&named("receive-empty"), receive, &mut rx, value, Nothing);
    }
    for channel in ["calls-8", "calls-1"] {
        let named = |path: &str| format!("{channel}/{path}");
        let mut client: Client = region.lane_call_client(channel, 0).expect("nobody has it");
        let mut server: Servers = region.lanes_call_server(channel).expect("nobody has it");
        client.set_wake_check(WakeCheck::Unfenced);
        server.set_wake_check(WakeCheck::Unfenced);
        let ticket = &mut None;
        repeat(2, call, &mut client, ticket);
        repeat(1, serve_lanes, &mut server, value);
        show(&named("serve"), serve_lanes, &mut server, value, Done);
        show(&named("serve-empty"), serve_lanes, &mut server, value, Nothing);
    }
    let mut client: Client = region.call_client("calls").expect("nobody has it");
    let mut server: Server = region.call_server("calls").expect("nobody has it");
    let ticket = &mut None;
    repeat(1, call, &mut client, ticket);
    show("calls/call", call, &mut client, ticket, Done);
    show("calls/poll-empty", poll, &mut client, ticket, Nothing);
    repeat(1, serve, &mut server, value);
    show("calls/serve", serve, &mut server, value, Done);
    show("calls/serve-empty", serve, &mut server, value, Nothing);
    show("calls/poll", poll, &mut client, ticket, Done);
}
