//! Steps a victim through an operation, keeps what it leaves, and calls the survivors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::panic::{catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use strait::{RegionOptions, RegionPlace};

use super::common::rng::Rng;
use super::common::tracee::Tracee;
use super::common::{Kid, Name};
use super::operation::{First, ORDERS, Operation, Past, Seen};

/// Steps after which an operation will not end any more.
const ENDLESS: u64 = 2_000_000;

/// Instructions that a victim is stepped through at the most before it is killed at random.
const MOST_STEPS: u64 = 8000;

/// The longest region.
const LONGEST: usize = 16 * 1024;

/// The kills that were survived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Instructions of the operation.
    pub steps: u64,
    /// The start, and each instruction that changed the region.
    pub points: usize,
    /// Contents of the region, all different, that were survived.
    pub distinct: usize,
    /// Real kills that were survived, at a system call.
    pub at_calls: usize,
    /// Real kills that were survived, at a random instruction.
    pub at_random: usize,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.points += other.points;
        self.distinct += other.distinct;
        self.at_calls += other.at_calls;
        self.at_random += other.at_random;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, points, distinct, at_calls, at_random } = self;
        write!(
            f,
            "{points:4} points ({steps:7} instructions), {distinct:4} distinct, {distinct:4} survived; "
        )?;
        write!(f, "kills: {at_calls:3} at system calls, {at_random:3} at random, all survived")
    }
}

/// A kill that was not survived.
#[derive(Debug)]
pub enum Trouble {
    /// The survivors of a snapshot found something wrong.
    Snapshot { point: usize, step: u64, order: First, complaint: String },
    /// At a later point they see less than at an earlier one, or not all at the end.
    Backwards { point: usize, step: u64, order: First, seen: Seen, last: Seen },
    /// The survivors of a real kill found something wrong.
    Kill { boundary: u64, instructions: u64, order: First, complaint: String },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot { point, step, order, complaint } => {
                write!(f, "point {point} (instruction {step}), {order:?} first: {complaint}")
            }
            Self::Backwards { point, step, order, seen, last } => {
                write!(f, "point {point} (instruction {step}), {order:?} first: {seen:?} seen after {last:?}")
            }
            Self::Kill { boundary, instructions, order, complaint } => {
                write!(
                    f,
                    "killed {instructions} instructions behind boundary {boundary} of a system call, "
                )?;
                write!(f, "{order:?} first: {complaint}")
            }
        }
    }
}

/// A victim that has come to its operation, and the region where it is.
struct Victim {
    /// Dropped before the child: a traced thread stays, even dead, until its tracer lets it go.
    tracee: Tracee,
    kid: Kid,
    name: Name,
}

/// A name that no other victim or snapshot has.
fn fresh(operation: &Operation) -> Name {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    Name::new(&format!("{}-{}", operation.name, COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// Makes a region of these bytes, in which nobody lives.
fn put(region: &RegionPlace, bytes: &[u8]) {
    let file = File::options().write(true).create_new(true).mode(0o600).open(region.path().expect("a file"));
    file.expect("the name is free").write_all(bytes).expect("there is space");
}

/// The region that the victim of an operation finds, if it finds one.
fn past(operation: &Operation) -> Option<Vec<u8>> {
    let name = fresh(operation);
    let make = || name.region().create(&operation.plan, &RegionOptions::new()).expect("the name is free");
    let read = || Some(fs::read(name.region().path().expect("a file")).expect("it was made"));
    match operation.past {
        Past::Nothing => None,
        Past::Unused => {
            drop(make());
            read()
        }
        Past::Deaths(past) => {
            let attachment = make();
            // In the copy that is read here all this is as the dead left it.
            let _left = past(&attachment);
            read()
        }
    }
}

impl Victim {
    fn new(operation: &Operation, past: Option<&[u8]>) -> nix::Result<Self> {
        let name = fresh(operation);
        if let Some(bytes) = past {
            put(&name.region(), bytes);
        }
        let (kid, tracee) = Tracee::spawn(operation.name, &name)?;
        tracee.run_to_stop();
        Ok(Self { name, kid, tracee })
    }

    /// Runs it until it has mapped its region, before which no instruction can change it. Returns the
    /// region's file.
    fn find_region(&self) -> File {
        let process = PathBuf::from(format!("/proc/{}", self.kid.pid()));
        let known = self.name.region();
        let place = known.path().and_then(Path::parent).and_then(Path::to_str).expect("a file is somewhere");
        while !fs::read_to_string(process.join("maps")).expect("it lives").contains(place) {
            assert!(self.tracee.next_call(), "no region was mapped");
        }
        let open = fs::read_dir(process.join("fd")).expect("it lives").flatten();
        let mut files = open.filter(|fd| fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(place)));
        let file = files.next().expect("what is mapped stays open");
        File::open(file.path()).expect("a region can be read by its owner")
    }

    /// Kills it where it stands. Returns the survivors' region.
    fn kill(self) -> Name {
        self.tracee.kill(self.kid);
        self.name
    }
}

/// Whether tracing is refused.
pub fn not_permitted() -> bool {
    let operation = &super::operations()[0];
    match Victim::new(operation, past(operation).as_deref()) {
        Ok(victim) => drop(victim.kill()),
        Err(error) => return matches!(error, Errno::EPERM | Errno::EACCES | Errno::ENOSYS),
    }
    false
}

/// An operation's changes to its region.
struct Steps {
    /// How many instructions it took.
    count: u64,
    /// The contents before, and after each instruction that changed them, which is numbered from 1.
    points: Vec<(u64, Vec<u8>)>,
}

/// Steps through an operation.
fn step(operation: &Operation, past: Option<&[u8]>) -> Steps {
    let victim = Victim::new(operation, past).expect("tracing was permitted before");
    let file = victim.find_region();
    let mut buffer = [0; LONGEST];
    let mut steps = Steps { count: 0, points: Vec::new() };
    loop {
        // As quick as that is, it is done for each instruction: so nothing need be known of any.
        let len = file.read_at(&mut buffer, 0).expect("the region can be read");
        let now = &buffer[..len];
        if steps.points.last().is_none_or(|(_, last)| last != now) {
            assert!(len < LONGEST, "a smaller region would do");
            steps.points.push((steps.count, now.to_vec()));
        }
        if !victim.tracee.step() {
            break;
        }
        steps.count += 1;
        assert!(steps.count < ENDLESS, "the operation does not end");
    }
    victim.kill();
    steps
}

thread_local! {
    /// The survivors' complaints in this thread, while they run.
    static COMPLAINT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the panics of survivors, which are shown with the victim's whereabouts later.
fn keep_complaints() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            let text = panic.payload_as_str().unwrap_or_default();
            let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
            let is_kept = COMPLAINT.with_borrow_mut(|complaint| {
                complaint.as_mut().map(|complaint| *complaint = format!("{text}{place}")).is_some()
            });
            if !is_kept {
                usual(panic);
            }
        }));
    });
}

/// Calls the survivors. Returns the state that they see, or their complaint.
fn survive(operation: &Operation, region: &RegionPlace, order: First) -> Result<Seen, String> {
    keep_complaints();
    COMPLAINT.set(Some(String::new()));
    let result = catch_unwind(|| (operation.survivors)(region, order));
    let complaint = COMPLAINT.take().unwrap_or_default();
    match result {
        Ok(seen) if operation.may_see(seen) => Ok(seen),
        Ok(seen) => Err(format!("they see {seen:?}")),
        Err(_) => Err(complaint),
    }
}

/// Tries every point of an operation, on copies.
pub fn try_snapshots(operation: &Operation) -> Result<Tally, Trouble> {
    try_points(operation, &step(operation, past(operation).as_deref()))
}

fn try_points(operation: &Operation, steps: &Steps) -> Result<Tally, Trouble> {
    let mut known = HashMap::new();
    for order in ORDERS {
        let mut last = operation.before;
        for (point, (step, bytes)) in steps.points.iter().enumerate() {
            let step = *step;
            let seen = match known.get(&(order == First::Producer, bytes)) {
                Some(&seen) => seen,
                None => {
                    let name = fresh(operation);
                    put(&name.region(), bytes);
                    let seen = survive(operation, &name.region(), order);
                    let seen =
                        seen.map_err(|complaint| Trouble::Snapshot { point, step, order, complaint })?;
                    known.insert((order == First::Producer, bytes), seen);
                    seen
                }
            };
            let is_first = point == 0 && seen != operation.before;
            let is_last = point + 1 == steps.points.len() && seen != operation.after;
            if is_first || is_last || seen.iter().zip(last).any(|(now, last)| *now < last) {
                return Err(Trouble::Backwards { point, step, order, seen, last });
            }
            last = seen;
        }
    }
    let distinct = known.len() / ORDERS.len();
    Ok(Tally { steps: steps.count, points: steps.points.len(), distinct, ..Tally::default() })
}

/// Kills a victim before each of its stores in turn, by the points that the core has for that, until one
/// completes. Returns how many were killed.
pub fn try_points_of(operation: &Operation) -> Result<usize, Trouble> {
    let past = past(operation);
    for point in 0.. {
        for order in ORDERS {
            let name = fresh(operation);
            if let Some(bytes) = past.as_deref() {
                put(&name.region(), bytes);
            }
            let mut kid = Kid::spawn("child", &format!("{}@{point}", operation.name), &name);
            let ended = kid.hear() == "ended";
            kid.wait();
            if ended {
                return Ok(point as usize);
            }
            let seen = survive(operation, &name.region(), order);
            seen.map_err(|complaint| Trouble::Snapshot { point: point as usize, step: 0, order, complaint })?;
        }
    }
    Ok(0)
}

/// Tries every point of an operation on copies, and then real kills: at every boundary of a system call,
/// and at `random` instructions.
pub fn try_all(operation: &Operation, random: usize, seed: u64) -> Result<Tally, Trouble> {
    let past = past(operation);
    let past = past.as_deref();
    let steps = step(operation, past);
    let mut tally = try_points(operation, &steps)?;
    let boundaries = kill_at(operation, past, u64::MAX, 0)?;
    for boundary in 1..boundaries {
        kill_at(operation, past, boundary, 0)?;
    }
    tally.at_calls = boundaries as usize;
    let mut rng = Rng::new(seed);
    for _ in 0..random {
        // Stepping is slow, so a long operation goes on to some boundary first.
        let boundary = rng.next() % boundaries;
        let instructions = rng.next() % steps.count.min(MOST_STEPS);
        kill_at(operation, past, boundary, instructions)?;
        tally.at_random += 1;
    }
    Ok(tally)
}

/// Kills a victim after this many instructions, for real.
pub fn try_kill(operation: &Operation, instructions: u64) -> Result<(), Trouble> {
    kill_at(operation, past(operation).as_deref(), 0, instructions).map(drop)
}

/// Kills a victim this many instructions after a boundary of its system calls, or when it is done, and
/// calls the survivors. Returns the boundary.
fn kill_at(
    operation: &Operation,
    past: Option<&[u8]>,
    boundary: u64,
    instructions: u64,
) -> Result<u64, Trouble> {
    let victim = Victim::new(operation, past).expect("tracing was permitted before");
    let mut passed = 0;
    while passed < boundary && victim.tracee.next_call() {
        passed += 1;
    }
    // The two last ones are of the call by which the victim stops itself, after the operation.
    let done = passed < boundary;
    if done {
        passed -= 1;
    }
    let mut stepped = 0;
    while !done && stepped < instructions && victim.tracee.step() {
        stepped += 1;
    }
    let name = victim.kill();
    let order = ORDERS[(passed + stepped) as usize % ORDERS.len()];
    let complain = |complaint| Trouble::Kill { boundary: passed, instructions: stepped, order, complaint };
    survive(operation, &name.region(), order).map_err(complain)?;
    Ok(passed)
}
