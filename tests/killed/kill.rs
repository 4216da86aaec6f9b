//! Real processes, killed (SIGKILL, TerminateProcess) at chosen points and at random ones (FAULTS 17 to 20, 23, 29
//! and the claim that a role has one live owner).
#![cfg(any(target_os = "linux", windows))]

use std::time::{Duration, Instant};

use crate::common::os::{NAMED_STAYS, die};
use crate::common::{Kid, Name, PATIENCE, linger, role, tell};
use crate::onlooker::Onlooker;
use strait::{
    Attachment, Channel, ChannelError, PeerStatus, Plan, Reading, Region, RegionOptions, RegionPlace,
    SystemPort, TryRecvError, TrySendError,
    options::ConsumerOptions,
    port::{Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint},
};

strait::message! {
    /// A value that shows whether it is whole.
    struct Whole { number: u64, inverse: u64, filler: [u64; 14] }
}

impl Whole {
    fn new(number: u64) -> Self {
        Self { number, inverse: !number, filler: [number; 14] }
    }

    fn is_whole(&self) -> bool {
        *self == Self::new(self.number)
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", 4096, 512).consumer_may_block().producer_may_block(),
    Channel::slots::<Whole>("slots", 16),
    Channel::latest::<Whole>("latest"),
]);

/// How many released frames a successor may see again.
const BOUND: u32 = 4;

fn open(region: &RegionPlace) -> Region {
    region.open(&RegionOptions::new()).expect("the test made the region")
}

fn make(name: &Name) -> Region {
    name.region().create(&PLAN, &RegionOptions::new()).expect("the name is free")
}

/// A port whose process dies between publishing and waking.
#[derive(Clone)]
struct DiesOnWake(SystemPort);

impl Wait for DiesOnWake {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.0.wait(point, expected, timeout);
    }

    fn wake(&self, _: WaitPoint<'_>) {
        die();
    }
}

// SAFETY: as the port within.
unsafe impl Liveness for DiesOnWake {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.0.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.0.release(who) };
    }

    fn probe(&self, who: Ident) -> Probe {
        self.0.probe(who)
    }
}

impl Clock for DiesOnWake {
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }
}

// SAFETY: as the port within.
unsafe impl Port for DiesOnWake {
    fn mem(&self) -> &Mem {
        self.0.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.0.ident()
    }
}

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region = open(&region);
    match role.as_str() {
        "reserve" => {
            let mut tx = region.producer("frames").unwrap();
            tx.try_send(1, b"committed").unwrap();
            let _grant = tx.reserve(100).unwrap();
            tell("reserved");
            linger();
        }
        "mid-payload" => {
            let mut tx = region.producer("frames").unwrap();
            tx.try_send(1, b"committed").unwrap();
            let mut grant = tx.reserve(100).unwrap();
            grant.write(0, &[0xEE; 50]);
            tell("half written");
            linger();
        }
        "die-on-wake" => {
            let region = Attachment::attach(DiesOnWake(region.port().clone())).unwrap();
            let mut tx = region.producer("frames").unwrap();
            tell("ready");
            let mut go = String::new();
            std::io::stdin().read_line(&mut go).unwrap();
            tx.try_send(19, b"published, and then nothing").unwrap();
            tell("nobody slept, so nobody was woken");
            linger();
        }
        "hold" => {
            let mut rx = region.consumer("frames").unwrap();
            let peek = rx.peek().unwrap();
            tell(&format!("{}", peek.info().sequence));
            linger();
        }
        "send-for-ever" => {
            let mut tx = region.typed_producer::<Whole>("slots").unwrap();
            tell("ready");
            let mut next = u64::from(tx.next_sequence());
            loop {
                match tx.try_send(&Whole::new(next)) {
                    Ok(()) => next += 1,
                    Err(error) => assert_eq!(error, TrySendError::Full),
                }
            }
        }
        "receive-for-ever" => {
            let options = ConsumerOptions::new().release_every(BOUND);
            let mut rx = region.consumer_with("frames", options).unwrap();
            let mut last = region.latest_writer::<Whole>("latest").unwrap();
            tell("ready");
            let mut buffer = [0; 512];
            loop {
                let frame = rx.recv_timeout(&mut buffer, PATIENCE).unwrap();
                last.publish(&Whole::new(u64::from(frame.sequence)));
            }
        }
        "publish-for-ever" => {
            let mut writer = region.latest_writer::<Whole>("latest").unwrap();
            tell("ready");
            for number in writer.published() + 1.. {
                writer.publish(&Whole::new(number));
            }
        }
        "own" => {
            let _tx = region.producer("frames").unwrap();
            tell("mine");
            linger();
        }
        "both-ends" => {
            let mut tx = region.producer("frames").unwrap();
            let mut rx = region.consumer("frames").unwrap();
            for n in 0..10 {
                tx.try_send(n, &n.to_le_bytes()).unwrap();
            }
            let mut buffer = [0; 512];
            for n in 0..3 {
                assert_eq!(rx.try_recv(&mut buffer).unwrap().tag, n);
            }
            rx.flush();
            tell("ten sent, three received");
            linger();
        }
        other => panic!("no such role: {other}"),
    }
}

fn killed(role: &str, name: &Name) {
    let mut kid = Kid::spawn("kill::child", role, name);
    kid.hear();
    kid.kill();
}

fn only_the_committed_frame_is_there(name: &Name) {
    let region = open(&name.region());
    let mut rx = region.consumer("frames").unwrap();
    let mut buffer = [0; 512];
    assert_eq!(rx.peer(), PeerStatus::Dead);
    assert_eq!(rx.try_recv(&mut buffer).unwrap().sequence, 0);
    assert_eq!(rx.try_recv(&mut buffer), Err(TryRecvError::Empty));
    let mut tx = region.producer("frames").unwrap();
    assert!(tx.taken_over_from().is_some());
    tx.try_send(2, b"successor").unwrap();
    let next = rx.try_recv(&mut buffer).unwrap();
    assert_eq!((next.sequence, &buffer[..next.len]), (1, &b"successor"[..]));
}

#[test]
fn fault_17_killed_after_reserve_leaves_nothing() {
    let name = Name::new("reserve");
    let _region = make(&name);
    killed("reserve", &name);
    only_the_committed_frame_is_there(&name);
}

#[test]
fn fault_18_killed_in_mid_payload_leaves_nothing() {
    let name = Name::new("payload");
    let _region = make(&name);
    killed("mid-payload", &name);
    only_the_committed_frame_is_there(&name);
}

#[test]
fn fault_19_killed_between_commit_and_wake_delivers_all_the_same() {
    let name = Name::new("wake");
    let region = make(&name);
    let mut kid = Kid::spawn("kill::child", "die-on-wake", &name);
    kid.hear();
    let mut rx = region.consumer("frames").unwrap();
    let receiver = std::thread::spawn(move || {
        let mut buffer = [0; 512];
        let received = rx.recv_timeout(&mut buffer, PATIENCE);
        (received.map(|frame| frame.tag), rx)
    });
    // Give the receiver time to fall asleep, so that the sender finds it parked and dies in its wake.
    std::thread::sleep(Duration::from_millis(300));
    kid.answer();
    let (tag, rx) = receiver.join().unwrap();
    assert_eq!(tag, Ok(19));
    assert!(!kid.wait().success(), "the sender was killed");
    assert_eq!(rx.peer(), PeerStatus::Dead);
}

#[test]
fn fault_20_killed_while_holding_a_frame_leaves_it_to_the_successor() {
    let name = Name::new("hold");
    let region = make(&name);
    let mut tx = region.producer("frames").unwrap();
    for n in 0..3 {
        tx.try_send(n, b"frame").unwrap();
    }
    killed("hold", &name);
    assert_eq!(tx.peer(), PeerStatus::Dead);
    let mut rx = region.consumer("frames").unwrap();
    let mut buffer = [0; 512];
    let sequences: Vec<u32> = (0..3).map(|_| rx.try_recv(&mut buffer).unwrap().sequence).collect();
    assert_eq!(sequences, [0, 1, 2]);
}

#[test]
fn fault_29_all_killed_at_once_and_every_committed_frame_is_still_there() {
    all_killed_at_once(&Name::at_path("all"));
    if NAMED_STAYS {
        all_killed_at_once(&Name::new("all"));
    }
}

fn all_killed_at_once(name: &Name) {
    drop(make(name));
    killed("both-ends", name);
    let region = open(&name.region());
    let mut rx = region.consumer("frames").unwrap();
    let mut buffer = [0; 512];
    for n in 3..10 {
        assert_eq!(rx.try_recv(&mut buffer).unwrap().tag, n);
    }
    assert_eq!(rx.try_recv(&mut buffer), Err(TryRecvError::Empty));
}

#[test]
fn a_role_of_a_living_or_stopped_process_is_busy() {
    let name = Name::new("busy");
    let region = make(&name);
    let mut kid = Kid::spawn("kill::child", "own", &name);
    kid.hear();
    assert_eq!(region.producer("frames").err(), Some(ChannelError::Busy));
    kid.stop();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(region.producer("frames").err(), Some(ChannelError::Busy));
    kid.kill();
    assert!(region.producer("frames").unwrap().taken_over_from().is_some());
}

/// A round ends at some moment, but not before something has happened in it: on a busy machine the
/// child may need a while.
struct Round {
    started: Instant,
    lasts: Duration,
    events: u32,
}

impl Round {
    fn new(seed: &mut u64) -> Self {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let lasts = Duration::from_micros(200 + (*seed >> 33) % 5000);
        Self { started: Instant::now(), lasts, events: 0 }
    }

    fn count(&mut self) {
        self.events += 1;
    }

    fn goes_on(&self) -> bool {
        let took = self.started.elapsed();
        assert!(took < PATIENCE, "{} events are all that happened", self.events);
        took < self.lasts || self.events < 50
    }
}

#[test]
fn producers_killed_at_random_lose_and_repeat_nothing() {
    let name = Name::new("producers");
    let region = make(&name);
    let onlooker = Onlooker::of(&name);
    let mut rx = region.typed_consumer::<Whole>("slots").unwrap();
    let (mut next, mut seed) = (0, 17);
    for round in 0..25 {
        let mut kid = Kid::spawn("kill::child", "send-for-ever", &name);
        kid.hear();
        let mut round_ends = Round::new(&mut seed);
        while round_ends.goes_on() {
            if let Ok(value) = rx.try_recv() {
                assert!(value.is_whole());
                assert_eq!((value.number, rx.sequence()), (next, next as u32), "round {round}");
                next += 1;
                round_ends.count();
            }
        }
        kid.kill();
        assert_eq!(rx.peer(), PeerStatus::Dead);
        while let Ok(value) = rx.try_recv() {
            assert!(value.is_whole());
            assert_eq!(value.number, next, "round {round}, after the kill");
            next += 1;
        }
        assert_eq!(rx.fault(), None);
    }
    assert!(next > 1000, "{next} values is too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}

#[test]
fn consumers_killed_at_random_lose_nothing_and_repeat_at_most_the_bound() {
    let name = Name::new("consumers");
    let region = make(&name);
    let onlooker = Onlooker::of(&name);
    let mut tx = region.producer("frames").unwrap();
    let mut last = region.latest_reader::<Whole>("latest").unwrap();
    let (mut sent, mut seen, mut seed) = (0_u32, 0, 29);
    let mut send_for = |tx: &mut strait::Producer<SystemPort>, mut round: Round| {
        while round.goes_on() {
            if tx.try_send(sent, &sent.to_le_bytes()).is_ok() {
                sent += 1;
                round.count();
            }
        }
        sent
    };
    for round in 0..25 {
        let mut kid = Kid::spawn("kill::child", "receive-for-ever", &name);
        kid.hear();
        let sent = send_for(&mut tx, Round::new(&mut seed));
        kid.kill();
        let mut rx = region.consumer("frames").unwrap();
        let mut buffer = [0; 512];
        let mut rest = Vec::new();
        while let Ok(frame) = rx.try_recv(&mut buffer) {
            assert_eq!(frame.tag, frame.sequence, "round {round}");
            rest.push(frame.sequence);
        }
        // The successor starts where it may, and sees everything from there to the last frame.
        let first = rest.first().copied().unwrap_or(sent);
        assert!(rest.iter().copied().eq(first..sent), "round {round}: {rest:?} is not up to {sent}");
        let known = last.read().value().map_or(0, |value| value.number as u32 + 1).max(seen);
        seen = sent;
        assert!(first <= known, "round {round}: {known} to {first} are lost");
        assert!(first + BOUND >= known, "round {round}: {first} came again after {known}");
    }
    assert!(tx.next_sequence() > 1000, "too few frames to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}

#[test]
fn fault_23_writers_killed_at_random_leave_a_whole_value() {
    let name = Name::new("writers");
    let region = make(&name);
    let onlooker = Onlooker::of(&name);
    let mut reader = region.latest_reader::<Whole>("latest").unwrap();
    let (mut last, mut seed) = (0, 41);
    for round in 0..25 {
        let mut kid = Kid::spawn("kill::child", "publish-for-ever", &name);
        kid.hear();
        let mut round_ends = Round::new(&mut seed);
        while round_ends.goes_on() {
            if let Reading::Fresh(value) = reader.read() {
                assert!(value.is_whole() && value.number > last, "round {round}: {value:?} after {last}");
                last = value.number;
                round_ends.count();
            }
        }
        kid.kill();
        let value = reader.read().value().expect("a dead writer contends with nobody");
        assert!(value.is_whole() && value.number >= last, "round {round}");
    }
    assert!(last > 1000, "{last} values is too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}
