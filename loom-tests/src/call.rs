//! Calls: every answer belongs to its request, and a request that is said not to have run has not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, CallClient, CallError, CallServer, Channel, ChannelError, Interrupted, Plan, Ran, ServeError,
    TryCallError, WakeCheck,
};

use crate::models;
use crate::search::{ALL, Search, up_to};
use crate::spsc_succession::claim;
use crate::waiting::LONG;

models! {
    "answers_match/1_place" => answers_match(up_to(3).quick(2), 1),
    "answers_match/2_places" => answers_match(up_to(3).quick(2), 2),
    "both_wait/1_place" => both_wait(up_to(2), 1),
    "both_wait/2_places" => both_wait(up_to(2), 2),
    "withdrawn_or_taken/1_place" => withdrawn_or_taken(ALL, 1),
    "withdrawn_or_taken/2_places" => withdrawn_or_taken(ALL, 2),
    "a_late_answer_fills_no_newer_call/1_place" => a_late_answer_fills_no_newer_call(up_to(3).quick(2), 1),
    "a_late_answer_fills_no_newer_call/2_places" => a_late_answer_fills_no_newer_call(up_to(3).quick(2), 2),
    "server_dies/tell" => server_dies(up_to(2), Interrupted::Tell),
    "server_dies/again" => server_dies(up_to(2), Interrupted::Again),
    "a_successor_is_not_the_dead" => a_successor_is_not_the_dead(up_to(3)),
    "client_dies" => client_dies(up_to(2)),
}

/// No time at all: a wait looks once.
const NOW: Duration = Duration::ZERO;

type Client = CallClient<[u32; 2], [u32; 2], Port>;
type Server = CallServer<[u32; 2], [u32; 2], Port>;

const ONE: Plan<'static> = Plan::new(&[Channel::calls::<[u32; 2], [u32; 2]>("c", 1)]).line(4).participants(4);
const TWO: Plan<'static> = Plan::new(&[Channel::calls::<[u32; 2], [u32; 2]>("c", 2)]).line(4).participants(4);

fn plan(places: u32) -> &'static Plan<'static> {
    match places {
        1 => &ONE,
        2 => &TWO,
        _ => panic!("no such plan"),
    }
}

/// A client whose wake checks have no fence: that would hide the lack of another order.
fn client(at: &Attachment<Port>) -> Result<Client, ChannelError> {
    let mut client: Client = at.call_client("c")?;
    client.set_wake_check(WakeCheck::Unfenced);
    Ok(client)
}

/// A server whose wake checks have no fence.
fn server(at: &Attachment<Port>) -> Result<Server, ChannelError> {
    let mut server: Server = at.call_server("c")?;
    server.set_wake_check(WakeCheck::Unfenced);
    Ok(server)
}

/// Both sides, which sleep and wake each other.
fn sleepers(region: &Region) -> (Client, Server) {
    (region.join().call_client("c").unwrap(), region.join().call_server("c").unwrap())
}

/// A request, carried redundantly, so that a torn one is noticed.
fn request(number: u32) -> [u32; 2] {
    [number, !number]
}

/// The answer to a request, which is whole.
fn answer(request: [u32; 2]) -> [u32; 2] {
    assert_eq!(request[0], !request[1], "the request is torn");
    [request[0] + 100, !(request[0] + 100)]
}

fn is_answer(to: u32, got: [u32; 2]) {
    assert_eq!(got, answer(request(to)), "the answer to {to}");
}

/// The requests on which servers have acted, in order.
#[derive(Clone, Default)]
struct Acts(Arc<Mutex<Vec<u32>>>);

impl Acts {
    /// What a server does with a request, between taking it and answering it.
    fn act(&self, request: [u32; 2]) -> [u32; 2] {
        self.0.lock().expect("nobody dies with it").push(request[0]);
        answer(request)
    }

    fn of(&self, number: u32) -> usize {
        self.0.lock().expect("nobody dies with it").iter().filter(|&&act| act == number).count()
    }

    fn all(&self) -> Vec<u32> {
        self.0.lock().expect("nobody dies with it").clone()
    }
}

/// Takes a request, acts on it and answers it, if there is one.
fn serve(server: &mut Server, acts: &Acts) -> bool {
    match server.try_next() {
        Ok((request, reply)) => {
            reply.answer(&acts.act(request));
            true
        }
        Err(ServeError::Empty) => false,
        Err(error) => panic!("{error}"),
    }
}

/// The client makes more calls than there are places; each answer is whole, and that of its request. Up to three
/// preemptions.
///
/// ```text
///   client                                server
///   request, ticket = t                   ticket = t? taken_by, taken = t, fence, mode
///   done = t? status, answer              request, answer, status, done = t
/// ```
fn answers_match(search: Search, places: u32) {
    search.check(move || {
        let region = Region::new(plan(places));
        let (mut client, mut server) = (client(&region.join()).unwrap(), server(&region.join()).unwrap());
        let acts = Acts::default();
        let there = acts.clone();
        let serving = thread::spawn(move || {
            for _ in 0..3 {
                serve(&mut server, &there);
            }
            server
        });
        let mut out = Vec::new();
        let mut made = 0;
        for _ in 0..3 {
            match client.try_call(&request(made + 1)) {
                Ok(ticket) => {
                    made += 1;
                    out.push((made, ticket));
                }
                Err(error) => assert_eq!(error, TryCallError::Full),
            }
            out.retain(|&(number, ticket)| match client.poll(ticket) {
                Ok(Some(got)) => {
                    is_answer(number, got);
                    false
                }
                other => {
                    assert_eq!(other, Ok(None));
                    true
                }
            });
        }
        let mut server = serving.join().unwrap();
        while serve(&mut server, &acts) {}
        for (number, ticket) in out {
            is_answer(number, client.poll(ticket).unwrap().unwrap());
        }
        assert_eq!(acts.all(), (1..=made).collect::<Vec<_>>());
    });
}

/// Both sides sleep, and neither misses its wake: that would be a deadlock. Up to two preemptions.
///
/// ```text
///   client                                server
///   request, ticket = t                   parked = 1, fence
///   fence, parked? then 0, wake           ticket = t? sleep while parked = 1
///   parked = 1, fence                     answer, done = t
///   done = t? sleep while parked = 1      fence, parked? then 0, wake
/// ```
fn both_wait(search: Search, places: u32) {
    search.check(move || {
        let region = Region::new(plan(places));
        let (mut client, mut server) = sleepers(&region);
        let serving = thread::spawn(move || {
            for _ in 0..2 {
                let (request, reply) = server.next_timeout(LONG).unwrap();
                reply.answer(&answer(request));
            }
        });
        for number in 1..=2 {
            is_answer(number, client.call_timeout(&request(number), LONG).unwrap());
        }
        serving.join().unwrap();
    });
}

/// A client withdraws its call while the server takes it. If it hears that the request has not run, it has not, and
/// never will.
///
/// ```text
///   client                                server
///   mode = withdrawn                      taken = t
///   fence                                 fence
///   taken = t?                            mode = withdrawn? then done = t
/// ```
fn withdrawn_or_taken(search: Search, places: u32) {
    search.check(move || {
        let region = Region::new(plan(places));
        let (mut client, mut server) = (client(&region.join()).unwrap(), server(&region.join()).unwrap());
        let acts = Acts::default();
        let there = acts.clone();
        let ticket = client.try_call(&request(1)).unwrap();
        let serving = thread::spawn(move || {
            serve(&mut server, &there);
            server
        });
        let ran = client.cancel(ticket).unwrap();
        let mut server = serving.join().unwrap();
        while serve(&mut server, &acts) {}
        assert_eq!(client.poll(ticket), Err(CallError::UnknownTicket));
        assert!(ran == Ran::Maybe || acts.of(1) == 0, "it was said not to have run");
        // The place is free again.
        let ticket = client.try_call(&request(2)).unwrap();
        assert!(serve(&mut server, &acts));
        is_answer(2, client.poll(ticket).unwrap().unwrap());
    });
}

/// A client gives a call up and makes the next one, which waits for the place if there is but one. It gets the answer to
/// that, never the late one. Up to three preemptions.
///
/// ```text
///   client                                server
///   ticket = t, mode = withdrawn          taken = t, answer, done = t
///   done = t? ticket = t + N              taken = t + N, answer, done = t + N
///   done = t + N? answer
/// ```
fn a_late_answer_fills_no_newer_call(search: Search, places: u32) {
    search.check(move || {
        let region = Region::new(plan(places));
        let (mut client, mut server) = sleepers(&region);
        let acts = Acts::default();
        let there = acts.clone();
        let serving = thread::spawn(move || {
            loop {
                let (request, reply) = server.next_timeout(LONG).unwrap();
                reply.answer(&there.act(request));
                if request[0] == 2 {
                    break;
                }
            }
        });
        let ticket = client.try_call(&request(1)).unwrap();
        let ran = client.cancel(ticket).unwrap();
        is_answer(2, client.call_timeout(&request(2), LONG).unwrap());
        serving.join().unwrap();
        assert!(ran == Ran::Maybe || acts.of(1) == 0, "it was said not to have run");
    });
}

/// The server dies anywhere from its claim to its end, and another takes over, while the client waits. The client
/// learns one thing, and that is true: the answer; that nobody has acted on its request; that somebody may have; or
/// nothing yet. The next call is served. Up to two preemptions.
///
/// ```text
///   client                                server, then its heir
///   ticket = t                            taken_by, taken = t, fence, mode
///   done = t?                             act, answer, done = t
///   is the server dead?                   (killed somewhere here)
///   mode = withdrawn, fence               claim with proof of death
///   taken = t? by whom?                   taken = t? by the dead one
/// ```
fn server_dies(search: Search, interrupted: Interrupted) {
    search.each_death(move |death| {
        let region = Region::new(&ONE);
        let mut client = client(&region.join()).unwrap();
        let (at, heir) = (region.join(), region.join());
        let acts = Acts::default();
        let there = acts.clone();
        let serving = thread::spawn(move || {
            let _ = death.run(at.port(), || serve(&mut server(&at).unwrap(), &there));
            let mut server = server(&heir).unwrap();
            server.set_interrupted(interrupted);
            serve(&mut server, &there);
            server
        });
        // Out of time at once, it looks once for an answer and once for deaths.
        let end = client.call_timeout(&request(1), NOW);
        let ran = match end {
            Ok(got) => {
                is_answer(1, got);
                assert!(acts.of(1) > 0);
                Ran::Maybe
            }
            Err(CallError::PeerDied { ran }) => ran,
            Err(CallError::TimedOut { ticket }) => client.cancel(ticket).unwrap(),
            Err(error) => panic!("{error}"),
        };
        let mut server = serving.join().unwrap();
        while serve(&mut server, &acts) {}
        assert!(ran == Ran::Maybe || acts.of(1) == 0, "it was said not to have run");
        let most = if interrupted == Interrupted::Again { 2 } else { 1 };
        assert!(acts.of(1) <= most, "it ran {} times", acts.of(1));
        let ticket = client.try_call(&request(2)).unwrap();
        assert!(serve(&mut server, &acts));
        is_answer(2, client.poll(ticket).unwrap().unwrap());
    });
}

/// A server has done one call and is dead. Its successor takes the next one, while the client looks for deaths: it must
/// not take the successor's work for that of the dead one. Up to three preemptions.
///
/// ```text
///   client                                the successor
///   ticket = 2, the server is dead        claim with proof of death
///   mode = withdrawn, fence               taken_by = me
///   taken = 2? taken_by                   taken = 2, fence, mode
/// ```
fn a_successor_is_not_the_dead(search: Search) {
    search.check(move || {
        let region = Region::new(&ONE);
        let mut client = client(&region.join()).unwrap();
        let (at, heir) = (region.join(), region.join());
        let acts = Acts::default();
        let mut first = server(&at).unwrap();
        let ticket = client.try_call(&request(1)).unwrap();
        assert!(serve(&mut first, &acts));
        is_answer(1, client.poll(ticket).unwrap().unwrap());
        std::mem::forget(first);
        at.port().end();
        let there = acts.clone();
        let serving = thread::spawn(move || {
            let mut server = server(&heir).unwrap();
            serve(&mut server, &there);
            server
        });
        let end = client.call_timeout(&request(2), NOW);
        let mut server = serving.join().unwrap();
        match end {
            Ok(got) => is_answer(2, got),
            Err(CallError::PeerDied { ran: Ran::No }) => {
                while serve(&mut server, &acts) {}
                assert_eq!(acts.of(2), 0, "it was said not to have run");
            }
            Err(CallError::TimedOut { ticket }) => {
                while serve(&mut server, &acts) {}
                match client.poll(ticket) {
                    Ok(got) => is_answer(2, got.unwrap()),
                    Err(error) => {
                        assert_eq!(error, CallError::PeerDied { ran: Ran::No });
                        assert_eq!(acts.of(2), 0, "it was said not to have run");
                    }
                }
            }
            Err(error) => panic!("the dead server took nothing: {error}"),
        }
    });
}

/// The client dies anywhere from its claim to its end, and another takes over, while the server goes on. The server
/// acts on what was asked, in order and once; the successor gets the answer to its own request. Up to two preemptions.
///
/// ```text
///   client, then its heir                 server
///   claim, request, ticket = t            ticket = t? take, act
///   (killed somewhere here)               answer, done = t
///   claim with proof of death
///   walk from the mark; done = t?
///   request, ticket = t + N
/// ```
fn client_dies(search: Search) {
    search.each_death(move |death| {
        let region = Region::new(&ONE);
        let mut server = server(&region.join()).unwrap();
        let (at, heir) = (region.join(), region.join());
        let acts = Acts::default();
        let calling = thread::spawn(move || {
            let lived = death.run(at.port(), || {
                let mut client = client(&at).unwrap();
                let ticket = client.try_call(&request(1)).unwrap();
                if let Some(got) = client.poll(ticket).unwrap() {
                    is_answer(1, got);
                }
            });
            let mut client = claim(|| client(&heir));
            let ticket = client.try_call(&request(2)).ok();
            (lived.is_ok(), client, ticket)
        });
        for _ in 0..2 {
            serve(&mut server, &acts);
        }
        let (lived, mut client, ticket) = calling.join().unwrap();
        while serve(&mut server, &acts) {}
        let ticket = ticket.unwrap_or_else(|| {
            let ticket = client.try_call(&request(2)).unwrap();
            assert!(serve(&mut server, &acts));
            ticket
        });
        is_answer(2, client.poll(ticket).unwrap().unwrap());
        let all = acts.all();
        assert!(all == [1, 2] || all == [2] && !lived, "{all:?}");
    });
}
