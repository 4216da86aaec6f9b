//! How many instructions each path of the endpoints executes, and whether costly ones are among them:
//! exact, and the same on a busy machine as on an idle one.
//!
//! A child is single-stepped through one call at a time (`instructions/paths.rs`). Counted is every
//! instruction from the first of the called function to its `ret`, whatever it calls included, net of
//! a function that does nothing but answer. At each one the bytes are looked at too: on a path that
//! the table calls clean there may be no `lock`, `xchg` with memory, fence, `cpuid`, call, system call,
//! repeated string instruction or division. (A jump into another function counts by what is executed
//! there alone.)
//!
//! ```sh
//! cargo test --release --test instructions -- --nocapture           # prints the table
//! STRAIT_WRITE_LIMITS=1 cargo test --release --test instructions    # rewrites it
//! STRAIT_TRACE=slots-8/send cargo test --release --test instructions -- --nocapture
//! ```
//!
//! The limits stand in `instructions.txt`: a count of more fails, and so does a path without a limit or
//! a limit without a path. Counts vary a little between compilers, so a limit is what was measured and a
//! tenth more, or two; one that has become loose is pointed out. Rewriting takes the counts as they are
//! but never allows a path a costly instruction more than it had: for that, take its line out first.
//!
//! The last command prints the address of each instruction of a path, as `objdump -d` shows them.
//!
//! Only optimised code is worth counting, so a debug build skips. `cargo test --release` compiles with
//! this workspace's own release profile: link-time optimisation "thin", one codegen unit. A user of
//! the crate has cargo's default instead, unless they choose otherwise: no such optimisation, sixteen
//! units; there, what is neither generic nor marked inline is called. Built like that, by these
//! variables, the limits are those of `instructions-plain.txt`:
//!
//! ```sh
//! CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_TARGET_DIR=target/plain \
//!     cargo test --release --test instructions
//! ```
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;
#[path = "instructions/controls.rs"]
mod controls;
#[path = "instructions/fanout.rs"]
mod fanout;
#[path = "instructions/frames.rs"]
mod frames;
#[path = "instructions/lanes.rs"]
mod lanes;
#[path = "instructions/locks.rs"]
mod locks;
#[path = "instructions/own_port.rs"]
mod own_port;
#[path = "instructions/paths.rs"]
mod paths;
#[path = "instructions/patterns.rs"]
mod patterns;
#[path = "instructions/stepper.rs"]
mod stepper;
#[path = "instructions/table.rs"]
mod table;
#[path = "instructions/x86.rs"]
mod x86;

use common::{Kid, Name, linger, role, tell, tracee};
use stepper::{Call, END, watch};
use strait::RegionOptions;
use table::Row;

/// The children; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    if role == "die" {
        let _owner = paths::be_the_last_owner(&region);
        tell("it is mine");
        linger();
    }
    tracee::be_traced();
    match role.as_str() {
        "paths" => paths::show_all(&region),
        "controls" => controls::show_all(),
        _ => panic!("{role}: no such role"),
    }
    tell(END);
    tracee::stop();
}

/// Why nothing is counted, if nothing is.
fn skipped() -> bool {
    if cfg!(debug_assertions) {
        println!("skipped: instructions of unoptimised code say nothing; run with --release");
    }
    cfg!(debug_assertions)
}

#[test]
fn every_path_keeps_its_limit() {
    if skipped() {
        return;
    }
    let name = Name::new("instructions");
    let _region = name.region().create(&paths::PLAN, &RegionOptions::new()).expect("the name is free");
    let mut last_owner = Kid::spawn("child", "die", &name);
    last_owner.hear();
    last_owner.kill();

    let calls = watch("paths", &name);
    let (nothing, calls) = calls.split_first().expect("the child shows something");
    let rows: Vec<Row> = calls.iter().map(|call| Row::of(call, nothing)).collect();
    if let Some(call) = std::env::var("STRAIT_TRACE").ok().and_then(|name| find(calls, &name)) {
        call.trace.iter().for_each(|address| println!("trace {address:x}"));
    }
    let limits = table::read();
    if std::env::var_os("STRAIT_WRITE_LIMITS").is_some() {
        table::write(&rows, &limits);
    }
    let (text, good) = table::judge(&rows, &table::read());
    println!("path, instructions net of a call of nothing ({}), limit:\n{text}", nothing.trace.len());
    assert!(good, "a path and its limit in {} do not agree, see above", table::file());
}

#[test]
fn costly_instructions_are_found_where_they_are() {
    if skipped() {
        return;
    }
    let calls = watch("controls", &Name::new("controls"));
    for (name, expected) in controls::EXPECTED {
        let call = find(&calls, name).unwrap_or_else(|| panic!("{name} was not shown"));
        assert!(call.found.keys().eq(*expected), "{name}: {:?}, not {expected:?}", call.found);
        println!("{name:20} {:5} instructions: {:?}", call.trace.len(), call.found);
    }
    assert!(find(&calls, controls::FENCED).is_some_and(|call| !call.found.is_empty()), "a fence is found");
    let net = |name| find(&calls, name).map(|call| Row::of(call, &calls[0]).count);
    assert_eq!(net(controls::TEN_NOPS), Some(10));
    assert!(net(controls::REP) < Some(10), "a repeated instruction is one");
}

fn find<'c>(calls: &'c [Call], name: &str) -> Option<&'c Call> {
    calls.iter().find(|call| call.name == name)
}
