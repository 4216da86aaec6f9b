//! Streams of several clients: each has its own parts, end and sleep; deaths, damage, and types that are known at run time.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::common::{Member, Region, TestPort};
use strait_core::format::{Entry, Kind, ValueType};
use strait_core::ground::offset;
use strait_core::{
    CallError, Channel, ChannelError, FromLane, LanesStreamServer, PartError, PartType, Parts, PeerStatus,
    Plan, Ran, ServeLanesError, StreamClient, Streamed, Violation, WaitPolicy, wait_any,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::streams::<u32, u64>("s", 2).clients(3),
    Channel::parts_for::<u64>("p", 4, 3),
    Channel::streams::<u32, u64>("one", 2),
    Channel::parts_for::<u64>("one.p", 4, 1),
    Channel::parts_for::<u64>("few", 4, 2),
    Channel::frames("small", 256, 7).producers(3),
])
.line(4)
.participants(32);
const LONG: Duration = Duration::from_secs(3600);
const NOW: Duration = Duration::ZERO;
/// Finds nothing by a probe: what nobody rings for never ends.
const RUNG: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };

type Client = StreamClient<u32, u64, TestPort>;
type Server = LanesStreamServer<u32, u64, TestPort, 4>;

fn client(member: &Member, lane: u32) -> Client {
    member.lane_stream_client("s", "p", lane).unwrap()
}

fn server(member: &Member) -> Server {
    member.lanes_stream_server("s", "p").unwrap()
}

fn clients(region: &Region) -> [Client; 3] {
    [0, 1, 2].map(|lane| client(&region.join(), lane))
}

/// Reads the parts to the end.
fn all(client: &mut Client) -> Result<Vec<u64>, CallError> {
    let mut got = Vec::new();
    loop {
        match client.next_timeout(NOW)? {
            Streamed::Part(part) => got.push(part),
            Streamed::End { parts } => {
                assert_eq!(parts as usize, got.len());
                return Ok(got);
            }
        }
    }
}

/// Takes every request that there is and keeps it; returns lanes and requests.
fn take_all(server: &mut Server) -> Vec<(u32, u32)> {
    let mut taken = Vec::new();
    while let Ok((FromLane { lane, message }, parts)) = server.try_next() {
        parts.keep();
        taken.push((lane, message));
    }
    taken
}

/// Uses the reply of a lane, which is kept again.
fn at<R>(server: &mut Server, lane: u32, using: impl FnOnce(&mut Parts<'_, u32, u64, TestPort>) -> R) -> R {
    let mut parts = server.parts(lane).unwrap();
    let used = using(&mut parts);
    parts.keep();
    used
}

fn send(server: &mut Server, lane: u32, part: u64) -> Result<(), PartError> {
    at(server, lane, |parts| parts.send(&part))
}

fn lane_of(region: &Region, name: &str, lane: u32) -> Entry {
    region.join().lane(name, lane).unwrap()
}

#[test]
fn the_lanes_are_ordinary_ones_of_which_each_client_has_a_word() {
    let region = Region::new(&PLAN);
    let calls = [0, 1, 2].map(|lane| lane_of(&region, "s", lane));
    let parts = [0, 1, 2].map(|lane| lane_of(&region, "p", lane));
    assert_eq!((calls[0].kind, calls[0].answer), (Kind::Calls, PartType::of::<u64>().end));
    assert_eq!((parts[0].kind, parts[0].max_len, parts[0].wait_b), (Kind::Frames, 8, 0));
    let words = [calls[0].wait_a, calls[1].wait_a, calls[2].wait_a, parts[0].wait_a, parts[1].wait_a];
    for (i, word) in words.iter().enumerate() {
        assert!(*word != 0 && !words[..i].contains(word));
    }
    let one = region.entry("one.p");
    assert_eq!(one, Entry { name: one.name, ..region.entry("one.p") });
    assert!(one.wait_b != 0);
    assert_eq!(PartType::described("u64", 8), PartType::of::<u64>());

    let member = region.join();
    fn error<E>(opened: Result<E, ChannelError>) -> ChannelError {
        opened.err().unwrap()
    }
    assert_eq!(error(member.stream_client::<u32, u64>("s", "p")), ChannelError::Lanes { count: 3 });
    assert_eq!(error(member.stream_server::<u32, u64>("s", "p")), ChannelError::Lanes { count: 3 });
    assert_eq!(error(member.lane_stream_client::<u32, i64>("s", "p", 0)), ChannelError::Type);
    assert_eq!(error(member.lane_stream_client::<u64, u64>("s", "p", 0)), ChannelError::Type);
    assert_eq!(error(member.lane_stream_client::<u32, u64>("s", "small", 0)), ChannelError::Type);
    assert_eq!(error(member.lane_stream_client::<u32, u64>("s", "p", 3)), ChannelError::NoLane { count: 3 });
    assert_eq!(
        error(member.lane_stream_client::<u32, u64>("s", "few", 2)),
        ChannelError::NoLane { count: 2 }
    );
    let kind = ChannelError::Kind { found: Kind::Calls };
    assert_eq!(error(member.lane_stream_client::<u32, u64>("s", "one", 0)), kind);
    assert_eq!(
        error(member.lanes_stream_server::<u32, u64, 4>("s", "few")),
        ChannelError::NoLane { count: 2 }
    );
    assert_eq!(
        error(member.lanes_stream_server::<u32, u64, 2>("s", "p")),
        ChannelError::TooManyLanes { count: 3 }
    );
    // Nothing stays claimed.
    let _server = server(&region.join());
    let _clients = clients(&region);
    assert_eq!(error(member.free_lane_stream_client::<u32, u64>("s", "p")), ChannelError::Busy);
    assert_eq!(error(member.lanes_stream_server::<u32, u64, 4>("s", "p")), ChannelError::Busy);
}

#[test]
fn fault_131_each_client_gets_its_own_parts_and_end() {
    let region = Region::new(&PLAN);
    let (mut clients, mut server) = (clients(&region), server(&region.join()));
    for round in 0..5_u32 {
        for (lane, client) in (0..).zip(&mut clients) {
            client.start(&(10 * round + lane)).unwrap();
        }
        assert_eq!(take_all(&mut server).len(), 3);
        assert_eq!(server.try_next().err(), Some(ServeLanesError::Empty));
        for part in 0..3 {
            for lane in [2, 0, 1] {
                let sent = u64::from(100 * round + 10 * lane + part);
                send(&mut server, lane, sent).unwrap();
            }
        }
        for lane in [1, 2, 0] {
            assert_eq!(server.parts(lane).unwrap().end(), 3);
            assert!(server.parts(lane).is_none());
        }
        for (lane, client) in (0..).zip(&mut clients) {
            let first = u64::from(100 * round + 10 * lane);
            assert_eq!(all(client), Ok((first..first + 3).collect()), "{lane}");
        }
    }
    assert!(server.parts(3).is_none());
    assert_eq!((server.lanes(), server.peer(0), server.peer(3)), (3, Some(PeerStatus::Present), None));
}

#[test]
fn fault_131_a_client_that_reads_nothing_holds_up_no_other() {
    let region = Region::new(&PLAN);
    let ([mut idle, mut other, _third], mut server) = (clients(&region), server(&region.join()));
    idle.start(&1).unwrap();
    other.start(&2).unwrap();
    assert_eq!(take_all(&mut server), [(0, 1), (1, 2)]);
    while send(&mut server, 0, 1).is_ok() {}
    assert_eq!(send(&mut server, 0, 1), Err(PartError::Full));
    assert_eq!(at(&mut server, 0, |parts| parts.send_timeout(&1, NOW)), Err(PartError::TimedOut));
    for n in 0..100 {
        send(&mut server, 1, n).unwrap();
        assert_eq!(other.try_next(), Ok(Some(Streamed::Part(n))));
    }
    // It cancels, and the server learns that of this lane alone.
    assert_eq!(idle.cancel(), Ok(Ran::Maybe));
    assert!(at(&mut server, 0, |parts| parts.is_cancelled()));
    assert_eq!(send(&mut server, 0, 1), Err(PartError::Cancelled));
    assert!(!at(&mut server, 1, |parts| parts.is_cancelled()));
    server.parts(0).unwrap().refuse(3);
    assert_eq!(server.parts(1).unwrap().end(), 100);
    assert_eq!(other.try_next(), Ok(Some(Streamed::End { parts: 100 })));
    idle.start(&3).unwrap();
    assert_eq!(idle.try_next(), Ok(None));
    assert_eq!(server.serve(|lane, &n, parts| parts.send(&u64::from(10 * lane + n))), Ok(1));
    assert_eq!(all(&mut idle), Ok(vec![3]));
}

#[test]
fn fault_132_each_sleeping_client_is_woken_for_its_own_parts() {
    let region = Region::new(&PLAN);
    let (clients, mut server) = (clients(&region), server(&region.join()));
    server.set_wait_policy(RUNG);
    const STREAMS: u32 = 20;
    thread::scope(|scope| {
        for (lane, mut client) in (0..).zip(clients) {
            client.set_wait_policy(RUNG);
            scope.spawn(move || {
                for n in 0..STREAMS {
                    client.start(&n).unwrap();
                    let mut got = Vec::new();
                    while let Streamed::Part(part) = client.next_timeout(LONG).unwrap() {
                        got.push(part);
                    }
                    // More than the queue takes, so the server sleeps, too.
                    assert_eq!(got, (0..12).map(|i| u64::from(1000 * lane + 12 * n + i)).collect::<Vec<_>>());
                }
            });
        }
        for _ in 0..3 * STREAMS {
            let (FromLane { lane, message }, mut parts) = server.next_timeout(LONG).unwrap();
            for i in 0..12 {
                parts.send_timeout(&u64::from(1000 * lane + 12 * message + i), LONG).unwrap();
            }
            assert_eq!(parts.end(), 12);
        }
    });
}

#[test]
fn fault_132_the_only_client_of_a_server_of_several_is_woken() {
    let region = Region::new(&PLAN);
    let mut client: Client = region.join().lane_stream_client("one", "one.p", 0).unwrap();
    let mut server: Server = region.join().lanes_stream_server("one", "one.p").unwrap();
    client.set_wait_policy(RUNG);
    thread::scope(|scope| {
        scope.spawn(move || {
            for n in 1..20 {
                client.start(&n).unwrap();
                for part in 0..n {
                    assert_eq!(client.next_timeout(LONG), Ok(Streamed::Part(u64::from(part))));
                }
                assert_eq!(client.next_timeout(LONG), Ok(Streamed::End { parts: n }));
            }
        });
        for _ in 1..20 {
            let (FromLane { message, .. }, mut parts) = server.next_timeout(LONG).unwrap();
            (0..message).for_each(|part| parts.send_timeout(&u64::from(part), LONG).unwrap());
            parts.end();
        }
    });
}

#[test]
fn fault_133_a_dead_servers_streams_end_in_each_lane_and_its_successor_goes_on() {
    let region = Region::new(&PLAN);
    let mut clients = clients(&region);
    let dead = region.join();
    let mut first = server(&dead);
    for (n, client) in (0..).zip(&mut clients[..2]) {
        client.start(&n).unwrap();
    }
    assert_eq!(take_all(&mut first).len(), 2);
    clients[2].start(&2).unwrap();
    send(&mut first, 0, 7).unwrap();
    let who = dead.ident();
    dead.die(first);
    let mut heir = server(&region.join());
    assert_eq!(heir.taken_over_from(1), Some(who));
    // What was taken is not run again; what was not is served.
    assert_eq!(heir.serve(|_, &n, parts| parts.send(&u64::from(n))), Ok(1));
    let died = Err(CallError::PeerDied { ran: Ran::Maybe });
    assert_eq!(clients[0].next_timeout(LONG), Ok(Streamed::Part(7)));
    assert_eq!(clients[0].next_timeout(LONG), died);
    assert_eq!(clients[1].next_timeout(LONG), died);
    assert_eq!(all(&mut clients[2]), Ok(vec![2]));
    for client in &mut clients {
        client.start(&5).unwrap();
    }
    assert_eq!(heir.serve(|lane, &n, parts| parts.send(&u64::from(10 * lane + n))), Ok(3));
    for (lane, client) in (0..).zip(&mut clients) {
        assert_eq!(all(client), Ok(vec![10 * lane + 5]));
    }
}

#[test]
fn fault_133_a_dead_clients_lane_is_taken_over_without_its_parts() {
    let region = Region::new(&PLAN);
    let dead = region.join();
    let mut first = client(&dead, 1);
    let mut other = client(&region.join(), 0);
    let mut server = server(&region.join());
    first.start(&1).unwrap();
    other.start(&2).unwrap();
    assert_eq!(take_all(&mut server).len(), 2);
    send(&mut server, 1, 1).unwrap();
    send(&mut server, 0, 2).unwrap();
    let who = dead.ident();
    dead.die(first);
    assert_eq!(server.peer(1), Some(PeerStatus::Dead));
    let (lane, mut heir) = region.join().free_lane_stream_client::<u32, u64>("s", "p").unwrap();
    assert_eq!((lane, heir.taken_over_from()), (1, Some(who)));
    heir.start(&3).unwrap();
    server.parts(1).unwrap().end();
    assert_eq!(server.serve(|_, &n, parts| parts.send(&u64::from(n))), Ok(1));
    assert_eq!(all(&mut heir), Ok(vec![3]));
    assert_eq!(server.parts(0).unwrap().end(), 1);
    assert_eq!(all(&mut other), Ok(vec![2]));
}

#[test]
fn fault_134_a_damaged_queue_of_parts_or_one_that_another_holds_stops_its_own_lane_alone() {
    for busy in [false, true] {
        let region = Region::new(&PLAN);
        let mut clients = clients(&region);
        let parts = lane_of(&region, "p", 1);
        let _liar = busy.then(|| region.join().lane_producer("p", 1).unwrap());
        if !busy {
            region.poke(parts.block_b + offset::HEAD, 3);
        }
        let mut server = server(&region.join());
        for client in &mut clients {
            client.start(&1).unwrap();
        }
        assert_eq!(take_all(&mut server).len(), 3);
        let fault = server.fault(1).unwrap();
        assert_eq!(fault, if busy { Violation::State } else { Violation::Index });
        assert_eq!(send(&mut server, 1, 1), Err(PartError::Fault(fault)));
        assert_eq!(at(&mut server, 1, |parts| parts.send_timeout(&1, LONG)), Err(PartError::Fault(fault)));
        server.parts(1).unwrap().refuse(9);
        for lane in [0, 2] {
            send(&mut server, lane, u64::from(lane)).unwrap();
            server.parts(lane).unwrap().end();
            assert_eq!(all(&mut clients[lane as usize]), Ok(vec![u64::from(lane)]));
        }
        if busy {
            assert_eq!(clients[1].next_timeout(NOW), Err(CallError::Refused { code: 9 }));
        }
    }
}

#[test]
fn servers_and_clients_of_lanes_are_waited_for_among_others_and_in_tasks() {
    let region = Region::new(&PLAN);
    let looks = region.look();
    let port = looks.port();
    let ([mut one, mut two, _three], mut server) = (clients(&region), server(&region.join()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(server.next()).as_mut().poll(&mut context).is_pending());
    two.start(&1).unwrap();
    one.start(&2).unwrap();
    assert_eq!(wait_any(port, &mut [&mut one, &mut two, &mut server], WaitPolicy::parking(), LONG), Ok(2));
    let Poll::Ready(Ok((FromLane { lane: 0, message: 2 }, parts))) =
        pin!(server.next()).as_mut().poll(&mut context)
    else {
        panic!("the request is there")
    };
    parts.keep();
    let (FromLane { lane, .. }, mut parts) = server.try_next().unwrap();
    parts.send(&11).unwrap();
    parts.end();
    assert_eq!(lane, 1);
    assert_eq!(wait_any(port, &mut [&mut one, &mut two], WaitPolicy::parking(), LONG), Ok(1));
    assert_eq!(pin!(two.next()).as_mut().poll(&mut context), Poll::Ready(Ok(Streamed::Part(11))));
    assert!(pin!(one.next()).as_mut().poll(&mut context).is_pending());
    drop(server);
    // A server that leaves refuses what it kept.
    assert_eq!(one.next_timeout(NOW), Err(CallError::Refused { code: 0 }));
}

#[test]
fn types_are_known_at_run_time() {
    let (request, part) = (ValueType::of::<u32>(), PartType::described("u64", 8));
    let channels =
        [Channel::calls_of("s", 2, request, part.end).clients(2), Channel::parts_of("p", 4, part, 2)];
    let region = Region::new(&Plan::new(&channels).participants(4));
    let mut bytes = region.join().lane_stream_client_of("s", "p", request, part, 0).unwrap();
    let (lane, mut typed) = region.join().free_lane_stream_client::<u32, u64>("s", "p").unwrap();
    assert_eq!(lane, 1);
    let member = region.join();
    let mut server = member.lanes_stream_server_of::<2>("s", "p", request, part).unwrap();
    assert_eq!(
        member.lane_stream_client_of("s", "p", request, PartType::described("i64", 8), 0).err(),
        Some(ChannelError::Type)
    );
    assert!(bytes.start(&[1; 5]).is_err());
    bytes.start(&7_u32.to_ne_bytes()).unwrap();
    typed.start(&8).unwrap();
    let mut buffer = [0; 4];
    for expected in [0, 1] {
        let (lane, mut parts) = server.try_next_into(&mut buffer).unwrap();
        assert_eq!((lane, u32::from_ne_bytes(buffer)), (expected, 7 + expected));
        assert_eq!(parts.send(&[1; 7]), Err(PartError::WrongSize));
        parts.send(&u64::from(lane + 40).to_ne_bytes()).unwrap();
        assert_eq!(parts.end(), 1);
    }
    assert_eq!(server.try_next_into(&mut [0; 5]).err(), Some(ServeLanesError::WrongSize));
    let mut got = [0; 8];
    assert_eq!(bytes.try_next_into(&mut [0; 9]), Err(CallError::WrongSize));
    assert_eq!(bytes.next_into_timeout(&mut got, NOW), Ok(Streamed::Part(())));
    assert_eq!(u64::from_ne_bytes(got), 40);
    assert_eq!(bytes.try_next_into(&mut got), Ok(Some(Streamed::End { parts: 1 })));
    assert_eq!(all(&mut typed), Ok(vec![41]));
}

#[test]
fn a_number_of_clients_that_cannot_be_is_refused_by_the_plan() {
    for clients in [0, 257] {
        let channels = [Channel::parts_for::<u64>("p", 4, clients)];
        assert!(Plan::new(&channels).try_size().is_err());
    }
}

#[test]
fn fault_135_what_the_dead_asked_for_holds_up_no_successor() {
    let region = Region::new(&PLAN);
    let mut server = server(&region.join());
    // Both places are of the dead, and more parts are sent than the queue takes.
    for request in [1, 2] {
        let dead = region.join();
        let mut client = client(&dead, 1);
        client.start(&request).unwrap();
        dead.die(client);
    }
    let mut heir = client(&region.join(), 1);
    let mut served = Vec::new();
    for _ in 0..100 {
        if let Ok((FromLane { message, .. }, parts)) = server.try_next() {
            parts.keep();
            served.push((message, 0));
        }
        if let Some((request, sent)) = served.last_mut()
            && let Some(mut parts) = server.parts(1)
        {
            while *sent < 20 && parts.send(&u64::from(100 * *request + *sent)).is_ok() {
                *sent += 1;
            }
            if *sent == 20 {
                parts.end();
            } else {
                parts.keep();
            }
        }
        if !heir.is_out() {
            let _ = heir.start(&3);
        } else if served.len() == 3 {
            break;
        } else {
            assert_eq!(heir.try_next(), Ok(None));
        }
    }
    let served: Vec<_> = served.into_iter().map(|(request, _)| request).collect();
    assert_eq!(served, [1, 2, 3]);
    assert_eq!(heir.try_next(), Ok(Some(Streamed::Part(300))));
}
