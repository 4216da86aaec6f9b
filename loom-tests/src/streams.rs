//! Calls with several answers: parts come in order and before their end, belong to their call, and survive their server.

use std::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, CallError, Channel, ChannelError, PartError, Plan, Ran, ServeError, StreamClient,
    StreamServer, Streamed, WakeCheck,
};

use crate::models;
use crate::search::{Search, up_to};
use crate::waiting::LONG;

models! {
    "parts_come_before_their_end" => parts_come_before_their_end(up_to(3).quick(2)),
    "both_wait" => both_wait(up_to(2)),
    "a_part_of_a_cancelled_call_is_no_newer_one" => a_part_of_a_cancelled_call_is_no_newer_one(up_to(2)),
    "server_dies" => server_dies(up_to(1)),
}

/// No time at all: a wait looks once.
const NOW: Duration = Duration::ZERO;

type Client = StreamClient<u32, u32, Port>;
type Server = StreamServer<u32, u32, Port>;

const PLAN: Plan<'static> =
    Plan::new(&[Channel::streams::<u32, u32>("s", 2), Channel::parts::<u32>("p", 2)]).line(4).participants(4);

fn client(at: &Attachment<Port>) -> Client {
    at.stream_client("s", "p").expect("its owner is dead or has given it back")
}

fn server(at: &Attachment<Port>) -> Result<Server, ChannelError> {
    at.stream_server("s", "p")
}

/// Answers a request, if there is one: with two parts, which name it. Returns how many were sent, if all were.
fn serve(server: &mut Server) -> Option<u32> {
    match server.try_next() {
        Ok((request, mut parts)) => {
            for part in 1..=2 {
                match parts.send(&(10 * request + part)) {
                    Ok(()) => {}
                    Err(PartError::Cancelled | PartError::Full) => return None,
                    Err(error) => panic!("{error}"),
                }
            }
            Some(parts.end())
        }
        Err(ServeError::Empty) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Reads what there is of the call, in so many calls; `true` at its end.
fn read(client: &mut Client, got: &mut Vec<u32>, calls: u32) -> Result<bool, CallError> {
    for _ in 0..calls {
        match client.try_next()? {
            Some(Streamed::Part(part)) => got.push(part),
            Some(Streamed::End { parts }) => {
                assert_eq!(parts as usize, got.len());
                return Ok(true);
            }
            None => {}
        }
    }
    Ok(false)
}

/// The client reads while the server sends: it gets all parts in order, and then the end. Up to three preemptions.
///
/// ```text
///   client                               server
///   done = t?                            part 1, part 2
///   a part? if not, and done: the end    count, done = t
/// ```
fn parts_come_before_their_end(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let (mut client, mut server) = (client(&region.join()), server(&region.join()).unwrap());
        client.set_wake_check(WakeCheck::Unfenced);
        server.set_wake_check(WakeCheck::Unfenced);
        client.start(&1).unwrap();
        let serving = thread::spawn(move || {
            assert_eq!(serve(&mut server), Some(2));
            server
        });
        let mut got = Vec::new();
        let ended = read(&mut client, &mut got, 3).unwrap();
        let _server = serving.join().unwrap();
        assert!(ended || read(&mut client, &mut got, 3).unwrap());
        assert_eq!(got, [11, 12]);
    });
}

/// Both sides sleep, and neither misses its wake, at a part or at the end: that would be a deadlock. Up to two
/// preemptions.
///
/// ```text
///   client                               server
///   parked = 1, fence                    part; fence, parked? then 0, wake
///   done = t? a part?                    done = t; fence, parked? then 0, wake
///   sleep while parked = 1
/// ```
fn both_wait(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let (mut client, mut server) = (client(&region.join()), server(&region.join()).unwrap());
        let serving = thread::spawn(move || {
            let (request, mut parts) = server.next_timeout(LONG).unwrap();
            parts.send(&(10 * request + 1)).unwrap();
            parts.end();
        });
        client.start(&1).unwrap();
        assert_eq!(client.next_timeout(LONG), Ok(Streamed::Part(11)));
        assert_eq!(client.next_timeout(LONG), Ok(Streamed::End { parts: 1 }));
        serving.join().unwrap();
    });
}

/// The client cancels a call while the server sends its parts, and starts another: it gets the parts of that alone. Up to
/// two preemptions.
///
/// ```text
///   client                               server
///   cancel 1, start 2                    parts of 1, until it sees that; done = 1
///   parts of 1: dropped                  parts of 2, done = 2
///   parts of 2, done = 2?
/// ```
fn a_part_of_a_cancelled_call_is_no_newer_one(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let (mut client, mut server) = (client(&region.join()), server(&region.join()).unwrap());
        client.set_wake_check(WakeCheck::Unfenced);
        server.set_wake_check(WakeCheck::Unfenced);
        client.start(&1).unwrap();
        let serving = thread::spawn(move || {
            serve(&mut server);
            server
        });
        client.cancel().unwrap();
        client.start(&2).unwrap();
        let mut got = Vec::new();
        assert_eq!(read(&mut client, &mut got, 1), Ok(false));
        let mut server = serving.join().unwrap();
        // What was left of 1 may have filled the queue: it is dropped by a look.
        let ended = read(&mut client, &mut got, 1).unwrap();
        // Unless 1 was withdrawn before it was taken: then 2 is served already.
        let served = serve(&mut server);
        assert!(ended || read(&mut client, &mut got, 3).unwrap(), "{served:?}");
        assert_eq!(got, [21, 22]);
    });
}

/// The server dies anywhere from its claim to its end, and another takes over, while the client reads. The client gets the
/// parts that were sent, in order, and then the end or that the server died; the next call is served. Up to one
/// preemption.
///
/// ```text
///   client                               server, then its heir
///   start; done = t? a part?             taken = t, part 1, part 2, done = t
///   is the server dead?                  (killed somewhere here)
///                                        claim with proof of death; taken = t: done, interrupted
/// ```
fn server_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let mut client = client(&region.join());
        let (at, heir) = (region.join(), region.join());
        client.start(&1).unwrap();
        let serving = thread::spawn(move || {
            let _ = death.run(at.port(), || serve(&mut server(&at).unwrap()));
            let mut server = server(&heir).unwrap();
            let again = serve(&mut server);
            (server, again)
        });
        let mut got = Vec::new();
        let mut end = None;
        for _ in 0..2 {
            match client.next_timeout(NOW) {
                Ok(Streamed::Part(part)) => got.push(part),
                Err(CallError::TimedOut { .. }) => {}
                other => {
                    end = Some(other);
                    break;
                }
            }
        }
        let (mut server, again) = serving.join().unwrap();
        while end.is_none() {
            end = match client.next_timeout(NOW) {
                Ok(Streamed::Part(part)) => {
                    got.push(part);
                    None
                }
                // Taken by nobody: it was served by now, or is never.
                Err(CallError::TimedOut { .. }) => {
                    serve(&mut server);
                    None
                }
                other => Some(other),
            };
        }
        assert_eq!(got, [11, 12][..got.len()]);
        match end {
            Some(Ok(Streamed::End { parts: 2 })) => assert_eq!(got.len(), 2),
            Some(Err(CallError::PeerDied { ran: Ran::No })) => assert_eq!((got.len(), again), (0, None)),
            Some(Err(CallError::PeerDied { ran: Ran::Maybe })) => assert_eq!(again, None),
            other => panic!("{other:?}"),
        }
        client.start(&2).unwrap();
        assert_eq!(serve(&mut server), Some(2));
        let mut got = Vec::new();
        assert_eq!(read(&mut client, &mut got, 3), Ok(true));
        assert_eq!(got, [21, 22]);
    });
}
