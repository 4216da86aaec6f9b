//! What a recorder costs: itself, and those whom it records. Measured, and so not part of every test run.
//!
//! ```sh
//! cargo test --release -p strait-cli --test cost -- --ignored --nocapture
//! ```
#![cfg(all(target_os = "linux", feature = "record"))]
#![allow(missing_docs)]

mod common;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, Place, Running, eventually, start};
use hdrhistogram::Histogram;
use strait::{Channel, Plan, RegionOptions, describe};

const CHANNELS: usize = 20;
/// Messages that each channel gets in a millisecond: 200,000 a second in all.
const EACH: usize = 10;
/// A measurement; there are several of both sorts, in turn.
const PHASE: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

strait::message! {
    /// 64 bytes.
    struct Sample {
        number: u64,
        time_ns: u64,
        joints: [f32; 6],
        torques: [f32; 6],
    }
}

const NAMES: [&str; CHANNELS] = [
    "c00", "c01", "c02", "c03", "c04", "c05", "c06", "c07", "c08", "c09", "c10", "c11", "c12", "c13", "c14",
    "c15", "c16", "c17", "c18", "c19",
];

/// The processor time that a process has used.
fn used(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let ticks = stat.rsplit_once(") ").expect("a name").1.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(10 * ticks)
}

/// How a phase went.
struct Phase {
    sends: Histogram<u64>,
    sent: u64,
    refused: u64,
}

/// A recorder at work, or none.
fn recorder(place: &Place, name: &str) -> Running {
    let out = place.path(name);
    let recorder = start(&["record", &place.name, "-o", &out, "--json"]);
    assert!(eventually(|| fs::metadata(&out).is_ok_and(|file| file.len() > 1000)), "no topics");
    recorder
}

fn measure(described: bool) {
    let place = Place::new();
    let channels = NAMES.map(|name| Channel::slots::<Sample>(name, 2048));
    let plan = Plan::new(&channels);
    let plan = if described { plan.described(describe!(Sample)) } else { plan };
    let region = place.region().create(&plan, &RegionOptions::new()).expect("a region");
    let mut senders = NAMES.map(|name| region.typed_producer::<Sample>(name).expect("a role"));
    let mut receivers = NAMES.map(|name| region.typed_consumer::<Sample>(name).expect("a role"));
    let is_over = AtomicBool::new(false);
    let mut phase = |number: &mut u64| {
        let mut phase = Phase { sends: Histogram::new(3).expect("3 digits"), sent: 0, refused: 0 };
        let (begin, mut tick) = (Instant::now(), Instant::now());
        while begin.elapsed() < PHASE {
            for _ in 0..EACH {
                for sender in &mut senders {
                    *number += 1;
                    let sample =
                        Sample { number: *number, time_ns: *number, joints: [0.25; 6], torques: [1.5; 6] };
                    let start = Instant::now();
                    let sent = sender.try_send(&sample);
                    phase.sends.saturating_record(start.elapsed().as_nanos() as u64);
                    match sent {
                        Ok(()) => phase.sent += 1,
                        Err(_) => phase.refused += 1,
                    }
                }
            }
            tick += Duration::from_millis(1);
            thread::sleep(tick.saturating_duration_since(Instant::now()));
        }
        phase
    };
    let (mut share, mut missed, mut recorded, mut number) = (Vec::new(), 0, 0, 0);
    let mut both = [Histogram::<u64>::new(3).expect("3 digits"), Histogram::new(3).expect("3 digits")];
    let (mut sent, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for receiver in &mut receivers {
                    while receiver.try_recv().is_ok() {}
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        for round in 0..ROUNDS {
            let alone = phase(&mut number);
            both[0].add(&alone.sends).expect("the same range");
            let mut running = recorder(&place, &format!("run{round}.mcap"));
            let (pid, begin) = (running.pid(), Instant::now());
            let before = used(pid);
            let beside = phase(&mut number);
            share.push((used(pid) - before).as_secs_f64() / begin.elapsed().as_secs_f64());
            both[1].add(&beside.sends).expect("the same range");
            (sent, refused) = (sent + beside.sent, refused + alone.refused + beside.refused);
            thread::sleep(Duration::from_millis(100));
            common::os::signal(pid, "INT");
            let told = running.end(LONG).json();
            missed += told["missed"].as_u64().expect("a number");
            recorded += told["recorded"].as_u64().expect("a number");
            fs::remove_file(place.path(&format!("run{round}.mcap"))).expect("the recording");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let seconds = PHASE.as_secs_f64() * ROUNDS as f64;
    let shares: Vec<String> = share.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect();
    println!("{}", if described { "as JSON, by a described type:" } else { "as bytes:" });
    println!("  {:.0} messages of 64 bytes a second over {CHANNELS} channels", sent as f64 / seconds);
    println!("  sent {sent}, recorded {recorded}, missed {missed}, refused {refused}");
    println!("  the recorder's share of one core: {}", shares.join(", "));
    for (what, sends) in ["without a recorder", "with one"].iter().zip(&both) {
        let at = |share| sends.value_at_quantile(share);
        println!("  a send {what}: median {} ns, 99th percentile {} ns", at(0.5), at(0.99));
    }
    assert_eq!((missed, recorded), (0, sent), "the recorder missed some");
}

#[test]
#[ignore = "measures, on a machine with nothing else to do"]
fn what_a_recorder_costs() {
    [false, true].into_iter().for_each(measure);
}
