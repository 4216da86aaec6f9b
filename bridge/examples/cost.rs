//! What a message costs through two bridges, beside a plain put and subscriber of Zenoh's over the same TCP loopback.
//!
//! ```sh
//! cargo build && cargo run --example cost
//! ```
//!
//! Rounds of both take turns. `stream` is the time a message while as many as possible are sent; `round trip` goes to
//! another process and back. Of each the median of the rounds is printed, and the ratio of the two.

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

const ROUNDS: usize = 9;
const STREAM: u64 = 50_000;
const TRIPS: u64 = 1_000;
const LONG: Duration = Duration::from_secs(60);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [role, at] if role == "echo" => echo(at),
        [role, near, far] if role == "relay" => relay(near, far),
        [] => measure(),
        _ => Err("give no arguments".into()),
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
            if is_last(&bytes) && back.put(bytes.as_ref()).wait().is_err() {
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
        let bytes: Vec<u8> = message.iter().flat_map(|word| word.to_le_bytes()).collect();
        Ok(self.to.put(bytes).wait().map_err(|error| error.to_string())?)
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

/// Microseconds a message of a stream, and of a round trip.
fn round(way: &mut dyn Way) -> Outcome<[f64; 2]> {
    let start = Instant::now();
    for count in 1..=STREAM {
        way.send(&[count, u64::from(count == STREAM), 0, 0, 0, 0, 0, 0])?;
    }
    way.back()?;
    let stream = start.elapsed();
    let start = Instant::now();
    for count in 0..TRIPS {
        way.send(&[count, 1, 0, 0, 0, 0, 0, 0])?;
        way.back()?;
    }
    let trips = start.elapsed();
    let micros = |time: Duration, many: u64| time.as_secs_f64() * 1e6 / many as f64;
    Ok([micros(stream, STREAM), micros(trips, TRIPS)])
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure() -> Outcome<()> {
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
    let _echo = start(Command::new(&me).args(["echo", &at]), true)?;
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
        format!("{region} --zenoh cost {way} {at}").split(' ').map(String::from).collect()
    };
    let _near = start(Command::new(&bridge).args(words(&names[0], "--out ping --in pong --listen")), false)?;
    let _far = start(Command::new(&bridge).args(words(&names[1], "--in ping --out pong --connect")), false)?;
    let _relay = start(Command::new(&me).args(["relay", &names[1], &names[0]]), true)?;
    let mut bridged = Bridged { to: near.typed_producer("ping")?, from: near.typed_consumer("pong")? };

    // Until both are connected, and warm.
    thread::sleep(Duration::from_secs(2));
    round(&mut plain)?;
    round(&mut bridged)?;
    let mut times = [[const { Vec::new() }; 2], [const { Vec::new() }; 2]];
    for _ in 0..ROUNDS {
        for (way, times) in [&mut plain as &mut dyn Way, &mut bridged].into_iter().zip(&mut times) {
            for (time, times) in round(way)?.into_iter().zip(times) {
                times.push(time);
            }
        }
    }
    println!("64 bytes a message, median of {ROUNDS} rounds, microseconds");
    let [plain, bridged] = &mut times;
    for ((name, plain), bridged) in ["stream", "round trip"].into_iter().zip(plain).zip(bridged) {
        let (plain, bridged) = (median(plain), median(bridged));
        println!(
            "{name:<11} plain Zenoh {plain:8.2}   two bridges {bridged:8.2}   ratio {:.2}",
            bridged / plain
        );
    }
    for place in places {
        place.remove()?;
    }
    Ok(())
}
