//! Calls with several answers: parts and ends, cancelling, a full queue, deaths, succession, tasks, and what no honest
//! peer writes.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::common::{Member, Region, TestPort};
use strait_core::format::{Kind, ValueType};
use strait_core::ground::call;
use strait_core::ground::entry::at;
use strait_core::{
    CallError, Channel, ChannelError, PartError, Plan, Ran, ServeError, StreamClient, StreamServer, Streamed,
    TryCallError, Violation, WaitAnyError, WaitPolicy, wait_any,
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::streams::<u32, u64>("s", 2),
    Channel::parts::<u64>("p", 4),
    Channel::calls::<u32, u32>("calls", 2),
    Channel::frames("small", 256, 7),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(6);
const LONG: Duration = Duration::from_secs(3600);
const NOW: Duration = Duration::ZERO;

type Client = StreamClient<u32, u64, TestPort>;
type Server = StreamServer<u32, u64, TestPort>;

fn a_client(member: &Member) -> Client {
    member.stream_client("s", "p").unwrap()
}

fn a_server(member: &Member) -> Server {
    member.stream_server("s", "p").unwrap()
}

fn both(region: &Region) -> (Client, Server) {
    (a_client(&region.join()), a_server(&region.join()))
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

#[test]
fn a_stream_is_two_ordinary_channels_and_of_one_type() {
    let region = Region::new(&PLAN);
    let entry = region.entry("s");
    assert_eq!((entry.kind, entry.answer.size), (Kind::Calls, 4));
    let end = b"{stream:u64@0;size=4}";
    assert_eq!(entry.answer.hash, strait_core::format::Shape::hash_of(end));
    assert_eq!((region.entry("p").kind, region.entry("p").max_len), (Kind::Frames, 8));

    let member = region.join();
    let refused = |error: Option<ChannelError>| error.unwrap();
    assert_eq!(refused(member.stream_client::<u32, i64>("s", "p").err()), ChannelError::Type);
    assert_eq!(refused(member.stream_client::<u64, u64>("s", "p").err()), ChannelError::Type);
    assert_eq!(refused(member.stream_client::<u32, u64>("calls", "p").err()), ChannelError::Type);
    assert_eq!(refused(member.stream_server::<u32, u64>("s", "small").err()), ChannelError::Type);
    let kind = ChannelError::Kind { found: Kind::Calls };
    assert_eq!(refused(member.stream_server::<u32, u64>("s", "calls").err()), kind);
    assert_eq!(refused(member.call_client::<u32, u32>("s").err()), ChannelError::Type);
    // Nothing stays claimed.
    let _both = both(&region);
    assert_eq!(refused(member.stream_client::<u32, u64>("s", "p").err()), ChannelError::Busy);
    assert_eq!(ValueType::of::<u32>().size, 4);
}

#[test]
fn the_queue_takes_as_many_parts_as_it_is_planned_for() {
    for parts in 1..=40 {
        let channels = [Channel::streams::<u32, u64>("s", 1), Channel::parts::<u64>("p", parts)];
        let region = Region::new(&Plan::new(&channels).participants(3));
        let (mut client, mut server) = both(&region);
        // At each place of the ring.
        for _ in 0..4 {
            client.start(&parts).unwrap();
            let served = server.serve(|&parts, out| (0..parts).try_for_each(|n| out.send(&u64::from(n))));
            assert_eq!(served, Ok(1));
            assert_eq!(all(&mut client), Ok((0..u64::from(parts)).collect()), "{parts}");
        }
    }
}

#[test]
fn parts_come_in_order_then_the_end_then_nothing() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = both(&region);
    assert_eq!(client.try_next(), Err(CallError::UnknownTicket));
    assert_eq!(client.cancel(), Err(CallError::UnknownTicket));
    assert_eq!(server.try_next().err(), Some(ServeError::Empty));
    client.start(&7).unwrap();
    assert!(client.is_out());
    assert_eq!(client.start(&8), Err(TryCallError::Full));
    assert_eq!(client.try_next(), Ok(None));
    let (request, mut parts) = server.try_next().unwrap();
    assert_eq!((request, parts.is_cancelled()), (7, false));
    assert!(parts.caller().is_some());
    parts.send(&1).unwrap();
    assert_eq!(client.try_next(), Ok(Some(Streamed::Part(1))));
    parts.keep();
    assert_eq!(client.try_next(), Ok(None));
    let mut parts = server.parts().unwrap();
    parts.send_timeout(&2, NOW).unwrap();
    assert_eq!(parts.end(), 2);
    assert!(server.parts().is_none());
    assert_eq!(client.next_timeout(NOW), Ok(Streamed::Part(2)));
    assert_eq!(client.next_timeout(NOW), Ok(Streamed::End { parts: 2 }));
    assert_eq!(client.try_next(), Err(CallError::UnknownTicket));
    assert!(!client.is_out());
}

#[test]
fn a_refusal_comes_behind_its_parts() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = both(&region);
    for code in [9, 0] {
        client.start(&1).unwrap();
        let (_, mut parts) = server.try_next().unwrap();
        parts.send(&1).unwrap();
        if code == 0 {
            drop(parts)
        } else {
            parts.refuse(code)
        }
        assert_eq!(client.try_next(), Ok(Some(Streamed::Part(1))));
        assert_eq!(client.try_next(), Err(CallError::Refused { code }));
        assert_eq!(client.try_next(), Err(CallError::UnknownTicket));
    }
    // Taking the next one refuses, too.
    client.start(&1).unwrap();
    server.try_next().unwrap().1.keep();
    assert_eq!(server.try_next().err(), Some(ServeError::Empty));
    assert_eq!(client.try_next(), Err(CallError::Refused { code: 0 }));
}

#[test]
fn fault_119_neither_side_waits_for_the_other() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = both(&region);
    client.start(&1).unwrap();
    let (_, mut parts) = server.try_next().unwrap();
    let mut sent = 0;
    while parts.send(&sent).is_ok() {
        sent += 1;
    }
    assert!(sent >= 4);
    assert_eq!(parts.send(&0), Err(PartError::Full));
    assert_eq!(parts.send_timeout(&0, NOW), Err(PartError::TimedOut));
    assert_eq!(parts.send_timeout(&0, Duration::from_millis(1)), Err(PartError::TimedOut));
    assert_eq!(client.cancel(), Ok(Ran::Maybe));
    assert!(parts.is_cancelled());
    assert_eq!(parts.send(&0), Err(PartError::Cancelled));
    assert_eq!(parts.send_timeout(&0, LONG), Err(PartError::Cancelled));
    drop(parts);
    // The parts that nobody read make room when the client looks.
    client.start(&2).unwrap();
    let (_, mut parts) = server.try_next().unwrap();
    assert_eq!(parts.send(&0), Err(PartError::Full));
    assert_eq!(client.try_next(), Ok(None));
    parts.send(&20).unwrap();
    parts.end();
    assert_eq!(all(&mut client), Ok(vec![20]));
    // One that no server has taken has not run.
    client.start(&3).unwrap();
    assert_eq!(client.cancel(), Ok(Ran::No));
    assert_eq!(server.try_next().err(), Some(ServeError::Empty));
}

#[test]
fn a_server_that_waits_for_room_learns_that_its_client_has_cancelled() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = both(&region);
    client.start(&1).unwrap();
    let serving = std::thread::spawn(move || {
        let (_, mut parts) = server.try_next().unwrap();
        let error = loop {
            if let Err(error) = parts.send_timeout(&1, LONG) {
                break error;
            }
        };
        assert_eq!(error, PartError::Cancelled);
    });
    assert_eq!(client.next_timeout(LONG), Ok(Streamed::Part(1)));
    client.cancel().unwrap();
    serving.join().unwrap();
}

#[test]
fn both_sides_sleep_and_wake_each_other() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = both(&region);
    let serving = std::thread::spawn(move || {
        for _ in 0..3 {
            let (request, mut parts) = server.next_timeout(LONG).unwrap();
            (0..u64::from(request)).for_each(|n| parts.send_timeout(&n, LONG).unwrap());
            parts.end();
        }
    });
    for _ in 0..3 {
        client.start(&100).unwrap();
        let mut got = 0;
        while let Streamed::Part(part) = client.next_timeout(LONG).unwrap() {
            assert_eq!(part, got);
            got += 1;
        }
        assert_eq!(got, 100);
    }
    serving.join().unwrap();
}

#[test]
fn fault_118_a_dead_servers_parts_come_and_then_its_death() {
    for has_heir in [false, true] {
        let region = Region::new(&PLAN);
        let mut client = a_client(&region.join());
        let dead = region.join();
        let mut server = a_server(&dead);
        client.start(&1).unwrap();
        let (_, mut parts) = server.try_next().unwrap();
        parts.send(&1).unwrap();
        parts.send(&2).unwrap();
        parts.keep();
        assert_eq!(client.try_next(), Ok(Some(Streamed::Part(1))));
        let who = dead.ident();
        dead.die(server);
        let mut heir = has_heir.then(|| a_server(&region.join()));
        if let Some(heir) = &mut heir {
            assert_eq!(heir.taken_over_from(), Some(who));
            assert_eq!(heir.try_next().err(), Some(ServeError::Empty));
        }
        assert_eq!(client.next_timeout(NOW), Ok(Streamed::Part(2)));
        let died = Err(CallError::PeerDied { ran: Ran::Maybe });
        assert_eq!(client.next_timeout(LONG), died, "{has_heir}");
        let mut heir = heir.unwrap_or_else(|| a_server(&region.join()));
        client.start(&2).unwrap();
        assert_eq!(heir.serve(|&n, parts| parts.send(&u64::from(n))), Ok(1));
        assert_eq!(all(&mut client), Ok(vec![2]));
    }
}

#[test]
fn fault_117_a_dead_clients_parts_are_dropped_by_its_successor() {
    let region = Region::new(&PLAN);
    let dead = region.join();
    let mut first = a_client(&dead);
    let mut server = a_server(&region.join());
    first.start(&1).unwrap();
    let (_, mut parts) = server.try_next().unwrap();
    parts.send(&1).unwrap();
    parts.send(&2).unwrap();
    let who = dead.ident();
    dead.die(first);
    let mut heir = a_client(&region.join());
    assert_eq!(heir.taken_over_from(), Some(who));
    heir.start(&2).unwrap();
    parts.send(&3).unwrap();
    parts.end();
    assert_eq!(heir.try_next(), Ok(None));
    assert_eq!(server.serve(|&n, parts| parts.send(&u64::from(10 * n))), Ok(1));
    assert_eq!(all(&mut heir), Ok(vec![20]));
}

#[test]
fn a_client_that_leaves_cancels_its_call() {
    let region = Region::new(&PLAN);
    let (mut first, mut server) = both(&region);
    first.start(&1).unwrap();
    let (_, mut parts) = server.try_next().unwrap();
    drop(first);
    assert_eq!(parts.send(&1), Err(PartError::Cancelled));
}

#[test]
fn what_no_honest_server_writes_is_a_fault() {
    // A part of another size, with the right tag.
    let region = Region::new(&PLAN);
    let mut one = a_client(&region.join());
    one.start(&1).unwrap();
    let liar = region.join();
    liar.producer("p").unwrap().try_send(1, b"seven").unwrap();
    assert_eq!(one.try_next(), Err(CallError::Fault(Violation::Length)));
    assert_eq!(one.start(&2), Err(TryCallError::Fault(Violation::Length)));
    assert_eq!(one.fault(), Some(Violation::Length));

    // An end with another number of parts than came.
    let region = Region::new(&PLAN);
    let mut one = a_client(&region.join());
    one.start(&1).unwrap();
    let liar = region.join();
    let end = ValueType { size: 4, hash: region.entry("s").answer.hash };
    let mut calls = liar.call_server_of("s", ValueType::of::<u32>(), end).unwrap();
    let mut request = [0; 4];
    calls.try_next_into(&mut request).unwrap().answer_from(&5_u32.to_le_bytes()).unwrap();
    assert_eq!(one.next_timeout(LONG), Err(CallError::Fault(Violation::Sequence)));

    // Parts of no call are dropped, and the look is bounded.
    let region = Region::new(&PLAN);
    let mut one = a_client(&region.join());
    one.start(&1).unwrap();
    let mut liar = region.join().producer("p").unwrap();
    for _ in 0..100 {
        while liar.try_send(77, &[0; 8]).is_ok() {}
        assert_eq!(one.try_next(), Ok(None));
    }
}

#[test]
fn streams_are_waited_for_among_others_and_in_tasks() {
    let region = Region::new(&PLAN);
    let looks = region.look();
    let port = looks.port();
    let (mut client, mut server) = both(&region);
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(server.next()).as_mut().poll(&mut context).is_pending());
    client.start(&1).unwrap();
    {
        let mut next = pin!(client.next());
        assert!(next.as_mut().poll(&mut context).is_pending());
        let Poll::Ready(Ok((1, mut parts))) = pin!(server.next()).as_mut().poll(&mut context) else {
            panic!("the request is there")
        };
        parts.send(&11).unwrap();
        parts.end();
        assert_eq!(next.as_mut().poll(&mut context), Poll::Ready(Ok(Streamed::Part(11))));
    }
    assert_eq!(wait_any(port, &mut [&mut client, &mut server], WaitPolicy::parking(), LONG), Ok(0));
    assert_eq!(pin!(client.next()).as_mut().poll(&mut context), Poll::Ready(Ok(Streamed::End { parts: 1 })));
    assert!(
        wait_any(port, &mut [&mut client, &mut server], WaitPolicy::parking(), Duration::from_millis(1))
            .is_err()
    );
    client.start(&2).unwrap();
    assert_eq!(wait_any(port, &mut [&mut client, &mut server], WaitPolicy::parking(), LONG), Ok(1));
}

#[test]
fn a_dead_server_is_found_while_waiting_for_any() {
    let region = Region::new(&PLAN);
    let looks = region.look();
    let port = looks.port();
    let mut client = a_client(&region.join());
    let dead = region.join();
    let server = a_server(&dead);
    client.start(&1).unwrap();
    dead.die(server);
    assert_eq!(wait_any(port, &mut [&mut client], WaitPolicy::parking(), LONG), Ok(0));
    assert_eq!(client.next_timeout(LONG), Err(CallError::PeerDied { ran: Ran::No }));
}

/// A wait finds the damage, and the client says so before it reads anything.
#[test]
fn a_fault_of_the_calls_and_one_of_the_parts_is_the_clients() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut client = a_client(&member);
    client.start(&1).unwrap();
    assert_eq!(client.fault(), None);
    region.poke(region.entry("p").data + at::COMMIT, 1);
    assert_eq!(wait_any(member.port(), &mut [&mut client], WaitPolicy::parking(), LONG), Ok(0));
    assert!(client.fault().is_some());

    let region = Region::new(&PLAN);
    let mut client = a_client(&region.join());
    client.start(&1).unwrap();
    let done = region.entry("s").block_b + region.entry("s").blocks(4).unwrap().answers + 8 + call::DONE;
    region.poke(done, 1);
    region.poke(done - call::DONE + call::STATUS, 77);
    let Err(CallError::Fault(violation)) = client.try_next() else { panic!("it is damaged") };
    assert_eq!(client.fault(), Some(violation));
}

#[test]
fn a_wait_for_a_stream_among_others_sleeps_where_its_parts_wake_it() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut client = a_client(&member);
    client.start(&1).unwrap();
    let policy = WaitPolicy { spin: 0, ..WaitPolicy::parking() };
    let waited = wait_any(member.port(), &mut [&mut client], policy, Duration::from_millis(20));
    assert_eq!(waited, Err(WaitAnyError::TimedOut));
    assert!(region.counts.sleeps.load(Relaxed) > 0);
}
