//! Calls of several clients to one server: one lane each.

use std::sync::{Arc, Mutex};

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, CallClient, CallError, Channel, ChannelError, LanesServer, Plan, Ran, ServeLanesError,
    WaitPolicy, wait_any,
};

use crate::models;
use crate::search::{Search, up_to};
use crate::waiting::{LONG, PROBE, now};

models! {
    "two_call_while_it_parks" => two_call_while_it_parks(up_to(2)),
    "one_dies_and_another_calls" => one_dies_and_another_calls(up_to(2).quick(1)),
    "server_dies" => server_dies(up_to(2).quick(1)),
    "a_client_waits_with_others" => a_client_waits_with_others(up_to(3).quick(2)),
}

type Value = [u32; 2];
type Client = CallClient<Value, Value, Port>;
type Server = LanesServer<Value, Value, Port, 2>;

const PLAN: Plan<'static> =
    Plan::new(&[Channel::calls::<Value, Value>("c", 1).clients(2)]).line(4).participants(5);

fn client(at: &Attachment<Port>, lane: u32) -> Client {
    at.lane_call_client("c", lane).expect("its owner is dead or has given it back")
}

fn server(at: &Attachment<Port>) -> Result<Server, ChannelError> {
    at.lanes_call_server("c")
}

/// A request, carried redundantly, so that a torn one is noticed.
fn request(number: u32) -> Value {
    [number, !number]
}

/// The answer to a request, which is whole.
fn answer([number, inverse]: Value) -> Value {
    assert_eq!(number, !inverse, "the request is torn");
    request(number + 100)
}

/// Takes a request, notes it and answers it, if there is one; returns its lane.
fn serve(server: &mut Server, acts: &Mutex<Vec<u32>>) -> Option<u32> {
    match server.try_next() {
        Ok((from, reply)) => {
            acts.lock().expect("nobody dies with it").push(from.message[0]);
            reply.answer(&answer(from.message));
            Some(from.lane)
        }
        Err(error) => {
            assert_eq!(error, ServeLanesError::Empty);
            None
        }
    }
}

/// Both clients call while the server goes to sleep: it sleeps over neither, and each gets its own answer. Up to two
/// preemptions.
///
/// ```text
///   client 0               client 1               server
///   ticket, fence,         ticket, fence,         nothing in 0, nothing in 1
///   parked? parked = 0,    parked? parked = 0,    parked = 1, fence
///   wake                   wake                   nothing in 0, nothing in 1?
///                                                 sleep while parked = 1
/// ```
fn two_call_while_it_parks(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut server = server(&region.join()).unwrap();
        let callers = [0, 1].map(|lane| {
            let mut client = client(&region.join(), lane);
            thread::spawn(move || (client.try_call(&request(lane)).unwrap(), client))
        });
        for _ in 0..2 {
            let (from, reply) = server.next_timeout(LONG).unwrap();
            assert_eq!(from.message[0], from.lane);
            reply.answer(&answer(from.message));
        }
        for (lane, caller) in (0..).zip(callers) {
            let (ticket, mut client) = caller.join().unwrap();
            assert_eq!(client.poll(ticket), Ok(Some(answer(request(lane)))));
        }
    });
}

/// One client dies anywhere from its claim on, also between its request and the ring, while the other calls. What was
/// asked is taken a probe period later at the latest. Up to two preemptions.
///
/// ```text
///   client 0                 client 1               server
///   ticket                   ticket                 nothing in 0, nothing in 1
///   parked? parked = 0       parked? (no more)      parked = 1, nothing there
///   (killed somewhere here)                         sleep, for a probe period at most
/// ```
fn one_dies_and_another_calls(search: Search) {
    search.each_death(|death| {
        let region = Region::time_passes(&PLAN);
        let (at, there) = (region.join(), region.join());
        let mut first = client(&at, 0);
        let mut server = server(&there).unwrap();
        let clock = there.port().clone();
        let dying = thread::spawn(move || {
            let _ = death.run(at.port(), || first.try_call(&request(0)).map(drop));
        });
        let mut second = client(&region.join(), 1);
        let other = thread::spawn(move || {
            let ticket = second.try_call(&request(1)).unwrap();
            (now(&clock), ticket, second)
        });
        let mut taken_at = None;
        for _ in 0..2 {
            match server.next_timeout(3 * PROBE) {
                Ok((from, reply)) => {
                    assert_eq!(from.message, request(from.lane));
                    reply.answer(&answer(from.message));
                    if from.lane == 1 {
                        taken_at = Some(now(there.port()));
                    }
                }
                Err(error) => assert_eq!(error, ServeLanesError::TimedOut),
            }
        }
        let gave_up_at = now(there.port());
        dying.join().unwrap();
        let (asked_at, ticket, mut second) = other.join().unwrap();
        match taken_at {
            Some(at) => {
                assert!(at <= asked_at + PROBE, "taken at {at:?}, asked by {asked_at:?}");
                assert_eq!(second.poll(ticket), Ok(Some(answer(request(1)))));
            }
            None => assert!(asked_at + PROBE >= gave_up_at, "a request was slept over"),
        }
    });
}

/// The server dies anywhere from its claim of the lanes to its end, and another takes over all of them, while a client
/// calls. Each call has one end, and that is true: its answer; that nobody has acted on it; that somebody may have. None
/// runs twice. Up to two preemptions.
///
/// ```text
///   client 1               server, then its heir
///   ticket                 claim 0, claim 1, take from 0, answer, take from 1, ...
///   done?                  (killed somewhere here)
///                          claim 0 with proof of death, claim 1
///                          taken and not done, in each lane? then tell
/// ```
fn server_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let (mut zero, mut one) = (client(&region.join(), 0), client(&region.join(), 1));
        let (at, heir) = (region.join(), region.join());
        let acts = Arc::new(Mutex::new(Vec::new()));
        let first = zero.try_call(&request(0)).unwrap();
        let calling = thread::spawn(move || (one.try_call(&request(1)).unwrap(), one));
        let lived = death.run(at.port(), || {
            let mut server = server(&at).expect("the role is free");
            for _ in 0..2 {
                let _ = serve(&mut server, &acts);
            }
        });
        let mut server = server(&heir).expect("its owner is dead or has given it back");
        assert!((0..2).all(|lane| server.fault(lane).is_none()), "a lane was not given back");
        assert!(lived.is_err() || server.taken_over_from(0).is_none());
        let (second, mut one) = calling.join().unwrap();
        while serve(&mut server, &acts).is_some() {}
        for (number, client, ticket) in [(0, &mut zero, first), (1, &mut one, second)] {
            let ran = acts.lock().unwrap().iter().filter(|&&act| act == number).count();
            assert!(ran <= 1, "it ran {ran} times");
            match client.poll(ticket) {
                Ok(Some(got)) => assert_eq!((got, ran), (answer(request(number)), 1)),
                Err(CallError::PeerDied { ran: Ran::Maybe }) => {}
                end => panic!("call {number} has no end: {end:?}"),
            }
        }
        // All lanes go on.
        for (lane, client) in [(0, &mut zero), (1, &mut one)] {
            let ticket = client.try_call(&request(7)).unwrap();
            assert_eq!(serve(&mut server, &acts), Some(lane));
            assert_eq!(client.poll(ticket), Ok(Some(answer(request(7)))));
        }
    });
}

/// A client waits for its answer as one of several receivers, and misses no wake: that would be a deadlock. Up to three
/// preemptions.
///
/// ```text
///   client                                server
///   parked = 1, fence                     answer, done = t
///   done = t? sleep while parked = 1      fence, parked? then 0, wake
/// ```
fn a_client_waits_with_others(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut server = server(&region.join()).unwrap();
        let here = region.join();
        let (mut zero, mut one) = (client(&here, 0), client(&here, 1));
        let ticket = one.try_call(&request(1)).unwrap();
        let serving = thread::spawn(move || {
            let (from, reply) = server.try_next().unwrap();
            reply.answer(&answer(from.message));
        });
        let policy = WaitPolicy { spin: 0, ..WaitPolicy::parking() };
        assert_eq!(wait_any(here.port(), &mut [&mut zero, &mut one], policy, LONG), Ok(1));
        assert_eq!((zero.ended(), one.ended()), (None, Some(ticket)));
        assert_eq!(one.poll(ticket), Ok(Some(answer(request(1)))));
        serving.join().unwrap();
    });
}
