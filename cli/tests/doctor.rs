//! `doctor`: what it says of the machine and of a region, and with which status it ends.

use crate::common::{Done, Place, run};
use serde_json::Value;
use strait::{Channel, Plan, RegionOptions};

/// What it printed, whatever is wrong with this machine.
fn stdout(done: Done) -> String {
    assert!(matches!(done.code, Some(0 | 1)) && done.stderr.is_empty(), "{done:?}");
    done.stdout
}

fn json(done: Done) -> Value {
    serde_json::from_str(&stdout(done)).expect("one object")
}

/// What was found under this name.
fn found<'a>(shown: &'a Value, what: &str) -> Vec<&'a Value> {
    let all = shown["findings"].as_array().expect("findings");
    all.iter().filter(|finding| finding["what"] == what).collect()
}

#[test]
fn the_machine_is_looked_at_and_a_region_is_tried() {
    let shown = json(run(&["doctor", "--no-measure", "--json"]));
    assert_eq!(found(&shown, "a named region")[0]["verdict"], "ok", "{shown}");
    assert_eq!(shown["hiccups"], Value::Null);
    for finding in shown["findings"].as_array().expect("findings") {
        assert_eq!(finding["verdict"] == "ok", finding["remedy"].is_null(), "{finding}");
        assert!(!finding["source"].as_str().expect("a source").is_empty());
    }
}

#[test]
fn hiccups_are_measured_and_drawn() {
    let text = stdout(run(&["doctor", "--seconds", "0.2"]));
    assert!(text.contains("a running thread stopped") && text.contains("woken late"), "{text}");
    let last = text.lines().last().expect("lines");
    assert!(last.contains(" in the way of real time, ") && last.ends_with(" in the way of strait"), "{last}");
    let shown = json(run(&["doctor", "--seconds", "0.2", "--json"]));
    assert!(shown["hiccups"]["sleeping"]["looks"].as_u64().expect("a count") > 0);
}

#[test]
fn of_a_region_it_says_what_was_refused_and_strict_makes_that_a_failure() {
    let place = Place::new();
    let region = place
        .region()
        .create(&Plan::new(&[Channel::slots::<u64>("ticks", 2)]), &RegionOptions::new())
        .expect("a region");
    let looks = || json(run(&["doctor", &place.name, "--no-measure", "--json"]));
    assert_eq!(found(&looks(), "participants")[0]["found"], "1 joined, 0 dead, 0 unknown");
    assert!(found(&looks(), "channel").is_empty());
    let mut ticks = region.typed_producer::<u64>("ticks").expect("the role");
    while ticks.try_send(&1).is_ok() {}
    let shown = looks();
    assert_eq!(found(&shown, "channel")[0]["verdict"], "late", "{shown}");
    let strict = run(&["doctor", &place.name, "--no-measure", "--strict"]);
    assert_eq!(strict.code, Some(1), "{strict:?}");
}

#[test]
fn a_wrong_command_line_is_one_line() {
    run(&["doctor", "no-such-region", "--no-measure"]).refused(1);
    run(&["doctor", "--seconds", "0"]).refused(2);
    run(&["doctor", "--seconds", "1", "--no-measure"]).refused(2);
    run(&["doctor", "a\nb"]).refused(2);
}
