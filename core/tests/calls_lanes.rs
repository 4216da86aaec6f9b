//! Calls of several clients to one server: turns, takeover and damage of one lane, deaths of either side, and waiting.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::common::{Member, Region, TestPort};
use strait_core::format::{Entry, Lane};
use strait_core::ground::call::TICKET;
use strait_core::ground::lane::CLIENT_LANE;
use strait_core::ground::plan::Fault;
use strait_core::{
    CallClient, CallError, Channel, ChannelError, FromLane, Interrupted, LanesOptions, LanesServer,
    PeerStatus, Plan, Ran, ServeLanesError, Ticket, TryCallError, Violation, WaitAnyError, WaitPolicy,
    wait_any, wait_ready,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::calls::<u32, u64>("drive", 2).clients(3).doorbell(1),
    Channel::calls::<u32, u64>("alone", 2),
    Channel::slots::<u32>("values", 4).doorbell(1),
])
.line(4)
.participants(8);

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(1);

type Client = CallClient<u32, u64, TestPort>;
type Server = LanesServer<u32, u64, TestPort, 4>;

fn client(member: &Member, lane: u32) -> Client {
    let mut client: Client = member.lane_call_client("drive", lane).unwrap();
    client.set_wait_policy(WaitPolicy { probe: SHORT, ..WaitPolicy::parking() });
    client
}

fn server(member: &Member) -> Server {
    member.lanes_call_server("drive").unwrap()
}

fn told(n: u32) -> u64 {
    u64::from(n) << 32 | u64::from(!n)
}

/// Serves what there is; returns lanes and requests in the order in which they were taken.
fn serve(server: &mut Server) -> Vec<(u32, u32)> {
    let mut served = Vec::new();
    loop {
        match server.try_next() {
            Ok((FromLane { lane, message }, reply)) => {
                served.push((lane, message));
                reply.answer(&told(message));
            }
            Err(error) => {
                assert_eq!(error, ServeLanesError::Empty);
                return served;
            }
        }
    }
}

fn entry_of(region: &Region, lane: u32) -> Entry {
    region.look().lane("drive", lane).unwrap()
}

/// The offset of the ticket of a lane's first place.
fn ticket_word(entry: &Entry) -> u32 {
    entry.data + entry.stride - 16 + TICKET
}

#[test]
fn a_clients_lane_is_an_entry_that_older_readers_skip() {
    let region = Region::new(&PLAN);
    let lanes: Vec<Entry> = region.look().channels().filter(|entry| entry.name() == Some("drive")).collect();
    assert_eq!(lanes.len(), 3);
    for (index, entry) in (0..).zip(&lanes) {
        assert_eq!(entry.lane, Lane { index, count: 3, urgent: 0 });
        assert_eq!(entry.wait_b, lanes[0].wait_b, "the server has one word");
    }
    let words: std::collections::HashSet<u32> = lanes.iter().map(|entry| entry.wait_a).collect();
    assert_eq!(words.len(), 3, "each client has its own");
    assert_eq!(region.look().header().channel_count, 5);
    let flags = [0, 1, 2, 3, 4].map(|place| region.peek(128 + 128 * place + 36));
    assert_eq!(flags, [CLIENT_LANE, CLIENT_LANE, CLIENT_LANE, 0, 0]);
    assert_eq!(CLIENT_LANE, 4);
}

#[test]
fn ordinary_endpoints_refuse_lanes_and_lanes_take_an_only_client() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let count = 3;
    assert_eq!(member.call_client::<u32, u64>("drive").err(), Some(ChannelError::Lanes { count }));
    assert_eq!(member.call_server::<u32, u64>("drive").err(), Some(ChannelError::Lanes { count }));
    assert_eq!(member.lane_call_client::<u32, u64>("drive", 3).err(), Some(ChannelError::NoLane { count }));
    assert_eq!(
        member.lanes_call_server::<u32, u64, 2>("drive").err(),
        Some(ChannelError::TooManyLanes { count })
    );
    assert_eq!(member.lanes_call_server::<u32, u32, 4>("drive").err(), Some(ChannelError::Type));
    assert_eq!(member.lane_call_client::<u64, u64>("drive", 0).err(), Some(ChannelError::Type));
    assert!(matches!(
        member.lane_call_client::<u32, u64>("values", 0).err(),
        Some(ChannelError::Kind { .. })
    ));

    let mut only = member.lane_call_client::<u32, u64>("alone", 0).unwrap();
    let mut server: LanesServer<u32, u64, _, 1> = member.lanes_call_server("alone").unwrap();
    let ticket = only.try_call(&7).unwrap();
    assert_eq!(server.serve(|lane, &n| told(lane + n)), Ok(1));
    assert_eq!(only.poll(ticket), Ok(Some(told(7))));
}

#[test]
fn a_plan_gives_lanes_to_producers_or_clients_as_its_kind_has_them() {
    let fault = |channel| Plan::new(&[channel]).try_size().unwrap_err().fault;
    let calls = Channel::calls::<u32, u32>("c", 1);
    for channel in [
        calls.clients(0),
        calls.clients(257),
        calls.producers(2),
        calls.producers_in(&[0, 1]),
        calls.clients(2).urgent_lanes(3),
        Channel::slots::<u32>("q", 4).clients(2),
        Channel::slots::<u32>("q", 4).clients_in(&[0, 1]),
        Channel::latest::<u32>("l").clients(2),
    ] {
        assert_eq!(fault(channel), Fault::Lanes);
    }
    assert_eq!(Plan::new(&[calls.clients(1)]).size(), Plan::new(&[calls]).size());
}

#[test]
fn clients_take_turns_and_urgent_ones_come_first() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    let mut call = |lane: usize, n| clients[lane].try_call(&n).unwrap();
    let tickets = [call(0, 1), call(0, 2), call(1, 3), call(1, 4), call(2, 5)];
    let mut server = server(&member);
    assert_eq!(serve(&mut server), [(0, 1), (1, 3), (2, 5), (0, 2), (1, 4)]);
    for (ticket, (lane, n)) in tickets.into_iter().zip([(0, 1), (0, 2), (1, 3), (1, 4), (2, 5)]) {
        assert_eq!(clients[lane].poll(ticket), Ok(Some(told(n))));
    }
    drop(server);
    let mut server: Server = member.lanes_call_server_with("drive", LanesOptions::new().burst(2)).unwrap();
    (0..3).for_each(|lane| (6..8).for_each(|n| clients[lane].post(&n).unwrap()));
    assert_eq!(serve(&mut server), [(0, 6), (0, 7), (1, 6), (1, 7), (2, 6), (2, 7)]);

    const URGENT: Plan<'_> =
        Plan::new(&[Channel::calls::<u32, u64>("drive", 2).clients(2).urgent_lanes(1)]).participants(2);
    let region = Region::new(&URGENT);
    let member = region.join();
    let (lane, mut ordinary) = member.free_lane_call_client::<u32, u64>("drive").unwrap();
    assert_eq!(
        (lane, member.free_lane_call_client::<u32, u64>("drive").err()),
        (1, Some(ChannelError::Busy))
    );
    let mut alarm = client(&member, 0);
    let mut server = self::server(&member);
    (1..3).for_each(|n| ordinary.post(&n).unwrap());
    assert_eq!(server.try_next().unwrap().0, FromLane { lane: 1, message: 1 });
    alarm.post(&9).unwrap();
    assert_eq!(serve(&mut server), [(0, 9), (1, 2)]);
}

/// iceoryx2 #985: all clients wake for one answer.
#[test]
fn all_clients_wake_for_one_answer() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    let mut server = server(&member);
    let words = [0, 1, 2].map(|lane| entry_of(&region, lane).wait_a);
    clients[1].try_call(&1).unwrap();
    words.into_iter().for_each(|word| region.poke(word, 1));
    assert_eq!(serve(&mut server), [(1, 1)]);
    assert_eq!(words.map(|word| region.peek(word)), [1, 0, 1], "only the caller is woken");
}

/// iceoryx2 PR #805: a client whose answer buffer is full blocks the service.
#[test]
fn a_client_whose_answer_buffer_is_full_blocks_the_service() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let (mut lazy, mut busy) = (client(&member, 0), client(&member, 1));
    let mut server = server(&member);
    let kept = [1, 2].map(|n| lazy.try_call(&n).unwrap());
    assert_eq!(serve(&mut server), [(0, 1), (0, 2)]);
    for n in 0..20 {
        assert_eq!(lazy.try_call(&n), Err(TryCallError::Full), "its answers are in its places");
        let ticket = busy.try_call(&n).unwrap();
        assert_eq!(serve(&mut server), [(1, n)], "the others are served all the same");
        assert_eq!(busy.poll(ticket), Ok(Some(told(n))));
    }
    assert_eq!(kept.map(|ticket| lazy.poll(ticket)), [Ok(Some(told(1))), Ok(Some(told(2)))]);
}

#[test]
fn a_dead_clients_lane_is_taken_over_alone() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut other = client(&member, 1);
    let mut server = server(&member);
    let dying = region.join();
    let mut dead = client(&dying, 0);
    dead.try_call(&1).unwrap();
    let ident = dying.ident();
    dying.die(dead);
    assert_eq!(server.peer(0), Some(PeerStatus::Dead));
    let ticket = other.try_call(&2).unwrap();
    assert_eq!(serve(&mut server), [(0, 1), (1, 2)], "what it asked is served, and holds up nobody");
    assert_eq!(other.poll(ticket), Ok(Some(told(2))));
    let (lane, mut heir) = region.join().free_lane_call_client::<u32, u64>("drive").unwrap();
    assert_eq!((lane, heir.taken_over_from()), (0, Some(ident)));
    let ticket = heir.try_call(&3).unwrap();
    assert_eq!(heir.poll(ticket), Ok(None), "the answer to the dead is not its own");
    assert_eq!(serve(&mut server), [(0, 3)]);
    assert_eq!(heir.poll(ticket), Ok(Some(told(3))));
    assert_eq!(other.taken_over_from(), None);
}

/// A server that dies with a call answered, one taken and one not taken in each of two lanes, and a third idle.
fn died_in_the_middle(region: &Region, clients: &mut [Client; 3]) -> [[Ticket; 2]; 2] {
    let dying = region.join();
    let mut server = server(&dying);
    let tickets = [0, 1].map(|lane| [1, 2].map(|n| clients[lane].try_call(&(10 * lane as u32 + n)).unwrap()));
    for _ in 0..2 {
        server.try_next().unwrap().1.keep();
    }
    assert_eq!(server.try_next().err(), Some(ServeLanesError::Empty), "both lanes owe a reply");
    dying.die(server);
    tickets
}

#[test]
fn a_successor_tells_what_was_taken_in_each_lane_and_serves_the_rest() {
    for interrupted in [Interrupted::Tell, Interrupted::Again] {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
        let tickets = died_in_the_middle(&region, &mut clients);
        let mut heir = server(&member);
        heir.set_interrupted(interrupted);
        assert!((0..3).all(|lane| heir.taken_over_from(lane).is_some()));
        let served = serve(&mut heir);
        let ends = [0, 1].map(|lane| tickets[lane].map(|ticket| clients[lane].poll(ticket)));
        let told = |n| Ok(Some(told(n)));
        if interrupted == Interrupted::Tell {
            let maybe = Err(CallError::PeerDied { ran: Ran::Maybe });
            assert_eq!(served, [(0, 2), (1, 12)]);
            assert_eq!(ends, [[maybe, told(2)], [maybe, told(12)]]);
        } else {
            assert_eq!(served, [(0, 1), (1, 11), (0, 2), (1, 12)]);
            assert_eq!(ends, [[told(1), told(2)], [told(11), told(12)]]);
        }
    }
}

#[test]
fn each_client_learns_of_the_servers_death() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    let tickets = died_in_the_middle(&region, &mut clients);
    for lane in 0..2 {
        let ends = tickets[lane].map(|ticket| clients[lane].wait_timeout(ticket, LONG));
        let died = |ran| Err(CallError::PeerDied { ran });
        assert_eq!(ends, [died(Ran::Maybe), died(Ran::No)]);
    }
    assert_eq!(clients[2].call_timeout(&1, LONG), Err(CallError::PeerDied { ran: Ran::No }));
    // None of those that were said not to have run ever does.
    assert_eq!(serve(&mut server(&member)), []);
}

#[test]
fn a_damaged_lane_is_reported_once_and_left_out() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    let mut server = server(&member);
    region.poke(ticket_word(&entry_of(&region, 1)), 77);
    let mut call = |n| [0, 2].map(|lane| clients[lane].try_call(&n).unwrap());
    call(1);
    let mut results = Vec::new();
    for _ in 0..4 {
        results.push(server.try_next().map(|(from, reply)| {
            reply.answer(&told(from.message));
            from.lane
        }));
    }
    let fault = Err(ServeLanesError::Fault { lane: 1, violation: Violation::Sequence });
    assert_eq!(results, [Ok(0), fault, Ok(2), Err(ServeLanesError::Empty)]);
    assert_eq!([0, 1, 2].map(|lane| server.fault(lane)), [None, Some(Violation::Sequence), None]);
    call(2);
    assert_eq!(serve(&mut server), [(0, 2), (2, 2)]);
}

#[test]
fn a_fault_behind_requests_that_were_served_is_not_lost() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut client = client(&member, 0);
    for timeout in [None, Some(LONG)] {
        let mut server = server(&member);
        let lane = if timeout.is_some() { 1 } else { 2 };
        region.poke(ticket_word(&entry_of(&region, lane)), 77);
        client.post(&1).unwrap();
        let served = match timeout {
            None => server.serve(|_, &n| told(n)),
            Some(timeout) => server.serve_timeout(timeout, |_, &n| told(n)),
        };
        assert_eq!(served, Ok(1));
        let waits = wait_any(member.port(), &mut [&mut server], WaitPolicy::parking(), Duration::ZERO);
        assert_eq!(waits, Ok(0), "the fault is still to be returned");
        assert!(matches!(server.try_next().err(), Some(ServeLanesError::Fault { .. })));
        region.poke(ticket_word(&entry_of(&region, lane)), 0);
    }
}

#[test]
fn a_kept_reply_holds_up_its_own_lane_alone() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    let mut server = server(&member);
    let slow = [1, 2].map(|n| clients[0].try_call(&n).unwrap());
    let (from, reply) = server.try_next().unwrap();
    reply.keep();
    for n in 0..10 {
        clients[1].post(&n).unwrap();
        assert_eq!(serve(&mut server), [(1, n)]);
    }
    assert!(server.is_empty(), "what is behind a kept reply is not to be taken yet");
    let waits = wait_any(member.port(), &mut [&mut server], WaitPolicy::parking(), Duration::ZERO);
    assert_eq!(waits, Err(WaitAnyError::TimedOut));
    assert!(server.reply(1).is_none() && server.reply(9).is_none());
    assert_eq!([0, 1, 9].map(|lane| server.has_reply(lane)), [true, false, false]);
    server.reply(from.lane).unwrap().answer(&told(1));
    assert_eq!(serve(&mut server), [(0, 2)]);
    assert_eq!(slow.map(|ticket| clients[0].poll(ticket)), [Ok(Some(told(1))), Ok(Some(told(2)))]);
    // The end of the server refuses what it owes.
    let ticket = clients[2].try_call(&3).unwrap();
    server.try_next().unwrap().1.keep();
    drop(server);
    assert_eq!(clients[2].poll(ticket), Err(CallError::Refused { code: 0 }));
}

#[test]
fn clients_and_server_sleep_and_wake_each_other() {
    let region = Region::new(&PLAN);
    let sleepy = WaitPolicy { spin: 0, ..WaitPolicy::parking() };
    let mut server = server(&region.join());
    server.set_wait_policy(sleepy);
    thread::scope(|scope| {
        for lane in 0..3 {
            let mut client = client(&region.join(), lane);
            client.set_wait_policy(sleepy);
            scope.spawn(move || {
                (0..30).for_each(|n| assert_eq!(client.call_timeout(&n, LONG), Ok(told(n))));
            });
        }
        let mut served = 0;
        while served < 90 {
            served += server.serve_timeout(LONG, |_, &n| told(n)).unwrap();
        }
        assert_eq!(served, 90);
    });
    assert_eq!(server.next_timeout(SHORT).err(), Some(ServeLanesError::TimedOut));
}

#[test]
fn a_server_of_lanes_waits_with_other_receivers_and_in_a_task() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let (mut client, mut server) = (client(&member, 2), server(&member));
    let mut values = member.typed_consumer::<u32>("values").unwrap();
    let mut wait =
        |timeout| wait_any(member.port(), &mut [&mut values, &mut server], WaitPolicy::parking(), timeout);
    assert_eq!(wait(Duration::ZERO), Err(WaitAnyError::TimedOut));
    client.post(&1).unwrap();
    assert_eq!(wait(LONG), Ok(1));
    assert_eq!(serve(&mut server), [(2, 1)]);

    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(server.next()).as_mut().poll(&mut context).is_pending());
    client.post(&2).unwrap();
    let mut next = pin!(server.next());
    let Poll::Ready(Ok((from, reply))) = next.as_mut().poll(&mut context) else { panic!("no request") };
    assert_eq!(from, FromLane { lane: 2, message: 2 });
    reply.answer(&0);
}

#[test]
fn a_client_waits_for_any_of_its_answers_with_other_receivers() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let (mut one, mut two) = (client(&member, 0), client(&member, 1));
    let mut server = server(&member);
    let tickets = [one.try_call(&1).unwrap(), two.try_call(&2).unwrap(), two.try_call(&3).unwrap()];
    let ready = |one: &mut Client, two: &mut Client, timeout| {
        let ready = wait_ready(member.port(), &mut [one, two], WaitPolicy::parking(), timeout)?;
        Ok::<Vec<usize>, WaitAnyError>(ready.collect())
    };
    assert_eq!(ready(&mut one, &mut two, SHORT), Err(WaitAnyError::TimedOut));
    assert_eq!((one.ended(), two.ended()), (None, None));
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            assert_eq!(server.serve(|_, &n| told(n)), Ok(3));
        });
        let first = ready(&mut one, &mut two, LONG).unwrap();
        // Lane 0 is served first, but both may be between the looks at the two.
        assert!(!first.is_empty());
    });
    assert_eq!(ready(&mut one, &mut two, Duration::ZERO), Ok(vec![0, 1]));
    assert_eq!((one.ended(), two.ended()), (Some(tickets[0]), Some(tickets[1])));
    assert_eq!(one.poll(tickets[0]), Ok(Some(told(1))));
    assert_eq!(two.poll(tickets[1]), Ok(Some(told(2))));
    assert_eq!((one.ended(), two.ended()), (None, Some(tickets[2])));
    assert_eq!(ready(&mut one, &mut two, Duration::ZERO), Ok(vec![1]));
}

/// rclpy #367, ros_comm #152, zenoh #2632, while waiting for several.
#[test]
fn a_client_that_waits_with_others_learns_of_the_servers_death() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    let tickets = died_in_the_middle(&region, &mut clients);
    let policy = WaitPolicy { probe: SHORT, ..WaitPolicy::parking() };
    let mut values = member.typed_consumer::<u32>("values").unwrap();
    let [one, two, idle] = &mut clients;
    let died = |ran| Err(CallError::PeerDied { ran });
    let waits = wait_any(member.port(), &mut [&mut values, idle, one, two], policy, LONG);
    assert_eq!(waits, Ok(2));
    assert_eq!(tickets[0].map(|ticket| one.poll(ticket)), [died(Ran::Maybe), died(Ran::No)]);
    // In a task too.
    let mut receivers: [&mut dyn strait_core::Waitable; 3] = [&mut values, idle, two];
    let ready = {
        let mut ready = pin!(strait_core::ready(member.port(), &mut receivers, policy));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match ready.as_mut().poll(&mut context) {
                Poll::Ready(ready) => break ready,
                Poll::Pending => thread::sleep(SHORT),
            }
        }
    };
    assert_eq!(ready.unwrap().collect::<Vec<_>>(), [2]);
    assert_eq!(tickets[1].map(|ticket| two.poll(ticket)), [died(Ran::Maybe), died(Ran::No)]);
    // A successor answers what is asked from now on, and a look costs no more than before.
    let mut heir = server(&member);
    assert_eq!(serve(&mut heir), []);
    let ticket = two.try_call(&5).unwrap();
    assert_eq!(two.poll(ticket), Ok(None));
    assert_eq!(serve(&mut heir), [(1, 5)]);
    assert_eq!(two.poll(ticket), Ok(Some(told(5))));
}

/// A directory that was forged well enough to pass its checksum, in which one word of a lane's entry is another.
#[test]
fn lanes_whose_entries_contradict_each_other_are_no_channel() {
    const FLAGS: usize = 36;
    const NUMBER: usize = 108;
    const COUNT: usize = 112;
    const URGENT: usize = 116;
    let image = Region::new(&PLAN).bytes();
    for (place, word, value) in [
        (0, NUMBER, 1),
        (1, NUMBER, 0),
        (1, NUMBER, 7),
        (1, COUNT, 4),
        (0, COUNT, 0),
        (0, COUNT, 257),
        (1, URGENT, 1),
        (2, URGENT, 4),
        (1, FLAGS, 1),
        (1, FLAGS, 0),
        (1, FLAGS, 5),
        (1, 100, 9),
    ] {
        let mut image = image.clone();
        let at = 128 + 128 * place + word;
        image[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        crate::common::raw::seal(&mut image);
        let region = Region::from_bytes(&image);
        let member = region.join();
        let said = format!("entry {place}, word {word} is {value}");
        assert!(member.lanes_call_server::<u32, u64, 4>("drive").is_err(), "{said}");
        assert!(
            member.lane_call_client::<u32, u64>("drive", place as u32).is_err()
                || member.lane_call_client::<u32, u64>("drive", 1).is_err(),
            "{said}"
        );
        // The other channels are there as ever.
        assert!(member.call_client::<u32, u64>("alone").is_ok(), "{said}");
    }
}

#[test]
fn each_clients_calls_are_shown() {
    use strait_core::format::inspect::{calls, channel_state};
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut clients = [0, 1, 2].map(|lane| client(&member, lane));
    for (lane, client) in clients.iter_mut().enumerate() {
        (0..lane as u32).for_each(|n| client.post(&n).unwrap());
    }
    for lane in 0..3 {
        let entry = entry_of(&region, lane);
        let look = region.look();
        let state = channel_state(region.mem(), look.header().line, &entry);
        let out = calls(region.mem(), look.header().line, &entry);
        assert_eq!((state.len, out.count()), (lane, lane as usize));
        assert_eq!(state.producer, Some(member.ident()));
    }
}
