//! Calls with several answers of two clients to one server: one of them, or the server, dies, and each client is woken for
//! its own.

use std::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, CallError, Channel, ChannelError, FromLane, LanesStreamServer, Plan, Ran, ServeLanesError,
    StreamClient, Streamed, WakeCheck,
};

use crate::models;
use crate::search::{Search, up_to};
use crate::waiting::LONG;

models! {
    "each_is_woken_for_its_own" => each_is_woken_for_its_own(up_to(1)),
    "one_client_dies" => one_client_dies(up_to(2)),
    "server_dies" => server_dies(up_to(1)),
}

/// No time at all: a wait looks once.
const NOW: Duration = Duration::ZERO;

type Client = StreamClient<u32, u32, Port>;
type Server = LanesStreamServer<u32, u32, Port, 2>;

const PLAN: Plan<'static> =
    Plan::new(&[Channel::streams::<u32, u32>("s", 2).clients(2), Channel::parts_for::<u32>("p", 4, 2)])
        .line(4)
        .participants(5);

fn client(at: &Attachment<Port>, lane: u32) -> Client {
    at.lane_stream_client("s", "p", lane).expect("its owner is dead or has given it back")
}

fn server(at: &Attachment<Port>) -> Result<Server, ChannelError> {
    at.lanes_stream_server("s", "p")
}

/// Answers the request of the lane whose turn it is, if there is one: with two parts, which name it. Returns the request.
fn serve(server: &mut Server) -> Option<u32> {
    match server.try_next() {
        Ok((FromLane { message, .. }, mut parts)) => {
            // Unless its client has given it up.
            if (1..=2).all(|part| parts.send(&(10 * message + part)).is_ok()) {
                parts.end();
            }
            Some(message)
        }
        Err(ServeLanesError::Empty) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Reads to the end, or up to the first time that there is nothing.
fn read(client: &mut Client) -> (Vec<u32>, Option<Result<u32, CallError>>) {
    let mut got = Vec::new();
    loop {
        match client.next_timeout(NOW) {
            Ok(Streamed::Part(part)) => got.push(part),
            Ok(Streamed::End { parts }) => return (got, Some(Ok(parts))),
            Err(CallError::TimedOut { .. }) => return (got, None),
            Err(error) => return (got, Some(Err(error))),
        }
    }
}

/// Both clients sleep, and each is woken for its own parts and end: else that is a deadlock. Up to one preemption.
///
/// ```text
///   client 0, client 1                  server
///   start                               takes both
///   parked = 1, fence, each its own     part in 1; fence, parked? then 0, wake
///   done = t? a part?                   done in 1, part in 0, done in 0: likewise
///   sleep while parked = 1
/// ```
fn each_is_woken_for_its_own(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let mut server = server(&region.join()).unwrap();
        let clients = [0, 1].map(|lane| {
            let mut client = client(&region.join(), lane);
            thread::spawn(move || {
                client.start(&lane).unwrap();
                assert_eq!(client.next_timeout(LONG), Ok(Streamed::Part(10 + lane)));
                assert_eq!(client.next_timeout(LONG), Ok(Streamed::End { parts: 1 }));
            })
        });
        for _ in 0..2 {
            let (from, parts) = server.next_timeout(LONG).unwrap();
            assert_eq!(from.lane, from.message);
            parts.keep();
        }
        for lane in [1, 0] {
            let mut parts = server.parts(lane).unwrap();
            parts.send(&(10 + lane)).unwrap();
            parts.end();
        }
        for client in clients {
            client.join().unwrap();
        }
    });
}

/// A client dies anywhere from its call on, and another takes its lane and calls, while the server serves both lanes. The
/// successor gets the parts of its own call alone, and the other client gets all of its own. Up to two preemptions.
///
/// ```text
///   client 0, then its heir               server
///   start; done = t? a part?              from 0: taken, part, part, done; from 1: likewise
///   (killed somewhere here)
///   claim with proof of death, start      from 0: likewise
/// ```
fn one_client_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let mut server = server(&region.join()).unwrap();
        let (at, there) = (region.join(), region.join());
        let (mut first, mut other) = (client(&at, 0), client(&region.join(), 1));
        first.set_wake_check(WakeCheck::Unfenced);
        server.set_wake_check(WakeCheck::Unfenced);
        other.start(&2).unwrap();
        let dying = thread::spawn(move || {
            let _ = death.run(at.port(), move || {
                first.start(&1).unwrap();
                let _ = first.try_next();
                drop(first);
            });
            let mut heir = client(&there, 0);
            heir.start(&3).expect("one place is free");
            heir
        });
        for _ in 0..2 {
            serve(&mut server);
        }
        let mut heir = dying.join().unwrap();
        while serve(&mut server).is_some() {}
        assert_eq!(read(&mut heir), (vec![31, 32], Some(Ok(2))));
        assert_eq!(read(&mut other), (vec![21, 22], Some(Ok(2))));
        assert!((0..2).all(|lane| server.fault(lane).is_none()));
    });
}

/// The server dies anywhere from its claim of the lanes to its end, and another takes over all of them, while a client
/// reads. Each client gets the parts that were sent to it, in order, and then the end or that the server died; no call is
/// served twice, and both lanes go on. Up to one preemption.
///
/// ```text
///   client 1                             server, then its heir
///   done = t? a part?                    claim all; from 0: taken, part, part, done; from 1: likewise
///   is the server dead?                  (killed somewhere here)
///                                        claim all with proof of death; taken = t, in each: done, interrupted
/// ```
fn server_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let mut clients = [0, 1].map(|lane| client(&region.join(), lane));
        let (at, heir) = (region.join(), region.join());
        for (request, client) in (1..).zip(&mut clients) {
            client.start(&request).unwrap();
        }
        let serving = thread::spawn(move || {
            let _ = death.run(at.port(), || {
                let mut server = server(&at).expect("the role is free");
                let _ = (serve(&mut server), serve(&mut server));
            });
            let mut server = server(&heir).expect("its owner is dead or has given it back");
            let again: Vec<_> = std::iter::from_fn(|| serve(&mut server)).collect();
            (server, again)
        });
        let (early, end) = read(&mut clients[1]);
        let (mut server, again) = serving.join().unwrap();
        for (request, client) in (1..).zip(&mut clients) {
            let (mut got, mut end) = if request == 2 { (early.clone(), end) } else { (Vec::new(), None) };
            if end.is_none() {
                let (late, last) = read(client);
                got.extend(late);
                end = last;
            }
            let parts = [10 * request + 1, 10 * request + 2];
            assert_eq!(got, parts[..got.len()]);
            match end {
                Some(Ok(2)) => assert_eq!(got.len(), 2),
                Some(Err(CallError::PeerDied { ran: Ran::No })) => {
                    assert!(got.is_empty() && !again.contains(&request));
                }
                Some(Err(CallError::PeerDied { ran: Ran::Maybe })) => assert!(!again.contains(&request)),
                other => panic!("call {request}: {other:?}"),
            }
        }
        for client in &mut clients {
            client.start(&3).unwrap();
        }
        while serve(&mut server).is_some() {}
        for client in &mut clients {
            assert_eq!(read(client), (vec![31, 32], Some(Ok(2))));
        }
    });
}
