//! Peers that were written from FORMAT.md alone, against this crate: `follow.py` follows a live queue without a
//! role in it, and `peer.cs` takes part, is killed in the middle, and is succeeded by another one.
//!
//! `cargo run --example peers -- FOLLOW PEER`, with the command lines of the two ("python3 follow.py", "mono
//! peer.exe"). Its result is checked.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use strait::{Channel, Plan, RecvError, Region, RegionFile, RegionOptions};

const MAX_FRAME: u32 = 300;
const PLAN: Plan = Plan::new(&[
    Channel::frames("events", 8192, MAX_FRAME).consumer_may_block(),
    Channel::frames("there", 4096, MAX_FRAME),
    Channel::frames("back", 4096, MAX_FRAME).consumer_may_block(),
    Channel::latest::<f64>("angle"),
]);
/// Frames that the follower is asked for.
const FOLLOWED: usize = 2000;
/// Frames that go to the peer and back; it is killed once half of them have.
const ROUNDS: u32 = 2000;
const PATIENCE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(100);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The content of frame `number`.
fn payload(number: u32) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(4 + (number * 31 % (MAX_FRAME - 3)) as usize, number as u8);
    bytes
}

/// A peer that is killed when this goes out of use.
struct Peer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    fn start(command: &str, words: &[&str]) -> Result<Self> {
        let mut parts = command.split_whitespace();
        let mut command = Command::new(parts.next().ok_or("a peer's command line is empty")?);
        let mut child = command.args(parts).args(words).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("it was piped")?).lines();
        Ok(Self { child, lines })
    }

    fn hear(&mut self) -> Result<String> {
        Ok(self.lines.next().ok_or("the peer ended early")??)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends and receives events until asked to stop, as if nobody looked on.
fn live(region: &Region, stop: &AtomicBool) -> Result<()> {
    let mut tx = region.producer("events")?;
    let mut rx = region.consumer("events")?;
    let mut buffer = [0; MAX_FRAME as usize];
    while !stop.load(Relaxed) {
        for _ in 0..5 {
            let number = tx.next_sequence();
            tx.try_send(!number, &payload(number))?;
        }
        while rx.try_recv(&mut buffer).is_ok() {}
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Checks what the follower says of the live queue.
fn followed(follower: &mut Peer) -> Result<()> {
    let (mut next, mut missed) = (None, 0);
    for count in 0..FOLLOWED {
        if count == FOLLOWED / 2 {
            // It is blocked at a full pipe, and the queue goes on without it.
            std::thread::sleep(Duration::from_secs(1));
        }
        let line = follower.hear()?;
        let parts: Vec<&str> = line.split(' ').collect();
        let [sequence, tag, bytes] = parts[..] else { return Err(format!("what is `{line}`?").into()) };
        let sequence: u32 = sequence.parse()?;
        let hexadecimal: String = payload(sequence).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((tag.parse::<u32>()?, bytes), (!sequence, &hexadecimal[..]), "frame {sequence}");
        let expected = next.unwrap_or(sequence);
        assert!(sequence >= expected, "frame {sequence} after {expected}");
        missed += sequence - expected;
        next = Some(sequence + 1);
    }
    assert!(missed > 0, "it was never overtaken");
    println!("followed {FOLLOWED} frames of a live queue, missed {missed}");
    Ok(())
}

/// Sends frames to a peer and takes them back, while it is killed and succeeded.
fn rounds(region: &Region, path: &str, command: &str) -> Result<()> {
    let mut there = region.producer("there")?;
    let mut back = region.consumer("back")?;
    let mut buffer = [0; MAX_FRAME as usize];
    let mut peer = Peer::start(command, &[path, "there", "back"])?;
    println!("first peer: {}", peer.hear()?);
    let (mut sent, mut next, mut again) = (1, 1, 0);
    let start = Instant::now();
    while next <= ROUNDS {
        while sent <= ROUNDS && there.try_send(sent, &payload(sent)).is_ok() {
            sent += 1;
        }
        match back.recv_timeout(&mut buffer, SOON) {
            Ok(received) => {
                assert_eq!(buffer[..received.len], payload(received.tag));
                // The frame that the dead peer was at may have been sent back already.
                let is_new = received.tag == next;
                assert!(is_new || received.tag == next - 1, "{} after {next}", received.tag);
                again += u32::from(!is_new);
                next = received.tag + 1;
                if is_new && next == ROUNDS / 2 {
                    drop(peer);
                    peer = Peer::start(command, &[path, "there", "back"])?;
                    println!("second peer: {}", peer.hear()?);
                }
            }
            Err(RecvError::TimedOut) if start.elapsed() < PATIENCE => {}
            Err(error) => return Err(error.into()),
        }
    }
    there.try_send(0, &[])?;
    println!("second peer: {}", peer.hear()?);
    assert!(peer.child.wait()?.success());
    assert_eq!(back.recv_timeout(&mut buffer, PATIENCE)?.tag, 0);
    println!("{ROUNDS} frames there and back through a kill, {again} of them twice");
    Ok(())
}

/// A region of a later version: each peer refuses it, and says which version it found.
fn later_version(commands: [&str; 2]) -> Result<()> {
    let file = env::temp_dir().join(format!("strait-peers-later-{}", std::process::id()));
    let path = file.to_str().ok_or("the directory's name is not UTF-8")?;
    drop(RegionFile::new(path).create(&PLAN, &RegionOptions::new())?);
    let mut bytes = fs::read(&file)?;
    // Whatever follows the version means something else then.
    bytes[4] = 2;
    bytes[8..60].fill(0x5A);
    fs::write(&file, &bytes)?;
    let looked = commands.map(|command| -> Result<String> {
        let mut parts = command.split_whitespace();
        let mut command = Command::new(parts.next().ok_or("a peer's command line is empty")?);
        let ended = command.args(parts).args([path, "there", "back"]).output()?;
        assert!(!ended.status.success(), "it was taken for one of this version");
        Ok(String::from_utf8_lossy(&ended.stderr).into_owned())
    });
    RegionFile::new(path).remove()?;
    for said in looked {
        let said = said?;
        let line = said.lines().find(|line| line.contains("format version 2"));
        println!("of a later version: {}", line.ok_or(said.clone())?.trim());
    }
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [follow, peer] = &words[..] else {
        println!("no peers named: peers FOLLOW PEER");
        return Ok(());
    };
    later_version([follow.as_str(), peer.as_str()])?;
    let file = env::temp_dir().join(format!("strait-peers-{}", std::process::id()));
    let path = file.to_str().ok_or("the directory's name is not UTF-8")?;
    let region = RegionFile::new(path).create(&PLAN, &RegionOptions::new())?;

    let mut lister = Peer::start(follow, &[path])?;
    println!("{}", lister.hear()?);
    for name in ["events", "there", "back", "angle"] {
        let line = lister.hear()?;
        assert!(line.starts_with(name), "{line}");
        println!("  {line}");
    }

    let stop = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        let queue = scope.spawn(|| live(&region, &stop).map_err(|error| error.to_string()));
        let result = Peer::start(follow, &[path, "events", &FOLLOWED.to_string()])
            .and_then(|mut follower| followed(&mut follower));
        stop.store(true, Relaxed);
        queue.join().map_err(|_| "the live queue panicked")??;
        result
    });
    let result = result.and_then(|()| rounds(&region, path, peer));
    RegionFile::new(path).remove()?;
    result
}
