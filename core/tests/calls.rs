//! Calls between a client and a server that live: answers, refusals, time-outs, withdrawals, waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Member, Region, TestPort};
use strait_core::format::{
    ValueType,
    inspect::{CallStage, calls, channel_state},
};
use strait_core::port::Port;
use strait_core::{
    CallClient, CallError, CallServer, Channel, ChannelError, PeerStatus, Plan, Ran, ServeError,
    TryCallError, WaitAnyError, WaitPolicy, wait_any,
};

strait_core::message! {
    /// A request whose size is no multiple of a word.
    struct Ask { number: [u8; 3] }
    struct Told { square: u64, text: [u8; 48] }
}

const PLAN: Plan<'_> = Plan::new(&[
    Channel::calls::<Ask, Told>("one", 1),
    Channel::calls::<Ask, Told>("four", 4).doorbell(1),
    Channel::calls::<u32, u32>("other", 2).doorbell(1),
    Channel::slots::<u32>("values", 4).doorbell(1),
])
.participants(6);

const LONG: Duration = Duration::from_secs(30);

type Client = CallClient<Ask, Told, TestPort>;
type Server = CallServer<Ask, Told, TestPort>;

fn ask(number: u32) -> Ask {
    let [a, b, c, _] = number.to_le_bytes();
    Ask { number: [a, b, c] }
}

fn number(ask: &Ask) -> u32 {
    let [a, b, c] = ask.number;
    u32::from_le_bytes([a, b, c, 0])
}

fn told(number: u32) -> Told {
    Told { square: u64::from(number).pow(2), text: [number as u8; 48] }
}

fn pair(region: &Region, name: &str) -> (Client, Server) {
    (region.join().call_client(name).unwrap(), region.join().call_server(name).unwrap())
}

/// Serves what is there, and returns the requests' numbers.
fn serve(server: &mut Server) -> Vec<u32> {
    let mut served = Vec::new();
    while let Ok((request, reply)) = server.try_next() {
        served.push(number(&request));
        reply.answer(&told(number(&request)));
    }
    served
}

#[test]
fn all_that_is_there_is_served_and_counted() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    assert_eq!(server.serve_timeout(Duration::ZERO, |_| panic!()), Err(ServeError::TimedOut));
    (0..3).for_each(|n| assert!(client.post(&ask(n)).is_ok()));
    assert_eq!(server.serve_timeout(LONG, |request| told(number(request))), Ok(3));
}

#[test]
fn answers_are_taken_in_any_order_and_requests_served_in_theirs() {
    for line in [4, 16, 128] {
        let region = Region::new(&PLAN.line(line));
        let (mut client, mut server) = pair(&region, "four");
        for lap in 0..5 {
            let tickets = [1, 2, 3, 4].map(|n| client.try_call(&ask(lap * 4 + n)).unwrap());
            assert_eq!(client.calls_out(), 4);
            assert_eq!(client.try_call(&ask(9)), Err(TryCallError::Full));
            assert_eq!(client.poll(tickets[3]), Ok(None));
            assert_eq!(serve(&mut server), [1, 2, 3, 4].map(|n| lap * 4 + n));
            for n in [3, 1, 0, 2] {
                assert_eq!(client.poll(tickets[n]), Ok(Some(told(lap * 4 + n as u32 + 1))));
                assert_eq!(client.poll(tickets[n]), Err(CallError::UnknownTicket));
            }
        }
        assert_eq!((client.calls_out(), client.fault(), server.fault()), (0, None, None));
    }
}

#[test]
fn a_post_is_served_in_order_and_needs_no_ticket() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    client.post(&ask(1)).unwrap();
    let ticket = client.try_call(&ask(2)).unwrap();
    client.post(&ask(3)).unwrap();
    let mut posts = Vec::new();
    while let Ok((request, reply)) = server.try_next() {
        posts.push((number(&request), reply.is_post()));
        assert_eq!(reply.caller().map(|who| who.place()), Some(1));
        reply.answer(&told(7));
    }
    assert_eq!(posts, [(1, true), (2, false), (3, true)]);
    assert_eq!(client.poll(ticket), Ok(Some(told(7))));
    for n in 0..20 {
        client.post(&ask(n)).unwrap();
        assert_eq!(serve(&mut server), [n]);
    }
}

#[test]
fn a_server_refuses_by_a_number_a_drop_or_a_panic() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    let tickets = [1, 2, 3, 4].map(|n| client.try_call(&ask(n)).unwrap());
    server.try_next().unwrap().1.refuse(0xFFFF);
    drop(server.try_next().unwrap());
    let panicked = catch_unwind(AssertUnwindSafe(|| server.serve(|_| panic!("over a request"))));
    assert!(panicked.is_err());
    // One that is kept and never answered is refused by the next, or by the end of the server.
    server.try_next().unwrap().1.keep();
    assert_eq!(server.try_next().err(), Some(ServeError::Empty));
    let codes = tickets.map(|ticket| client.poll(ticket));
    assert_eq!(codes, [0xFFFF, 0, 0, 0].map(|code| Err(CallError::Refused { code })));
    let ticket = client.try_call(&ask(5)).unwrap();
    server.try_next().unwrap().1.keep();
    drop(server);
    assert_eq!(client.poll(ticket), Err(CallError::Refused { code: 0 }));
    assert_eq!(client.peer(), PeerStatus::Absent);
}

#[test]
fn a_reply_that_is_kept_can_be_given_later() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "one");
    assert!(server.reply().is_none() && !server.has_reply());
    let ticket = client.try_call(&ask(6)).unwrap();
    server.try_next().unwrap().1.keep();
    assert!(server.has_reply());
    assert_eq!(client.poll(ticket), Ok(None), "asking for it refuses nothing");
    server.reply().unwrap().answer(&told(6));
    assert!(server.reply().is_none() && !server.has_reply());
    assert_eq!(client.poll(ticket), Ok(Some(told(6))));
    // One that is looked at and dropped is a refusal, as any is.
    let ticket = client.try_call(&ask(7)).unwrap();
    server.try_next().unwrap().1.keep();
    assert!(server.reply().is_some());
    assert_eq!(client.poll(ticket), Err(CallError::Refused { code: 0 }));
}

#[test]
fn a_time_out_proves_nothing_and_leaves_the_call_out() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "one");
    let asked = Instant::now();
    let Err(CallError::TimedOut { ticket }) = client.call_timeout(&ask(8), Duration::from_millis(60)) else {
        panic!("nobody answered")
    };
    assert!(asked.elapsed() >= Duration::from_millis(60));
    assert_eq!(client.wait_timeout(ticket, Duration::ZERO), Err(CallError::TimedOut { ticket }));
    // Its only place is taken, and no server makes it free while the ticket is out.
    assert_eq!(client.call_timeout(&ask(9), LONG), Err(CallError::Full));
    assert_eq!(serve(&mut server), [8]);
    assert_eq!(client.wait_timeout(ticket, LONG), Ok(told(8)));
}

#[test]
fn a_cancelled_call_never_runs_or_may_have_run() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    let tickets = [1, 2, 3].map(|n| client.try_call(&ask(n)).unwrap());
    let (_, reply) = server.try_next().unwrap();
    assert_eq!(client.cancel(tickets[0]), Ok(Ran::Maybe));
    reply.answer(&told(1));
    assert_eq!(client.cancel(tickets[1]), Ok(Ran::No));
    assert_eq!(client.cancel(tickets[1]), Err(CallError::UnknownTicket));
    assert_eq!(serve(&mut server), [3]);
    assert_eq!(client.cancel(tickets[2]), Ok(Ran::Maybe), "its answer is dropped");
    assert_eq!(client.calls_out(), 0);
    // All places are free.
    (1..=4).for_each(|n| assert!(client.try_call(&ask(n)).is_ok()));
    assert_eq!(serve(&mut server), [1, 2, 3, 4]);
}

/// iceoryx2 #1905: an answer that comes late must not fill or close a newer request.
#[test]
fn a_late_answer_never_fills_a_newer_request() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "one");
    let old = client.try_call(&ask(1)).unwrap();
    server.try_next().unwrap().1.keep();
    assert_eq!(client.cancel(old), Ok(Ran::Maybe));
    assert_eq!(client.try_call(&ask(2)), Err(TryCallError::Full), "the server is still at the old one");
    server.reply().unwrap().answer(&told(1));
    let new = client.try_call(&ask(2)).unwrap();
    assert_ne!(old, new);
    assert_eq!(client.poll(old), Err(CallError::UnknownTicket));
    assert_eq!(client.poll(new), Ok(None), "the late answer is not its own");
    assert_eq!(serve(&mut server), [2]);
    assert_eq!(client.poll(new), Ok(Some(told(2))));
}

/// iceoryx2 PR #805: a client that takes no answers blocks itself alone.
#[test]
fn answers_that_nobody_takes_do_not_block_the_server() {
    let region = Region::new(&PLAN);
    let (mut lazy, mut server) = pair(&region, "four");
    let mut other = region.join().call_client::<u32, u32>("other").unwrap();
    let mut others = region.join().call_server::<u32, u32>("other").unwrap();
    let tickets = [1, 2, 3, 4].map(|n| lazy.try_call(&ask(n)).unwrap());
    assert_eq!(serve(&mut server), [1, 2, 3, 4]);
    assert_eq!(server.try_next().err(), Some(ServeError::Empty));
    for n in 0..20 {
        let ticket = other.try_call(&n).unwrap();
        assert_eq!(others.serve(|n| n + 1), Ok(1));
        assert_eq!(other.poll(ticket), Ok(Some(n + 1)));
    }
    assert_eq!(lazy.poll(tickets[2]), Ok(Some(told(3))));
}

/// iceoryx2 #985: an answer wakes the client that it is for.
#[test]
fn an_answer_wakes_its_own_client_alone() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    let (own, other) = (region.entry("four"), region.entry("other"));
    assert_eq!(own.wait_b, other.wait_b, "the server has one doorbell");
    assert_ne!(own.wait_a, other.wait_a, "each client has a word of its own");
    client.try_call(&ask(1)).unwrap();
    [own.wait_a, other.wait_a].into_iter().for_each(|word| region.poke(word, 1));
    assert_eq!(serve(&mut server), [1]);
    assert_eq!((region.peek(own.wait_a), region.peek(other.wait_a)), (0, 1));
}

#[test]
fn both_sides_sleep_and_wake_each_other() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    let sleepy = WaitPolicy { spin: 0, ..WaitPolicy::parking() };
    client.set_wait_policy(sleepy);
    server.set_wait_policy(sleepy);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                let (request, reply) = server.next_timeout(LONG).unwrap();
                reply.answer(&told(number(&request)));
            }
            assert_eq!(server.next_timeout(Duration::from_millis(1)).err(), Some(ServeError::TimedOut));
        });
        for n in 0..50 {
            assert_eq!(client.call_timeout(&ask(n), LONG), Ok(told(n)));
        }
    });
}

#[test]
fn a_call_waits_for_a_place_that_its_server_makes_free() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "one");
    client.post(&ask(1)).unwrap();
    assert_eq!(client.call_timeout(&ask(2), Duration::from_millis(1)), Err(CallError::Full));
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(30));
            // The client may be quick enough for one serving to find both.
            let mut served = 0;
            while served < 2 {
                served += server.serve_timeout(LONG, |request| told(number(request))).unwrap();
            }
            assert_eq!(served, 2);
        });
        assert_eq!(client.call_timeout(&ask(2), LONG), Ok(told(2)));
    });
}

#[test]
fn one_sleep_is_for_the_calls_of_all_clients_and_for_queues() {
    let region = Region::new(&PLAN);
    let server = region.join();
    let mut four = server.call_server::<Ask, Told>("four").unwrap();
    let mut other = server.call_server::<u32, u32>("other").unwrap();
    let mut values = server.typed_consumer::<u32>("values").unwrap();
    let mut client = region.join().call_client::<u32, u32>("other").unwrap();
    let mut wait = |timeout| {
        let receivers: &mut [&mut dyn strait_core::Waitable] = &mut [&mut values, &mut four, &mut other];
        wait_any(server.port(), receivers, WaitPolicy::parking(), timeout)
    };
    assert_eq!(wait(Duration::ZERO), Err(WaitAnyError::TimedOut));
    client.try_call(&1).unwrap();
    assert_eq!(wait(LONG), Ok(2));
    region.join().typed_producer::<u32>("values").unwrap().try_send(&1).unwrap();
    assert_eq!(wait(LONG), Ok(0));
    // A reply that is owed is not another request.
    other.try_next().unwrap().1.keep();
    let looked = wait_any(server.port(), &mut [&mut other], WaitPolicy::parking(), Duration::ZERO);
    assert_eq!(looked, Err(WaitAnyError::TimedOut));
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn tasks_call_and_serve() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "one");
    client.post(&ask(1)).unwrap();
    {
        let question = ask(2);
        let mut call = pin!(is_send(client.call(&question)));
        assert!(poll_once(&mut call).is_pending(), "its place is taken");
        for n in 1..=2 {
            let mut next = pin!(is_send(server.next()));
            let Poll::Ready(Ok((request, reply))) = poll_once(&mut next) else { panic!("no request {n}") };
            assert_eq!(number(&request), n);
            reply.answer(&told(n));
            let polled = poll_once(&mut call);
            assert_eq!(polled, if n == 1 { Poll::Pending } else { Poll::Ready(Ok(told(2))) });
        }
    }
    {
        let mut next = pin!(server.next());
        assert!(poll_once(&mut next).is_pending());
    }
    let ticket = client.try_call(&ask(3)).unwrap();
    {
        let mut wait = pin!(is_send(client.wait(ticket)));
        assert!(poll_once(&mut wait).is_pending());
    }
    assert_eq!(serve(&mut server), [3], "the future that was dropped left the call out");
    let mut wait = pin!(client.wait(ticket));
    assert_eq!(poll_once(&mut wait), Poll::Ready(Ok(told(3))));
    assert_eq!(region.tasks(), 0, "no waker is left behind");
}

#[test]
fn types_known_at_run_time_are_bytes() {
    let region = Region::new(&PLAN);
    let (request, answer) = (ValueType::of::<Ask>(), ValueType::of::<Told>());
    let mut client = region.join().call_client_of("four", request, answer).unwrap();
    let mut server = region.join().call_server_of("four", request, answer).unwrap();
    assert_eq!(client.try_call(&[1, 2]), Err(TryCallError::WrongSize));
    let ticket = client.try_call(&[1, 2, 3]).unwrap();
    assert_eq!(server.try_next_into(&mut [0; 4]).err(), Some(ServeError::WrongSize));
    let mut bytes = [0; 3];
    let reply = server.try_next_into(&mut bytes).unwrap();
    assert_eq!(bytes, [1, 2, 3]);
    assert_eq!(reply.answer_from(&[0; 55]).unwrap_err().needed, 56);
    server.reply().unwrap().answer_from(&[9; 56]).unwrap();
    assert_eq!(client.poll_into(ticket, &mut [0; 55]), Err(CallError::WrongSize));
    let mut bytes = [0; 56];
    assert_eq!(client.poll_into(ticket, &mut bytes), Ok(true));
    assert_eq!(bytes, [9; 56]);
}

#[test]
fn calls_cross_domains() {
    const CROSSING: Plan<'_> =
        Plan::new(&[Channel::calls::<u32, u32>("calls", 2).domains(1, 2)]).line(4).participants(2);
    let region = Region::new(&CROSSING);
    let (m0, linux): (Member, Member) = (region.join_domain(1), region.join_domain(2));
    let wrong = linux.call_client::<u32, u32>("calls").err();
    assert_eq!(wrong, Some(ChannelError::Domain { planned: 1 }));
    let mut client = m0.call_client::<u32, u32>("calls").unwrap();
    let mut server = linux.call_server::<u32, u32>("calls").unwrap();
    let ticket = client.try_call(&20).unwrap();
    assert_eq!(server.serve(|n| n + 1), Ok(1));
    assert_eq!(client.poll(ticket), Ok(Some(21)));
}

#[test]
fn an_endpoint_has_its_types_and_its_role_to_itself() {
    let region = Region::new(&PLAN);
    let (_client, _server) = pair(&region, "four");
    let member = region.join();
    assert_eq!(member.call_client::<Ask, Told>("four").err(), Some(ChannelError::Busy));
    assert_eq!(member.call_server::<Ask, Told>("four").err(), Some(ChannelError::Busy));
    assert_eq!(member.call_client::<Told, Told>("one").err(), Some(ChannelError::Type));
    assert_eq!(member.call_client::<Ask, Ask>("one").err(), Some(ChannelError::Type));
    assert!(matches!(member.call_server::<Ask, Told>("values").err(), Some(ChannelError::Kind { .. })));
    assert!(matches!(member.typed_consumer::<Ask>("one").err(), Some(ChannelError::Kind { .. })));
    assert_eq!(region.look().call_client::<Ask, Told>("one").err(), Some(ChannelError::ReadOnly));
}

#[test]
fn tools_see_the_calls_that_are_out() {
    let region = Region::new(&PLAN);
    let (mut client, mut server) = pair(&region, "four");
    (1..=4).for_each(|n| assert!(client.try_call(&ask(n)).is_ok()));
    assert_eq!(client.try_call(&ask(5)), Err(TryCallError::Full));
    server.try_next().unwrap().1.answer(&told(1));
    let look = region.look();
    let state = channel_state(look.port().mem(), look.header().line, &region.entry("four"));
    assert_eq!((state.sent, state.len, state.refused), (4, 3, 1));
    assert_eq!(state.producer.map(|who| who.place()), Some(1));
    assert_eq!(state.consumer.map(|who| who.place()), Some(2));
    let out: Vec<_> = calls(look.port().mem(), look.header().line, &region.entry("four")).collect();
    assert_eq!(out.iter().map(|call| call.position).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(out.iter().all(|call| call.stage == CallStage::Waiting && call.caller == state.producer));
    assert_eq!(calls(look.port().mem(), look.header().line, &region.entry("values")).count(), 0);
}
