//! Streams of several clients: a server, or a client, or both in turn, killed at random points.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use strait::call::{
    CallError, LanesStreamServer, PartError, Ran, ServeLanesError, StreamClient, Streamed, TryCallError,
};
use strait::options::WaitPolicy;
use strait::value::FromLane;
use strait::{
    Channel, PeerStatus, Plan, Region, RegionOptions, SystemPort, TryRecvError, TypedConsumer, TypedProducer,
};

use crate::common::{Kid, Name, PATIENCE, role, tell};
use crate::in_turn::killed_in_turn;

strait::message! {
    /// A request: its number, and its client's.
    struct Ask { number: u64, who: u64 }

    /// A part: the request, and its own number.
    struct Piece { number: u64, who: u64, at: u64, inverse: u64 }

    /// What a server did: once for each request that it took.
    struct Act { number: u64, who: u64 }
}

impl Piece {
    fn of(ask: &Ask, at: u32) -> Self {
        Self { number: ask.number, who: ask.who, at: at.into(), inverse: !ask.number }
    }
}

const LANES: usize = 3;
/// The parts of a request: more than a queue takes, so that a stream is under way for a while.
const PARTS: u32 = 20;
const PLAN: Plan = Plan::new(&[
    Channel::streams::<Ask, Piece>("s", 2).clients(LANES as u32),
    Channel::parts_for::<Piece>("p", 8, LANES as u32),
    Channel::slots::<Act>("acts", 64).producer_may_block(),
    Channel::latest::<u64>("asked 0"),
    Channel::latest::<u64>("asked 1"),
    Channel::latest::<u64>("asked 2"),
]);
const ROUNDS: u32 = 16;

type Client = StreamClient<Ask, Piece, SystemPort>;
type Server = LanesStreamServer<Ask, Piece, SystemPort, LANES>;

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.as_str() {
        "serve" => serve_for_ever(&region),
        "call" => call_for_ever(&region, false),
        "call-on" => call_for_ever(&region, true),
        other => panic!("no such role: {other}"),
    }
}

/// Serves all lanes: each request is an act, before its first part.
fn serve_for_ever(region: &Region) -> ! {
    let mut serving = Serving::open(region);
    let mut acts = region.typed_producer::<Act>("acts").unwrap();
    tell("ready");
    loop {
        serving.step(|_, ask| act(&mut acts, ask));
        match serving.at {
            // Nothing is under way: it sleeps until there is something.
            [None, None, None] => {
                let (FromLane { lane, message }, parts) = serving.server.next_timeout(PATIENCE).unwrap();
                parts.keep();
                act(&mut acts, &message);
                serving.at[lane as usize] = Some((message, 0));
            }
            _ => std::thread::yield_now(),
        }
    }
}

fn act(acts: &mut TypedProducer<Act, SystemPort>, ask: &Ask) {
    acts.send_timeout(&Act { number: ask.number, who: ask.who }, PATIENCE).unwrap();
}

/// Calls in any free lane, as one that nobody was before.
fn call_for_ever(region: &Region, goes_on: bool) -> ! {
    let (lane, client) = region.free_lane_stream_client("s", "p").unwrap();
    let mut asked = region.latest_writer::<u64>(&format!("asked {lane}")).unwrap();
    let mut caller = Caller::new(client, u64::from(std::process::id()));
    tell(&format!("{lane} {}", caller.who));
    loop {
        let started = Instant::now();
        while !caller.start() {
            assert!(started.elapsed() < PATIENCE, "no place gets free");
            std::thread::yield_now();
        }
        asked.publish(&caller.next);
        caller.wait();
        assert!(goes_on || caller.ends.iter().all(|(_, end)| *end == End::Whole), "no server has died");
        caller.ends.clear();
    }
}

/// A server, and how far the stream of each lane is.
struct Serving {
    server: Server,
    at: [Option<(Ask, u32)>; LANES],
    /// How many streams of each lane have come to their end.
    ended: [u32; LANES],
}

impl Serving {
    fn open(region: &Region) -> Self {
        let server = region.lanes_stream_server("s", "p").expect("nobody alive has it");
        Self { server, at: [None; LANES], ended: [0; LANES] }
    }

    /// Takes all requests that there are, and sends of each stream what there is room for.
    fn step(&mut self, mut taken: impl FnMut(usize, &Ask)) {
        loop {
            match self.server.try_next() {
                Ok((FromLane { lane, message }, parts)) => {
                    parts.keep();
                    assert!(self.at[lane as usize].is_none(), "one of a lane at a time");
                    taken(lane as usize, &message);
                    self.at[lane as usize] = Some((message, 0));
                }
                Err(ServeLanesError::Empty) => break,
                Err(error) => panic!("{error}"),
            }
        }
        for lane in 0..LANES {
            let Some((ask, next)) = &mut self.at[lane] else { continue };
            let mut parts = self.server.parts(lane as u32).expect("it was kept");
            let sent = loop {
                if *next == PARTS {
                    break Ok(());
                }
                match parts.send(&Piece::of(ask, *next)) {
                    Ok(()) => *next += 1,
                    Err(error) => break Err(error),
                }
            };
            match sent {
                Ok(()) => assert_eq!(parts.end(), PARTS),
                Err(PartError::Full) => {
                    parts.keep();
                    continue;
                }
                Err(PartError::Cancelled) => parts.refuse(1),
                Err(error) => panic!("lane {lane}: {error}"),
            }
            self.ended[lane] += u32::from(sent.is_ok());
            self.at[lane] = None;
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With all its parts.
    Whole,
    /// With the server's death, after so many parts.
    Died(Ran, u32),
}

/// A client, and how its calls ended.
struct Caller {
    client: Client,
    who: u64,
    next: u64,
    /// How many parts of the call that is out have come.
    got: u32,
    ends: Vec<(u64, End)>,
}

impl Caller {
    fn new(mut client: Client, who: u64) -> Self {
        client.set_wait_policy(WaitPolicy { probe: Duration::from_millis(1), ..WaitPolicy::parking() });
        Self { client, who, next: 0, got: 0, ends: Vec::new() }
    }

    /// Makes the next call, if there is a place.
    fn start(&mut self) -> bool {
        match self.client.start(&Ask { number: self.next, who: self.who }) {
            Ok(()) => {}
            Err(TryCallError::Full) => return false,
            Err(error) => panic!("{error}"),
        }
        (self.next, self.got) = (self.next + 1, 0);
        true
    }

    /// Takes what has come, and makes the next call if none is out. Returns whether one has ended.
    fn step(&mut self) -> bool {
        if !self.client.is_out() && !self.start() {
            return false;
        }
        while let Some(next) = self.client.try_next().transpose() {
            if self.take(next) {
                return true;
            }
        }
        false
    }

    /// Waits for the end of the call that is out, if one is.
    fn wait(&mut self) {
        while self.client.is_out() {
            let next = self.client.next_timeout(PATIENCE);
            self.take(next);
        }
    }

    /// Takes a part, or an end; returns whether it was an end.
    fn take(&mut self, next: Result<Streamed<Piece>, CallError>) -> bool {
        let number = self.next - 1;
        let end = match next {
            Ok(Streamed::Part(part)) => {
                let expected = Piece::of(&Ask { number, who: self.who }, self.got);
                assert_eq!(part, expected, "another part, or another call's");
                self.got += 1;
                return false;
            }
            Ok(Streamed::End { parts }) => {
                assert_eq!((parts, self.got), (PARTS, PARTS));
                End::Whole
            }
            Err(CallError::PeerDied { ran }) => End::Died(ran, self.got),
            Err(error) => panic!("call {number}: {error}"),
        };
        self.ends.push((number, end));
        true
    }
}

/// Somewhere within 5 ms, but not before something has happened.
fn goes_on(started: Instant, events: u32, round: u32) -> bool {
    let took = started.elapsed();
    assert!(took < PATIENCE, "{events} streams are all that ended");
    took < Duration::from_micros(200 + u64::from(round) * 977 % 5000) || events < 10
}

/// What servers did: how often each request of each client was taken.
struct Acts {
    acts: TypedConsumer<Act, SystemPort>,
    ran: HashMap<(u64, u64), u32>,
}

impl Acts {
    fn drain(&mut self) {
        loop {
            match self.acts.try_recv() {
                Ok(act) => *self.ran.entry((act.who, act.number)).or_default() += 1,
                Err(TryRecvError::Empty) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A server is killed in each round, with streams to all three clients under way: every call ends, with all its parts or
/// with a death behind those that came; and none is run again.
#[test]
fn fault_133_servers_of_several_killed_at_random_run_nothing_twice_and_leave_no_call_without_an_end() {
    let name = Name::new("streams-servers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut acts = Acts { acts: region.typed_consumer("acts").unwrap(), ran: HashMap::new() };
    let open = |lane| region.lane_stream_client("s", "p", lane).unwrap();
    let mut callers = [0, 1, 2].map(|lane| Caller::new(open(lane), lane.into()));
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_streams::several::child", "serve", &name);
        kid.hear();
        let (started, mut ended) = (Instant::now(), [0; LANES]);
        // Each lane, so none is held up by another's stream, which has ended with the one before.
        while goes_on(started, ended.into_iter().min().unwrap_or(0), round) {
            for (caller, ended) in callers.iter_mut().zip(&mut ended) {
                *ended += u32::from(caller.step());
            }
            acts.drain();
        }
        kid.kill();
        assert!(callers.iter().all(|caller| caller.client.peer() == PeerStatus::Dead));
        // Every other time the clients look for the death; else the successor tells of it.
        if round % 2 == 0 {
            callers.iter_mut().for_each(Caller::wait);
        }
    }
    callers.iter_mut().for_each(Caller::wait);
    let mut heir = Serving::open(&region);
    heir.step(|lane, ask| panic!("{ask:?} of lane {lane} was withdrawn, or taken by the dead"));
    acts.drain();
    let (mut whole, mut within) = (0, 0);
    for caller in &callers {
        assert_eq!((caller.ends.len() as u64, caller.client.fault()), (caller.next, None));
        for &(number, end) in &caller.ends {
            let ran = acts.ran.get(&(caller.who, number)).copied().unwrap_or(0);
            let (least, most) = match end {
                End::Whole => (1, 1),
                End::Died(Ran::No, got) => {
                    assert_eq!(got, 0, "call {number} of {} has run", caller.who);
                    (0, 0)
                }
                End::Died(Ran::Maybe, got) => (u32::from(got > 0), 1),
            };
            assert!((least..=most).contains(&ran), "call {number} of {}: {end:?}, ran {ran}", caller.who);
            whole += u32::from(end == End::Whole);
            within += u32::from(matches!(end, End::Died(_, 1..)));
        }
        let maybe = caller.ends.iter().filter(|(_, end)| matches!(end, End::Died(Ran::Maybe, _))).count();
        assert!(maybe as u32 <= ROUNDS, "one request of a lane is taken at a time");
    }
    println!("{whole} streams came whole, {within} ended with a death within their parts");
    assert!(whole >= 20 * ROUNDS, "{whole} streams are too few to mean anything");
}

/// A client is killed in each round: what it asked for is served, its successor gets the parts of its own calls alone, and
/// the other lanes go on.
#[test]
fn fault_133_clients_of_several_killed_at_random_leave_no_parts_and_hold_up_nobody() {
    let name = Name::new("streams-clients");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut serving = Serving::open(&region);
    let mut asked = [0, 1, 2].map(|lane| region.latest_reader::<u64>(&format!("asked {lane}")).unwrap());
    let start = || {
        let kid = Kid::spawn("kill_streams::several::child", "call", &name);
        let told = kid.hear();
        let (lane, who) = told.split_once(' ').unwrap();
        (kid, lane.parse::<usize>().unwrap(), who.parse::<u64>().unwrap())
    };
    let mut kids: VecDeque<_> = (0..LANES).map(|_| start()).collect();
    // Of each lane: its clients, the living one last, each with the number of its next request and of those that it told
    // of before it died.
    let mut lanes: [VecDeque<(u64, u64, u64)>; LANES] = Default::default();
    kids.iter().for_each(|&(_, lane, who)| lanes[lane].push_back((who, 0, 0)));
    let take = |lanes: &mut [VecDeque<(u64, u64, u64)>; LANES], lane: usize, ask: &Ask| {
        let clients = &mut lanes[lane];
        while clients[0].0 != ask.who {
            let (who, next, told) = clients.pop_front().expect("one that there is asks");
            assert!(next >= told, "lane {lane}: {next} of {told} requests of {who} were served");
        }
        assert_eq!(ask.number, clients[0].1, "lane {lane}");
        clients[0].1 += 1;
    };
    let mut all = 0;
    for round in 0..ROUNDS {
        serving.ended = [0; LANES];
        let started = Instant::now();
        // A child that is wrong ends, and asks for nothing more.
        while goes_on(started, serving.ended.into_iter().min().unwrap_or(0), round) {
            serving.step(|lane, ask| take(&mut lanes, lane, ask));
        }
        all += serving.ended.iter().sum::<u32>();
        let (mut kid, lane, _) = kids.pop_front().unwrap();
        kid.kill();
        assert_eq!(serving.server.peer(lane as u32), Some(PeerStatus::Dead));
        lanes[lane].back_mut().expect("it was there").2 = asked[lane].read().value().unwrap_or_default();
        // The others go on while the dead one's stream does not.
        let others = [(lane + 1) % LANES, (lane + 2) % LANES];
        let (started, before) = (Instant::now(), serving.ended);
        while others.iter().any(|&other| serving.ended[other] < before[other] + 3) {
            assert!(started.elapsed() < PATIENCE, "held up by the dead one");
            serving.step(|lane, ask| take(&mut lanes, lane, ask));
        }
        let heir = start();
        assert_eq!(heir.1, lane, "the dead one's lane is the only one to be claimed");
        lanes[lane].push_back((heir.2, 0, 0));
        // It has told of nothing yet.
        kids.push_back(heir);
    }
    assert!((0..LANES as u32).all(|lane| serving.server.fault(lane).is_none()));
    assert!(all >= 30 * ROUNDS, "{all} streams are too few to mean anything");
}

/// Servers and clients are killed in turn: nothing runs twice, and the others go on.
#[test]
fn clients_of_several_and_servers_killed_in_turn_run_nothing_twice() {
    let name = Name::new("streams-both");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut acts = region.typed_consumer::<Act>("acts").unwrap();
    let start = |role| {
        let kid = Kid::spawn("kill_streams::several::child", role, &name);
        kid.hear();
        kid
    };
    let (serve, call) = (|| start("serve"), || start("call-on"));
    let act = || acts.try_recv().ok().map(|act| (act.who, act.number));
    let all = killed_in_turn((LANES, ROUNDS), serve, call, goes_on, act);
    assert!(acts.fault().is_none() && all >= 30 * ROUNDS, "{all} acts are too few to mean anything");
}
