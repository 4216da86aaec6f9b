//! What a message costs through two bridges, beside a plain put and subscriber of Zenoh's over the same TCP loopback.
//!
//! ```sh
//! cargo build --release && cargo run --release --example cost
//! cargo run --release --example cost 2048   # with `--ahead 2048`
//! ```
//!
//! Both carry 64 bytes with an attachment of 56, reliably and with `Block`. Plain Zenoh goes from one process to another;
//! with bridges there are two processes more, which the two at the ends reach through shared memory. Rounds of both take
//! turns. `stream` is the time a message while as many as possible are sent; `round trip` goes to another process and back.
//! Of each the median of the rounds is printed, and the ratio of the two. Below stands the processors' time a message
//! of all processes, and of the two bridges alone beside the two processes of plain Zenoh. Linux only.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use strait::{Channel, Plan, RegionName, RegionOptions, SystemPort, TypedConsumer, TypedProducer};
use zenoh::qos::CongestionControl;
use zenoh::{Session, Wait};

/// Bytes of a message.
type Message = [u64; 8];

/// Bytes of the attachment that bridges send with each message.
const ATTACHMENT: usize = 56;

const ROUNDS: usize = 9;
const STREAM: u64 = 100_000;
const TRIPS: u64 = 1_000;
const LONG: Duration = Duration::from_secs(60);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [role, at] if role == "echo" => echo(at),
        [role, near, far] if role == "relay" => relay(near, far),
        [] => measure("512"),
        [ahead] => measure(ahead),
        _ => Err("give no arguments, or what `--ahead` is to be".into()),
    }
}

fn session(key: &str, at: &str) -> Outcome<Session> {
    let mut config = zenoh::Config::default();
    config.insert_json5("scouting/multicast/enabled", "false").map_err(|error| error.to_string())?;
    config.insert_json5("listen/endpoints", "[]").map_err(|error| error.to_string())?;
    config.insert_json5(key, &format!("[\"{at}\"]")).map_err(|error| error.to_string())?;
    Ok(zenoh::open(config).wait().map_err(|error| error.to_string())?)
}

/// The other process of plain Zenoh: sends back each message of `ping`, and the last one of a stream.
fn echo(at: &str) -> Outcome<()> {
    let session = session("connect/endpoints", at)?;
    let (sender, ended) = channel();
    let back = publisher(&session, "pong")?;
    let _ping = session
        .declare_subscriber("ping")
        .callback(move |sample| {
            let bytes = sample.payload().to_bytes();
            // A receiver wants to read it.
            let attachment = sample.attachment().map(|bytes| bytes.to_bytes()).unwrap_or_default();
            let put = || back.put(bytes.as_ref()).attachment(attachment.as_ref()).wait();
            if attachment.len() != ATTACHMENT || (is_last(&bytes) && put().is_err()) {
                let _ = sender.send(());
            }
        })
        .wait()
        .map_err(|error| error.to_string())?;
    println!("ready");
    // Until it is killed.
    let _ = ended.recv();
    Ok(())
}

/// The other process behind two bridges: the same with queues.
fn relay(ping: &str, pong: &str) -> Outcome<()> {
    let region = RegionName::new(ping)?.open(&RegionOptions::new())?;
    let mut from: TypedConsumer<Message, SystemPort> = region.typed_consumer("ping")?;
    let mut to: TypedProducer<Message, SystemPort> = region.typed_producer("pong")?;
    println!("ready {pong}");
    loop {
        let Ok(message) = from.recv_timeout(LONG) else { return Ok(()) };
        if message[1] == 1 {
            to.send_timeout(&message, LONG)?;
        }
    }
}

/// Whether the message wants one back.
fn is_last(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&1)
}

fn publisher(session: &Session, key: &'static str) -> Outcome<zenoh::pubsub::Publisher<'static>> {
    let declared = session.declare_publisher(key).congestion_control(CongestionControl::Block).wait();
    Ok(declared.map_err(|error| error.to_string())?)
}

/// A process that is killed at the end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a process and waits for its first line on standard output or error.
fn start(command: &mut Command, says: bool) -> Outcome<Killed> {
    let (out, err) = if says { (Stdio::piped(), Stdio::inherit()) } else { (Stdio::null(), Stdio::piped()) };
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn()?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    } else if let Some(err) = child.stderr.take() {
        let mut err = BufReader::new(err);
        err.read_line(&mut line)?;
        // What it says later is nobody's business, but must go somewhere.
        thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
    }
    if line.is_empty() { Err("a process ended early".into()) } else { Ok(Killed(child)) }
}

fn free_endpoint() -> Outcome<String> {
    Ok(format!("tcp/{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?))
}

/// One way there and back.
trait Way {
    fn send(&mut self, message: &Message) -> Outcome<()>;
    fn back(&mut self) -> Outcome<()>;
}

struct Plain {
    to: zenoh::pubsub::Publisher<'static>,
    from: Receiver<()>,
}

impl Way for Plain {
    fn send(&mut self, message: &Message) -> Outcome<()> {
        let mut bytes = [0; size_of::<Message>()];
        for (place, word) in bytes.chunks_exact_mut(8).zip(message) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let put = self.to.put(bytes.as_slice()).attachment([0; ATTACHMENT].as_slice());
        Ok(put.wait().map_err(|error| error.to_string())?)
    }

    fn back(&mut self) -> Outcome<()> {
        Ok(self.from.recv_timeout(LONG)?)
    }
}

struct Bridged {
    to: TypedProducer<Message, SystemPort>,
    from: TypedConsumer<Message, SystemPort>,
}

impl Way for Bridged {
    fn send(&mut self, message: &Message) -> Outcome<()> {
        Ok(self.to.send_timeout(message, LONG)?)
    }

    fn back(&mut self) -> Outcome<()> {
        self.from.recv_timeout(LONG)?;
        Ok(())
    }
}

/// What one kind of carrying costs, in microseconds a message: of a stream, and of a round trip.
#[derive(Default)]
struct Costs {
    /// Of each round.
    times: [Vec<f64>; 2],
    /// Of the processors, by process.
    busy: [Vec<Vec<f64>>; 2],
}

impl Costs {
    /// Carries a stream and a number of round trips, in which these processes take part.
    fn round(&mut self, way: &mut dyn Way, processes: &[u32]) -> Outcome<()> {
        let stream = |way: &mut dyn Way| {
            for count in 1..=STREAM {
                way.send(&[count, u64::from(count == STREAM), 0, 0, 0, 0, 0, 0])?;
            }
            way.back()
        };
        let trips = |way: &mut dyn Way| {
            for count in 0..TRIPS {
                way.send(&[count, 1, 0, 0, 0, 0, 0, 0])?;
                way.back()?;
            }
            Ok(())
        };
        self.add(0, STREAM, processes, || stream(way))?;
        self.add(1, TRIPS, processes, || trips(way))
    }

    fn add(
        &mut self,
        what: usize,
        many: u64,
        processes: &[u32],
        carry: impl FnOnce() -> Outcome<()>,
    ) -> Outcome<()> {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / many as f64;
        let before = busy(processes)?;
        let start = Instant::now();
        carry()?;
        self.times[what].push(micros(start.elapsed()));
        let after = busy(processes)?;
        self.busy[what]
            .push(after.iter().zip(before).map(|(after, before)| micros(*after - before)).collect());
        Ok(())
    }

    fn time(&self, what: usize) -> f64 {
        median(self.times[what].iter().copied())
    }

    /// Of these of the processes together.
    fn busy(&self, what: usize, which: std::ops::Range<usize>) -> f64 {
        median(self.busy[what].iter().map(|round| round[which.clone()].iter().sum()))
    }
}

/// The processors' time that each of these processes has taken.
fn busy(processes: &[u32]) -> Outcome<Vec<Duration>> {
    let of_thread = |task: std::io::Result<std::fs::DirEntry>| -> Outcome<u64> {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        Ok(text.split_whitespace().next().ok_or("schedstat is empty")?.parse()?)
    };
    let of_process = |process: &u32| {
        let threads = std::fs::read_dir(format!("/proc/{process}/task"))?;
        threads.map(of_thread).sum::<Outcome<u64>>().map(Duration::from_nanos)
    };
    processes.iter().map(of_process).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(ahead: &str) -> Outcome<()> {
    let me = std::env::current_exe()?;
    let bridge = me.parent().and_then(|folder| folder.parent()).ok_or("no folder")?.join("strait-bridge");

    let at = free_endpoint()?;
    let session = session("listen/endpoints", &at)?;
    let to = publisher(&session, "ping")?;
    let (sender, from) = channel();
    let _pong = session
        .declare_subscriber("pong")
        .callback(move |_| {
            // At the end nobody waits.
            let _ = sender.send(());
        })
        .wait()
        .map_err(|error| error.to_string())?;
    let echo = start(Command::new(&me).args(["echo", &at]), true)?;
    let mut plain = Plain { to, from };

    let channels = [
        Channel::slots::<Message>("ping", 1024).consumer_may_block().producer_may_block(),
        Channel::slots::<Message>("pong", 1024).consumer_may_block().producer_may_block(),
    ];
    let plan = Plan::new(&channels);
    let names = ["near", "far"].map(|side| format!("bridge-cost-{}-{side}", std::process::id()));
    let places = [RegionName::new(&names[0])?, RegionName::new(&names[1])?];
    let near = places[0].create(&plan, &RegionOptions::new())?;
    let _far = places[1].create(&plan, &RegionOptions::new())?;
    let at = free_endpoint()?;
    let words = |region: &str, way: &str| -> Vec<String> {
        format!("{region} --zenoh cost --ahead {ahead} {way} {at}").split(' ').map(String::from).collect()
    };
    let near_bridge =
        start(Command::new(&bridge).args(words(&names[0], "--out ping --in pong --listen")), false)?;
    let far_bridge =
        start(Command::new(&bridge).args(words(&names[1], "--in ping --out pong --connect")), false)?;
    let relay = start(Command::new(&me).args(["relay", &names[1], &names[0]]), true)?;
    let mut bridged = Bridged { to: near.typed_producer("ping")?, from: near.typed_consumer("pong")? };

    // Until both are connected, and warm.
    thread::sleep(Duration::from_secs(2));
    let me = std::process::id();
    let of_plain = [me, echo.0.id()];
    let of_bridged = [near_bridge.0.id(), far_bridge.0.id(), me, relay.0.id()];
    Costs::default().round(&mut plain, &of_plain)?;
    Costs::default().round(&mut bridged, &of_bridged)?;
    let mut costs = [Costs::default(), Costs::default()];
    for _ in 0..ROUNDS {
        costs[0].round(&mut plain, &of_plain)?;
        costs[1].round(&mut bridged, &of_bridged)?;
    }
    println!("64 bytes a message, --ahead {ahead}, median of {ROUNDS} rounds, microseconds");
    let line = |name: &str, plain: f64, bridged: f64| {
        let ratio = bridged / plain;
        println!("{name:<24} plain Zenoh {plain:8.2}   two bridges {bridged:8.2}   ratio {ratio:.2}");
    };
    let [plain, bridged] = &costs;
    for (what, name) in ["stream", "round trip"].into_iter().enumerate() {
        line(name, plain.time(what), bridged.time(what));
        line("  processors, all", plain.busy(what, 0..2), bridged.busy(what, 0..4));
        line("  processors, bridges", plain.busy(what, 0..2), bridged.busy(what, 0..2));
        let each = |costs: &Costs, index: usize| costs.busy(what, index..index + 1);
        println!(
            "    plain Zenoh: sends {:.2}, receives {:.2}; bridges: sends {:.2}, receives {:.2}; beside them: {:.2}, {:.2}",
            each(plain, 0),
            each(plain, 1),
            each(bridged, 0),
            each(bridged, 1),
            each(bridged, 2),
            each(bridged, 3),
        );
    }
    for place in places {
        place.remove()?;
    }
    Ok(())
}
