//! `inspect`, `ls`, `rm`, and wrong command lines.

#[cfg(unix)]
#[path = "regions/unix.rs"]
mod unix;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::common::{Place, dump, os, run, strait};
use strait::{Channel, Plan, Region, RegionFile, RegionOptions, RegionPlace};

fn create(place: &Place) -> Region {
    create_in(&place.region())
}

fn create_in(region: &RegionPlace) -> Region {
    let channels = [
        Channel::frames("commands", 1024, 100),
        Channel::slots::<u64>("ticks", 16).consumer_may_block(),
        Channel::latest::<f64>("angle"),
    ];
    region.create(&Plan::new(&channels), &RegionOptions::new()).expect("a region")
}

#[test]
fn a_live_region_is_shown() {
    let place = Place::new();
    let region = create(&place);
    let mut commands = region.producer("commands").expect("the role");
    commands.try_send(1, b"one").expect("room");
    commands.try_send(2, b"two").expect("room");
    let mut angle = region.latest_writer::<f64>("angle").expect("the role");
    angle.publish(&0.5);
    let shown = run(&["inspect", &place.name, "--json"]).json();
    assert_eq!(shown["format_version"], 1);
    assert_eq!(shown["instance"], format!("{:016x}", region.header().instance));
    assert_eq!(shown["participants"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["participants"][0]["state"], "alive");
    assert_eq!(
        (&shown["participant_joins_of_a_slot"], &shown["participant_slots_retired"]),
        (&1.into(), &0.into())
    );
    let channels = &shown["channels"];
    assert_eq!(channels[0]["name"], "commands");
    assert_eq!(channels[0]["kind"], "frames");
    assert_eq!(channels[0]["capacity"], 1024);
    assert_eq!(channels[0]["len"], 2);
    // An upper bound, too high by a quarter of the ring at most.
    let high_water = channels[0]["high_water"].as_u64().expect("a number");
    assert!((64..=64 + 256).contains(&high_water), "{high_water}");
    assert_eq!(channels[0]["producer"]["state"], "alive");
    assert_eq!(channels[0]["consumer"], serde_json::Value::Null);
    assert_eq!((&channels[1]["kind"], &channels[1]["len"]), (&"slots".into(), &0.into()));
    assert_eq!((&channels[2]["kind"], &channels[2]["len"]), (&"latest".into(), &1.into()));
    let text = run(&["inspect", &place.name]).ok();
    for word in ["commands", "ticks", "angle", "alive", "participants"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn garbage_is_one_line() {
    let place = Place::new();
    for (name, len) in [("empty", 0), ("short", 100), ("page", 4096), ("long", 300_000)] {
        let file = place.file(name, len);
        run(&["inspect", &file]).refused(1);
        run(&["inspect", &file, "--json"]).refused(1);
    }
    let mut bytes = dump(&create(&place));
    let dump = place.path("dump");
    // The bytes of the header and of the first entries wrong in turn: an error or sane data.
    for at in (0..512).step_by(os::SPARSE) {
        bytes[at] ^= 0x55;
        fs::write(&dump, &bytes).expect("a file");
        let done = run(&["inspect", &dump, "--json"]);
        assert!(matches!(done.code, Some(0 | 1)), "byte {at}: {done:?}");
        assert!(done.stderr.lines().count() <= 1, "byte {at}: {done:?}");
        bytes[at] ^= 0x55;
    }
    fs::write(&dump, &bytes[..bytes.len() / 2]).expect("a file");
    assert!(run(&["inspect", &dump]).refused(1).contains("cut short"));
}

#[test]
fn what_is_not_there_is_named() {
    let place = Place::new();
    let line = run(&["inspect", &place.name]).refused(1);
    assert!(line.contains(&place.name) && line.contains("strait ls"), "{line}");
    run(&["inspect", &place.path("nothing")]).refused(1);
    run(&["inspect", place.dir.to_str().expect("UTF-8")]).refused(1);
    for device in os::DEVICES {
        run(&["inspect", device]).refused(1);
    }
    run(&["rm", &place.name]).refused(1);
}

#[test]
fn regions_are_listed_and_removed() {
    let place = Place::new();
    let region = create(&place);
    let row = |list: &str| list.lines().find(|line| line.contains(&place.name)).map(String::from);
    let listed = row(&run(&["ls"]).ok()).expect("a row");
    assert!(listed.contains("commands, ticks, angle"), "{listed}");
    assert!(listed.split_whitespace().any(|word| word == "1"), "{listed}");
    let line = run(&["rm", &place.name]).refused(1);
    assert!(line.contains("in use by 1 participant"), "{line}");
    run(&["rm", "--force", &place.name]).ok();
    assert_eq!(region.port().is_current(), Ok(false));
    drop(region);
    assert!(!place.has_region());
    let done = run(&["ls"]);
    assert_eq!(row(&done.ok()), None);
}

#[test]
fn rm_goes_on_after_one_that_cannot_be_removed() {
    let place = Place::new();
    let file = place.path("region");
    drop(create_in(&RegionFile::new(&file)));
    let done = run(&["rm", "cli-test-there-is-none", &file]);
    assert_eq!(done.code, Some(1));
    assert_eq!(done.stderr.lines().count(), 1);
    assert!(!fs::exists(&file).expect("a look"));
}

#[test]
fn rm_removes_no_file_that_is_no_region() {
    let place = Place::new();
    let file = place.file("precious", 5000);
    assert!(run(&["rm", "--force", &file]).refused(1).contains("not removed"));
    assert!(fs::exists(&file).expect("a look"));
    // A region that was cut short is damaged, and may go.
    let bytes = dump(&create(&place));
    fs::write(&file, &bytes[..1000]).expect("a file");
    run(&["rm", &file]).ok();
    assert!(!fs::exists(&file).expect("a look"));
}

#[test]
fn wrong_command_lines_are_one_line_and_status_2() {
    for words in [
        "",
        "dance",
        "demo --rate fast",
        "demo --cpus 1",
        "send",
        "send a b",
        "ls x",
        "rm",
        "inspect",
        "unlock a",
    ] {
        let words: Vec<&str> = words.split_whitespace().collect();
        run(&words).refused(2);
    }
    run(&["send", "a", "b", "--file", "x", "--capacity", "64", "--frame", "17"]).refused(2);
}

#[test]
fn help_is_on_standard_output() {
    for words in [
        "--help",
        "demo --help",
        "send --help",
        "recv --help",
        "inspect --help",
        "unlock --help",
        "ls --help",
        "rm --help",
    ] {
        let words: Vec<&str> = words.split_whitespace().collect();
        assert!(run(&words).ok().contains("Usage: strait"));
    }
    assert!(run(&["--version"]).ok().starts_with("strait "));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let _region = create(&place);
    for words in [&["inspect", &place.name][..], &["ls"], &["--help"]] {
        let mut child = strait(words).stdout(Stdio::piped()).spawn().expect("the tool");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        assert!(child.wait().expect("its end").success(), "{words:?}");
        assert_eq!(said, "");
    }
}

#[test]
fn consumers_are_shown_with_their_lag_and_who_holds_up_the_producer() {
    let place = Place::new();
    let channels = [Channel::slots::<u64>("log", 4).consumers(3), Channel::frames("alone", 1024, 100)];
    let region = place.region().create(&Plan::new(&channels), &RegionOptions::new()).expect("a region");
    let mut log = region.fanout_producer::<u64>("log").expect("the ring");
    let mut fast = region.fanout_consumer::<u64>("log", 0).expect("a consumer");
    let _slow = region.fanout_consumer::<u64>("log", 2).expect("a consumer");
    while log.try_send(&7).is_ok() {}
    while fast.try_recv().is_ok() {}
    let shown = run(&["inspect", &place.name, "--json"]).json();
    let parts = &shown["channels"];
    for (index, len, holds_up) in [(0, 0, false), (1, 4, false), (2, 4, true)] {
        let part = &parts[index + 1];
        assert_eq!((&part["name"], &part["fanout_consumers"]), (&"log".into(), &3.into()));
        assert_eq!((&part["fanout_consumer"], &part["holds_up"]), (&index.into(), &holds_up.into()));
        assert_eq!(part["consumer"]["state"] == "alive", index != 1, "{part}");
        assert!(index == 1 || part["len"] == len, "{part}");
    }
    assert_eq!((&parts[0]["len"], &parts[4]["fanout_consumers"]), (&4.into(), &0.into()));
    let text = run(&["inspect", &place.name]).ok();
    for word in ["log ", "log>0 ", "log>1 ", "log>2 ", "log is held up by consumer 2: ", ", 4 behind"] {
        assert!(text.contains(word), "{word} {text}");
    }
    assert!(!text.contains("held up by consumer 0") && !text.contains("held up by consumer 1"));
    let listed = run(&["ls"]).ok();
    assert!(!listed.contains("log, log"), "{listed}");
}

#[test]
fn lanes_are_shown_with_their_owners() {
    let place = Place::new();
    let channels =
        [Channel::slots::<u64>("log", 16).producers(3).urgent_lanes(1), Channel::frames("alone", 1024, 100)];
    let region = place.region().create(&Plan::new(&channels), &RegionOptions::new()).expect("a region");
    let mut log = region.typed_lane_producer::<u64>("log", 1).expect("the lane");
    log.try_send(&7).expect("room");
    let shown = run(&["inspect", &place.name, "--json"]).json();
    let lanes = &shown["channels"];
    for (index, urgent) in [(0, true), (1, false), (2, false)] {
        let lane = &lanes[index];
        assert_eq!((&lane["name"], &lane["kind"]), (&"log".into(), &"slots".into()));
        assert_eq!(
            (&lane["lane"], &lane["lanes"], &lane["urgent"]),
            (&index.into(), &3.into(), &urgent.into())
        );
        assert_eq!(lane["producer"]["state"] == "alive", index == 1, "{lane}");
        assert_eq!(lane["len"], u64::from(index == 1));
    }
    assert_eq!((&lanes[3]["lane"], &lanes[3]["lanes"]), (&serde_json::Value::Null, &1.into()));
    let text = run(&["inspect", &place.name]).ok();
    for word in ["log[0]!", "log[1] ", "log[2] ", "alone "] {
        assert!(text.contains(word), "{text}");
    }
    let listed = run(&["ls"]).ok();
    assert!(!listed.contains("log, log"), "{listed}");
}
