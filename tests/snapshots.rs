//! A death at every instruction of every operation, without marks in the code.
//!
//! A child, the victim, is single-stepped through one operation at a time (`snapshots/operation.rs`
//! says what one is). After each instruction that changed the region the region's bytes are kept: a
//! *point*. Every distinct point is then what a victim left that died there: its bytes become a region
//! in which nobody holds a liveness token, so that all former participants are proven dead. There the
//! operation's survivors, which are ordinary users, claim what they need, check, and go on; twice, in two
//! orders. How far the operation had got, as they see it, may not go back from one point to the next,
//! and must be nothing before the first instruction and all after the last.
//!
//! Then victims are really killed: at every boundary of a system call, and at random instructions of
//! all operations. Their survivors work in the victims' own region.
//!
//! Under `--cfg strait_crash_points` the core has numbered points before its stores, and a test more kills
//! a victim at each of them: the same operations and survivors, without a tracer.
//!
//! ```sh
//! cargo test --test snapshots -- --nocapture                      # prints the table
//! STRAIT_ONLY=latest cargo test --test snapshots -- --nocapture   # operations with that in their name
//! STRAIT_SEED=7 cargo test --test snapshots                       # the random kills of that seed
//! ```
//!
//! A snapshot shows what memory holds once all of the victim's stores are in it, in the order of its
//! instructions. That the stores of a processor which reorders them arrive in an order as good is
//! another matter: what a dead process stored is all there when its death is proven, and what the
//! living see of each other the models under `loom-tests` check.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "snapshots/broadcast_operations.rs"]
mod broadcast_operations;
#[path = "snapshots/call_lane_operations.rs"]
mod call_lane_operations;
#[path = "snapshots/call_operations.rs"]
mod call_operations;
mod common;
#[path = "snapshots/controls.rs"]
mod controls;
#[path = "snapshots/event_operations.rs"]
mod event_operations;
#[path = "snapshots/fanout_operations.rs"]
mod fanout_operations;
#[path = "snapshots/harness.rs"]
mod harness;
#[path = "snapshots/lane_operations.rs"]
mod lane_operations;
#[path = "snapshots/latest_operations.rs"]
mod latest_operations;
#[path = "snapshots/lock_operations.rs"]
mod lock_operations;
#[path = "snapshots/operation.rs"]
mod operation;
#[path = "snapshots/points.rs"]
mod points;
#[path = "snapshots/queue_operations.rs"]
mod queue_operations;
#[path = "snapshots/queues.rs"]
mod queues;
#[path = "snapshots/region_operations.rs"]
mod region_operations;
#[path = "snapshots/stream_operations.rs"]
mod stream_operations;

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use common::{role, tracee};
use harness::{Tally, Trouble};
use operation::Operation;

/// Real kills at random instructions, at least, over all operations.
const RANDOM_KILLS: usize = 200;

/// Every operation.
fn operations() -> Vec<Operation> {
    let lists = [
        queue_operations::all(),
        lane_operations::all(),
        fanout_operations::all(),
        latest_operations::all(),
        broadcast_operations::all(),
        event_operations::all(),
        lock_operations::all(),
        region_operations::all(),
        call_operations::all(),
        call_lane_operations::all(),
        stream_operations::all(),
    ];
    lists.into_iter().flatten().collect()
}

/// The victims; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let (role, point) = role.split_once('@').map_or((&*role, None), |(role, point)| (role, Some(point)));
    let all = operations().into_iter().chain(controls::all());
    let operation = all.into_iter().find(|operation| operation.name == role).expect("such an operation");
    let act = (operation.victim)(&region);
    // A victim that does not come to its end is not to be stepped through an unwinding too.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    if let Some(point) = point {
        return points::pass(point.parse().expect("a number"), act);
    }
    tracee::be_traced();
    let _left = tracee::stop_around(act);
}

/// Why nothing can be stepped here, if so.
fn skipped() -> Option<&'static str> {
    #[cfg(target_arch = "aarch64")]
    if !std::arch::is_aarch64_feature_detected!("lse") {
        // A store-exclusive fails if anything happened since its load, and each step is something.
        return Some("this processor's compare-and-swap is a loop that does not end in single steps");
    }
    harness::not_permitted().then_some("this process may not trace its children")
}

#[test]
fn every_point_of_every_operation_is_survived() {
    if let Some(why) = skipped() {
        return println!("skipped: {why}");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let seed = std::env::var("STRAIT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
    let only = std::env::var("STRAIT_ONLY").unwrap_or_default();
    let chosen: Vec<_> = operations().into_iter().filter(|one| one.name.contains(&only)).collect();
    assert!(!chosen.is_empty(), "no operation has {only:?} in its name");
    let kills = RANDOM_KILLS.div_ceil(operations().len());
    let left = Mutex::new(chosen.iter().enumerate().rev());
    let results = Mutex::new(Vec::new());
    // Two at a time, because the system has more to do than either; the longest, which are last, first.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((at, operation)) = left.lock().expect("nobody panicked").next() else { break };
                    let result = harness::try_all(operation, kills, seed.wrapping_add(at as u64));
                    results.lock().expect("nobody panicked").push((at, operation.name, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("nobody panicked");
    results.sort_by_key(|&(at, ..)| at);
    report(&results, seed);
}

/// Prints the table, and fails if something was not survived.
fn report(results: &[(usize, &str, Result<Tally, Trouble>)], seed: u64) {
    let (mut all, mut troubles) = (Tally::default(), Vec::new());
    println!("points are the start, and the instructions that changed the region:");
    for (_, name, result) in results {
        match result {
            Ok(tally) => {
                println!("{name:32} {tally}");
                all.add(tally);
            }
            Err(trouble) => {
                println!("{name:32} {trouble}");
                troubles.push(format!("{name}: {trouble}"));
            }
        }
    }
    println!("{:32} {all}", "all");
    println!("{} points, {} survived; random kills by STRAIT_SEED={seed}", all.points, all.points);
    assert!(troubles.is_empty(), "not survived:\n{}", troubles.join("\n"));
}

#[test]
fn every_crash_point_is_survived() {
    if !cfg!(strait_crash_points) {
        return println!("skipped: the core has crash points under --cfg strait_crash_points only");
    }
    let counts: Vec<_> = operations().iter().map(|one| (one.name, harness::try_points_of(one))).collect();
    let (mut all, mut troubles) = (0, Vec::new());
    for (name, result) in counts {
        match result {
            Ok(points) => {
                println!("{name:32} {points:4} points, {points:4} survived");
                all += points;
            }
            Err(trouble) => troubles.push(format!("{name}: {trouble}")),
        }
    }
    println!("{all} points, {all} survived");
    assert!(troubles.is_empty(), "not survived:\n{}", troubles.join("\n"));
    assert!(all > operations().len(), "hardly any operation stores nothing");
}

#[test]
fn wrong_operations_are_found_out() {
    if let Some(why) = skipped() {
        return println!("skipped: {why}");
    }
    for operation in controls::all() {
        let trouble = harness::try_snapshots(&operation).expect_err("it is wrong");
        println!("{:32} {trouble}", operation.name);
        if let Trouble::Snapshot { step, .. } = trouble {
            let trouble = harness::try_kill(&operation, step).expect_err("dead is dead");
            println!("{:32} {trouble}", "");
        }
    }
}
