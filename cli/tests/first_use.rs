//! What a first user stumbles over: names as they are shown, roles of the dead, replays that are cut short, and results
//! for programs.
#![cfg(all(unix, feature = "record"))]

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::common::{LONG, Place, Running, dump, eventually, os, run, start, strait};
use serde_json::{Value, json};
use strait::{Channel, Plan, Region, RegionOptions, describe};

strait::message! {
    struct Torque {
        axis: u32,
        newton_metres: f32 [unit = "Nm"],
    }
}

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<Torque>("torque", 4),
    Channel::slots::<Torque>("lanes", 8).producers(3),
    Channel::latest::<f64>("load"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).described(describe!(Torque));

fn region(place: &Place) -> Region {
    place.region().create(&PLAN, &RegionOptions::new()).expect("a region")
}

fn torque(axis: u32) -> Torque {
    Torque { axis, newton_metres: 0.5 }
}

/// Two torques by lane 0, one by lane 2, and a load, in a copy.
fn copy(place: &Place, region: &Region) -> String {
    for (lane, axis) in [(0, 1), (0, 2), (2, 3)] {
        let mut lane = region.typed_lane_producer::<Torque>("lanes", lane).expect("a role");
        lane.try_send(&torque(axis)).expect("space");
    }
    region.latest_writer::<f64>("load").expect("a role").publish(&0.5);
    let path = place.path("copy");
    fs::write(&path, dump(region)).expect("a file");
    path
}

/// A recording of `count` torques, by the lane 1 of `lanes` or by `torque`, of a region with room for them all.
fn recording(place: &Place, channel: &str, count: u32) -> String {
    const ROOM: &[Channel<'_>] = &[
        Channel::slots::<Torque>("torque", 64),
        Channel::slots::<Torque>("lanes", 64).producers(3),
        Channel::latest::<f64>("load"),
    ];
    let plan = Plan::new(ROOM).described(describe!(Torque));
    let region = place.region().create(&plan, &RegionOptions::new()).expect("a region");
    let lane = u32::from(channel == "lanes");
    let mut sender = region.typed_lane_producer::<Torque>(channel, lane).expect("a role");
    sender.try_send_batch((0..count).map(torque)).expect("space");
    let out = place.path("run.mcap");
    run(&["record", &place.name, "-o", &out, "--oldest", "--seconds", "0.1"]).ok();
    place.region().remove().expect("it is there");
    out
}

#[test]
fn a_lane_is_named_as_it_is_shown() {
    let place = Place::new();
    let region = region(&place);
    let copy = copy(&place, &region);
    let shown = run(&["watch", &copy]).ok();
    let inspected = run(&["inspect", &copy]).ok();
    for lane in ["lanes[0]", "lanes[2]"] {
        assert!(shown.contains(&format!("{lane} #")) && inspected.contains(lane), "{shown}{inspected}");
    }
    for word in ["lanes[2]", "lanes/2"] {
        assert_eq!(run(&["watch", &copy, word]).ok(), "lanes[2] #0  axis=3 newton_metres=0.5 Nm\n");
        assert_eq!(run(&["watch", &copy, &format!("{word}.axis")]).ok(), "lanes[2] #0  axis=3\n");
    }
    assert_eq!(run(&["watch", &copy, "lanes.axis", "--json"]).ok().lines().count(), 3);
    for word in ["lanes[3]", "lanes[", "lanes[2]x", "lanes/2/", "load[0]"] {
        let line = run(&["watch", &copy, word]).refused(1);
        assert!(line.contains("there are: torque, lanes, load"), "{line}");
    }
    let (out, svg) = (place.path("run.mcap"), place.path("run.svg"));
    let words = ["record", &copy, "-o", &out, "--plot", &svg, "--field"];
    // Each field is listed once, not once a lane.
    let line = run(&[&words[..], &["angle"]].concat()).refused(1);
    assert!(line.contains("lanes.axis, lanes.newton_metres, load, torque.axis"), "{line}");
    run(&[&words[..], &["lanes[2].axis"]].concat()).ok();
    let drawing = fs::read_to_string(&svg).expect("a drawing");
    assert!(drawing.contains(">lanes[2].axis<") && !drawing.contains("lanes[0]"), "{drawing}");
    let into = place.path("played");
    for word in ["lanes[2]", "lanes/2"] {
        run(&["play", &out, "--into", &into, "--skip", word, "--fast"]).ok();
        assert_eq!(run(&["watch", &into, "lanes"]).ok().matches("axis=3").count(), 0);
        fs::remove_file(&into).expect("a region");
    }
    let line = run(&["play", &out, "--into", &into, "--skip", "lanes[7]"]).code_and_error();
    assert!(line.contains("there are: torque, lanes[0], lanes[1], lanes[2], load"), "{line}");
}

/// A sender that was killed, as by `kill -9`, is succeeded, and one that lives is not.
#[test]
fn the_role_of_a_dead_sender_is_taken_over() {
    let place = Place::new();
    let out = recording(&place, "torque", 20);
    let region = region(&place);
    for _ in 0..2 {
        let player = start(&["play", &out, "--fast"]);
        let mut rx = region.typed_consumer::<Torque>("torque").expect("a role");
        assert!(eventually(|| rx.len() == 4), "it does not play");
        let line = run(&["send", &place.name, "torque", "axis=7 newton_metres=1"]).refused(1);
        assert!(line.contains("alive") && line.contains("end that process first"), "{line}");
        player.kill();
        while rx.try_recv().is_ok() {}
        rx.release();
    }
    run(&["send", &place.name, "torque", "axis=7 newton_metres=1"]).ok();
    let mut rx = region.typed_consumer::<Torque>("torque").expect("a role");
    assert_eq!(rx.try_recv(), Ok(Torque { axis: 7, newton_metres: 1.0 }));
}

/// FAULT 141. A replay that a signal ends has not compared everything, so it is no success.
#[test]
fn fault_141_a_check_that_is_cut_short_does_not_pass() {
    let place = Place::new();
    let out = recording(&place, "torque", 20);
    let region = region(&place);
    for more in [&["--check", "load"][..], &[]] {
        // Nobody receives, so it stays in the middle.
        let mut player = start(&[&["play", &out, "--timeout", "600", "--json"], more].concat());
        let mut rx = region.typed_consumer::<Torque>("torque").expect("a role");
        assert!(eventually(|| rx.len() == 4), "it does not play");
        os::signal(player.pid(), "TERM");
        let done = player.end(LONG);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.contains("ended by a signal before the end"), "{done:?}");
        assert_eq!(done.stderr.contains("not all answers were compared"), !more.is_empty(), "{done:?}");
        let told: Value = serde_json::from_str(&done.stdout).expect("JSON");
        assert!(told["complete"] == false && told["played"] == 4, "{told}");
        while rx.try_recv().is_ok() {}
        rx.release();
    }
}

#[test]
fn a_recording_is_played_from_standard_input() {
    let place = Place::new();
    let out = recording(&place, "lanes", 5);
    let (bytes, into) = (fs::read(&out).expect("a recording"), place.path("played"));
    let play = |words: &[&str]| {
        let words = [&["play", "-", "--into", &into, "--fast"], words].concat();
        let mut child = strait(&words).stdin(Stdio::piped()).spawn().expect("the tool");
        let stdin = child.stdin.take().expect("a pipe");
        (Running::of(child), stdin)
    };
    let (player, mut stdin) = play(&["--json"]);
    for piece in bytes.chunks(700) {
        stdin.write_all(piece).expect("it reads");
    }
    drop(stdin);
    let told = player.end(LONG).json();
    assert_eq!((&told["played"], &told["complete"], &told["checked"]), (&json!(5), &json!(true), &json!([])));
    assert_eq!(run(&["watch", &into, "lanes.axis"]).ok().lines().count(), 5);
    // One that is cut off is named by what it is, and a signal ends the wait for more.
    let (player, mut stdin) = play(&[]);
    stdin.write_all(&bytes[..bytes.len() / 2]).expect("it reads");
    drop(stdin);
    let done = player.end(LONG);
    assert!(done.code == Some(1) && done.stderr.contains("standard input: is cut off"), "{done:?}");
    fs::remove_file(&into).expect("a region");
    let (mut player, mut stdin) = play(&[]);
    stdin.write_all(&bytes[..bytes.len() / 2]).expect("it reads");
    assert!(eventually(|| fs::exists(&into).expect("a folder")), "it does not play");
    os::signal(player.pid(), "TERM");
    let line = player.end(LONG).code_and_error();
    assert!(line.contains("ended by a signal"), "{line}");
    drop(stdin);
}

#[test]
fn results_are_for_programs_too() {
    let place = Place::new();
    let region = region(&place);
    let name = &*place.name;
    let copy = copy(&place, &region);
    assert_eq!(run(&["inspect", name, "--json"]).json()["region"], json!(name));
    assert_eq!(run(&["inspect", &copy, "--json"]).json()["region"], json!(copy));
    let sent = run(&["send", name, "load", "2.5", "--json"]).json();
    assert_eq!(sent, json!({ "channel": "load", "lane": null, "bytes": 8 }));
    let sent = run(&["send", name, "lanes", "axis=1 newton_metres=2", "--json"]).json();
    assert_eq!(sent, json!({ "channel": "lanes", "lane": 0, "bytes": 8 }));
}

#[test]
fn a_wrong_line_says_what_to_write() {
    let place = Place::new();
    let region = region(&place);
    copy(&place, &region);
    let line = run(&["send", &place.name, "torque"]).refused(2);
    assert!(line.contains("VALUE") && line.contains("--file"), "{line}");
    // A file that is here is no region's name.
    let mut inspect = strait(&["inspect", "copy"]);
    let inspect = Running::of(inspect.current_dir(&place.dir).spawn().expect("the tool"));
    let line = inspect.end(LONG).refused(1);
    assert!(line.contains("write ./copy"), "{line}");
    // Nothing was played of what is no recording.
    let line = run(&["play", &place.path("copy")]).refused(1);
    assert!(line.contains("is no MCAP file"), "{line}");
}
