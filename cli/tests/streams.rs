//! Standard streams in the place of files, and messages that are received.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

use crate::common::{LONG, Place, Running, eventually, run, start, strait};
use serde_json::{Value, json};
use strait::{Channel, Plan, Region, RegionOptions, describe};

strait::message! {
    struct Torque {
        axis: u32,
        newton_metres: f32 [unit = "Nm"],
    }
}

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<Torque>("torque", 8),
    Channel::frames("log", 1024, 64),
    Channel::slots::<Torque>("shared", 8).consumers(2),
    Channel::compact::<u16>("lanes", 8).producers(2),
    Channel::latest::<f64>("load"),
    Channel::mutex::<u32>("lock"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).described(describe!(Torque));

fn region(place: &Place) -> Region {
    place.region().create(&PLAN, &RegionOptions::new()).expect("a region")
}

fn torque(axis: u32) -> Torque {
    Torque { axis, newton_metres: 0.5 }
}

#[test]
fn a_file_goes_from_standard_input_to_standard_output() {
    let place = Place::new();
    let (name, from, to) = (&*place.name, place.file("in", 1_000_000), place.path("out"));
    let mut recv = strait(&["recv", name, "files", "--out", "-"]);
    let recv = Running::of(recv.stdout(File::create(&to).expect("a file")).spawn().expect("the tool"));
    let mut send = strait(&["send", name, "files", "--file", "-"]);
    let send = send.stdin(File::open(&from).expect("the file")).spawn().expect("the tool");
    let told = Running::of(send).end(LONG).ok();
    assert!(told.contains("sent -: 1000000 bytes"), "{told}");
    let done = recv.end(LONG);
    assert!(done.stderr.contains("received -: 1000000 bytes") && done.code == Some(0), "{done:?}");
    assert!(crate::common::same_bytes(&from, &to));
}

#[test]
fn what_comes_in_pieces_is_passed_on_in_pieces() {
    let place = Place::new();
    let (name, to) = (&*place.name, place.path("out"));
    let mut recv = strait(&["recv", name, "files", "--out", "-"]);
    let recv = Running::of(recv.stdout(File::create(&to).expect("a file")).spawn().expect("the tool"));
    let mut send = strait(&["send", name, "files", "--file", "-"]);
    let mut send = Running::of(send.stdin(Stdio::piped()).spawn().expect("the tool"));
    let mut pipe = send.child().stdin.take().expect("a pipe");
    for piece in ["one", "onetwo"] {
        pipe.write_all(&piece.as_bytes()[piece.len() - 3..]).expect("it reads");
        assert!(eventually(|| fs::read(&to).is_ok_and(|bytes| bytes == piece.as_bytes())), "{piece}");
    }
    drop(pipe);
    send.end(LONG).ok();
    assert_eq!(recv.end(LONG).code, Some(0));
}

#[test]
fn drawings_and_recordings_go_to_standard_output() {
    let done = run(&["demo", "--seconds", "0.2", "--plot", "-"]);
    assert!(done.stdout.starts_with("<svg ") && done.stdout.ends_with("</svg>\n"), "{done:?}");
    #[cfg(feature = "record")]
    {
        let place = Place::new();
        let region = region(&place);
        region.typed_producer::<Torque>("torque").expect("a role").try_send(&torque(1)).expect("space");
        let copy = place.path("copy");
        fs::write(&copy, crate::common::dump(&region)).expect("a file");
        let file = place.path("run.mcap");
        let mut record = strait(&["record", &copy, "-o", "-", "--json"]);
        let record = record.stdout(File::create(&file).expect("a file")).spawn().expect("the tool");
        let done = Running::of(record).end(LONG);
        assert!(done.stderr.contains("\"recorded\":1") && done.code == Some(0), "{done:?}");
        let summary =
            mcap::Summary::read(&fs::read(&file).expect("a file")).expect("whole").expect("a summary");
        assert_eq!(summary.stats.map(|stats| stats.message_count), Some(1));
        let told = run(&["record", &copy, "-o", &place.path("other.mcap"), "--json"]).json();
        assert_eq!((&told["recorded"], &told["missed"]), (&1.into(), &0.into()));
        // Of a recording that is split, the last file is told, and how many there are.
        let split = place.path("split.mcap");
        let told = run(&["record", &copy, "-o", &split, "--split-size", "100", "--json"]).json();
        assert_eq!((&told["file"], &told["files"]), (&json!(place.path("split-000.mcap")), &1.into()));
        let done = run(&["record", &copy, "-o", "-", "--split-time", "1"]);
        assert!(done.stdout.is_empty(), "{done:?}");
        assert!(done.refused(2).contains("cannot be split"));
    }
}

#[test]
fn regions_are_listed_for_programs() {
    let place = Place::new();
    let _region = region(&place);
    let listed = run(&["ls", "--json"]).json();
    let regions = listed["regions"].as_array().expect("regions");
    let ours = regions.iter().find(|region| region["name"] == place.name).expect("it is there");
    assert_eq!(ours["alive"], 1);
    assert_eq!(ours["channels"], json!(["torque", "log", "shared", "lanes", "load", "lock"]));
}

#[test]
fn recv_takes_one_message_or_each() {
    let place = Place::new();
    let region = region(&place);
    let name = &*place.name;
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    torques.try_send_batch((1..3).map(torque)).expect("space");
    assert_eq!(run(&["recv", name, "torque"]).ok(), "torque #0  axis=1 newton_metres=0.5 Nm\n");
    assert_eq!(
        run(&["recv", name, "torque", "--json"]).json()["value"],
        json!({ "axis": 2, "newton_metres": 0.5 })
    );
    region.producer("log").expect("a role").try_send(7, b"\x01\xff").expect("space");
    assert_eq!(run(&["recv", name, "log"]).ok(), "log #0  tag=7 0x01ff\n");
    let mut shared = region.fanout_producer::<Torque>("shared").expect("a role");
    let mut first = region.fanout_consumer::<Torque>("shared", 0).expect("a role");
    let mut other = start(&["recv", name, "shared"]);
    // It receives from its start on.
    assert!(eventually(|| {
        let _ = shared.try_send(&torque(3));
        while first.try_recv().is_ok() {}
        !other.is_running()
    }));
    assert!(other.end(LONG).ok().contains("axis=3"));
    // Each, until its sender has left.
    let follow = start(&["recv", name, "torque", "--follow", "--json"]);
    torques.try_send_batch((4..7).map(torque)).expect("space");
    assert!(eventually(|| torques.is_empty()));
    drop(torques);
    let lines = follow.end(LONG).ok();
    let axes: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["value"]["axis"].clone())
        .collect();
    assert_eq!(axes, [4, 5, 6]);
}

#[test]
fn recv_takes_a_role_over_from_the_dead_alone() {
    let place = Place::new();
    let region = region(&place);
    let name = &*place.name;
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    let follow = start(&["recv", name, "torque", "--follow"]);
    torques.try_send(&torque(1)).expect("space");
    assert!(eventually(|| torques.is_empty()));
    let line = run(&["recv", name, "torque"]).refused(1);
    assert!(line.contains("its receiver is") && line.contains("alive"), "{line}");
    follow.kill();
    torques.try_send(&torque(2)).expect("space");
    assert!(run(&["recv", name, "torque"]).ok().contains("axis="));
    for (channel, part) in
        [("load", "strait watch"), ("lock", "no messages"), ("lanes", "several producers"), ("none", "none")]
    {
        let line = run(&["recv", name, channel]).refused(1);
        assert!(line.contains(part) && line.contains(channel), "{line}");
    }
    let line = run(&["recv", name, "log", "--timeout", "0.1"]).refused(1);
    assert!(line.contains("no message came"), "{line}");
    run(&["recv", name, "log", "--follow", "--out", "x"]).refused(2);
    run(&["recv", name, "log", "--capacity", "64"]).refused(2);
}
