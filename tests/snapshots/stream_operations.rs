//! The operations of calls with several answers, of one client and of several.

use strait::call::{
    LanesStreamServer, PartError, Parts, Ran, StreamClient, StreamServer, Streamed, TryCallError,
};
use strait::format::inspect::{CallStage, calls, channel_state};
use strait::value::FromLane;
use strait::{Channel, Plan, Region, RegionPlace, SystemPort, port::Port};

use super::operation::{Act, First, Kept, Operation, Past, Seen};
use super::queues::{Value, open, plan, value};

const NAME: &str = "streams";
const PARTS: &str = "parts";
const PLACES: u32 = 2;

type Client = StreamClient<Value, Value, SystemPort>;
type Reply<'s> = Parts<'s, Value, Value, SystemPort>;

/// Streams of so many clients, with the server that there is for that.
trait Streams: 'static {
    const LANES: u32;
    const CHANNELS: &'static [Channel<'static>];
    type Server: 'static;

    fn server(region: &Region) -> Self::Server;
    /// Takes the next request of the lane whose turn it is, if there is one, and keeps the reply.
    fn take(server: &mut Self::Server) -> Option<(u32, Value)>;
    /// The reply that was kept.
    fn reply(server: &mut Self::Server, lane: u32) -> Option<Reply<'_>>;
    /// Serves all with a part each; returns how many.
    fn serve(server: &mut Self::Server) -> u32;
    fn is_honest(server: &Self::Server) -> bool;
}

/// Streams of one client.
struct One;
/// Streams of two clients.
struct Two;

impl Streams for One {
    const LANES: u32 = 1;
    const CHANNELS: &'static [Channel<'static>] =
        &[Channel::streams::<Value, Value>(NAME, PLACES), Channel::parts::<Value>(PARTS, 4)];
    type Server = StreamServer<Value, Value, SystemPort>;

    fn server(region: &Region) -> Self::Server {
        region.stream_server(NAME, PARTS).expect("the server's role can be claimed")
    }

    fn take(server: &mut Self::Server) -> Option<(u32, Value)> {
        let (request, parts) = server.try_next().ok()?;
        parts.keep();
        Some((0, request))
    }

    fn reply(server: &mut Self::Server, _lane: u32) -> Option<Reply<'_>> {
        server.parts()
    }

    fn serve(server: &mut Self::Server) -> u32 {
        server.serve(|request, parts| parts.send(request)).expect("there is one")
    }

    fn is_honest(server: &Self::Server) -> bool {
        server.fault().is_none()
    }
}

impl Streams for Two {
    const LANES: u32 = 2;
    const CHANNELS: &'static [Channel<'static>] = &[
        Channel::streams::<Value, Value>(NAME, PLACES).clients(2),
        Channel::parts_for::<Value>(PARTS, 4, 2),
    ];
    type Server = LanesStreamServer<Value, Value, SystemPort, 2>;

    fn server(region: &Region) -> Self::Server {
        region.lanes_stream_server(NAME, PARTS).expect("the server's role can be claimed")
    }

    fn take(server: &mut Self::Server) -> Option<(u32, Value)> {
        let (FromLane { lane, message }, parts) = server.try_next().ok()?;
        parts.keep();
        Some((lane, message))
    }

    fn reply(server: &mut Self::Server, lane: u32) -> Option<Reply<'_>> {
        server.parts(lane)
    }

    fn serve(server: &mut Self::Server) -> u32 {
        server.serve(|_, request, parts| parts.send(request)).expect("there is one")
    }

    fn is_honest(server: &Self::Server) -> bool {
        (0..2).all(|lane| server.fault(lane).is_none())
    }
}

/// The operations, by a prefix of their names. What survivors see, of all lanes together: how many calls were made; and
/// twice how many are done, one more for each other that is taken or withdrawn, and how many parts were sent.
macro_rules! operations {
    ($streams:ty, $prefix:literal) => {{
        const LANES: u64 = <$streams>::LANES as u64;
        const PLAN: Plan<'_> = plan(<$streams>::CHANNELS);
        let of = |name, victim, before, after| {
            Operation::new(name, PLAN, victim, survive::<$streams>).sees(before, after)
        };
        // Of each lane: one stream of two parts that is over; the same, and a call; the same, taken, with a part.
        let (idle, out, taken) = ([LANES, 4 * LANES], [2 * LANES, 4 * LANES], [2 * LANES, 6 * LANES]);
        let more = |[made, done]: Seen, by: u64| [made, done + by];
        let dropped = [taken[0] + 1, taken[1] + 1];
        vec![
            of(concat!($prefix, "-start"), start::<$streams>, idle, [LANES + 1, 4 * LANES]),
            of(concat!($prefix, "-start-wakes"), start_wakes::<$streams>, idle, [LANES + 1, 4 * LANES]),
            of(concat!($prefix, "-start-full"), start_full::<$streams>, dropped, dropped),
            of(concat!($prefix, "-take"), take::<$streams>, out, more(out, 1)),
            of(concat!($prefix, "-send"), send::<$streams>, taken, more(taken, 1)),
            of(concat!($prefix, "-send-wakes"), send_wakes::<$streams>, taken, more(taken, 1)),
            of(concat!($prefix, "-end"), end::<$streams>, taken, more(taken, 1)),
            of(concat!($prefix, "-end-wakes"), end_wakes::<$streams>, taken, more(taken, 1)),
            of(concat!($prefix, "-refuse"), refuse::<$streams>, taken, more(taken, 1)),
            of(concat!($prefix, "-serve"), serve::<$streams>, out, more(out, 3 * LANES)),
            of(concat!($prefix, "-receive"), receive::<$streams>, taken, taken),
            of(concat!($prefix, "-receive-end"), receive_end::<$streams>, more(taken, 1), more(taken, 1)),
            of(concat!($prefix, "-cancel"), cancel::<$streams>, out, more(out, 1)),
            of(concat!($prefix, "-cancel-taken"), cancel_taken::<$streams>, taken, taken),
            of(concat!($prefix, "-take-over-server"), open_server::<$streams>, taken, taken)
                .past(Past::Deaths(dead::<$streams>)),
            of(concat!($prefix, "-take-over-client"), open_client::<$streams>, taken, taken)
                .past(Past::Deaths(dead::<$streams>)),
            of(concat!($prefix, "-drop-server"), drop_server::<$streams>, taken, more(taken, LANES)),
            of(concat!($prefix, "-drop-client"), drop_client::<$streams>, out, more(out, 1)),
        ]
    }};
}

/// Every operation of streams of two clients; and of one those that have code of their own.
pub fn all() -> Vec<Operation> {
    let own = ["take", "send", "send-wakes", "end", "end-wakes", "serve", "take-over-server", "drop-server"];
    let one = operations!(One, "streams").into_iter();
    let is_own = |name: &str| name.strip_prefix("streams-").is_some_and(|name| own.contains(&name));
    one.filter(|operation| is_own(operation.name)).chain(operations!(Two, "stream-lanes")).collect()
}

fn client(region: &Region, lane: u32) -> Client {
    region.lane_stream_client(NAME, PARTS, lane).expect("the client's role can be claimed")
}

fn clients<S: Streams>(region: &Region) -> Vec<Client> {
    (0..S::LANES).map(|lane| client(region, lane)).collect()
}

/// Request `n` of a lane.
fn request(lane: u32, n: u32) -> Value {
    value(1_000_000 * lane + 100 * n)
}

/// A part of that, from 1.
fn part(lane: u32, n: u32, part: u32) -> Value {
    value(1_000_000 * lane + 100 * n + part)
}

/// What a lead-up leaves.
struct Ends<S: Streams> {
    clients: Vec<Client>,
    server: S::Server,
}

/// In each lane a stream of two parts, which is over.
fn idle<S: Streams>(region: &Region) -> Ends<S> {
    let (mut clients, mut server) = (clients::<S>(region), S::server(region));
    go_on::<S>(&mut clients, &mut server, &mut [0; 2][..S::LANES as usize], 1);
    Ends { clients, server }
}

/// The same, and a call that is out.
fn out<S: Streams>(region: &Region) -> Ends<S> {
    let mut ends = idle::<S>(region);
    for (lane, client) in (0..).zip(&mut ends.clients) {
        client.start(&request(lane, 1)).expect("a place is free");
    }
    ends
}

/// The same, which was taken, and of which one part was sent.
fn taken<S: Streams>(region: &Region) -> Ends<S> {
    let mut ends = out::<S>(region);
    for lane in 0..S::LANES {
        assert_eq!(S::take(&mut ends.server), Some((lane, request(lane, 1))), "lanes take turns");
        let mut reply = S::reply(&mut ends.server, lane).expect("it was kept");
        reply.send(&part(lane, 1, 1)).expect("there is room");
        reply.keep();
    }
    ends
}

fn dead<S: Streams>(region: &Region) -> Kept {
    Box::new(taken::<S>(region))
}

/// Says that somebody sleeps on this word.
fn park(region: &Region, word: u32) {
    region.port().mem().setup_write(word, 1);
}

/// Says that the client of lane 0 sleeps.
fn park_client<S: Streams>(region: &Region) {
    let entry = |name| region.lane(name, 0).expect("it is planned");
    park(region, if S::LANES == 1 { entry(PARTS).wait_b } else { entry(NAME).wait_a });
}

fn start<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = idle::<S>(&open(region));
    Box::new(move || {
        ends.clients[0].start(&request(0, 1)).expect("a place is free");
        Box::new(ends)
    })
}

fn start_wakes<S: Streams>(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut ends = idle::<S>(&region);
    park(&region, region.lane(NAME, 0).expect("it is planned").wait_b);
    Box::new(move || {
        ends.clients[0].start(&request(0, 1)).expect("a place is free");
        Box::new((region, ends))
    })
}

/// One of the two places has a call that is taken, and the other one that is withdrawn. The parts are dropped.
fn start_full<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    let client = &mut ends.clients[0];
    assert_eq!(client.cancel(), Ok(Ran::Maybe));
    client.start(&request(0, 2)).expect("a place is free");
    assert_eq!(client.cancel(), Ok(Ran::No));
    Box::new(move || {
        assert_eq!(ends.clients[0].start(&request(0, 3)), Err(TryCallError::Full));
        Box::new(ends)
    })
}

fn take<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = out::<S>(&open(region));
    Box::new(move || {
        assert_eq!(S::take(&mut ends.server), Some((0, request(0, 1))));
        Box::new(ends)
    })
}

fn send_a_part<S: Streams>(ends: &mut Ends<S>) {
    let mut reply = S::reply(&mut ends.server, 0).expect("it was kept");
    reply.send(&part(0, 1, 2)).expect("there is room");
    reply.keep();
}

fn send<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    Box::new(move || {
        send_a_part::<S>(&mut ends);
        Box::new(ends)
    })
}

fn send_wakes<S: Streams>(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut ends = taken::<S>(&region);
    park_client::<S>(&region);
    Box::new(move || {
        send_a_part::<S>(&mut ends);
        Box::new((region, ends))
    })
}

fn end<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    Box::new(move || {
        assert_eq!(S::reply(&mut ends.server, 0).expect("it was kept").end(), 1);
        Box::new(ends)
    })
}

fn end_wakes<S: Streams>(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut ends = taken::<S>(&region);
    park_client::<S>(&region);
    Box::new(move || {
        assert_eq!(S::reply(&mut ends.server, 0).expect("it was kept").end(), 1);
        Box::new((region, ends))
    })
}

fn refuse<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    Box::new(move || {
        S::reply(&mut ends.server, 0).expect("it was kept").refuse(7);
        Box::new(ends)
    })
}

fn serve<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = out::<S>(&open(region));
    Box::new(move || {
        assert_eq!(S::serve(&mut ends.server), S::LANES);
        Box::new(ends)
    })
}

fn receive<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    Box::new(move || {
        assert_eq!(ends.clients[0].try_next(), Ok(Some(Streamed::Part(part(0, 1, 1)))));
        Box::new(ends)
    })
}

fn receive_end<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    S::reply(&mut ends.server, 0).expect("it was kept").end();
    assert_eq!(ends.clients[0].try_next(), Ok(Some(Streamed::Part(part(0, 1, 1)))));
    Box::new(move || {
        assert_eq!(ends.clients[0].try_next(), Ok(Some(Streamed::End { parts: 1 })));
        Box::new(ends)
    })
}

fn cancel<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = out::<S>(&open(region));
    Box::new(move || {
        assert_eq!(ends.clients[0].cancel(), Ok(Ran::No));
        Box::new(ends)
    })
}

fn cancel_taken<S: Streams>(region: &RegionPlace) -> Act {
    let mut ends = taken::<S>(&open(region));
    Box::new(move || {
        assert_eq!(ends.clients[0].cancel(), Ok(Ran::Maybe));
        Box::new(ends)
    })
}

fn open_server<S: Streams>(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let server = S::server(&region);
        Box::new((region, server))
    })
}

fn open_client<S: Streams>(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let (lane, client) =
            region.free_lane_stream_client::<Value, Value>(NAME, PARTS).expect("nobody alive has it");
        assert_eq!(lane, 0);
        Box::new((region, client))
    })
}

fn drop_server<S: Streams>(region: &RegionPlace) -> Act {
    let Ends::<S> { clients, server } = taken(&open(region));
    Box::new(move || {
        drop(server);
        Box::new(clients)
    })
}

fn drop_client<S: Streams>(region: &RegionPlace) -> Act {
    let Ends::<S> { mut clients, server } = out(&open(region));
    let first = clients.remove(0);
    Box::new(move || {
        drop(first);
        Box::new((clients, server))
    })
}

/// What a survivor finds in a lane.
struct Left {
    made: u32,
    /// Twice how many calls are done, one more for each other that is taken or withdrawn, and how many parts were sent.
    done: u32,
    /// The calls that are neither done nor taken nor withdrawn.
    waiting: Vec<u32>,
}

impl Left {
    fn all<S: Streams>(region: &Region) -> Vec<Self> {
        (0..S::LANES).map(|lane| Self::of(region, lane)).collect()
    }

    fn of(region: &Region, lane: u32) -> Self {
        let (mem, line) = (region.port().mem(), region.header().line);
        let of = |name| region.lane(name, lane).expect("it is planned");
        let (call, parts) = (channel_state(mem, line, &of(NAME)), channel_state(mem, line, &of(PARTS)));
        let waiting = calls(mem, line, &of(NAME)).filter(|call| call.stage == CallStage::Waiting);
        let waiting: Vec<_> = waiting.map(|call| call.position).collect();
        let done = 2 * call.sent - call.len - waiting.len() as u32;
        Self { made: call.sent, done: done + parts.sent, waiting }
    }
}

/// The survivors: a server that serves what was asked and neither taken nor withdrawn, in each lane in order, and nothing
/// else; and clients that get the parts and ends of their own calls alone.
fn survive<S: Streams>(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let done: u32 = Left::all::<S>(region).iter().map(|left| left.done).sum();
    let (mut all, mut heir);
    match first {
        First::Producer => {
            all = clients::<S>(region);
            heir = S::server(region);
        }
        First::Consumer => {
            heir = S::server(region);
            all = clients::<S>(region);
        }
    }
    // A call whose number the dead one had not noted yet is made once its successor is there.
    let left = Left::all::<S>(region);
    let mut served = vec![Vec::new(); S::LANES as usize];
    while let Some((lane, message)) = S::take(&mut heir) {
        let number = left[lane as usize].waiting.iter().find(|&&n| message == request(lane, n));
        served[lane as usize].push(*number.expect("a call that waits"));
        let mut reply = S::reply(&mut heir, lane).expect("it was kept");
        // The dead one's parts may have filled the queue, and nobody reads.
        assert!(matches!(reply.send(&message), Ok(()) | Err(PartError::Full)));
        reply.end();
    }
    assert!(served.iter().eq(left.iter().map(|left| &left.waiting)), "what waits is served, in order");
    let mut next: Vec<_> = left.iter().map(|left| left.made).collect();
    go_on::<S>(&mut all, &mut heir, &mut next, 2 * PLACES);
    drop((all, heir));
    let (mut all, mut heir) = (clients::<S>(region), S::server(region));
    assert_eq!(S::take(&mut heir), None, "after those that left");
    go_on::<S>(&mut all, &mut heir, &mut next, PLACES + 1);
    [left.iter().map(|left| u64::from(left.made)).sum(), done.into()]
}

/// So many streams in each lane, of two parts each, from these numbers on, which go on.
fn go_on<S: Streams>(clients: &mut [Client], server: &mut S::Server, next: &mut [u32], streams: u32) {
    for _ in 0..streams {
        for (lane, client) in (0..).zip(&mut *clients) {
            client.start(&request(lane, next[lane as usize])).expect("a place is free");
        }
        // One server of one client refuses what it keeps when it looks for more.
        let lanes: Vec<_> = (0..S::LANES).map(|_| S::take(server).expect("each has called")).collect();
        for lane in 0..S::LANES {
            assert!(lanes.contains(&(lane, request(lane, next[lane as usize]))), "each call is taken");
        }
        for number in 1..=2 {
            for (lane, client) in (0..).zip(&mut *clients) {
                // It drops what older calls have left.
                if number == 1 {
                    assert_eq!(client.try_next(), Ok(None), "nothing was sent");
                }
                let mut reply = S::reply(server, lane).expect("it was kept");
                reply.send(&part(lane, next[lane as usize], number)).expect("there is room");
                reply.keep();
            }
        }
        for (lane, client) in (0..).zip(&mut *clients) {
            assert_eq!(S::reply(server, lane).expect("it was kept").end(), 2);
            let number = &mut next[lane as usize];
            let parts = [1, 2].map(|at| Streamed::Part(part(lane, *number, at)));
            for expected in parts.into_iter().chain([Streamed::End { parts: 2 }]) {
                assert_eq!(client.try_next(), Ok(Some(expected)), "call {number} of lane {lane}");
            }
            *number += 1;
        }
    }
    assert!(clients.iter().all(|client| client.fault().is_none()), "the server was honest");
    assert!(S::is_honest(server), "the clients were honest");
}
