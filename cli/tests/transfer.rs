//! Files through a queue: byte for byte, in either order, and when a side dies.

#![allow(missing_docs)]

mod common;

use std::fs;
use std::time::Duration;

use crate::common::{LONG, Place, Running, eventually, os, run, same_bytes, start};
use strait::{Channel, Plan, Region, RegionOptions};

fn send(place: &Place, file: &str, more: &[&str]) -> Running {
    start(&[&["send", &place.name, "files", "--file", file], more].concat())
}

fn recv(place: &Place, more: &[&str]) -> Running {
    start(&[&["recv", &place.name, "files", "--out", &place.path("out")], more].concat())
}

/// Whether anybody takes part in the region, so that the side started first is there.
fn has_region(place: &Place) -> bool {
    place.has_region()
}

fn carries(len: usize, more: &[&str]) {
    let place = Place::new();
    let file = place.file("in", len);
    for sender_first in [true, false] {
        let (first, second);
        if sender_first {
            first = send(&place, &file, more);
            assert!(eventually(|| has_region(&place)), "no region");
            second = recv(&place, &[]);
        } else {
            first = recv(&place, more);
            assert!(eventually(|| has_region(&place)), "no region");
            second = send(&place, &file, &[]);
        }
        let (first, second) = (first.end(LONG).ok(), second.end(LONG).ok());
        let checksum = |line: &str| {
            let (_, rest) = line.split_once("CRC-32C ").expect("a checksum");
            rest.chars().take(8).collect::<String>()
        };
        assert_eq!(checksum(&first), checksum(&second));
        assert!(same_bytes(&file, place.path("out")), "{len} bytes came out different");
        assert!(!has_region(&place), "the region stayed");
        assert_eq!(place.others(&["in", "out"]), [""; 0]);
        fs::remove_file(place.path("out")).expect("the file");
    }
}

#[test]
fn an_empty_file_is_carried() {
    carries(0, &[]);
}

#[test]
fn a_byte_is_carried() {
    carries(1, &[]);
}

#[test]
fn fifty_megabytes_are_carried_through_64_kilobytes() {
    carries(50_000_003, &[]);
}

#[test]
fn the_smallest_ring_will_do() {
    carries(20_001, &["--capacity", "64"]);
}

#[test]
fn short_frames_in_a_long_ring_will_do() {
    carries(100_000, &["--capacity", "4096", "--frame", "17"]);
}

#[test]
fn both_sides_at_once_meet_as_well() {
    let place = Place::new();
    let file = place.file("in", 10_000);
    for _ in 0..20 {
        let (sender, receiver) = (send(&place, &file, &[]), recv(&place, &[]));
        sender.end(LONG).ok();
        receiver.end(LONG).ok();
        assert!(same_bytes(&file, place.path("out")));
    }
}

/// A transfer through a tiny ring, under way: file, sender, receiver.
fn under_way(place: &Place) -> (String, Running, Running) {
    let file = place.file("in", 40_000_000);
    let sender = send(place, &file, &["--capacity", "64"]);
    let receiver = recv(place, &["--capacity", "64"]);
    let part = || place.others(&["in", "out"]).pop();
    let is_growing = || {
        let len = |name| fs::metadata(place.dir.join(name)).map_or(0, |found| found.len());
        part().is_some_and(|name| len(name) > 0)
    };
    assert!(eventually(is_growing), "nothing came");
    (file, sender, receiver)
}

/// The remains of killed sides are removed a moment later.
fn nothing_is_left(place: &Place) {
    let others = || place.others(&["in", "fresh", "out"]);
    assert!(eventually(|| others().is_empty()), "{:?}", others());
    assert!(eventually(|| !has_region(place)), "the region stayed");
}

fn a_fresh_pair_works(place: &Place) {
    let file = place.file("fresh", 100_000);
    let (sender, receiver) = (send(place, &file, &[]), recv(place, &[]));
    sender.end(LONG).ok();
    receiver.end(LONG).ok();
    assert!(same_bytes(&file, place.path("out")));
    nothing_is_left(place);
}

#[test]
fn a_receiver_that_is_killed_ends_the_sender_and_nothing_else() {
    let place = Place::new();
    let (_, sender, receiver) = under_way(&place);
    receiver.kill();
    let line = sender.end(Duration::from_secs(5)).refused(1);
    assert!(line.contains("the receiver died"), "{line}");
    assert!(!fs::exists(place.path("out")).expect("a look"));
    a_fresh_pair_works(&place);
}

#[test]
fn a_sender_that_is_killed_ends_the_receiver_and_nothing_else() {
    let place = Place::new();
    let (_, sender, receiver) = under_way(&place);
    sender.kill();
    let line = receiver.end(Duration::from_secs(5)).refused(1);
    assert!(line.contains("the sender died"), "{line}");
    assert_eq!(place.others(&["in"]), [""; 0]);
    a_fresh_pair_works(&place);
}

#[test]
fn a_new_receiver_does_not_inherit_half_a_file() {
    let place = Place::new();
    let (_, sender, receiver) = under_way(&place);
    receiver.kill();
    // At once, while the sender may not have noticed yet.
    let next = recv(&place, &[]);
    sender.end(Duration::from_secs(5)).refused(1);
    let file = place.file("fresh", 5000);
    send(&place, &file, &[]).end(LONG).ok();
    next.end(LONG).ok();
    assert!(same_bytes(&file, place.path("out")));
}

#[test]
fn both_killed_the_next_pair_starts_afresh() {
    let place = Place::new();
    let (_, sender, receiver) = under_way(&place);
    sender.kill();
    receiver.kill();
    a_fresh_pair_works(&place);
}

#[test]
fn a_side_that_is_interrupted_while_it_waits_leaves_nothing_behind() {
    let place = Place::new();
    let file = place.file("in", 10);
    for name in os::ends() {
        for sends in [true, false] {
            let mut side = if sends { send(&place, &file, &[]) } else { recv(&place, &[]) };
            assert!(eventually(|| has_region(&place)), "no region");
            os::signal(side.pid(), name);
            assert_eq!(side.end(LONG).code, os::ENDED);
            nothing_is_left(&place);
        }
    }
}

#[test]
fn a_side_without_the_other_gives_up_and_cleans_up() {
    let place = Place::new();
    let file = place.file("in", 10);
    let line = send(&place, &file, &["--timeout", "0.3"]).end(LONG).refused(1);
    assert!(line.contains("no receiver came"), "{line}");
    let line = recv(&place, &["--timeout", "0.3"]).end(LONG).refused(1);
    assert!(line.contains("no sender came"), "{line}");
    assert!(!has_region(&place));
    assert_eq!(place.others(&["in"]), [""; 0]);
}

#[test]
fn a_second_sender_is_turned_away() {
    let place = Place::new();
    let file = place.file("in", 10);
    let first = send(&place, &file, &[]);
    assert!(eventually(|| has_region(&place)));
    let line = send(&place, &file, &[]).end(LONG).refused(1);
    assert!(line.contains("another sender"), "{line}");
    recv(&place, &[]).end(LONG).ok();
    first.end(LONG).ok();
}

/// A region that some application made.
fn existing(place: &Place) -> Region {
    let channels = [Channel::frames("files", 512, 100), Channel::latest::<f64>("angle")];
    place.region().create(&Plan::new(&channels), &RegionOptions::new()).expect("a region")
}

#[test]
fn a_region_that_was_there_is_used_as_it_is_and_stays() {
    let place = Place::new();
    let application = existing(&place);
    let file = place.file("in", 50_000);
    let (sender, receiver) = (send(&place, &file, &["--capacity", "4096"]), recv(&place, &[]));
    let done = sender.end(LONG);
    assert!(done.stderr.contains("note: the channel is there already"), "{done:?}");
    done.ok();
    receiver.end(LONG).ok();
    assert!(same_bytes(&file, place.path("out")));
    assert_eq!(application.port().is_current(), Ok(true));
}

#[test]
fn what_a_dead_sender_left_in_such_a_region_never_gets_into_a_file() {
    let place = Place::new();
    let application = existing(&place);
    let file = place.file("in", 40_000_000);
    let (sender, receiver) = (send(&place, &file, &[]), recv(&place, &[]));
    std::thread::sleep(Duration::from_millis(300));
    sender.kill();
    receiver.kill();
    let file = place.file("fresh", 50_000);
    let (receiver, sender) = (recv(&place, &["--timeout", "5"]), send(&place, &file, &["--timeout", "5"]));
    let (sender, receiver) = (sender.end(LONG), receiver.end(LONG));
    assert_eq!((sender.code, receiver.code), (Some(0), Some(0)), "{sender:?} {receiver:?}");
    assert!(same_bytes(&file, place.path("out")));
    drop(application);
}

#[test]
fn a_channel_that_will_not_do_is_named() {
    let place = Place::new();
    let channels = [Channel::frames("short", 64, 8), Channel::latest::<f64>("angle")];
    let made = place.region().create(&Plan::new(&channels), &RegionOptions::new()).expect("a region");
    let file = place.file("in", 10);
    let refused = |channel: &str| run(&["send", &place.name, channel, "--file", &file]).refused(1);
    assert!(refused("short").contains("frames of 8 bytes"));
    assert!(refused("angle").contains("of kind latest"));
    assert!(refused("files").contains("it has: short, angle"));
    drop(made);
}

#[test]
fn a_region_in_a_file_will_do() {
    let place = Place::new();
    let (file, region, out) = (place.file("in", 100_000), place.path("region"), place.path("out"));
    let sender = start(&["send", &region, "files", "--file", &file]);
    let receiver = start(&["recv", &region, "files", "--out", &out]);
    sender.end(LONG).ok();
    receiver.end(LONG).ok();
    assert!(same_bytes(&file, &out));
    assert_eq!(place.others(&["in", "out"]), [""; 0]);
}

#[test]
fn files_that_cannot_be_are_refused_before_any_waiting() {
    let place = Place::new();
    let dir = place.dir.to_str().expect("UTF-8").to_string();
    let missing = place.path("missing");
    let deep = place.path("no/such/file");
    let send = |file: &str| run(&["send", &place.name, "files", "--file", file]).refused(1);
    assert!(send(&missing).contains("no such file"));
    assert!(send(&dir).contains("is a directory"));
    let recv = |out: &str| run(&["recv", &place.name, "files", "--out", out]).refused(1);
    assert!(recv(&dir).contains("is a directory"));
    assert!(recv(&deep).contains("no such directory"));
    for device in os::DEVICES {
        assert!(send(device).contains(os::DEVICE_SAID));
        assert!(recv(device).contains(os::DEVICE_SAID));
    }
    assert!(!has_region(&place));
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_a_whole_one() {
    let place = Place::new();
    fs::write(place.path("out"), "old").expect("a file");
    recv(&place, &["--timeout", "0.2"]).end(LONG).refused(1);
    assert_eq!(fs::read(place.path("out")).expect("a file"), b"old");
    let file = place.file("in", 10);
    let (sender, receiver) = (send(&place, &file, &[]), recv(&place, &[]));
    sender.end(LONG).ok();
    receiver.end(LONG).ok();
    assert!(same_bytes(&file, place.path("out")));
}
