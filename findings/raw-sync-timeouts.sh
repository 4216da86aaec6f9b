#!/usr/bin/env bash
# What:     time-outs of raw_sync's Event and Mutex (the locks that go with the crate shared_memory) on Unix.
# Version:  raw_sync 0.1.5.
# Expected: `Timeout::Val(500 ms)` waits for up to 500 ms, and the error after it means that the time has passed.
# Seen:     the nanoseconds of the duration are added to those of the clock with no carry into the seconds. When the sum
#           reaches a second, the system call refuses it (EINVAL), and wait() returns its usual error at once. Whether
#           that happens depends on the fraction of the second at which the call is made: half of all calls for 500 ms,
#           nine of ten for 900 ms, none for whole seconds. The error of a real time-out is word for word the same.
# Matters:  a loop that waits for the next message with a time-out spins half of the time, and a caller that takes the
#           error for "the peer is silent" declares live peers dead.
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
raw_sync = "=0.1.5"
END
cat > src/main.rs <<'END'
use raw_sync::events::{Event, EventImpl, EventInit};
use raw_sync::Timeout;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Waits for 500 ms on an event that nobody sets, beginning at this fraction of a second.
fn wait_begun_at(event: &dyn EventImpl, wanted: u32) -> (Duration, String) {
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_millis();
        if (wanted..wanted + 20).contains(&now) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let begun = Instant::now();
    let error = event.wait(Timeout::Val(Duration::from_millis(500))).unwrap_err();
    (begun.elapsed(), error.to_string())
}

fn main() {
    let mut memory = vec![0u64; 64];
    let (event, _) = unsafe { Event::new(memory.as_mut_ptr().cast(), true) }.unwrap();
    let (early, early_error) = wait_begun_at(event.as_ref(), 100);
    // The shortest of three, because a busy machine makes any of them longer.
    let (late, late_error) = (0..3).map(|_| wait_begun_at(event.as_ref(), 700)).min().unwrap();
    println!("wait(500 ms) begun at .100 of a second: {} ms, error \"{early_error}\"", early.as_millis());
    println!("wait(500 ms) begun at .700 of a second: {} ms, error \"{late_error}\"", late.as_millis());
    let same = early >= Duration::from_millis(490) && late < Duration::from_millis(100) && early_error == late_error;
    std::process::exit(if same { 0 } else { 1 });
}
END
cargo build --quiet

echo "version: raw_sync 0.1.5"
target/debug/finding || { echo "changed: this is no longer what happens"; exit 1; }
