#!/usr/bin/env bash
# What:     `IpcReceiver::try_recv_timeout` of ipc-channel with a time-out below a millisecond, on Linux.
# Version:  ipc-channel 0.23.1.
# Expected: the parameter is a `Duration`, so a wait of 900 us takes about 900 us when nothing arrives.
# Seen:     the duration is cut to whole milliseconds for poll(). 900 us become 0: the call returns at once, and 1900 us
#           become 1 ms. Nothing says so.
# Matters:  a control loop at 1 kHz or faster waits for less than its period, so it never sleeps at all: it keeps a core
#           busy, and on a real-time priority starves the peer whose message it waits for.
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
ipc-channel = "=0.23.1"
END
cat > src/main.rs <<'END'
use std::time::{Duration, Instant};

fn main() {
    let (_sender, receiver) = ipc_channel::ipc::channel::<u32>().unwrap();
    // The shortest of many, because a busy machine makes any of them longer.
    let shortest = |micros: u64| {
        let one = |_| {
            let begun = Instant::now();
            assert!(receiver.try_recv_timeout(Duration::from_micros(micros)).is_err());
            begun.elapsed()
        };
        (0..50).map(one).min().unwrap()
    };
    let (below, above, whole) = (shortest(900), shortest(1900), shortest(5000));
    println!("try_recv_timeout on an empty channel, the shortest of 50:");
    println!("  900 us took {} us, 1900 us took {} us, 5000 us took {} us",
        below.as_micros(), above.as_micros(), whole.as_micros());
    let same = below < Duration::from_micros(300)
        && above < Duration::from_micros(1700)
        && whole >= Duration::from_micros(4900);
    std::process::exit(if same { 0 } else { 1 });
}
END
cargo build --quiet

echo "version: ipc-channel 0.23.1"
target/debug/finding || { echo "changed: this is no longer what happens"; exit 1; }
