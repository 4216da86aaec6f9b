//! Two processes of different word sizes on one region: frames both ways, a latest value, a remote procedure, a mutex,
//! semaphores, and mutexes whose owners are killed, of either size.
//!
//! `cargo run --example word_sizes` takes this very program for the other one. Given the command line of
//! another build of it (for 32 bits, or for another processor under an emulator), it takes that. After
//! `--refused`, the other must be refused instead: a big-endian build is. Its result is checked.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use strait::contract::FunctionError;
use strait::error::SemaphoreError;
use strait::{
    Channel, Lock, OpenError, Plan, Reading, Region, RegionName, RegionOptions, Semaphore, SystemPort,
    format::AttachError,
};

strait::message! {
    /// A number that shows whether it is whole.
    struct Whole {
        number: u64,
        inverse: u64,
    }
}

strait::message! {
    /// The argument of a remote procedure: what both sides have in other types or sizes is converted to this.
    struct Parcel { bytes: u64, grams: f32, is_fragile: u32 }
    /// Its result.
    struct Postage { cents: u64, word_bits: u32, spare: u32 }
}

strait::contract! {
    /// What a post office does.
    contract Post: client PostClient, server PostServer {
        /// Returns what the parcel costs, and the word size of the process that says so.
        fn weigh(parcel: Parcel) -> Postage;
    }
}

/// The prices, in this process's own types.
#[derive(Default)]
struct Office {
    weighed: usize,
}

/// What a parcel costs, by native arithmetic on both sides.
fn cents(len: usize, grams: f64, is_fragile: bool) -> usize {
    len / 10 + grams as usize * if is_fragile { 2 } else { 1 }
}

impl PostServer for Office {
    fn weigh(&mut self, parcel: &Parcel) -> std::result::Result<Postage, u16> {
        // What does not fit into this process's words is refused.
        let len = usize::try_from(parcel.bytes).map_err(|_| TOO_LONG)?;
        let cents = cents(len, f64::from(parcel.grams), parcel.is_fragile != 0);
        self.weighed += 1;
        Ok(Postage { cents: cents as u64, word_bits: usize::BITS, spare: 0 })
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
    Channel::semaphore("ticks there", 0, TICKS).consumer_may_block(),
    Channel::semaphore("ticks back", 0, TICKS).consumer_may_block(),
    Channel::mutex::<u64>("ours"),
    Channel::mutex::<u64>("theirs"),
    Post::plan_channel("post", 4),
]);
/// The server's reason to refuse a length that its words do not hold.
const TOO_LONG: u16 = 1;
const PARCELS: usize = 500;
const TICKS: u32 = 500;
/// The tag of the frame that asks the other process to take the lock of a dead owner.
const TAKE_OVER: u32 = 0x7A4E_0000;
/// What a dead owner had set.
const LEFT: u64 = 0x1_0000_0007;
/// Systems that prove a death.
const PROVEN: bool = cfg!(any(target_os = "linux", target_os = "android", windows));
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

/// Locks, sets a value, says so, and stays until it is killed.
fn hold(region: &Region, lock: &str) -> Result<()> {
    let mut mutex = region.mutex::<u64>(lock)?;
    let mut locked = mutex.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "nobody edits in place")?;
    locked.set(&LEFT);
    println!("holding");
    std::thread::sleep(PATIENCE);
    Err("nobody killed it".into())
}

/// Takes the lock of an owner that was killed, and finds what it had set.
fn succeed(region: &Region, lock: &str) -> Result<()> {
    let mut mutex = region.mutex::<u64>(lock)?;
    match mutex.lock_timeout(PATIENCE)? {
        Lock::Held(_) => Err("its owner died with the lock".into()),
        Lock::OwnerDied(recovery) => {
            let guard = recovery.roll_back().map_err(|_| "it was whole")?;
            assert_eq!(guard.get(), LEFT);
            Ok(())
        }
    }
}

/// Gives one; again while the other side, which takes many in a row, is faster.
fn give(to: &mut Semaphore<SystemPort>) -> Result<()> {
    loop {
        match to.release(1) {
            Err(SemaphoreError::Contended) => {}
            given => return Ok(given?),
        }
    }
}

/// Takes what comes in on one semaphore, and gives as much on another.
fn tick(region: &Region, from: &str, to: &str) -> Result<()> {
    let (mut from, mut to) = (region.semaphore(from)?, region.semaphore(to)?);
    for _ in 0..TICKS {
        from.acquire_timeout(PATIENCE)?;
        give(&mut to)?;
    }
    Ok(())
}

/// Serves the remote procedure until all parcels are weighed, and one that is too long for 32 bits.
fn weigh_for_others(region: &Region) -> Result<()> {
    let mut requests = Post::server(region, "post")?;
    let mut office = Office::default();
    while office.weighed < PARCELS {
        Post::serve(&mut requests, &mut office, PATIENCE)?;
    }
    Ok(())
}

/// Calls the remote procedure of the other process; its result is the same as that of this process's own arithmetic.
fn weigh(region: &Region) -> Result<()> {
    let mut post = Post::client(region, "post", PATIENCE)?;
    // A word of 64 bits holds this, one of 32 does not.
    let long = Parcel { bytes: 10_u64 << 32, grams: 1.5, is_fragile: 0 };
    let told = post.weigh(&long, PATIENCE);
    let mut weighed = usize::from(told.is_ok());
    match told {
        Ok(postage) => assert_eq!((postage.cents, postage.word_bits), ((1 << 32) + 1, 64)),
        Err(error) => assert_eq!(error, FunctionError::Refused { code: TOO_LONG }),
    }
    while weighed < PARCELS {
        let (len, grams, is_fragile) = (weighed * 1000, weighed as f64 / 4.0, weighed % 2 == 1);
        let parcel = Parcel { bytes: len as u64, grams: grams as f32, is_fragile: u32::from(is_fragile) };
        let postage = post.weigh(&parcel, PATIENCE)?;
        assert_eq!(postage.cents, cents(len, grams, is_fragile) as u64);
        weighed += 1;
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
    weigh_for_others(&region)?;
    add(&region)?;
    tick(&region, "ticks there", "ticks back")?;
    if PROVEN {
        assert_eq!(there.recv_timeout(&mut buffer, PATIENCE)?.tag, TAKE_OVER);
        succeed(&region, "ours")?;
        back.send_timeout(TAKE_OVER, &[], PATIENCE)?;
        hold(&region, "theirs")?;
    }
    Ok(())
}

/// A process of this build that is killed while it has a lock.
fn killed_holder(name: &str) -> Result<()> {
    let mut child =
        Command::new(env::current_exe()?).args(["--hold", name]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("it was piped")?);
    let said = hear(&mut lines)?;
    child.kill()?;
    child.wait()?;
    assert_eq!(said, "holding");
    Ok(())
}

/// This process, while the other one works.
fn meet(region: &Region, name: &str) -> Result<()> {
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
    weigh(region)?;
    add(region)?;
    region.semaphore("ticks there")?.release(TICKS)?;
    let mut ticks = region.semaphore("ticks back")?;
    for _ in 0..TICKS {
        ticks.acquire_timeout(PATIENCE)?;
    }
    if PROVEN {
        killed_holder(name)?;
        there.send_timeout(TAKE_OVER, &[], PATIENCE)?;
        assert_eq!(back.recv_timeout(&mut buffer, PATIENCE)?.tag, TAKE_OVER);
    }
    Ok(())
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
    if let [word, name] = &words[..]
        && word == "--hold"
    {
        return hold(&RegionName::new(name)?.open(&RegionOptions::new())?, "ours");
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
        meet(&region, &name)
    };
    let mut is_killed = false;
    if !refused && PROVEN && met.is_ok() {
        is_killed = hear(&mut lines)? == "holding";
        child.kill()?;
    }
    let ended = child.wait()?;
    RegionName::new(&name)?.remove()?;
    met?;
    assert!(is_killed || ended.success(), "the other process failed");
    if !refused {
        let mut total = region.mutex::<u64>("total")?;
        let guard = total.lock_timeout(PATIENCE)?.or_roll_back();
        assert_eq!(guard.map_err(|_| "nobody edits in place")?.get(), 2 * TURNS);
        drop(total);
        if PROVEN {
            succeed(&region, "theirs")?;
            println!("{TICKS} ticks there and back, and the locks of killed owners both ways");
        }
        println!(
            "{FRAMES} frames there and back, {VALUES} latest values, {PARCELS} remote calls, {} turns at a lock",
            2 * TURNS
        );
    }
    Ok(())
}
