//! A C process and a Rust process on one region, killed in turn at random moments: roles pass from one
//! language to the other, nothing committed is lost, and a lock's value is never torn.
#![cfg(all(unix, feature = "os"))]

#[path = "../../core/tests/common/rng.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod rng;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rng::Rng;
use strait::{
    Channel, ChannelError, Plan, RecvError, Region, RegionName, RegionOptions, RegionPlace, SendError,
    options::ConsumerOptions,
};

strait::message! {
    /// A number that shows whether it is whole.
    struct Pair { number: u64, inverse: u64 }
}

const MAX_FRAME: usize = 512;
const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", 8192, MAX_FRAME as u32).consumer_may_block().producer_may_block(),
    Channel::latest::<u64>("seen"),
    Channel::mutex::<Pair>("pair"),
]);
/// Kills, half of them of either language.
const ROUNDS: u32 = 16;
/// How many frames a successor may see again: four released ones, and the one in use.
const AGAIN: u32 = 5;
/// The tag of the last frame.
const LAST: u32 = 9;
const SOON: Duration = Duration::from_millis(100);
/// How long anything may take before the test fails: long, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// The variables that tell a Rust child what to do, and where.
const ROLE: &str = "STRAIT_TEST_ROLE";
const REGION: &str = "STRAIT_TEST_REGION";

fn open(region: &RegionPlace) -> Region {
    region.open(&RegionOptions::new()).expect("the test made the region")
}

/// Claims a role; that of a killed owner as soon as the kernel proves its death.
fn claim<T>(mut claim: impl FnMut() -> Result<T, ChannelError>) -> T {
    loop {
        match claim() {
            Ok(role) => return role,
            Err(ChannelError::Busy) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Frame `number`, as `tests/c/peer.c` makes it.
fn frame(number: u32) -> Vec<u8> {
    let number = u64::from(number);
    let mut frame = vec![number as u8; 16 + (number * 37 % (MAX_FRAME as u64 - 16)) as usize];
    frame[..8].copy_from_slice(&number.to_le_bytes());
    frame[8..16].copy_from_slice(&(!number).to_le_bytes());
    frame
}

fn produce(region: &Region) -> ! {
    let mut tx = claim(|| region.producer("frames"));
    tell("ready");
    loop {
        match tx.send_timeout(0, &frame(tx.next_sequence()), SOON) {
            Ok(()) | Err(SendError::TimedOut) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Receives and checks until the last frame, or for ever. Returns how many frames came.
fn consume(region: &Region) -> u64 {
    let mut rx = claim(|| region.consumer_with("frames", ConsumerOptions::new().release_every(4)));
    let mut seen = claim(|| region.latest_writer::<u64>("seen"));
    let before = region.latest_reader::<u64>("seen").expect("it is there").read().value();
    let (mut next, mut first, mut count) = (before.unwrap_or(0) as u32, true, 0);
    let mut buffer = [0; MAX_FRAME];
    tell("ready");
    loop {
        let got = match rx.recv_timeout(&mut buffer, SOON) {
            Ok(got) => got,
            Err(RecvError::TimedOut) => continue,
            Err(error) => panic!("{error}"),
        };
        let expected = if first { next.saturating_sub(AGAIN)..=next } else { next..=next };
        assert!(expected.contains(&got.sequence), "frame {} where {expected:?} should be", got.sequence);
        if got.tag == LAST {
            return count;
        }
        assert_eq!(buffer[..got.len], frame(got.sequence));
        first = false;
        count += 1;
        next = got.sequence + 1;
        seen.publish(&u64::from(next));
    }
}

fn contend(region: &Region) -> ! {
    let mut mutex = region.mutex::<Pair>("pair").expect("it is there");
    tell("ready");
    loop {
        let Ok(lock) = mutex.lock_timeout(SOON) else { continue };
        let Ok(mut guard) = lock.or_roll_back() else { panic!("nobody edits in place") };
        guard.update(|pair| {
            assert!(pair.inverse == 0 || pair.number == !pair.inverse, "a torn value: {pair:?}");
            *pair = Pair { number: pair.number + 1, inverse: !(pair.number + 1) };
        });
    }
}

/// The Rust children's part; a test of its own only by name.
#[test]
fn child() {
    let (Ok(role), Ok(name)) = (env::var(ROLE), env::var(REGION)) else { return };
    let region = open(&RegionName::new(&name).expect("a legal name"));
    match role.as_str() {
        "produce" => produce(&region),
        "lock" => contend(&region),
        _ => drop(consume(&region)),
    }
}

fn tell(line: &str) {
    println!("\n>{line}");
    std::io::stdout().flush().expect("the parent listens");
}

/// A process in a role, of either language.
struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it, and waits until it has the role.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut peer = Self { child, lines };
        assert_eq!(peer.hear(), "ready");
        peer
    }

    /// Its next line.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(
                self.lines.read_line(&mut line).expect("it can be read"),
                0,
                "it ended without a word"
            );
            if let Some(told) = line.trim().strip_prefix('>') {
                return told.to_owned();
            }
        }
    }

    /// Kills it; it must have lived until then.
    fn kill(mut self) {
        let ended = self.child.try_wait().expect("it can be waited for");
        assert!(ended.is_none(), "it ended by itself: {ended:?}");
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A region that is this test's alone, and the C program that takes part in it.
struct Setup {
    name: String,
    program: PathBuf,
    region: Region,
}

impl Setup {
    /// `None` where there is no compiler.
    fn new(test: &str) -> Option<Self> {
        crate::program::compiler("cc")?;
        let program = crate::program::build("cc", &["-std=c11"], "peer.c", &format!("peer-{test}"));
        let name = format!("test-capi-{test}-{}", std::process::id());
        let region = RegionName::new(&name).expect("a legal name");
        let region = region.create(&PLAN, &RegionOptions::new()).expect("the name is free");
        Some(Self { name, program, region })
    }

    fn c_peer(&self, role: &str) -> Peer {
        Peer::start(Command::new(&self.program).args([&self.name, role]))
    }

    fn rust_peer(&self, role: &str) -> Peer {
        let mut command = Command::new(env::current_exe().expect("this program has a path"));
        command.args(["--exact", "kill::child", "--nocapture", "--test-threads=1"]);
        Peer::start(command.env(ROLE, role).env(REGION, &self.name))
    }

    /// Runs a role in C and in Rust by turns, and kills each after a while.
    fn kill_in_turn(&self, role: &str, seed: u64) {
        let mut rng = Rng::new(seed);
        for round in 0..ROUNDS {
            let peer = if round % 2 == 0 { self.c_peer(role) } else { self.rust_peer(role) };
            std::thread::sleep(Duration::from_micros(rng.below(20_000) as u64));
            peer.kill();
        }
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = RegionName::new(&self.name).map(|region| region.remove());
    }
}

#[test]
fn a_c_consumer_survives_producers_of_both_languages() {
    let Some(setup) = Setup::new("producers") else { return };
    let mut consumer = setup.c_peer("consume");
    setup.kill_in_turn("produce", 1);
    let mut tx = claim(|| setup.region.producer("frames"));
    let sent = tx.next_sequence();
    tx.send_timeout(LAST, &[], PATIENCE).expect("the consumer goes on");
    assert_eq!(consumer.hear(), sent.to_string(), "as many came as were sent");
    assert!(consumer.child.wait().expect("it ends").success());
    println!("{sent} frames through {ROUNDS} deaths");
    assert!(sent > ROUNDS, "the producers did nothing");
}

#[test]
fn what_a_c_producer_sends_survives_consumers_of_both_languages() {
    let Some(setup) = Setup::new("consumers") else { return };
    let producer = setup.c_peer("produce");
    setup.kill_in_turn("consume", 2);
    producer.kill();
    let mut tx = claim(|| setup.region.producer("frames"));
    let sent = tx.next_sequence();
    let here = std::thread::scope(|scope| {
        let rx = scope.spawn(|| consume(&open(&RegionName::new(&setup.name).expect("a legal name"))));
        tx.send_timeout(LAST, &[], PATIENCE).expect("the consumer goes on");
        rx.join().expect("nothing was lost")
    });
    println!("{sent} frames through {ROUNDS} deaths, {here} of them left to the last");
    assert!(sent > ROUNDS, "the consumers did nothing");
}

#[test]
fn a_lock_survives_owners_of_both_languages() {
    let Some(setup) = Setup::new("owners") else { return };
    let rival = setup.c_peer("lock");
    setup.kill_in_turn("lock", 3);
    rival.kill();
    let mut mutex = setup.region.mutex::<Pair>("pair").expect("it is there");
    let lock = mutex.lock_timeout(PATIENCE).expect("the owners are dead");
    let Ok(guard) = lock.or_roll_back() else { panic!("nobody edits in place") };
    let Pair { number, inverse } = guard.get();
    assert_eq!(number, !inverse);
    println!("{number} changes through {ROUNDS} deaths, {} of them with the lock", guard.takeovers());
    assert!(number > u64::from(ROUNDS), "the owners did nothing");
}
