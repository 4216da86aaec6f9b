//! Calls with a side that dies or misbehaves: what the other side learns, and what successors go on with.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::common::rng::Rng;
use crate::common::{Member, Region, TestPort};
use strait_core::format::Entry;
use strait_core::ground::call::{CALLER, DONE, MODE, STATUS, TAKEN, TAKEN_BY, TICKET, WORDS};
use strait_core::ground::entry::at;
use strait_core::{
    CallClient, CallError, CallServer, Channel, Interrupted, PeerStatus, Plan, Ran, ServeError, Ticket,
    TryCallError, Violation, WaitPolicy,
};

const PLAN: Plan<'_> =
    Plan::new(&[Channel::calls::<u32, u64>("calls", 4), Channel::calls::<u32, u64>("one", 1)])
        .line(4)
        .participants(32);

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(1);

type Client = CallClient<u32, u64, TestPort>;
type Server = CallServer<u32, u64, TestPort>;

fn client(member: &Member) -> Client {
    let mut client: Client = member.call_client("calls").unwrap();
    client.set_wait_policy(WaitPolicy { probe: SHORT, ..WaitPolicy::parking() });
    client
}

fn server(member: &Member) -> Server {
    member.call_server("calls").unwrap()
}

fn told(n: u32) -> u64 {
    u64::from(n) << 32 | u64::from(!n)
}

fn serve(server: &mut Server) -> Vec<u32> {
    let mut served = Vec::new();
    while let Ok((n, reply)) = server.try_next() {
        served.push(n);
        reply.answer(&told(n));
    }
    served
}

/// A server that dies with one call answered, one taken and two not taken, of tickets for 1 to 4.
fn died_in_the_middle(client: &mut Client, dying: Member) -> [Ticket; 4] {
    let mut server = server(&dying);
    let tickets = [1, 2, 3, 4].map(|n| client.try_call(&n).unwrap());
    server.try_next().unwrap().1.answer(&told(1));
    server.try_next().unwrap().1.keep();
    dying.die(server);
    tickets
}

/// rclpy #367, ros_comm #152, zenoh #2632: a call hangs when its server dies.
#[test]
fn a_call_ends_when_its_server_dies_and_says_whether_it_may_have_run() {
    let region = Region::new(&PLAN);
    let mut client = client(&region.join());
    let tickets = died_in_the_middle(&mut client, region.join());
    assert_eq!(client.peer(), PeerStatus::Dead);
    let ends = tickets.map(|ticket| client.wait_timeout(ticket, LONG));
    let died = |ran| Err(CallError::PeerDied { ran });
    assert_eq!(ends, [Ok(told(1)), died(Ran::Maybe), died(Ran::No), died(Ran::No)]);
    // So does one that is made now, with or without a place, and at a time-out shorter than a probe period.
    assert_eq!(client.call_timeout(&5, LONG), died(Ran::No));
    for n in 6..10 {
        assert_eq!(client.call_timeout(&n, Duration::ZERO), died(Ran::No), "call {n}");
    }
    // None of those that were said not to have run ever does.
    let mut heir = server(&region.join());
    assert_eq!(serve(&mut heir), []);
    assert_eq!(client.peer(), PeerStatus::Present);
    let ticket = client.try_call(&10).unwrap();
    assert_eq!(serve(&mut heir), [10]);
    assert_eq!(client.poll(ticket), Ok(Some(told(10))));
}

#[test]
fn a_task_learns_of_the_death_too() {
    let region = Region::new(&PLAN);
    let mut client = client(&region.join());
    let tickets = died_in_the_middle(&mut client, region.join());
    for (ticket, ran) in [(tickets[1], Ran::Maybe), (tickets[2], Ran::No)] {
        let mut wait = pin!(client.wait(ticket));
        let mut context = Context::from_waker(Waker::noop());
        let end = loop {
            match wait.as_mut().poll(&mut context) {
                Poll::Ready(end) => break end,
                Poll::Pending => std::thread::sleep(SHORT),
            }
        };
        assert_eq!(end, Err(CallError::PeerDied { ran }));
    }
}

#[test]
fn death_is_asked_for_once_a_probe_period() {
    use std::sync::atomic::Ordering::Relaxed;
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut client, _server) = (client(&a), server(&b));
    client.set_wait_policy(WaitPolicy { probe: Duration::from_millis(50), ..WaitPolicy::parking() });
    let before = region.counts.probes.load(Relaxed);
    let Err(CallError::TimedOut { ticket }) = client.call_timeout(&1, Duration::from_millis(120)) else {
        panic!("nobody serves")
    };
    let asked = region.counts.probes.load(Relaxed) - before;
    assert!((1..=4).contains(&asked), "{asked} probes in 120 ms");
    (0..1000).for_each(|_| assert_eq!(client.poll(ticket), Ok(None)));
    assert_eq!(region.counts.probes.load(Relaxed) - before, asked, "a poll asks for nothing");
}

#[test]
fn a_stopped_server_is_not_dead() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = (client(&region.join()), server(&region.join()));
    let ticket = client.try_call(&1).unwrap();
    server.try_next().unwrap().1.keep();
    let waited = client.wait_timeout(ticket, Duration::from_millis(30));
    assert_eq!(waited, Err(CallError::TimedOut { ticket }));
    server.reply().unwrap().answer(&told(1));
    assert_eq!(client.wait_timeout(ticket, LONG), Ok(told(1)));
}

#[test]
fn a_successor_tells_of_what_was_taken_and_serves_the_rest() {
    let region = Region::new(&PLAN);
    let mut client = client(&region.join());
    let tickets = died_in_the_middle(&mut client, region.join());
    let mut heir = server(&region.join());
    assert!(heir.taken_over_from().is_some());
    assert_eq!(serve(&mut heir), [3, 4]);
    let ends = tickets.map(|ticket| client.wait_timeout(ticket, LONG));
    let maybe = Err(CallError::PeerDied { ran: Ran::Maybe });
    assert_eq!(ends, [Ok(told(1)), maybe, Ok(told(3)), Ok(told(4))]);
}

#[test]
fn a_successor_runs_what_was_taken_again_if_told_to() {
    let region = Region::new(&PLAN);
    let mut client = client(&region.join());
    let tickets = died_in_the_middle(&mut client, region.join());
    // A successor that dies with it as well, and the next one.
    let dying = region.join();
    let mut second = server(&dying);
    second.set_interrupted(Interrupted::Again);
    second.try_next().unwrap().1.keep();
    dying.die(second);
    let mut heir = server(&region.join());
    heir.set_interrupted(Interrupted::Again);
    let mut again = Vec::new();
    while let Ok((n, reply)) = heir.try_next() {
        again.push((n, reply.is_again()));
        reply.answer(&told(n));
    }
    assert_eq!(again, [(2, true), (3, false), (4, false)]);
    assert_eq!(tickets.map(|ticket| client.poll(ticket)), [1, 2, 3, 4].map(|n| Ok(Some(told(n)))));
}

#[test]
fn what_was_withdrawn_is_not_run_again() {
    let region = Region::new(&PLAN);
    let mut client = client(&region.join());
    let tickets = died_in_the_middle(&mut client, region.join());
    assert_eq!(client.cancel(tickets[1]), Ok(Ran::Maybe));
    let mut heir = server(&region.join());
    heir.set_interrupted(Interrupted::Again);
    assert_eq!(serve(&mut heir), [3, 4]);
}

#[test]
fn a_server_that_left_with_a_dead_ones_call_leaves_no_client_hanging() {
    let region = Region::new(&PLAN);
    let mut client = client(&region.join());
    let tickets = died_in_the_middle(&mut client, region.join());
    drop(server(&region.join()));
    assert_eq!(client.peer(), PeerStatus::Absent);
    let maybe = Err(CallError::PeerDied { ran: Ran::Maybe });
    assert_eq!(client.wait_timeout(tickets[1], LONG), maybe);
    let waits = Err(CallError::TimedOut { ticket: tickets[2] });
    assert_eq!(client.wait_timeout(tickets[2], SHORT), waits, "it waits for a server to come");
    assert_eq!(serve(&mut server(&region.join())), [3, 4]);
    assert_eq!(client.poll(tickets[2]), Ok(Some(told(3))));
}

/// A successor takes it between the client's looks at the role and at the call.
#[test]
fn a_call_that_somebody_alive_has_taken_is_not_lost() {
    for has_left in [false, true] {
        let region = Region::new(&PLAN);
        let mut client = client(&region.join());
        let tickets = died_in_the_middle(&mut client, region.join());
        let heir = region.join();
        if has_left {
            drop(server(&heir));
        }
        let taken_by = word(&region, &region.entry("calls"), 1, true, TAKEN_BY);
        let dead = region.peek(taken_by);
        region.poke(taken_by, heir.ident().word());
        let waits = Err(CallError::TimedOut { ticket: tickets[1] });
        assert_eq!(client.wait_timeout(tickets[1], Duration::from_millis(20)), waits);
        region.poke(taken_by, dead);
        let maybe = Err(CallError::PeerDied { ran: Ran::Maybe });
        assert_eq!(client.wait_timeout(tickets[1], LONG), maybe);
    }
}

/// iceoryx2 #1905, over a succession of clients.
#[test]
fn answers_to_a_dead_client_never_reach_its_successor() {
    for served in 0..4 {
        let region = Region::new(&PLAN);
        let mut server = server(&region.join());
        let dying = region.join();
        let mut dead = client(&dying);
        let old = [1, 2, 3].map(|n| dead.try_call(&n).unwrap());
        for n in 0..served {
            let (request, reply) = server.try_next().unwrap();
            assert_eq!(request, n + 1);
            reply.answer(&told(request));
        }
        dying.die(dead);
        let mut heir = client(&region.join());
        assert_eq!((heir.calls_out(), heir.taken_over_from().is_some()), (0, true));
        for ticket in old {
            assert_eq!(heir.poll(ticket), Err(CallError::UnknownTicket));
        }
        // Its tickets go on: the first has the fourth place, the next the dead one's first.
        let new = heir.try_call(&11).unwrap();
        assert_eq!(heir.poll(new), Ok(None));
        let next = heir.try_call(&12);
        assert_eq!(next.is_ok(), served > 0, "the place of a call that is not done is not used");
        let rest: Vec<u32> = (served + 1..4).chain([11]).chain(next.map(|_| 12)).collect();
        assert_eq!(serve(&mut server), rest, "what the dead one asked for is served");
        assert_eq!(heir.poll(new), Ok(Some(told(11))));
    }
}

#[test]
fn a_client_that_leaves_and_comes_back_goes_on() {
    let region = Region::new(&PLAN);
    let mut server = server(&region.join());
    for round in 0..10 {
        let mut client = client(&region.join());
        let answers = [1, 2, 3].map(|n| (n, client.try_call(&n).unwrap()));
        assert_eq!(serve(&mut server), [1, 2, 3], "round {round}");
        for (n, ticket) in answers {
            assert_eq!(client.poll(ticket), Ok(Some(told(n))));
        }
    }
}

/// Offset of a word of a place.
fn word(region: &Region, entry: &Entry, place: u32, of_server: bool, at: u32) -> u32 {
    let blocks = entry.blocks(region.look().header().line).unwrap();
    let (start, stride) =
        if of_server { (entry.block_b + blocks.answers, 24) } else { (entry.data, entry.stride) };
    start + place * stride + stride - WORDS + at
}

#[test]
fn tickets_wrap() {
    for (name, places) in [("calls", 4), ("one", 1)] {
        let region = Region::new(&PLAN);
        let entry = region.entry(name);
        // As after so many calls.
        let before = u32::MAX - 5;
        for pos in before - places + 1..=before {
            let place = (pos - 1) % places;
            region.poke(word(&region, &entry, place, false, TICKET), pos);
            region.poke(word(&region, &entry, place, true, TAKEN), pos);
            region.poke(word(&region, &entry, place, true, DONE), pos);
        }
        region.poke(entry.block_a + at::MARK, before);
        region.poke(entry.block_b + at::HEAD, before);
        let mut client: Client = region.join().call_client(name).unwrap();
        let mut server: Server = region.join().call_server(name).unwrap();
        for n in 0..20 {
            let ticket = client.try_call(&n).unwrap();
            assert_eq!(client.poll(ticket), Ok(None), "call {n}");
            if n % 3 == 2 {
                assert_eq!(client.cancel(ticket), Ok(Ran::No));
                assert_eq!(serve(&mut server), []);
                continue;
            }
            assert_eq!(serve(&mut server), [n]);
            assert_eq!(client.poll(ticket), Ok(Some(told(n))));
            if n % 4 == 0 {
                drop((client, server));
                client = region.join().call_client(name).unwrap();
                server = region.join().call_server(name).unwrap();
            }
        }
    }
}

/// Each word of the server, once with a value that no honest server stores there.
#[test]
fn lies_of_a_server_are_found_out_and_latched() {
    for (at, lie, found) in [
        (DONE, 77, Violation::Sequence),
        (TAKEN, 77, Violation::Sequence),
        (STATUS, 9, Violation::State),
        (STATUS, 1 << 16 | 1, Violation::State),
    ] {
        let region = Region::new(&PLAN);
        let (mut client, mut server) = (client(&region.join()), server(&region.join()));
        let ticket = client.try_call(&1).unwrap();
        if at == STATUS {
            assert_eq!(serve(&mut server), [1]);
        }
        region.poke(word(&region, &region.entry("calls"), 0, true, at), lie);
        let fault = Err(CallError::Fault(found));
        if at == TAKEN {
            assert_eq!(client.cancel(ticket), Err(CallError::Fault(found)));
        } else {
            assert_eq!(client.wait_timeout(ticket, LONG), fault);
        }
        assert_eq!(client.try_call(&2), Err(TryCallError::Fault(found)));
        assert_eq!(client.poll(ticket), Err(CallError::Fault(found)));
        assert_eq!(client.fault(), Some(found));
    }
}

/// Each word of the client, once with a value that no honest client stores there.
#[test]
fn lies_of_a_client_are_found_out_and_latched() {
    for (at, lie, found) in [(TICKET, 77, Violation::Sequence), (MODE, 3, Violation::State)] {
        let region = Region::new(&PLAN);
        let (mut client, mut server) = (client(&region.join()), server(&region.join()));
        client.try_call(&1).unwrap();
        region.poke(word(&region, &region.entry("calls"), 0, false, at), lie);
        assert_eq!(server.try_next().err(), Some(ServeError::Fault(found)));
        assert_eq!(server.next_timeout(LONG).err(), Some(ServeError::Fault(found)));
        assert_eq!(server.fault(), Some(found));
    }
}

#[test]
fn words_that_only_name_somebody_are_no_harm() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = (client(&region.join()), server(&region.join()));
    let entry = region.entry("calls");
    let ticket = client.try_call(&1).unwrap();
    region.poke(word(&region, &entry, 0, false, CALLER), u32::MAX);
    let (_, reply) = server.try_next().unwrap();
    assert_eq!(reply.caller(), None);
    reply.keep();
    region.poke(word(&region, &entry, 0, true, TAKEN_BY), u32::MAX);
    let waited = client.wait_timeout(ticket, Duration::from_millis(20));
    assert_eq!(waited, Err(CallError::TimedOut { ticket }));
    server.reply().unwrap().answer(&told(1));
    assert_eq!(client.poll(ticket), Ok(Some(told(1))));
}

/// A peer that scribbles over every word of the channel: each call returns, and nothing outside is touched.
#[test]
fn whatever_a_peer_scribbles_every_call_returns() {
    let mut rng = Rng::new(9);
    for round in 0..400 {
        let region = Region::new(&PLAN);
        let entry = region.entry("calls");
        let end = region.entry("one").block_a;
        let (a, b) = (region.join(), region.join());
        let (mut client, mut server) = (client(&a), server(&b));
        let mut out: Vec<Ticket> = Vec::new();
        for step in 0..60 {
            if step % 3 == 0 {
                let offset = entry.block_a + 4 * rng.below((end - entry.block_a) as usize / 4) as u32;
                let lie = [0, 1, 2, 3, 4, 5, 8, u32::MAX, rng.word()][rng.below(9)];
                region.poke(offset, lie);
            }
            match rng.below(8) {
                0 | 1 => out.extend(client.try_call(&step)),
                2 => drop(client.post(&step)),
                3 => drop(server.serve(|&n| told(n))),
                4 => drop(server.next_timeout(Duration::ZERO)),
                5 => drop(out.pop().map(|ticket| client.cancel(ticket))),
                6 => drop(out.pop().map(|ticket| client.wait_timeout(ticket, Duration::ZERO))),
                _ => out.retain(|&ticket| client.poll(ticket) == Ok(None)),
            }
        }
        drop((client, server));
        // Successors open, or say what is wrong.
        let heirs = (b.call_client::<u32, u64>("calls").err(), a.call_server::<u32, u64>("calls").err());
        assert!(region.is_intact(), "round {round}: {heirs:?}");
    }
}
