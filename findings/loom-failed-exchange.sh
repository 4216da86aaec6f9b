#!/usr/bin/env bash
# What:     failed exchanges in a loom model: compare_exchange that finds another value, and compare_exchange_weak.
# Version:  loom 0.7.3.
# Expected: loom explores what the C11 memory model allows, apart from the limits that its README lists: SeqCst accesses
#           and load buffering, in a list that calls itself incomplete. The C11 model makes a failed exchange a load,
#           which may return an old value, and lets a weak exchange fail for no reason at all.
# Seen:     a relaxed load returns the old value in some executions of the model. A failed exchange in its place never
#           does, and a weak exchange never fails with the expected value in place. The list names neither.
# Matters:  a model that passes is no proof for code that reads through a failed exchange, or that treats the failure of
#           a weak one as "somebody else was faster". ARM and RISC-V processors allow both.
set -euo pipefail
unset RUSTFLAGS CARGO_TARGET_DIR

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
loom = "=0.7.3"
END
cat > src/main.rs <<'END'
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::Arc;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// All values that `read` returns for a word of 0, in which another thread stores 1 and then raises a relaxed flag,
/// in those executions where the flag was seen up.
fn values_of(read: fn(&AtomicUsize) -> usize) -> BTreeSet<usize> {
    let values = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let inside = values.clone();
    loom::model(move || {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let theirs = shared.clone();
        let writer = loom::thread::spawn(move || {
            theirs.0.store(1, Relaxed);
            theirs.1.store(1, Relaxed);
        });
        if shared.1.load(Relaxed) == 1 {
            inside.lock().unwrap().insert(read(&shared.0));
        }
        writer.join().unwrap();
    });
    let values = values.lock().unwrap();
    values.clone()
}

/// All results of a weak exchange that nobody disturbs.
fn weak_results() -> BTreeSet<bool> {
    let results = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let inside = results.clone();
    loom::model(move || {
        let word = AtomicUsize::new(0);
        inside.lock().unwrap().insert(word.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok());
    });
    let results = results.lock().unwrap();
    results.clone()
}

fn main() {
    let loaded = values_of(|word| word.load(Relaxed));
    let exchanged = values_of(|word| word.compare_exchange(7, 8, Relaxed, Relaxed).unwrap_err());
    let weak = weak_results();
    println!("values of a relaxed load:                     {loaded:?}");
    println!("values of a failed relaxed exchange:          {exchanged:?}");
    println!("success of an undisturbed weak exchange:      {weak:?}");
    let same = loaded == BTreeSet::from([0, 1]) && exchanged == BTreeSet::from([1]) && weak == BTreeSet::from([true]);
    std::process::exit(if same { 0 } else { 1 });
}
END
cargo build --quiet

echo "version: loom 0.7.3"
target/debug/finding || { echo "changed: this is no longer what happens"; exit 1; }
