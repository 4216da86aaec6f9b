//! Two processes of different word sizes on one region: frames both ways, a latest value, a mutex.
//!
//! `cargo run --example word_sizes` takes this very program for the other one. Given the command line of
//! another build of it (for 32 bits, or for another processor under an emulator), it takes that. After
//! `--refused`, the other must be refused instead: a big-endian build is. Its result is checked.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use strait::{
    Channel, Lock, OpenError, Plan, Reading, Region, RegionName, RegionOptions, format::AttachError,
};

strait::message! {
    /// A number that shows whether it is whole.
    struct Whole {
        number: u64,
        inverse: u64,
    }
}

impl Whole {
    fn new(number: u64) -> Self {
        Self { number, inverse: !number }
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::frames("there", 4096, 256).consumer_may_block().producer_may_block(),
    Channel::frames("back", 4096, 256).consumer_may_block().producer_may_block(),
    Channel::latest::<Whole>("latest"),
    Channel::mutex::<u64>("total"),
]);
const FRAMES: u32 = 2000;
const VALUES: u64 = 5000;
const TURNS: u64 = 5000;
const PATIENCE: Duration = Duration::from_secs(60);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The word size and system of this build.
fn what() -> String {
    let order = if cfg!(target_endian = "big") { "big" } else { "little" };
    format!("{}, {} bits, {order}-endian", env::consts::ARCH, usize::BITS)
}

/// Adds one to the total under the lock, this many times.
fn add(region: &Region) -> Result<()> {
    let mut total = region.mutex::<u64>("total")?;
    for _ in 0..TURNS {
        match total.lock_timeout(PATIENCE)? {
            Lock::Held(mut guard) => guard.update(|total| *total += 1),
            Lock::OwnerDied(_) => return Err("nobody died".into()),
        }
    }
    Ok(())
}

/// The other process: sends back what comes, publishes values, adds to the total.
fn other(name: &str) -> Result<()> {
    println!("{}", what());
    let region = match RegionName::new(name)?.open(&RegionOptions::new()) {
        Err(OpenError::Attach(AttachError::BigEndianHost)) => {
            println!("refused: {}", AttachError::BigEndianHost);
            return Ok(());
        }
        opened => opened?,
    };
    println!("attached");
    let mut there = region.consumer("there")?;
    let mut back = region.producer("back")?;
    let mut buffer = [0; 256];
    for _ in 0..FRAMES {
        let received = there.recv_timeout(&mut buffer, PATIENCE)?;
        back.send_timeout(!received.tag, &buffer[..received.len], PATIENCE)?;
    }
    let mut latest = region.latest_writer::<Whole>("latest")?;
    for number in 1..=VALUES {
        latest.publish(&Whole::new(number));
    }
    add(&region)
}

/// This process, while the other one works.
fn meet(region: &Region) -> Result<()> {
    let mut there = region.producer("there")?;
    let mut back = region.consumer("back")?;
    let mut latest = region.latest_reader::<Whole>("latest")?;
    let mut buffer = [0; 256];
    for first in (0..FRAMES).step_by(4) {
        for number in first..first + 4 {
            there.send_timeout(number, &vec![number as u8; number as usize % 257], PATIENCE)?;
        }
        for number in first..first + 4 {
            let received = back.recv_timeout(&mut buffer, PATIENCE)?;
            assert_eq!((received.tag, received.sequence), (!number, number));
            assert_eq!(buffer[..received.len], vec![number as u8; number as usize % 257]);
        }
    }
    let (mut last, start) = (0, Instant::now());
    while last < VALUES && start.elapsed() < PATIENCE {
        if let Reading::Fresh(value) = latest.read() {
            assert_eq!(value, Whole::new(value.number));
            assert!(value.number > last, "values go on");
            last = value.number;
        }
    }
    assert_eq!(last, VALUES);
    add(region)
}

/// The next line that the other process says.
fn hear(lines: &mut BufReader<ChildStdout>) -> Result<String> {
    let mut line = String::new();
    lines.read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn main() -> Result<()> {
    let mut words: Vec<String> = env::args().skip(1).collect();
    if let [word, name] = &words[..]
        && word == "--other"
    {
        return other(name);
    }
    let refused = words.first().is_some_and(|word| word == "--refused");
    words.drain(..usize::from(refused));
    if words.is_empty() {
        words.push(env::current_exe()?.to_str().ok_or("this program's path is not UTF-8")?.to_owned());
    }

    let name = format!("word-sizes-{}", std::process::id());
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut child =
        Command::new(&words[0]).args(&words[1..]).args(["--other", &name]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("it was piped")?);
    let (who, answer) = (hear(&mut lines)?, hear(&mut lines)?);
    println!("{} with {who}: {answer}", what());
    let met = if refused {
        assert!(answer.starts_with("refused: "), "it must be refused");
        Ok(())
    } else {
        assert_eq!(answer, "attached");
        meet(&region)
    };
    let ended = child.wait()?;
    RegionName::new(&name)?.remove()?;
    met?;
    assert!(ended.success(), "the other process failed");
    if !refused {
        let mut total = region.mutex::<u64>("total")?;
        let guard = total.lock_timeout(PATIENCE)?.or_roll_back();
        assert_eq!(guard.map_err(|_| "nobody edits in place")?.get(), 2 * TURNS);
        println!("{FRAMES} frames there and back, {VALUES} latest values, {} turns at a lock", 2 * TURNS);
    }
    Ok(())
}
