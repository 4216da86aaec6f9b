//! The demo: four processes, no frame lost, nothing left behind.

use std::fs;
use std::time::Duration;

use crate::common::{LONG, Place, eventually, os, run, start};
use strait::RegionName;

/// The region of the demo that a process runs.
fn region_of(pid: u32) -> Option<String> {
    let prefix = format!("demo-{pid}-");
    RegionName::list().expect("names").into_iter().find(|name| name.starts_with(&prefix))
}

/// Whether there is a region of that name. On Windows it is still there for as long as another test's
/// process looks at it.
fn is_listed(region: &String) -> bool {
    RegionName::list().expect("names").contains(region)
}

/// How many sensor frames were sent.
fn sensor_frames(region: &str) -> u64 {
    let shown = run(&["inspect", region, "--json"]).json();
    assert_eq!(shown["channels"][0]["name"], "sensors");
    shown["channels"][0]["sent"].as_u64().expect("a number")
}

/// How often a controller was taken over from.
fn takeovers(region: &str) -> u64 {
    let shown = run(&["inspect", region, "--json"]).json();
    shown["channels"][0]["consumer_takeovers"].as_u64().expect("a number")
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
    for name in os::ends() {
        let mut demo = start(&["demo", "--seconds", "600"]);
        let pid = demo.pid();
        assert!(eventually(|| region_of(pid).is_some()), "no region");
        let region = region_of(pid).expect("a region");
        let children = os::children_of(pid);
        assert_eq!(children.len(), 3);
        os::signal(pid, name);
        assert_eq!(demo.end(LONG).code, os::ENDED);
        assert!(eventually(|| children.iter().copied().all(os::is_gone)), "{name}: a child went on");
        assert!(eventually(|| !is_listed(&region)), "{name}: the region stayed");
    }
}

#[test]
fn a_part_that_is_killed_ends_the_run_with_a_reason() {
    for which in [0, 1, 2] {
        let mut demo = start(&["demo", "--seconds", "600", "--json"]);
        let pid = demo.pid();
        assert!(eventually(|| region_of(pid).is_some() && os::children_of(pid).len() == 3), "no parts");
        std::thread::sleep(Duration::from_millis(100));
        os::signal(os::children_of(pid)[which], "KILL");
        let line = demo.end(LONG).refused(1);
        let part = ["plant", "controller", "tuner"][which];
        assert!(line.contains(&format!("the {part} {}", os::SAID)), "{line}");
        assert_eq!(region_of(pid), None);
    }
}

#[test]
fn what_a_run_left_that_was_killed_as_a_whole_goes_with_the_next() {
    let mut demo = start(&["demo", "--seconds", "600"]);
    let pid = demo.pid();
    assert!(eventually(|| region_of(pid).is_some() && os::children_of(pid).len() == 3), "no parts");
    // Stopped first, so that none sees another's end and cleans up.
    let all = [os::children_of(pid), vec![pid]].concat();
    all.iter().for_each(|&pid| os::signal(pid, "STOP"));
    all.iter().for_each(|&pid| os::signal(pid, "KILL"));
    assert_eq!(demo.end(LONG).code, os::ENDED);
    // The next run spares regions that a dying process still has.
    assert!(eventually(|| all.iter().copied().all(os::is_gone)), "a part went on");
    // (Another test's demo may come first.)
    run(&["demo", "--seconds", "0.1"]).ok();
    assert!(eventually(|| region_of(pid).is_none()), "the region stayed");
}

#[test]
fn a_controller_that_is_stopped_lets_the_pendulum_fall() {
    let mut demo = start(&["demo", "--seconds", "600", "--json"]);
    let pid = demo.pid();
    assert!(eventually(|| region_of(pid).is_some() && os::children_of(pid).len() == 3), "no parts");
    let region = region_of(pid).expect("a region");
    assert!(eventually(|| sensor_frames(&region) > 200), "it did not begin");
    let controller = os::children_of(pid)[1];
    os::signal(controller, "STOP");
    assert!(eventually(|| {
        let before = sensor_frames(&region);
        std::thread::sleep(Duration::from_millis(500));
        sensor_frames(&region) == before
    }));
    os::signal(controller, "CONT");
    let done = demo.end(LONG);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("the pendulum fell"), "{done:?}");
    let result: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(result["lost"], 0);
    assert!(result["worst_angle_rad"].as_f64().is_some_and(|angle| angle > 1.5));
}

/// A number of a run's result.
fn count(result: &serde_json::Value, key: &str) -> u64 {
    result[key].as_u64().expect("a number")
}

#[test]
fn controllers_and_tuners_are_killed_and_no_frame_is_lost() {
    for every in ["100", "250"] {
        let result = run(&["demo", "--seconds", "2.4", "--kill-every", every, "--json"]).json();
        assert_eq!(count(&result, "lost"), 0, "{result}");
        assert_eq!(count(&result, "reordered"), 0, "{result}");
        let (kills, tuners) = (count(&result, "kills"), count(&result, "tuner_kills"));
        let controllers = kills - tuners;
        assert!(controllers >= 2 && tuners >= 1, "{result}");
        assert_eq!(count(&result, "sent") - 4800, count(&result, "duplicated"), "{result}");
        assert!(count(&result, "duplicated") <= controllers, "{result}");
        // Each killed controller had two roles, unless it was leaving. A tuner was killed with the lock, a
        // controller perhaps.
        assert!((2 * controllers - 2..=2 * controllers).contains(&count(&result, "takeovers")), "{result}");
        assert!((tuners..=kills).contains(&count(&result, "repairs")), "{result}");
        assert!(count(&result, "longest_recovery_ns") > 0, "{result}");
        assert!(count(&result, "gain_updates") > 0, "{result}");
    }
}

#[test]
fn the_dead_are_counted_in_the_table_and_drawn() {
    let place = Place::new();
    let plot = place.path("run.svg");
    let words = ["demo", "--seconds", "1.9", "--kill-every", "200", "--plot", &plot];
    let table = run(&words).ok();
    let row = |name: &str| -> u64 {
        let line = table.lines().find(|line| line.starts_with(name)).expect("a row");
        line[name.len()..].trim().parse().expect("a number")
    };
    let (controllers, tuners) = (row("controllers killed"), row("tuners killed, each in mid-update"));
    assert!(controllers >= 2 && tuners >= 1, "{table}");
    assert!(row("roles taken over") >= 2 * controllers - 2);
    assert!(row("gain tables rolled back") >= tuners);
    let drawn = fs::read_to_string(&plot).expect("the drawing");
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    for (class, count) in [("controller", controllers), ("tuner", tuners)] {
        // A line in each panel, and one in the legend.
        let lines = drawn.matches(&format!("<line class=\"{class}\"")).count() as u64;
        assert_eq!(lines, 2 * count + 1, "{class}");
    }
    for what in ["angle, degrees", "force, newtons", "time, seconds", "<polyline"] {
        assert!(drawn.contains(what), "{what}");
    }
    assert_eq!(place.others(&["run.svg"]), [""; 0]);
}

#[test]
fn a_run_without_kills_is_drawn_too() {
    let place = Place::new();
    let plot = place.path("run.svg");
    let result = run(&["demo", "--seconds", "0.5", "--json", "--plot", &plot]).json();
    for key in ["kills", "tuner_kills", "takeovers", "repairs", "longest_recovery_ns", "duplicated"] {
        assert_eq!(count(&result, key), 0, "{key}");
    }
    assert!(!fs::read_to_string(&plot).expect("the drawing").contains("killed"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_starts() {
    let place = Place::new();
    for every in ["0", "49", "-250", "nan", "often"] {
        assert!(run(&["demo", "--kill-every", every]).refused(2).contains("--kill-every"));
    }
    let line = run(&["demo", "--seconds", "1", "--kill-every", "1000"]).refused(2);
    assert!(line.contains("is over before"), "{line}");
    let (missing, dir) = (place.path("none/run.svg"), place.dir.to_str().expect("UTF-8").to_string());
    for plot in [&*missing, &*dir].iter().chain(os::FULL) {
        run(&["demo", "--seconds", "600", "--plot", plot]).refused(1);
    }
    assert_eq!(place.others(&[]), [""; 0]);
}

#[test]
fn interrupted_among_kills_it_leaves_nothing_behind() {
    for name in os::ends() {
        let mut demo = start(&["demo", "--seconds", "600", "--kill-every", os::KILL_EVERY]);
        let pid = demo.pid();
        assert!(eventually(|| region_of(pid).is_some()), "no region");
        let region = region_of(pid).expect("a region");
        assert!(eventually(|| takeovers(&region) >= 2), "no kills");
        std::thread::sleep(os::STARTED);
        let children = os::children_of(pid);
        os::signal(pid, name);
        assert_eq!(demo.end(LONG).code, os::ENDED);
        assert!(eventually(|| children.iter().copied().all(os::is_gone)), "{name}: a child went on");
        assert!(eventually(|| !is_listed(&region)), "{name}: the region stayed");
    }
}
