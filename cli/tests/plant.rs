//! The plant: ten processes, one of them killed again and again, nothing lost, nothing left behind.

use crate::common::{LONG, eventually, os, run, start};
use serde_json::Value;
use strait::RegionName;

/// The region of the plant that a process runs.
fn region_of(pid: u32) -> Option<String> {
    let prefix = format!("plant-{pid}-");
    RegionName::list().expect("names").into_iter().find(|name| name.starts_with(&prefix))
}

/// A number of a run's result.
fn count(result: &Value, keys: &[&str]) -> u64 {
    let found = keys.iter().fold(result, |value, key| &value[key]);
    found.as_u64().unwrap_or_else(|| panic!("no {keys:?} in {result}"))
}

/// Checks that the books of a run are right, whatever was killed.
fn check(result: &Value) {
    let of = |keys: &[&str]| count(result, keys);
    assert_eq!(of(&["processes"]), 10);
    let log = |key| of(&["log", key]);
    assert_eq!((log("lost"), log("recorded")), (0, log("committed")), "{result}");
    assert!(log("duplicated") <= log("duplicates_allowed"), "{result}");
    assert_eq!(log("duplicates_allowed"), of(&["kills_by_station", "recorder"]), "{result}");
    let call = |key| of(&["calls", key]);
    let ends = ["answered", "refused", "died_not_run", "died_maybe_run", "timed_out", "planner_killed"];
    assert_eq!(ends.map(call).iter().sum::<u64>(), call("made"), "{result}");
    assert!(call("planner_killed") <= of(&["kills_by_station", "planner"]), "{result}");
    assert_eq!(call("contradictions"), 0, "{result}");
    assert!(call("answered") > 0, "{result}");
    let published = of(&["state", "published"]);
    let screens = result["state"]["screens"].as_array().expect("the screens");
    assert_eq!(screens.len(), 2);
    for screen in screens {
        assert_eq!((count(screen, &["last"]), count(screen, &["wrong"])), (published, 0), "{result}");
        let seen = count(screen, &["received"]) + count(screen, &["lost"]);
        assert!(0 < seen && seen <= published, "{result}");
    }
    let kills = result["kills_by_station"].as_object().expect("the stations");
    assert_eq!(kills.len(), 9);
    assert_eq!(kills.values().filter_map(Value::as_u64).sum::<u64>(), of(&["kills"]), "{result}");
    let takeovers = result["takeovers_by_station"].as_object().expect("the stations");
    assert_eq!(takeovers.values().filter_map(Value::as_u64).sum::<u64>(), of(&["takeovers"]), "{result}");
    // Each takes over every role that its predecessor had.
    for (station, roles) in [("drive 0", 2), ("planner", 4), ("screen 0", 1), ("recorder", 9)] {
        let killed = kills[station].as_u64().expect("a number");
        assert_eq!(takeovers[station].as_u64(), Some(roles * killed), "{station}: {result}");
    }
}

#[test]
fn any_of_ten_processes_is_killed_and_nothing_is_lost() {
    let result = run(&["demo", "--plant", "--seconds", "3", "--kill-every", "250", "--json"]).json();
    check(&result);
    // The last one may be due at the very end.
    assert!((1..=12).contains(&count(&result, &["kills"])), "{result}");
    assert!(count(&result, &["takeovers"]) >= count(&result, &["kills"]), "{result}");
    assert!(count(&result, &["longest_takeover_ns"]) > 0, "{result}");
}

#[test]
fn without_kills_every_call_has_its_end_and_no_line_comes_twice() {
    let result = run(&["demo", "--plant", "--seconds", "0.5", "--json"]).json();
    check(&result);
    for keys in [&["kills"][..], &["takeovers"], &["log", "duplicated"], &["calls", "planner_killed"]] {
        assert_eq!(count(&result, keys), 0, "{keys:?}");
    }
    for key in ["died_not_run", "died_maybe_run"] {
        assert_eq!(count(&result, &["calls", key]), 0, "{key}");
    }
}

#[test]
fn the_tables_say_what_became_of_everything() {
    let text = run(&["demo", "--plant", "--seconds", "0.9", "--kill-every", "200"]).ok();
    let row = |name: &str| {
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
        line[name.len()..].split_whitespace().map(String::from).collect::<Vec<_>>()
    };
    let all = row("all ");
    assert_eq!(all.len(), 6, "{text}");
    assert_eq!((all[2] == all[3], all[4].as_str()), (true, "0"), "{text}");
    for name in ["drive 2", "planner ", "stop button", "supervisor", "calls made", "screen 1 lost, overtaken"]
    {
        assert!(!row(name).is_empty(), "{text}");
    }
    assert!(text.ends_with("10 processes ran for 0.9 s\n"), "{text}");
}

#[test]
fn interrupted_or_killed_it_leaves_nothing_behind() {
    for name in os::ends() {
        let mut plant = start(&["demo", "--plant", "--seconds", "600", "--kill-every", os::KILL_EVERY]);
        let pid = plant.pid();
        assert!(eventually(|| region_of(pid).is_some()), "no region");
        let region = region_of(pid).expect("a region");
        assert!(eventually(|| os::children_of(pid).len() >= 9), "no processes");
        std::thread::sleep(os::STARTED);
        let children = os::children_of(pid);
        os::signal(pid, name);
        assert_eq!(plant.end(LONG).code, os::ENDED);
        assert!(eventually(|| children.iter().copied().all(os::is_gone)), "{name}: a child went on");
        let is_left = || RegionName::list().expect("names").contains(&region);
        assert!(eventually(|| !is_left()), "{name}: the region stayed");
    }
}

/// Whoever looks on is killed again and again beside the plant's processes: each recording can be read, and the books of
/// the run are right as they are without.
#[cfg(all(unix, feature = "record", feature = "serve"))]
#[test]
fn fault_142_observers_are_killed_too_and_change_no_verdict() {
    use std::fs;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use mcap::read::{Options, RawMessageStream};

    /// Longer than what stands before the first message, and than some hundred messages.
    const LONG_FILE: u64 = 1 << 16;
    let place = crate::common::Place::new();
    let mut plant = start(&["demo", "--plant", "--seconds", "6", "--kill-every", "250", "--json"]);
    let pid = plant.pid();
    assert!(eventually(|| region_of(pid).is_some()), "no region");
    let (region, begun) = (region_of(pid).expect("a region"), Instant::now());
    let (mut recordings, mut long_ones, mut seed) = (Vec::new(), 0, 0x2545_F491_u32);
    while plant.is_running() && begun.elapsed() < Duration::from_secs(5) {
        let out = place.path(&format!("{}.mcap", recordings.len()));
        let watch = ["watch", &region, "--json", "--count", "1000000"];
        let observers = [
            start(&["record", &region, "-o", &out, "--oldest"]),
            start(&["serve", "--port", "0", &region]),
            start(&watch[..4]),
        ];
        recordings.push(out);
        // A recorder has begun after a few tens of milliseconds, and writes every 500.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        sleep(Duration::from_millis(u64::from(seed >> 22)));
        let last = recordings.last().expect("the last one");
        let is_long = || fs::metadata(last).is_ok_and(|file| file.len() > LONG_FILE);
        if recordings.len() % 3 == 1 {
            assert!(eventually(|| is_long() || !plant.is_running()), "nothing is recorded");
        }
        long_ones += u32::from(is_long());
        for observer in observers {
            observer.kill();
        }
    }
    check(&plant.end(LONG).json());
    let mut messages = 0;
    for out in recordings {
        // One that was killed before it had begun left none.
        let Ok(bytes) = fs::read(&out) else { continue };
        let stream = RawMessageStream::new_with_options(&bytes, Options::IgnoreEndMagic.into());
        for message in stream.into_iter().flatten().map_while(Result::ok) {
            serde_json::from_slice::<Value>(&message.data).expect("a whole message");
            messages += 1;
        }
        // The next one to play it finds nothing but its end damaged.
        let into = place.path("played");
        let done = run(&["play", &out, "--into", &into, "--fast", "--skip", "log"]);
        let is_cut = done.stderr.contains("is cut off") || done.stderr.contains("was not completed");
        assert!(is_cut && matches!(done.code, Some(0 | 1)), "{out}: {done:?}");
        let _ = fs::remove_file(&into);
    }
    assert!(messages >= 100 * long_ones, "{messages} in {long_ones} recordings or more");
}

#[test]
fn a_process_that_somebody_else_kills_ends_the_run_with_a_reason() {
    let mut plant = start(&["demo", "--plant", "--seconds", "600", "--json"]);
    let pid = plant.pid();
    assert!(eventually(|| region_of(pid).is_some() && os::children_of(pid).len() == 9), "no processes");
    std::thread::sleep(std::time::Duration::from_millis(100));
    os::signal(os::children_of(pid)[3], "KILL");
    let line = plant.end(LONG).refused(1);
    assert!(line.contains(&format!("the planner {}", os::SAID)), "{line}");
    assert_eq!(region_of(pid), None);
}

#[test]
fn what_is_of_the_pendulum_alone_is_refused() {
    for words in [["--rate", "100"], ["--rt", "10"], ["--cpus", "0,1"], ["--plot", "run.svg"]] {
        let line = run(&[&["demo", "--plant"][..], &words].concat()).refused(2);
        assert!(line.contains(words[0]), "{line}");
    }
    let line = run(&["demo", "--plant", "--seconds", "1", "--kill-every", "1000"]).refused(2);
    assert!(line.contains("is over before"), "{line}");
}
