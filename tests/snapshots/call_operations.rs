//! The operations of calls: calling, withdrawing, taking, answering, opening, leaving.

use strait::call::{Interrupted, Ran, ServeError, TryCallError};
use strait::format::inspect::channel_state;
use strait::{CallClient, CallServer, Channel, Plan, Region, RegionPlace, SystemPort, port::Port};

use strait_core::ground::call::{STATUS, WORDS};
use strait_core::protocol::call::Status;

use super::operation::{Act, First, Kept, Operation, Past, Seen};
use super::queues::{Value, open, plan, value};

const NAME: &str = "calls";
const PLACES: u32 = 8;
const CALLS: &[Channel<'_>] = &[Channel::calls::<Value, Value>(NAME, PLACES)];
const PLAN: Plan<'_> = plan(CALLS);

type Client = CallClient<Value, Value, SystemPort>;
type Server = CallServer<Value, Value, SystemPort>;

/// Every operation of calls. Survivors see how many calls were made and withdrawn; and twice how many are done, one
/// more if the next one is taken.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| Operation::new(name, PLAN, victim, survive).sees(before, after);
    vec![
        of("calls-call-first", call::<0, 0>, [0, 0], [1, 0]),
        of("calls-call", call::<10, 10>, [10, 20], [11, 20]),
        of("calls-call-wakes", call_wakes, [5, 6], [6, 6]),
        of("calls-call-full", call_full, [8, 0], [8, 0]),
        of("calls-post", post, [5, 6], [6, 6]),
        of("calls-cancel", cancel, [5, 6], [6, 6]),
        of("calls-take", take, [5, 6], [5, 7]),
        of("calls-take-withdrawn", take_withdrawn, [6, 6], [6, 9]),
        of("calls-answer", answer, [5, 7], [5, 8]),
        of("calls-answer-wakes", answer_wakes, [5, 7], [5, 8]),
        of("calls-refuse", refuse, [5, 7], [5, 8]),
        of("calls-serve", serve, [5, 6], [5, 10]),
        of("calls-take-over-client", open_client, [5, 7], [5, 7]).past(Past::Deaths(dead)),
        of("calls-take-over-server", open_server, [5, 7], [5, 7]).past(Past::Deaths(dead)),
        of("calls-drop-client", drop_client, [5, 6], [5, 6]),
        of("calls-drop-server", drop_server, [5, 7], [5, 8]),
    ]
}

fn client(region: &Region) -> Client {
    region.call_client(NAME).expect("the client's role can be claimed")
}

fn server(region: &Region) -> Server {
    let mut server: Server = region.call_server(NAME).expect("the server's role can be claimed");
    server.set_interrupted(Interrupted::Again);
    server
}

/// The answer to request `n`.
fn told(n: u32) -> Value {
    value(n + 1000)
}

/// Makes so many calls, of which so many are done and their answers taken.
fn lead_up(region: &Region, made: u32, done: u32) -> (Client, Server) {
    let (mut client, mut server) = (client(region), server(region));
    let mut out = std::collections::VecDeque::new();
    for n in 0..made {
        if out.len() == PLACES as usize || n >= done && out.len() as u32 > n - done {
            serve_one(&mut client, &mut server, &mut out);
        }
        out.push_back((n, client.try_call(&value(n)).expect("a place is free")));
    }
    while out.len() as u32 > made - done {
        serve_one(&mut client, &mut server, &mut out);
    }
    (client, server)
}

fn serve_one(
    client: &mut Client,
    server: &mut Server,
    out: &mut std::collections::VecDeque<(u32, strait::call::Ticket)>,
) {
    let (n, ticket) = out.pop_front().expect("a call is out");
    server.try_next().expect("it was made").1.answer(&told(n));
    assert_eq!(client.poll(ticket), Ok(Some(told(n))), "the answer to call {n}");
}

fn call<const MADE: u32, const DONE: u32>(region: &RegionPlace) -> Act {
    let (mut client, server) = lead_up(&open(region), MADE, DONE);
    Box::new(move || {
        client.try_call(&value(MADE)).expect("a place is free");
        Box::new((client, server))
    })
}

fn call_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let (mut client, server) = lead_up(&region, 5, 3);
    let entry = region.channel(NAME).expect("it is planned");
    region.port().mem().setup_write(entry.wait_b, 1);
    Box::new(move || {
        client.try_call(&value(5)).expect("a place is free");
        Box::new((client, server))
    })
}

fn call_full(region: &RegionPlace) -> Act {
    let (mut client, server) = lead_up(&open(region), PLACES, 0);
    Box::new(move || {
        assert_eq!(client.try_call(&value(PLACES)), Err(TryCallError::Full));
        Box::new((client, server))
    })
}

fn post(region: &RegionPlace) -> Act {
    let (mut client, server) = lead_up(&open(region), 5, 3);
    Box::new(move || {
        client.post(&value(5)).expect("a place is free");
        Box::new((client, server))
    })
}

/// Four calls, of which three are done, and a fifth, with its ticket.
fn with_ticket(region: &RegionPlace) -> (Client, Server, strait::call::Ticket) {
    let (mut client, server) = lead_up(&open(region), 4, 3);
    let ticket = client.try_call(&value(4)).expect("a place is free");
    (client, server, ticket)
}

fn cancel(region: &RegionPlace) -> Act {
    let (mut client, server, ticket) = with_ticket(region);
    Box::new(move || {
        assert_eq!(client.cancel(ticket), Ok(Ran::No));
        Box::new((client, server))
    })
}

fn take(region: &RegionPlace) -> Act {
    let (client, mut server) = lead_up(&open(region), 5, 3);
    Box::new(move || {
        server.try_next().expect("it was made").1.keep();
        Box::new((client, server))
    })
}

/// The fourth call is withdrawn, and the fifth taken.
fn take_withdrawn(region: &RegionPlace) -> Act {
    let (mut client, mut server) = lead_up(&open(region), 3, 3);
    let ticket = client.try_call(&value(3)).expect("a place is free");
    client.try_call(&value(4)).expect("a place is free");
    assert_eq!(client.cancel(ticket), Ok(Ran::No));
    Box::new(move || {
        server.try_next().expect("it was made").1.keep();
        Box::new((client, server))
    })
}

fn taken(region: &RegionPlace) -> (Region, Client, Server) {
    let region = open(region);
    let (client, mut server) = lead_up(&region, 5, 3);
    server.try_next().expect("it was made").1.keep();
    (region, client, server)
}

fn answer(region: &RegionPlace) -> Act {
    let (region, client, mut server) = taken(region);
    Box::new(move || {
        server.reply().expect("it was kept").answer(&told(3));
        Box::new((region, client, server))
    })
}

fn answer_wakes(region: &RegionPlace) -> Act {
    let (region, client, mut server) = taken(region);
    let entry = region.channel(NAME).expect("it is planned");
    region.port().mem().setup_write(entry.wait_a, 1);
    Box::new(move || {
        server.reply().expect("it was kept").answer(&told(3));
        Box::new((region, client, server))
    })
}

fn refuse(region: &RegionPlace) -> Act {
    let (region, client, mut server) = taken(region);
    Box::new(move || {
        server.reply().expect("it was kept").refuse(7);
        Box::new((region, client, server))
    })
}

fn serve(region: &RegionPlace) -> Act {
    let (client, mut server) = lead_up(&open(region), 5, 3);
    Box::new(move || {
        assert_eq!(server.serve(|request| *request), Ok(2));
        Box::new((client, server))
    })
}

/// Five calls, of which three are done and the fourth was taken, by a server that died before it noted the third.
fn dead(region: &Region) -> Kept {
    let (client, mut server) = lead_up(region, 5, 3);
    server.try_next().expect("it was made").1.keep();
    let entry = region.channel(NAME).expect("it is planned");
    let mem = region.port().mem();
    for word in [entry.block_a, entry.block_b] {
        mem.setup_write(word, mem.setup_read(word) - 1);
    }
    Box::new((client, server))
}

fn open_client(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(client(&region)))
}

fn open_server(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(server(&region)))
}

fn drop_client(region: &RegionPlace) -> Act {
    let (client, server) = lead_up(&open(region), 5, 3);
    Box::new(move || {
        drop(client);
        Box::new(server)
    })
}

fn drop_server(region: &RegionPlace) -> Act {
    let (region, client, server) = taken(region);
    Box::new(move || {
        drop(server);
        Box::new((region, client))
    })
}

/// The survivors: a server that serves what was asked and not done, in order, and a client that gets answers to its own
/// calls alone.
fn survive(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let (mut one, mut other);
    match first {
        First::Producer => {
            one = client(region);
            other = server(region);
        }
        First::Consumer => {
            other = server(region);
            one = client(region);
        }
    }
    let entry = region.channel(NAME).expect("it is planned");
    let state = channel_state(region.port().mem(), region.header().line, &entry);
    let (made, done) = (state.sent, state.sent - state.len);
    let ended = withdrawn_and_ended(region, done);
    let (served, again) = drain(&mut other, done..made);
    let withdrawn = u64::from(made - done - served) + ended;
    let end = go_on(&mut one, &mut other, made);
    drop((one, other));
    let (mut one, mut other) = (client(region), server(region));
    assert_eq!(drain(&mut other, end..end), (0, false), "after those that left");
    go_on(&mut one, &mut other, end);
    [u64::from(made) + withdrawn, 2 * u64::from(done) + u64::from(again)]
}

/// How many of the calls that are done ended because they were withdrawn.
fn withdrawn_and_ended(region: &Region, done: u32) -> u64 {
    let entry = region.channel(NAME).expect("it is planned");
    let blocks = entry.blocks(region.header().line).expect("it was checked");
    let stride = 64; // A value and the words of its place, for a line of 64.
    let place = |pos: u32| entry.block_b + blocks.answers + (pos % PLACES + 1) * stride;
    let statuses = (done.saturating_sub(PLACES)..done).map(|pos| place(pos) - WORDS + STATUS);
    statuses.filter(|&at| region.port().mem().setup_read(at) == Status::Withdrawn.word()).count() as u64
}

/// Serves requests of these numbers, of which some may be withdrawn. Returns how many were there, and whether the first
/// had been taken before.
fn drain(server: &mut Server, numbers: std::ops::Range<u32>) -> (u32, bool) {
    let (mut next, mut served, mut again) = (numbers.start, 0, false);
    loop {
        match server.try_next() {
            Ok((request, reply)) => {
                let n = (next..numbers.end).find(|&n| request == value(n)).expect("a call that was made");
                again |= reply.is_again();
                assert!(!reply.is_again() || n == numbers.start, "one call at a time is taken");
                reply.answer(&told(n));
                (next, served) = (n + 1, served + 1);
            }
            Err(ServeError::Empty) => return (served, again),
            Err(error) => panic!("a server failed: {error}"),
        }
    }
}

/// Calls for three laps, from call `next` on.
fn go_on(client: &mut Client, server: &mut Server, mut next: u32) -> u32 {
    for _ in 0..3 {
        let first = next;
        let mut out = Vec::new();
        while let Ok(ticket) = client.try_call(&value(next)) {
            out.push((next, ticket));
            next += 1;
        }
        assert_eq!(next - first, PLACES, "all places are free");
        assert_eq!(drain(server, first..next), (PLACES, false), "a lap");
        for (n, ticket) in out {
            assert_eq!(client.poll(ticket), Ok(Some(told(n))), "the answer to call {n}");
        }
    }
    assert_eq!((client.fault(), server.fault()), (None, None), "all peers were honest");
    next
}
