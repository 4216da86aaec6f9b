//! Real processes that call and serve in lanes, killed at random points.
#![cfg(any(target_os = "linux", windows))]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, role, tell};
use crate::in_turn::killed_in_turn;
use strait::call::{CallError, Interrupted, LanesServer, Ran, ServeLanesError, Ticket, TryCallError};
use strait::options::WaitPolicy;
use strait::value::FromLane;
use strait::{
    CallClient, Channel, PeerStatus, Plan, Region, RegionOptions, SystemPort, TryRecvError, TypedConsumer,
};

strait::message! {
    /// A request: its number, and its client's.
    struct Ask { number: u64, who: u64, filler: [u64; 6] }

    /// An answer: the request, and its inverse.
    struct Told { number: u64, who: u64, inverse: u64, filler: [u64; 6] }

    /// What a server did: once for each request that it ran.
    struct Act { number: u64, who: u64 }
}

impl Ask {
    fn new(number: u64, who: u64) -> Self {
        Self { number, who, filler: [number; 6] }
    }
}

impl Told {
    fn to(ask: &Ask) -> Self {
        assert_eq!(*ask, Ask::new(ask.number, ask.who), "half a request");
        Self { number: ask.number, who: ask.who, inverse: !ask.number, filler: ask.filler }
    }
}

const LANES: usize = 3;
const PLAN: Plan = Plan::new(&[
    Channel::calls::<Ask, Told>("calls", 4).clients(LANES as u32),
    Channel::slots::<Act>("acts", 64).producer_may_block(),
    Channel::latest::<u64>("asked 0"),
    Channel::latest::<u64>("asked 1"),
    Channel::latest::<u64>("asked 2"),
]);
const ROUNDS: u32 = 24;

type Client = CallClient<Ask, Told, SystemPort>;
type Server = LanesServer<Ask, Told, SystemPort, LANES>;

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.as_str() {
        "serve-and-tell" => serve_for_ever(&region, Interrupted::Tell),
        "serve-again" => serve_for_ever(&region, Interrupted::Again),
        "call-for-ever" => call_for_ever(&region),
        other => panic!("no such role: {other}"),
    }
}

/// Serves all lanes: each request is an act, which is done before it is answered.
fn serve_for_ever(region: &Region, interrupted: Interrupted) -> ! {
    let mut server: Server = region.lanes_call_server("calls").unwrap();
    server.set_interrupted(interrupted);
    let mut acts = region.typed_producer::<Act>("acts").unwrap();
    tell("ready");
    loop {
        let (FromLane { message, .. }, reply) = server.next_timeout(PATIENCE).unwrap();
        acts.send_timeout(&Act { number: message.number, who: message.who }, PATIENCE).unwrap();
        reply.answer(&Told::to(&message));
    }
}

/// Calls in any free lane, as one that nobody was before.
fn call_for_ever(region: &Region) -> ! {
    let (lane, client) = region.free_lane_call_client("calls").unwrap();
    let mut asked = region.latest_writer::<u64>(&format!("asked {lane}")).unwrap();
    let mut caller = Caller::new(client, u64::from(std::process::id()));
    tell(&format!("{lane} {}", caller.who));
    loop {
        while caller.call() {
            asked.publish(&caller.next);
        }
        caller.wait_for_one();
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    Died(Ran),
}

/// A client, its calls that are out, and how the others ended.
struct Caller {
    client: Client,
    who: u64,
    next: u64,
    out: VecDeque<(Ticket, u64)>,
    ends: Vec<(u64, End)>,
}

impl Caller {
    fn new(mut client: Client, who: u64) -> Self {
        client.set_wait_policy(WaitPolicy { probe: Duration::from_millis(1), ..WaitPolicy::parking() });
        Self { client, who, next: 0, out: VecDeque::new(), ends: Vec::new() }
    }

    /// Makes the next call, if there is a place.
    fn call(&mut self) -> bool {
        match self.client.try_call(&Ask::new(self.next, self.who)) {
            Ok(ticket) => self.out.push_back((ticket, self.next)),
            Err(TryCallError::Full) => return false,
            Err(error) => panic!("{error}"),
        }
        self.next += 1;
        true
    }

    /// Takes the answers that have come; returns how many.
    fn poll(&mut self) -> u32 {
        let before = self.out.len();
        for (ticket, number) in std::mem::take(&mut self.out) {
            match self.client.poll(ticket).transpose() {
                None => self.out.push_back((ticket, number)),
                Some(end) => self.end(number, end),
            }
        }
        (before - self.out.len()) as u32
    }

    /// Waits until the first call has ended, as it does also if the server is dead.
    fn wait_for_one(&mut self) {
        if let Some((ticket, number)) = self.out.pop_front() {
            let end = self.client.wait_timeout(ticket, PATIENCE);
            self.end(number, end);
        }
    }

    fn wait_for_all(&mut self) {
        while !self.out.is_empty() {
            self.wait_for_one();
        }
    }

    fn end(&mut self, number: u64, end: Result<Told, CallError>) {
        let end = match end {
            Ok(told) => {
                assert_eq!(told, Told::to(&Ask::new(number, self.who)), "another call's answer");
                End::Answered
            }
            Err(CallError::PeerDied { ran }) => End::Died(ran),
            Err(error) => panic!("call {number}: {error}"),
        };
        self.ends.push((number, end));
    }
}

/// Somewhere within 5 ms, but not before something has happened.
fn goes_on(started: Instant, events: u32, round: u32) -> bool {
    let took = started.elapsed();
    assert!(took < PATIENCE, "{events} events are all that happened");
    took < Duration::from_micros(200 + u64::from(round) * 977 % 5000) || events < 50
}

/// What servers did: of each caller, how often each of its requests ran.
struct Acts {
    acts: TypedConsumer<Act, SystemPort>,
    ran: Vec<Vec<u32>>,
}

impl Acts {
    fn open(region: &Region) -> Self {
        Self { acts: region.typed_consumer("acts").unwrap(), ran: vec![Vec::new(); LANES] }
    }

    fn drain(&mut self) {
        loop {
            match self.acts.try_recv() {
                Ok(act) => {
                    let (ran, number) = (&mut self.ran[act.who as usize], act.number as usize);
                    ran.resize(ran.len().max(number + 1), 0);
                    ran[number] += 1;
                }
                Err(TryRecvError::Empty) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn of(&self, who: u64, number: u64) -> u32 {
        self.ran[who as usize].get(number as usize).copied().unwrap_or(0)
    }
}

/// Kills a server in each round, while three clients call; every call ends, and what is said of it is so. Returns how
/// many requests ran more than once.
fn servers_killed_at_random(test: &str, role: &str) -> u32 {
    let name = Name::new(test);
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut acts = Acts::open(&region);
    let mut callers =
        [0, 1, 2].map(|lane| Caller::new(region.lane_call_client("calls", lane).unwrap(), u64::from(lane)));
    for round in 0..=ROUNDS {
        let mut kid = Kid::spawn("kill_calls::child", role, &name);
        kid.hear();
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            for caller in &mut callers {
                while caller.call() {}
                events += caller.poll();
            }
            acts.drain();
        }
        // In the last round everything is served.
        while round == ROUNDS && callers.iter().any(|caller| !caller.out.is_empty()) {
            assert!(started.elapsed() < PATIENCE, "calls are out for ever");
            for caller in &mut callers {
                caller.poll();
            }
            acts.drain();
        }
        kid.kill();
        assert!(callers.iter().all(|caller| caller.client.peer() == PeerStatus::Dead));
        // Every other time the clients look for the death; else the successor tells of it.
        if round % 2 == 0 {
            callers.iter_mut().for_each(Caller::wait_for_all);
        }
    }
    acts.drain();
    let (mut answered, mut repeated) = (0, 0);
    for caller in &callers {
        assert_eq!((caller.ends.len() as u64, caller.client.fault()), (caller.next, None));
        for &(number, end) in &caller.ends {
            let ran = acts.of(caller.who, number);
            match end {
                End::Answered => {
                    assert!(ran > 0, "call {number} of {} was answered and never ran", caller.who)
                }
                End::Died(Ran::No) => assert_eq!(ran, 0, "call {number} of {} has run", caller.who),
                End::Died(Ran::Maybe) => {}
            }
            answered += u32::from(end == End::Answered);
            repeated += ran.saturating_sub(1);
        }
        let maybe = caller.ends.iter().filter(|(_, end)| *end == End::Died(Ran::Maybe)).count() as u32;
        assert!(maybe <= ROUNDS + 1, "one request is taken at a time");
    }
    assert!(answered > 1000, "{answered} answers are too few to mean anything");
    repeated
}

#[test]
fn fault_28_servers_killed_at_random_run_nothing_twice_and_say_what_may_have_run() {
    assert_eq!(servers_killed_at_random("calls-tell", "serve-and-tell"), 0);
}

#[test]
fn fault_78_servers_killed_at_random_run_again_what_was_taken_and_no_more() {
    assert!(servers_killed_at_random("calls-again", "serve-again") <= ROUNDS + 1);
}

/// A client is killed in each round: all that it asked for is served, once and in order, and its successor in the lane
/// gets no answer of it.
#[test]
fn fault_84_clients_killed_at_random_are_served_and_hold_up_nobody() {
    let name = Name::new("calls-clients");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut server: Server = region.lanes_call_server("calls").unwrap();
    let mut asked = [0, 1, 2].map(|lane| region.latest_reader::<u64>(&format!("asked {lane}")).unwrap());
    let start = || {
        let kid = Kid::spawn("kill_calls::child", "call-for-ever", &name);
        let told = kid.hear();
        let (lane, who) = told.split_once(' ').unwrap();
        (kid, lane.parse::<usize>().unwrap(), who.parse::<u64>().unwrap())
    };
    let mut kids: VecDeque<_> = (0..LANES).map(|_| start()).collect();
    // Of each lane: its client's number, and that of its next request.
    let mut next = [(0, 0); LANES];
    kids.iter().for_each(|&(_, lane, who)| next[lane].0 = who);
    let mut served = [0; LANES];
    let mut all = 0;
    for round in 0..ROUNDS {
        served = [0; LANES];
        let started = Instant::now();
        // A child that is wrong ends, and asks for nothing more.
        while goes_on(started, served.into_iter().min().unwrap_or(0), round) {
            serve(&mut server, &mut next, &mut served);
        }
        all += served.iter().sum::<u32>();
        let (mut kid, lane, _) = kids.pop_front().unwrap();
        kid.kill();
        assert_eq!(server.peer(lane as u32), Some(PeerStatus::Dead));
        let known = asked[lane].read().value().unwrap_or_default();
        (0..100).for_each(|_| serve(&mut server, &mut next, &mut served));
        assert!(next[lane].1 >= known, "lane {lane}, round {round}: {} of {known} served", next[lane].1);
        let heir = start();
        assert_eq!(heir.1, lane, "the dead one's lane is the only one to be claimed");
        next[lane] = (heir.2, 0);
        kids.push_back(heir);
    }
    assert!((0..LANES as u32).all(|lane| server.fault(lane).is_none()));
    assert!(all > 1000, "{all} calls are too few to mean anything, the last {served:?}");
}

/// Serves what is there; each lane's requests come in order, from the one that has the lane.
fn serve(server: &mut Server, next: &mut [(u64, u64); LANES], served: &mut [u32; LANES]) {
    let answer = |lane: u32, ask: &Ask| {
        let (who, number) = &mut next[lane as usize];
        assert_eq!((ask.who, ask.number), (*who, *number), "lane {lane}");
        *number += 1;
        served[lane as usize] += 1;
        Told::to(ask)
    };
    match server.serve_timeout(Duration::from_millis(1), answer) {
        Ok(_) | Err(ServeLanesError::TimedOut) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Servers and clients are killed in turn: nothing runs twice, and the others go on.
#[test]
fn clients_and_servers_killed_in_turn_run_nothing_twice() {
    let name = Name::new("calls-both");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut acts = region.typed_consumer::<Act>("acts").unwrap();
    let start = |role| {
        let kid = Kid::spawn("kill_calls::child", role, &name);
        kid.hear();
        kid
    };
    let (serve, call) = (|| start("serve-and-tell"), || start("call-for-ever"));
    let act = || acts.try_recv().ok().map(|act| (act.who, act.number));
    let all = killed_in_turn((LANES, ROUNDS), serve, call, goes_on, act);
    assert!(acts.fault().is_none() && all > 1000, "{all} acts are too few to mean anything");
}
