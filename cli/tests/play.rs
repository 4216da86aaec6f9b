//! Playing recordings: into a region and read back, answers compared, files that are damaged, and files that are split.
#![cfg(all(unix, feature = "record"))]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::common::{LONG, Place, dump, eventually, run, start};
use strait::{Channel, Plan, Region, RegionName, RegionOptions, describe};

strait::message! {
    struct Torque {
        axis: u32,
        newton_metres: f32 [unit = "Nm"],
    }

    struct Answer {
        axis: u32,
        ok: u32,
    }
}

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<Torque>("torque", 64).consumer_may_block().doorbell(1),
    Channel::slots::<Answer>("answer", 64).doorbell(1),
    Channel::frames("log", 4096, 64).producer_may_block(),
    Channel::latest::<f64>("load").buffers(4).expected_every(Duration::from_millis(5)),
    Channel::broadcast::<u16>("ticks", 16),
    Channel::compact::<u16>("lanes", 8).producers(3).urgent_lanes(1),
    Channel::slots::<u32>("fan", 8).consumers(2),
    Channel::mutex::<u32>("lock"),
    Channel::semaphore("count", 1, 3),
    Channel::permits("buses", 2),
    Channel::calls::<u32, u64>("drive", 4).clients(2),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).participants(7).described(describe!(Torque, Answer));

/// A region of another name than the place's, removed in the end.
struct Other(RegionName, String);

impl Other {
    fn new(place: &Place) -> Self {
        let name = format!("{}-played", place.name);
        Self(RegionName::new(&name).expect("a name"), name)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

fn region(place: &Place) -> Region {
    place.region().create(&PLAN, &RegionOptions::new()).expect("a region")
}

fn torque(axis: u32) -> Torque {
    Torque { axis, newton_metres: axis as f32 / 10.0 }
}

/// Records what is in a copy of the region.
fn record_copy(place: &Place, region: &Region, more: &[&str]) -> String {
    let (copy, out) = (place.path("copy"), place.path("run.mcap"));
    fs::write(&copy, dump(region)).expect("a file");
    run(&[&["record", &copy, "-o", &out], more].concat()).ok();
    out
}

#[test]
fn what_was_recorded_is_in_the_region_that_play_makes() {
    let (place, recorded) = (Place::new(), region_with_everything());
    let other = Other::new(&place);
    let out = record_copy(&place, &recorded.1, &[]);
    let told = run(&["play", &out, "--into", &other.1, "--fast"]).ok();
    // Of the latest value the newest; of the fan-out nothing, as nobody had joined.
    assert!(told.contains("played 13 messages"), "{told}");
    let played = other.0.open(&RegionOptions::new()).expect("it was made");
    assert_eq!(played.header().plan_hash, recorded.1.header().plan_hash, "the same plan");
    assert_eq!(played.header().participant_count, recorded.1.header().participant_count);
    let mut torques = played.typed_consumer::<Torque>("torque").expect("a role");
    let all: Vec<Torque> = (0..4).map_while(|_| torques.try_recv().ok()).collect();
    assert_eq!(all, [torque(1), torque(2), torque(3)]);
    let mut log = played.consumer("log").expect("a role");
    let mut bytes = [0; 64];
    for (tag, text) in [(0, "a"), (7, "bb"), (7, "ccc"), (9, "")] {
        let frame = log.try_recv(&mut bytes).expect("a frame");
        assert_eq!((frame.tag, &bytes[..frame.len]), (tag, text.as_bytes()));
    }
    assert_eq!(played.latest_reader::<f64>("load").expect("a reader").read().value(), Some(0.1));
    let mut lanes: strait::TypedLanesConsumer<u16, _, 4> =
        played.typed_lanes_consumer("lanes").expect("a role");
    let mut got: Vec<(u32, u16)> =
        (0..3).map_while(|_| lanes.try_recv().ok()).map(|from| (from.lane, from.message)).collect();
    got.sort_unstable();
    assert_eq!(got, [(0, 8), (2, 9)]);
    // A sender that lives keeps its role, and one is left out where the user says so.
    let sender = played.typed_producer::<Torque>("torque").expect("it was given back");
    let line = run(&["play", &out, "--into", &other.1, "--fast"]).refused(1);
    assert!(line.contains("torque") && line.contains("alive") && line.contains("--skip"), "{line}");
    let told = run(&["play", &out, "--into", &other.1, "--fast", "--skip", "torque"]).ok();
    assert!(told.contains("played 10 messages"), "{told}");
    drop(sender);
    let line = run(&["play", &out, "--into", &other.1, "--fast", "--skip", "torques"]).code_and_error();
    assert!(line.contains("no channel 'torques'; there are: torque"), "{line}");
}

/// A region whose channels hold messages, and its place.
fn region_with_everything() -> (Place, Region) {
    let place = Place::new();
    let region = region(&place);
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    torques.try_send_batch((1..4).map(torque)).expect("space");
    let mut log = region.producer("log").expect("a role");
    for (tag, text) in [(0, "a"), (7, "bb"), (7, "ccc"), (9, "")] {
        log.try_send(tag, text.as_bytes()).expect("space");
    }
    region.latest_writer::<f64>("load").expect("a role").publish(&0.1);
    let mut ticks = region.broadcast_writer::<u16>("ticks").expect("a role");
    [3, 4, 5].iter().for_each(|tick| ticks.publish(tick));
    for (lane, value) in [(0, 8), (2, 9)] {
        region.typed_lane_producer::<u16>("lanes", lane).expect("a role").try_send(&value).expect("space");
    }
    (place, region)
}

#[test]
fn messages_come_by_time() {
    let place = Place::new();
    let region = region(&place);
    let (name, out) = (&*place.name, place.path("run.mcap"));
    let recorder = start(&["record", name, "-o", &out]);
    assert!(eventually(|| fs::metadata(&out).is_ok_and(|file| file.len() > 1000)), "no topics");
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    torques.try_send(&torque(1)).expect("space");
    thread::sleep(Duration::from_millis(400));
    torques.try_send(&torque(2)).expect("space");
    // It may take a while until the recorder has seen it.
    thread::sleep(Duration::from_millis(50));
    place.region().remove().expect("it is there");
    recorder.end(LONG).ok();
    let other = Other::new(&place);
    let seconds = |more: &[&str]| -> f64 {
        let told = run(&[&["play", &out, "--into", &other.1], more].concat()).ok();
        let seconds = told.split(" in ").nth(1).and_then(|rest| rest.split(' ').next());
        seconds.and_then(|seconds| seconds.parse().ok()).expect("seconds")
    };
    assert!(seconds(&[]) >= 0.2);
    // A queue that nobody receives from fills up, and play does not wait for ever.
    for _ in 0..31 {
        seconds(&["--fast"]);
    }
    let done = run(&["play", &out, "--into", &other.1, "--fast", "--timeout", "0.2"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("torque: there is no space, and nobody has received for 0.2 s"), "{done:?}");
}

/// Answers each torque until it is told to end; from some axis on, otherwise than it should.
fn control(region: &Region, is_over: &AtomicBool, wrong_from: u32) {
    let mut torques = region.typed_consumer::<Torque>("torque").expect("a role");
    let mut answers = region.typed_producer::<Answer>("answer").expect("a role");
    while !is_over.load(Ordering::Relaxed) {
        match torques.try_recv() {
            Ok(Torque { axis, .. }) => {
                let answer = Answer { axis, ok: u32::from(axis < wrong_from) };
                while answers.try_send(&answer).is_err() && !is_over.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            }
            Err(_) => thread::sleep(Duration::from_micros(100)),
        }
    }
}

#[test]
fn answers_are_compared_with_those_recorded() {
    let place = Place::new();
    let (name, out) = (&*place.name, place.path("run.mcap"));
    let region = region(&place);
    let recorder = start(&["record", name, "-o", &out]);
    assert!(eventually(|| fs::metadata(&out).is_ok_and(|file| file.len() > 1000)), "no topics");
    // More than the ring holds, so that who plays must receive the answers.
    const COUNT: u32 = 150;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| control(&region, &is_over, u32::MAX));
        let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
        let mut answers = region.typed_consumer::<Answer>("answer").expect("a role");
        for axis in 0..COUNT {
            while torques.try_send(&torque(axis)).is_err() {
                thread::yield_now();
            }
            assert!(eventually(|| answers.try_recv().is_ok()));
            if axis % 10 == 9 {
                // Not faster than the recorder on a loaded machine.
                thread::sleep(Duration::from_millis(20));
            }
        }
        thread::sleep(Duration::from_millis(50));
        place.region().remove().expect("it is there");
        recorder.end(LONG).ok();
        is_over.store(true, Ordering::Relaxed);
    });
    let other = Other::new(&place);
    let play = |wrong_from: u32, more: &[&str]| {
        let _ = other.0.remove();
        let region = other.0.create(&PLAN, &RegionOptions::new()).expect("a region");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| control(&region, &is_over, wrong_from));
            let words = [&["play", &out, "--into", &other.1, "--check", "answer"], more].concat();
            let done = run(&words);
            is_over.store(true, Ordering::Relaxed);
            done
        })
    };
    let told = play(u32::MAX, &["--fast"]).ok();
    assert!(told.contains(&format!("answer: {COUNT} answers are as recorded")), "{told}");
    play(u32::MAX, &[]).ok();
    let done = play(100, &["--fast"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("answer: answer 101: ok is 0, was recorded as 1"), "{done:?}");
    // Without a controller, the answers do not come.
    let _ = other.0.remove();
    let done = run(&["play", &out, "--into", &other.1, "--check", "answer", "--fast", "--timeout", "0.3"]);
    assert_eq!(done.code, Some(1));
}

#[test]
fn a_file_that_is_no_whole_recording_is_refused() {
    let (place, recorded) = (Place::new(), region_with_everything());
    let other = Other::new(&place);
    let out = record_copy(&place, &recorded.1, &[]);
    let whole = fs::read(&out).expect("a file");
    let bad = place.path("bad.mcap");
    let play = |bytes: &[u8]| {
        fs::write(&bad, bytes).expect("a file");
        let _ = other.0.remove();
        run(&["play", &bad, "--into", &other.1, "--fast"])
    };
    // Cut anywhere, it says so, and never ends otherwise; behind the last message, it is a note.
    let mut played_all = 0;
    for cut in (0..whole.len()).step_by(whole.len() / 40) {
        let done = play(&whole[..cut]);
        let is_note = done.code == Some(0) && done.stderr.contains("was not completed");
        let is_complete = done.code == Some(0) && done.stderr.lines().count() == 1;
        let is_error = done.code == Some(1) && done.stderr.contains("bad.mcap");
        let is_empty = done.code == Some(1) && done.stderr.contains("no channels of a region");
        assert!(is_note || is_complete || is_error || is_empty, "cut at {cut}: {done:?}");
        played_all += u32::from(done.stdout.contains("played 13 messages"));
    }
    assert!(played_all > 0);
    for at in (8..whole.len()).step_by(whole.len() / 40) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x41;
        let done = play(&flipped);
        assert!(matches!(done.code, Some(0 | 1)) && !done.stderr.contains("panicked"), "{at}: {done:?}");
    }
    // A summary may be long.
    let mut many = mcap::Writer::new(std::io::Cursor::new(Vec::new())).expect("a file");
    for number in 0..30_000 {
        many.add_channel(0, &number.to_string(), "json", &Default::default()).expect("a channel");
    }
    many.finish().expect("a file");
    let done = play(many.into_inner().get_ref());
    assert!(done.code == Some(1) && done.stderr.contains("no channels of a region"), "{done:?}");
    let done = play(b"no recording at all, but some text");
    assert!(done.stderr.contains("bad.mcap: is no MCAP file"), "{done:?}");
    let line = run(&["play", &place.path("none.mcap")]).code_and_error();
    assert!(line.contains("none.mcap: no such file"), "{line}");
    let line = run(&["play", &place.path("")]).code_and_error();
    assert!(line.contains("is a directory"), "{line}");
}

#[test]
fn a_recording_is_split_and_played_as_one() {
    let place = Place::new();
    let region = region(&place);
    let (name, out) = (&*place.name, place.path("run.mcap"));
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    let recorder = start(&["record", name, "-o", &out, "--split-time", "0.2", "--raw"]);
    let file = |number: u32| place.path(&format!("run-{number:03}.mcap"));
    for number in 0..3 {
        let begun = || fs::metadata(file(number)).is_ok_and(|file| file.len() > 1000);
        assert!(eventually(begun), "file {number}");
        torques.try_send(&torque(number)).expect("space");
    }
    let mut log = region.producer("log").expect("a role");
    log.try_send(5, b"end").expect("space");
    thread::sleep(Duration::from_millis(50));
    place.region().remove().expect("it is there");
    let told = recorder.end(LONG).ok();
    assert!(told.contains("recorded 4 messages") && told.contains("files, the last of them"), "{told}");
    assert!(fs::metadata(&out).is_err());
    let files: Vec<String> = (0..100).map(file).take_while(|path| fs::metadata(path).is_ok()).collect();
    assert!(files.len() >= 3);
    let other = Other::new(&place);
    let mut words = vec!["play", "--fast", "--into", &other.1];
    words.extend(files.iter().map(String::as_str));
    let told = run(&words).ok();
    assert!(told.contains("played 4 messages"), "{told}");
    let played = other.0.open(&RegionOptions::new()).expect("it was made");
    let mut torques = played.typed_consumer::<Torque>("torque").expect("a role");
    assert_eq!(
        (0..3).map(|_| torques.try_recv()).collect::<Vec<_>>(),
        (0..3).map(|n| Ok(torque(n))).collect::<Vec<_>>()
    );
    let frame = played.consumer("log").expect("a role").try_recv(&mut [0; 64]).expect("a frame");
    assert_eq!(frame.tag, 5);
}

#[test]
fn a_recording_is_split_by_size() {
    let place = Place::new();
    let region = region(&place);
    let out = place.path("run.mcap");
    let mut log = region.producer("log").expect("a role");
    let mut sink = region.consumer("log").expect("a role");
    let recorder = start(&["record", &place.name, "-o", &out, "--split-size", "0.1"]);
    let file = |number: u32| fs::metadata(place.path(&format!("run-{number:03}.mcap")));
    assert!(eventually(|| {
        for _ in 0..20 {
            let _ = log.try_send(1, &[7; 60]);
            let _ = sink.try_recv(&mut [0; 64]);
        }
        file(2).is_ok()
    }));
    place.region().remove().expect("it is there");
    recorder.end(LONG).ok();
    for number in 0..2 {
        assert!(file(number).expect("a file").len() >= 100_000);
    }
}
