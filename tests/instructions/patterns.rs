//! The paths of lanes that are received from by time, of idle lanes in greater number, and of calls with several answers.
//! They have regions and types of their own: what else uses a function decides whether it is inlined.

use strait::call::{Parts, StreamClient, StreamServer, Streamed};
use strait::error::TryRecvLanesError;
use strait::options::{Stamp, TimeOrder, WakeCheck};
use strait::{Channel, Plan, Region, SystemPort, TypedLanesConsumer, TypedProducer};

use super::paths::Outcome::{self, Done, Nothing, Wrong};
use super::paths::{repeat, show};

/// A line of a log, with a stamp, that no other path has.
type Line = [u64; 3];
/// A value that no other path has.
type Idle = [i64; 2];
type Part = [i32; 4];

/// The channels.
pub const PLAN: Plan = Plan::new(&[
    Channel::slots::<Line>("by-time-8", 64).producers(8),
    Channel::slots::<Idle>("lanes-64", 4).producers(64),
    Channel::slots::<Idle>("lanes-256", 4).producers(256),
    Channel::streams::<u32, Part>("stream", 2),
    Channel::parts::<Part>("parts", 64),
]);

type Idlers<const N: usize> = TypedLanesConsumer<Idle, SystemPort, N>;
type Client = StreamClient<u32, Part, SystemPort>;
type Server = StreamServer<u32, Part, SystemPort>;

/// A consumer, and the order that it receives in.
struct ByTime {
    rx: TypedLanesConsumer<Line, SystemPort, 8>,
    order: TimeOrder<8>,
}

#[inline(never)]
extern "C" fn receive(by_time: &mut ByTime, line: &mut Line) -> Outcome {
    match by_time.rx.try_recv_by_time(&mut by_time.order) {
        Ok(from) => {
            *line = from.message;
            Done
        }
        Err(TryRecvLanesError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn sweep<const N: usize>(rx: &mut Idlers<N>, value: &mut Idle) -> Outcome {
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
extern "C" fn send(parts: &mut Parts<'_, u32, Part, SystemPort>, part: &mut Part) -> Outcome {
    if parts.send(part).is_ok() { Done } else { Wrong }
}

#[inline(never)]
extern "C" fn next(client: &mut Client, part: &mut Part) -> Outcome {
    match client.try_next() {
        Ok(Some(Streamed::Part(next))) => {
            *part = next;
            Done
        }
        Ok(None) => Nothing,
        _ => Wrong,
    }
}

fn show_idle<const N: usize>(region: &Region, name: &str) {
    let mut rx: Idlers<N> = region.typed_lanes_consumer(name).expect("nobody has it");
    show(&format!("{name}/receive-empty"), sweep, &mut rx, &mut [0; 2], Nothing);
}

/// Shows every path.
pub fn show_patterns(region: &Region) {
    let line = &mut [7; 3];
    let rx = region.typed_lanes_consumer("by-time-8").expect("nobody has it");
    let mut by_time = ByTime { rx, order: TimeOrder::new(Stamp::at(0)) };
    let mut txs: [TypedProducer<Line, SystemPort>; 8] = std::array::from_fn(|lane| {
        region.typed_lane_producer("by-time-8", lane as u32).expect("nobody has it")
    });
    let mut fill = |count: u64| {
        for tx in &mut txs {
            (0..count).for_each(|time| tx.try_send(&[time, 0, 0]).expect("there is room"));
        }
    };
    fill(4);
    repeat(1, receive, &mut by_time, line);
    show("by-time-8/receive", receive, &mut by_time, line, Done);
    repeat(30, receive, &mut by_time, line);
    assert_eq!(receive(&mut by_time, line), Nothing);
    show("by-time-8/receive-empty", receive, &mut by_time, line, Nothing);
    txs[3].try_send(line).expect("there is room");
    show("by-time-8/receive-from-one", receive, &mut by_time, line, Done);

    show_idle::<64>(region, "lanes-64");
    show_idle::<256>(region, "lanes-256");

    let mut client: Client = region.stream_client("stream", "parts").expect("nobody has it");
    let mut server: Server = region.stream_server("stream", "parts").expect("nobody has it");
    client.set_wake_check(WakeCheck::Unfenced);
    server.set_wake_check(WakeCheck::Unfenced);
    client.start(&1).expect("there is a place");
    let (_, mut parts) = server.try_next().expect("there is a request");
    let part = &mut [1; 4];
    repeat(2, send, &mut parts, part);
    show("stream/send-part", send, &mut parts, part, Done);
    repeat(1, next, &mut client, part);
    show("stream/next", next, &mut client, part, Done);
    repeat(1, next, &mut client, part);
    show("stream/next-empty", next, &mut client, part, Nothing);
}
