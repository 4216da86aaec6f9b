#!/usr/bin/env bash
# What:     the largest frame that an empty bbqueue accepts.
# Version:  bbqueue 0.7.0.
# Expected: what fitted into the empty queue once fits whenever the queue is empty again. The documentation of the
#           waiting call names one size that it waits for without end: a frame larger than the storage.
# Seen:     a grant is contiguous, and an empty queue keeps its positions where the last frame left them. From the
#           middle neither the rest of the storage nor its beginning is large enough, and the frame is refused although
#           nothing is queued. No later read can help, since there is nothing to read.
# Matters:  a sender that tries again until the consumer has drained the queue tries for ever, after as little as one
#           message. Storage of twice the largest frame and its header is the size to plan for, and no text says it.
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
bbqueue = "=0.7.0"
END
cat > src/main.rs <<'END'
use bbqueue::nicknames::Churrasco;

const FRAME: u16 = 40;

fn main() {
    let queue: Churrasco<64> = Churrasco::new();
    let producer = queue.framed_producer();
    let consumer = queue.framed_consumer();
    let mut results = Vec::new();
    for _ in 0..3 {
        assert!(consumer.read().is_err(), "the queue is empty");
        match producer.grant(FRAME) {
            Ok(grant) => {
                grant.commit(FRAME);
                consumer.read().unwrap().release();
                results.push("accepted, then read".to_string());
            }
            Err(error) => results.push(format!("{error:?}")),
        }
    }
    for result in &results {
        println!("a frame of {FRAME} bytes into an empty queue of {}: {result}", producer.capacity());
    }
    let same = results == ["accepted, then read", "InsufficientSize", "InsufficientSize"];
    std::process::exit(if same { 0 } else { 1 });
}
END
cargo build --quiet

echo "version: bbqueue 0.7.0"
target/debug/finding || { echo "changed: this is no longer what happens"; exit 1; }
