//! The demo: three processes, no frame lost, nothing left behind.
#![allow(missing_docs)]

mod common;

use std::fs;
use std::time::Duration;

use common::{LONG, eventually, run, signal, start};
use strait::Region;

/// The region of the demo that a process runs.
fn region_of(pid: u32) -> Option<String> {
    let prefix = format!("demo-{pid}-");
    Region::list().expect("names").into_iter().find(|name| name.starts_with(&prefix))
}

/// The processes that a process has started.
fn children_of(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

/// How many sensor frames were sent.
fn sensor_frames(region: &str) -> u64 {
    let shown = run(&["inspect", region, "--json"]).json();
    assert_eq!(shown["channels"][0]["name"], "sensors");
    shown["channels"][0]["sent"].as_u64().expect("a number")
}

#[test]
fn a_second_of_balancing_loses_nothing() {
    let result = run(&["demo", "--seconds", "1", "--json"]).json();
    assert_eq!(result["lost"], 0);
    assert_eq!(result["duplicated"], 0);
    assert_eq!(result["reordered"], 0);
    assert_eq!(result["sent"], 2000);
    assert_eq!(result["received"], 2000);
    assert_eq!(result["seconds"], 1.0);
    assert_eq!(result["rate_hz"], 1000);
    let worst = result["worst_angle_rad"].as_f64().expect("a number");
    assert!((0.1..1.5).contains(&worst), "{worst}");
    let latency = |key: &str| result["latency_ns"][key].as_u64().expect("a number");
    assert!(latency("p50") > 0);
    assert!(latency("p50") <= latency("p99"));
    assert!(latency("p99") <= latency("p999"));
    assert!(latency("p999") <= latency("max"));
}

#[test]
fn ten_kilohertz_loses_nothing_either_and_prints_a_table() {
    let table = run(&["demo", "--seconds", "1", "--rate", "10000"]).ok();
    let row = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).expect("a row");
        line[name.len()..].split_whitespace().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(row("frames sent"), ["10000", "10000", "20000"]);
    assert_eq!(row("received"), ["10000", "10000", "20000"]);
    assert_eq!(row("lost"), ["0", "0", "0"]);
    assert!(table.contains("worst angle"));
}

#[test]
fn real_time_that_is_not_to_be_had_is_told_and_does_not_stop_the_run() {
    let done = run(&["demo", "--seconds", "0.2", "--rt", "10", "--cpus", "0,99999", "--json"]);
    assert!(done.stderr.contains("note: controller: not pinned"), "{done:?}");
    assert_eq!(done.json()["lost"], 0);
}

#[test]
fn interrupted_or_killed_it_leaves_nothing_behind() {
    for name in ["INT", "KILL"] {
        let mut demo = start(&["demo", "--seconds", "600"]);
        let pid = demo.pid();
        assert!(eventually(|| region_of(pid).is_some()), "no region");
        let region = region_of(pid).expect("a region");
        let children = children_of(pid);
        assert_eq!(children.len(), 2);
        signal(pid, name);
        assert_eq!(demo.end(LONG).code, None);
        let gone = |pid: &u32| fs::metadata(format!("/proc/{pid}")).is_err();
        assert!(eventually(|| children.iter().all(gone)), "{name}: a child went on");
        assert!(!Region::list().expect("names").contains(&region), "{name}: the region stayed");
    }
}

#[test]
fn a_part_that_is_killed_ends_the_run_with_a_reason() {
    for which in [0, 1] {
        let mut demo = start(&["demo", "--seconds", "600", "--json"]);
        let pid = demo.pid();
        assert!(eventually(|| region_of(pid).is_some() && children_of(pid).len() == 2), "no parts");
        std::thread::sleep(Duration::from_millis(100));
        signal(children_of(pid)[which], "KILL");
        let line = demo.end(LONG).refused(1);
        let part = ["plant", "controller"][which];
        assert!(line.contains(&format!("the {part} was killed by signal 9")), "{line}");
        assert_eq!(region_of(pid), None);
    }
}

#[test]
fn what_a_run_left_that_was_killed_as_a_whole_goes_with_the_next() {
    let mut demo = start(&["demo", "--seconds", "600"]);
    let pid = demo.pid();
    assert!(eventually(|| region_of(pid).is_some() && children_of(pid).len() == 2), "no parts");
    // Stopped first, so that none sees another's end and cleans up.
    let all = [children_of(pid), vec![pid]].concat();
    all.iter().for_each(|&pid| signal(pid, "STOP"));
    all.iter().for_each(|&pid| signal(pid, "KILL"));
    assert_eq!(demo.end(LONG).code, None);
    // (Another test's demo may come first.)
    run(&["demo", "--seconds", "0.1"]).ok();
    assert_eq!(region_of(pid), None);
}

#[test]
fn a_controller_that_is_stopped_lets_the_pendulum_fall() {
    let mut demo = start(&["demo", "--seconds", "600", "--json"]);
    let pid = demo.pid();
    assert!(eventually(|| region_of(pid).is_some() && children_of(pid).len() == 2), "no parts");
    let region = region_of(pid).expect("a region");
    assert!(eventually(|| sensor_frames(&region) > 200), "it did not begin");
    let controller = children_of(pid)[1];
    signal(controller, "STOP");
    assert!(eventually(|| {
        let before = sensor_frames(&region);
        std::thread::sleep(Duration::from_millis(500));
        sensor_frames(&region) == before
    }));
    signal(controller, "CONT");
    let done = demo.end(LONG);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("the pendulum fell"), "{done:?}");
    let result: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(result["lost"], 0);
    assert!(result["worst_angle_rad"].as_f64().is_some_and(|angle| angle > 1.5));
}
