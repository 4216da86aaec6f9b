#!/usr/bin/env bash
# What:     what a loom model costs besides its own code: two threads that add to one counter, in all their orders.
# Version:  loom 0.7.2 with generator 0.8.11, on Linux.
# Expected: one process runs all executions of a model one after the other, so the stacks of its threads need be made only once.
# Seen:     each thread of each execution maps a stack of its own, protects a page of it, touches it, and unmaps it. That is
#           three system calls and two page faults or more for each thread, and the system's share of the time, printed
#           below, is three quarters of so small a model's, and was more than half of a search of minutes.
# Matters:  a search of minutes, as CI runs it, could take half of them. Neither crate's documentation says so, and neither
#           has an option for it.
set -euo pipefail
unset RUSTFLAGS CARGO_TARGET_DIR

[ "$(uname -s)" = Linux ] || { echo "needs Linux: the times are in /proc"; exit 2; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
loom = "=0.7.2"
generator = "=0.8.11"
END
cat > src/main.rs <<'END'
use loom::sync::atomic::{AtomicUsize, Ordering::AcqRel};
use loom::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
const THREADS: u64 = 3;

/// Page faults, and the time in the program and in the system, so far.
fn used() -> [u64; 3] {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    [7, 11, 12].map(|field: usize| fields[field].parse().unwrap())
}

fn main() {
    let before = used();
    // The same small model again and again, for times that can be measured.
    for _ in 0..400 {
        loom::model(|| {
            EXECUTIONS.fetch_add(1, Relaxed);
            let counter = Arc::new(AtomicUsize::new(0));
            let adders = [0, 1].map(|_| {
                let counter = counter.clone();
                loom::thread::spawn(move || {
                    for _ in 0..3 {
                        counter.fetch_add(1, AcqRel);
                    }
                })
            });
            adders.into_iter().for_each(|adder| adder.join().unwrap());
        });
    }
    let after = used();
    let [faults, program, system] = [0, 1, 2].map(|index| after[index] - before[index]);
    let executions = EXECUTIONS.load(Relaxed);
    let a_thread = faults as f64 / (executions * THREADS) as f64;
    println!("executions:                        {executions}");
    println!("page faults for each new thread:   {a_thread:.1}");
    println!("the system's share of the time:    {:.0} %", 100.0 * system as f64 / (program + system) as f64);
    std::process::exit(if executions > 1000 && a_thread >= 2.0 { 0 } else { 1 });
}
END
cargo build --quiet --release

echo "version: loom 0.7.2, generator 0.8.11"
target/release/finding || { echo "changed: this is no longer what happens"; exit 1; }
