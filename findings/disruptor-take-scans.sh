#!/usr/bin/env bash
# What:     what it costs to take one event at a time from a queue with several producers, by `EventPoller::take(1)`.
# Version:  disruptor 4.4.0, on any system.
# Expected: a bound on the events is a bound on the work: one event costs the same, however many wait behind it.
# Seen:     each call looks at every event that was published and not yet taken, and then returns one of them. In a queue of
#           32,768 slots that is full, an event costs some hundred times what it costs in one of 256; the figures are
#           printed below. With a single producer, whose position is one number, the two cost the same.
# Matters:  a consumer that bounds its batch, to come round in time, has its longest call when it is furthest behind. The
#           documentation of `take` says that it caps the number of events.
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
disruptor = "=4.4.0"
END
cat > src/main.rs <<'END'
use disruptor::{build_multi_producer, build_single_producer, BusySpin, Producer};
use std::hint::black_box;
use std::time::Instant;

const EVENTS: usize = 1 << 17;

/// Nanoseconds for each event that is taken from a queue of so many slots, which is filled before.
macro_rules! taken {
    ($build:ident, $slots:expr) => {{
        let (mut poller, builder) = $build($slots, || 0_u64, BusySpin).new_event_poller();
        let mut producer = builder.build();
        let mut spent = 0;
        for _ in 0..EVENTS / $slots {
            for number in 0..$slots as u64 {
                producer.publish(|event| *event = number);
            }
            let start = Instant::now();
            for number in 0..$slots as u64 {
                let mut events = poller.take(1).expect("an event");
                assert_eq!(black_box((&mut events).next().copied()), Some(number));
            }
            spent += start.elapsed().as_nanos();
        }
        spent as f64 / EVENTS as f64
    }};
}

fn main() {
    let single = [taken!(build_single_producer, 256), taken!(build_single_producer, 1 << 15)];
    let several = [taken!(build_multi_producer, 256), taken!(build_multi_producer, 1 << 15)];
    println!("ns for an event, 256 slots, then 32,768");
    println!("queue of one producer:       {:.0}, {:.0}", single[0], single[1]);
    println!("queue of several producers:  {:.0}, {:.0}", several[0], several[1]);
    let grows = |[few, many]: [f64; 2]| many / few;
    std::process::exit(if grows(several) > 20.0 && grows(single) < 5.0 { 0 } else { 1 });
}
END
cargo build --quiet --release

echo "version: disruptor 4.4.0"
target/release/finding || { echo "changed: this is no longer what happens"; exit 1; }
