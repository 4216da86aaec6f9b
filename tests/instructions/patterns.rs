//! The paths of streams, of receiving in the order of time, and of pools. They have a region and a port of their own: what
//! else uses a function decides whether it is inlined, and streams use those of frames.

use strait::call::{LanesStreamServer, ServeError, ServeLanesError, StreamClient, StreamServer, Streamed};
use strait::call::{PartError, Parts, TryCallError};
use strait::error::TryRecvLanesError;
use strait::options::{Stamp, TimeOrder, WakeCheck};
use strait::pool::{BlockId, Pool, PoolError};
use strait::{Attachment, Channel, Plan, Region, TypedLanesConsumer, TypedProducer};

use super::own_port::OwnPort;
use super::paths::Outcome::{self, Done, Nothing, Wrong};
use super::paths::{repeat, show};

strait::message! {
    /// A message with the time.
    struct Line { time: u64, code: u64 }
}

/// A value that no other path has.
type Value = [u16; 4];

/// The channels: streams of one client and of eight, eight lanes, and eight blocks.
pub const PLAN: Plan = Plan::new(&[
    Channel::streams::<Value, Value>("stream", 2),
    Channel::parts::<Value>("stream.parts", 64),
    Channel::streams::<Value, Value>("streams-8", 2).clients(8),
    Channel::parts_for::<Value>("streams-8.parts", 64, 8),
    Channel::slots::<Line>("by-time-8", 64).producers(8),
    Channel::pool("pool", 8, 256),
]);

type Client = StreamClient<Value, Value, OwnPort>;
type Server = StreamServer<Value, Value, OwnPort>;
type Servers = LanesStreamServer<Value, Value, OwnPort, 8>;
type Tx = TypedProducer<Line, OwnPort>;
type Rx = TypedLanesConsumer<Line, OwnPort, 8>;
type Order = TimeOrder<8>;
type Blocks = Pool<OwnPort>;

#[inline(never)]
extern "C" fn start(client: &mut Client, value: &mut Value) -> Outcome {
    match client.start(value) {
        Ok(()) => Done,
        Err(TryCallError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

/// Takes a part, or the end.
#[inline(never)]
extern "C" fn next(client: &mut Client, value: &mut Value) -> Outcome {
    match client.try_next() {
        Ok(Some(Streamed::Part(part))) => {
            *value = part;
            Done
        }
        Ok(Some(Streamed::End { .. })) => Done,
        Ok(None) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn take(server: &mut Server, value: &mut Value) -> Outcome {
    match server.try_next() {
        Ok((request, parts)) => {
            *value = request;
            parts.keep();
            Done
        }
        Err(ServeError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn take_of_lanes(server: &mut Servers, value: &mut Value) -> Outcome {
    match server.try_next() {
        Ok((from, parts)) => {
            *value = from.message;
            parts.keep();
            Done
        }
        Err(ServeLanesError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

/// Sends a part of a reply, which is kept.
#[inline(always)]
fn send_to(parts: Option<Parts<'_, Value, Value, OwnPort>>, value: &Value) -> Outcome {
    let Some(mut parts) = parts else { return Wrong };
    let sent = parts.send(value);
    parts.keep();
    match sent {
        Ok(()) => Done,
        Err(PartError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn send_part(server: &mut Server, value: &mut Value) -> Outcome {
    send_to(server.parts(), value)
}

#[inline(never)]
extern "C" fn send_part_to_lane(server: &mut Servers, value: &mut Value) -> Outcome {
    send_to(server.parts(0), value)
}

#[inline(never)]
extern "C" fn end(server: &mut Server, _: &mut Value) -> Outcome {
    server.parts().map_or(Wrong, |parts| if parts.end() > 0 { Done } else { Nothing })
}

#[inline(never)]
extern "C" fn end_of_lane(server: &mut Servers, _: &mut Value) -> Outcome {
    server.parts(0).map_or(Wrong, |parts| if parts.end() > 0 { Done } else { Nothing })
}

/// The paths of streams, whose server is used by these functions.
macro_rules! stream {
    ($client:expr, $server:expr, $channel:literal, $take:ident, $send:ident, $end:ident) => {
        let (mut client, mut server): (Client, _) = ($client, $server);
        client.set_wake_check(WakeCheck::Unfenced);
        server.set_wake_check(WakeCheck::Unfenced);
        let value = &mut [1; 4];
        // Once before, so that nothing is the first.
        repeat(1, start, &mut client, value);
        repeat(1, $take, &mut server, value);
        repeat(2, $send, &mut server, value);
        repeat(1, $end, &mut server, value);
        repeat(3, next, &mut client, value);
        show(concat!($channel, "/start"), start, &mut client, value, Done);
        show(concat!($channel, "/next-empty"), next, &mut client, value, Nothing);
        show(concat!($channel, "/take"), $take, &mut server, value, Done);
        repeat(2, $send, &mut server, value);
        show(concat!($channel, "/send"), $send, &mut server, value, Done);
        repeat(1, next, &mut client, value);
        show(concat!($channel, "/next-part"), next, &mut client, value, Done);
        repeat(1, next, &mut client, value);
        show(concat!($channel, "/end"), $end, &mut server, value, Done);
        show(concat!($channel, "/next-end"), next, &mut client, value, Done);
        show(concat!($channel, "/take-empty"), $take, &mut server, value, Nothing);
    };
}

#[inline(never)]
extern "C" fn send(tx: &mut Tx, line: &mut Line) -> Outcome {
    line.time += 1;
    if tx.try_send(line).is_ok() { Done } else { Wrong }
}

#[inline(never)]
extern "C" fn receive(rx: &mut Rx, order: &mut Order) -> Outcome {
    match rx.try_recv_by_time(order) {
        Ok(from) => {
            if from.message.code == 7 {
                Done
            } else {
                Wrong
            }
        }
        Err(TryRecvLanesError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn claim_and_send(pool: &mut Blocks, id: &mut Option<BlockId>) -> Outcome {
    match pool.try_claim() {
        Ok(block) => {
            *id = block.send(8).ok();
            if id.is_some() { Done } else { Wrong }
        }
        Err(PoolError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn take_and_release(pool: &mut Blocks, id: &mut Option<BlockId>) -> Outcome {
    let Some(sent) = *id else { return Wrong };
    match pool.take(sent) {
        Ok(block) => {
            if block.release().is_ok() {
                Done
            } else {
                Wrong
            }
        }
        Err(PoolError::Gone) => Nothing,
        Err(_) => Wrong,
    }
}

/// Shows every path.
pub fn show_patterns(region: &Region) {
    let region = &Attachment::attach(OwnPort(region.port().clone())).expect("it is there");
    {
        let client = region.stream_client("stream", "stream.parts").expect("nobody has it");
        let server: Server = region.stream_server("stream", "stream.parts").expect("nobody has it");
        stream!(client, server, "stream", take, send_part, end);
    }
    {
        let channel = ("streams-8", "streams-8.parts");
        let client = region.lane_stream_client(channel.0, channel.1, 0).expect("nobody has it");
        let server: Servers = region.lanes_stream_server(channel.0, channel.1).expect("nobody has it");
        stream!(client, server, "streams-8", take_of_lanes, send_part_to_lane, end_of_lane);
    }
    let mut txs: [Tx; 8] = std::array::from_fn(|lane| {
        region.typed_lane_producer("by-time-8", lane as u32).expect("nobody has it")
    });
    let mut rx: Rx = region.typed_lanes_consumer("by-time-8").expect("nobody has it");
    let order = &mut Order::new(const { Stamp::field::<Line>("time") });
    let line = &mut Line { time: 0, code: 7 };
    // Two in each lane.
    (0..2).for_each(|_| txs.iter_mut().for_each(|tx| repeat(1, send, tx, line)));
    repeat(2, receive, &mut rx, order);
    show("by-time-8/receive", receive, &mut rx, order, Done);
    repeat(13, receive, &mut rx, order);
    assert_eq!(receive(&mut rx, order), Nothing);
    show("by-time-8/receive-empty", receive, &mut rx, order, Nothing);
    repeat(1, send, &mut txs[7], line);
    show("by-time-8/receive-the-only", receive, &mut rx, order, Done);

    let mut pool = region.pool("pool").expect("it is planned");
    let id = &mut None;
    repeat(1, claim_and_send, &mut pool, id);
    repeat(1, take_and_release, &mut pool, id);
    show("pool-8/claim-and-send", claim_and_send, &mut pool, id, Done);
    show("pool-8/take-and-release", take_and_release, &mut pool, id, Done);
    show("pool-8/take-what-is-gone", take_and_release, &mut pool, id, Nothing);
    repeat(8, claim_and_send, &mut pool, id);
    show("pool-8/claim-none", claim_and_send, &mut pool, id, Nothing);
}
