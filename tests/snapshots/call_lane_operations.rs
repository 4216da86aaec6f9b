//! The operations of calls with several clients, which are those of several channels of calls and one server.

use std::collections::VecDeque;

use strait::call::{Interrupted, LanesServer, ServeLanesError, Ticket};
use strait::format::inspect::channel_state;
use strait::value::FromLane;
use strait::{CallClient, Channel, Plan, Region, RegionPlace, SystemPort, port::Port};

use super::operation::{Act, First, Kept, Operation, Past, Seen};
use super::queues::{Value, open, plan, value};

const NAME: &str = "call-lanes";
const LANES: usize = 2;
const PLACES: u32 = 4;
const CALLS: &[Channel<'_>] = &[Channel::calls::<Value, Value>(NAME, PLACES).clients(LANES as u32)];
const PLAN: Plan<'_> = plan(CALLS);

type Client = CallClient<Value, Value, SystemPort>;
type Server = LanesServer<Value, Value, SystemPort, LANES>;

/// What a lead-up leaves: both clients, and the server.
type Ends = ([Client; LANES], Server);

/// Every operation of call lanes. What survivors see, of all lanes together: how many calls were made; and twice how
/// many are done, one more for each lane whose next one is taken.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| Operation::new(name, PLAN, victim, survive).sees(before, after);
    vec![
        of("call-lanes-call", call, [5, 4], [6, 4]),
        of("call-lanes-take", take, [5, 4], [5, 5]),
        of("call-lanes-take-beside-kept", take_beside_kept, [5, 5], [5, 6]),
        of("call-lanes-answer", answer, [5, 6], [5, 7]),
        of("call-lanes-serve", serve, [5, 4], [5, 10]),
        of("call-lanes-cancel", cancel, [5, 4], [5, 4]),
        of("call-lanes-open-server", open_server, [0, 0], [0, 0]),
        of("call-lanes-take-over-server", open_server, [5, 6], [5, 6]).past(Past::Deaths(dead)),
        of("call-lanes-take-over-client", open_client, [5, 6], [5, 6]).past(Past::Deaths(dead)),
        of("call-lanes-drop-server", drop_server, [5, 6], [5, 8]),
        of("call-lanes-drop-client", drop_client, [5, 4], [5, 4]),
    ]
}

fn client(region: &Region, lane: usize) -> Client {
    region.lane_call_client(NAME, lane as u32).expect("the client's role can be claimed")
}

fn server(region: &Region) -> Server {
    let mut server: Server = region.lanes_call_server(NAME).expect("the server's role can be claimed");
    server.set_interrupted(Interrupted::Again);
    server
}

/// The answer to request `n`.
fn told(n: u32) -> Value {
    value(n + 1000)
}

/// Three calls in lane 0 and two in lane 1, of which one in each is done.
fn lead_up(region: &Region) -> Ends {
    let (mut clients, mut server) = ([0, 1].map(|lane| client(region, lane)), server(region));
    for (client, made) in clients.iter_mut().zip([3, 2]) {
        (0..made).for_each(|n| assert!(client.try_call(&value(n)).is_ok(), "a place is free"));
    }
    for lane in 0..LANES as u32 {
        let (from, reply) = server.try_next().expect("it was made");
        assert_eq!((from.lane, from.message), (lane, value(0)), "lanes take turns");
        reply.answer(&told(0));
    }
    (clients, server)
}

/// The same, with the next call of each lane taken.
fn with_both_taken(region: &Region) -> Ends {
    let (clients, mut server) = lead_up(region);
    take_next(&mut server, 0);
    take_next(&mut server, 1);
    (clients, server)
}

/// Takes the second call of a lane, whose turn it is, and keeps the reply.
fn take_next(server: &mut Server, lane: u32) {
    let (from, reply) = server.try_next().expect("it was made");
    assert_eq!((from.lane, from.message), (lane, value(1)));
    reply.keep();
}

fn call(region: &RegionPlace) -> Act {
    let (mut clients, server) = lead_up(&open(region));
    Box::new(move || {
        clients[1].try_call(&value(2)).expect("a place is free");
        Box::new((clients, server))
    })
}

fn take(region: &RegionPlace) -> Act {
    let (clients, mut server) = lead_up(&open(region));
    Box::new(move || {
        take_next(&mut server, 0);
        Box::new((clients, server))
    })
}

fn take_beside_kept(region: &RegionPlace) -> Act {
    let (clients, mut server) = lead_up(&open(region));
    take_next(&mut server, 0);
    Box::new(move || {
        take_next(&mut server, 1);
        Box::new((clients, server))
    })
}

fn answer(region: &RegionPlace) -> Act {
    let (clients, mut server) = with_both_taken(&open(region));
    Box::new(move || {
        server.reply(0).expect("it was kept").answer(&told(1));
        Box::new((clients, server))
    })
}

fn serve(region: &RegionPlace) -> Act {
    let (clients, mut server) = lead_up(&open(region));
    Box::new(move || {
        assert_eq!(server.serve(|_, request| *request), Ok(3));
        Box::new((clients, server))
    })
}

/// A client gives up a call whose answer has come.
fn cancel(region: &RegionPlace) -> Act {
    let (mut clients, server) = lead_up(&open(region));
    Box::new(move || {
        let ticket = clients[0].ended().expect("it was answered");
        clients[0].cancel(ticket).expect("it is out");
        Box::new((clients, server))
    })
}

/// With the next call of each lane taken, by a server that died before it noted the one before.
fn dead(region: &Region) -> Kept {
    let ends = with_both_taken(region);
    let mem = region.port().mem();
    for lane in 0..LANES as u32 {
        let entry = region.lane(NAME, lane).expect("it is planned");
        for word in [entry.block_a, entry.block_b] {
            mem.setup_write(word, mem.setup_read(word) - 1);
        }
    }
    Box::new(ends)
}

fn open_server(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let server = server(&region);
        Box::new((region, server))
    })
}

fn open_client(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let (lane, client) = region.free_lane_call_client::<Value, Value>(NAME).expect("its owner is dead");
        assert_eq!(lane, 0);
        Box::new((region, client))
    })
}

fn drop_server(region: &RegionPlace) -> Act {
    let (clients, server) = with_both_taken(&open(region));
    Box::new(move || {
        drop(server);
        Box::new(clients)
    })
}

fn drop_client(region: &RegionPlace) -> Act {
    let ([one, other], server) = lead_up(&open(region));
    Box::new(move || {
        drop(one);
        Box::new((other, server))
    })
}

/// The survivors: a server that serves what was asked and not done, in each lane in order, and clients that get answers
/// to their own calls alone.
fn survive(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let heirs = || [0, 1].map(|lane| client(region, lane));
    let (mut clients, mut heir);
    match first {
        First::Producer => {
            clients = heirs();
            heir = server(region);
        }
        First::Consumer => {
            heir = server(region);
            clients = heirs();
        }
    }
    let counts = [0, 1].map(|lane| {
        let entry = region.lane(NAME, lane).expect("it is planned");
        let state = channel_state(region.port().mem(), region.header().line, &entry);
        (state.sent - state.len, state.sent)
    });
    let again = drain(&mut heir, counts);
    let end = go_on(&mut clients, &mut heir, counts.map(|(_, made)| made));
    drop((clients, heir));
    let (mut clients, mut heir) = (heirs(), server(region));
    assert_eq!(drain(&mut heir, end.map(|end| (end, end))), 0, "after those that left");
    go_on(&mut clients, &mut heir, end);
    let (mut made, mut done) = (0, 0);
    for lane in counts {
        (done, made) = (done + u64::from(lane.0), made + u64::from(lane.1));
    }
    [made, 2 * done + again]
}

/// Serves the requests of each lane from the first of these numbers up to the second. Returns in how many lanes the
/// first had been taken before.
fn drain(server: &mut Server, counts: [(u32, u32); LANES]) -> u64 {
    let (mut next, mut again) = (counts.map(|(done, _)| done), 0);
    loop {
        match server.try_next() {
            Ok((FromLane { lane, message }, reply)) => {
                let (next, (done, _)) = (&mut next[lane as usize], counts[lane as usize]);
                assert_eq!(message, value(*next), "call {next} of lane {lane}");
                assert!(!reply.is_again() || *next == done, "one call of a lane at a time is taken");
                again += u64::from(reply.is_again());
                reply.answer(&told(*next));
                *next += 1;
            }
            Err(ServeLanesError::Empty) => break,
            Err(error) => panic!("a server failed: {error}"),
        }
    }
    assert_eq!(next, counts.map(|(_, made)| made), "what was asked is served");
    again
}

/// Calls for two laps in each lane, from these numbers on; returns the next ones.
fn go_on(clients: &mut [Client; LANES], server: &mut Server, mut next: [u32; LANES]) -> [u32; LANES] {
    for _ in 0..2 {
        let first = next;
        let mut out: [VecDeque<(u32, Ticket)>; LANES] = Default::default();
        for ((client, next), out) in clients.iter_mut().zip(&mut next).zip(&mut out) {
            while let Ok(ticket) = client.try_call(&value(*next)) {
                out.push_back((*next, ticket));
                *next += 1;
            }
            assert_eq!(out.len(), PLACES as usize, "all places are free");
        }
        assert_eq!(drain(server, [(first[0], next[0]), (first[1], next[1])]), 0, "a lap");
        for (client, out) in clients.iter_mut().zip(out) {
            for (n, ticket) in out {
                assert_eq!(client.poll(ticket), Ok(Some(told(n))), "the answer to call {n}");
            }
        }
    }
    assert!(clients.iter().all(|client| client.fault().is_none()), "the server was honest");
    assert!((0..LANES as u32).all(|lane| server.fault(lane).is_none()), "the clients were honest");
    next
}
