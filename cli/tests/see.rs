//! Looking on: `watch`, `record`, and `send` of one message, on live regions and on copies.
#![cfg(unix)]

use std::fs;

use crate::common::{LONG, Place, dump, eventually, run};
use serde_json::{Value, json};
use strait::unix::RegionOptionsExt as _;
use strait::{Channel, Plan, Region, RegionOptions, describe};

strait::message! {
    struct Torque {
        /// Which one.
        axis: u32,
        newton_metres: f32 [unit = "Nm"],
        state: u32 [values = { idle = 0, moving = 1 }],
    }

    struct Secret {
        word: u32,
    }
}

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<Torque>("torque", 64),
    Channel::frames("log", 4096, 64),
    Channel::latest::<f64>("load"),
    Channel::broadcast::<Secret>("secret", 8),
    Channel::compact::<u16>("lanes", 8).producers(2),
    Channel::mutex::<u32>("lock"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).described(describe!(Torque));

fn region(place: &Place) -> Region {
    place.region().create(&PLAN, &RegionOptions::new()).expect("a region")
}

fn torque(axis: u32) -> Torque {
    Torque { axis, newton_metres: axis as f32 / 4.0, state: axis % 3 }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn watch_shows_fields_where_types_are_known_and_bytes_where_not() {
    let place = Place::new();
    let region = region(&place);
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    torques.try_send_batch((1..4).map(torque)).expect("space");
    region.producer("log").expect("a role").try_send(7, b"\x01\xff").expect("space");
    region.latest_writer::<f64>("load").expect("a role").publish(&0.5);
    region.broadcast_writer::<Secret>("secret").expect("a role").publish(&Secret { word: 1 });
    region.typed_lane_producer::<u16>("lanes", 1).expect("a role").try_send(&9).expect("space");
    let before = dump(&region);
    let text = run(&["watch", &place.name, "--oldest", "--count", "7"]).ok();
    let mut shown: Vec<&str> = text.lines().collect();
    shown.sort_unstable();
    assert_eq!(
        shown,
        [
            "lanes[1] #0  9",
            "load #1  0.5",
            "log #0  tag=7 0x01ff",
            "secret #1  0x01000000",
            "torque #0  axis=1 newton_metres=0.25 Nm state=moving",
            "torque #1  axis=2 newton_metres=0.5 Nm state=2",
            "torque #2  axis=3 newton_metres=0.75 Nm state=idle",
        ]
    );
    let args = ["watch", &place.name, "torque.axis", "torque.state", "--oldest", "--json", "--count", "3"];
    let shown = lines(&run(&args).ok());
    assert_eq!(shown[1]["value"], json!({ "axis": 2, "state": 2 }));
    assert_eq!((&shown[1]["channel"], &shown[1]["number"]), (&json!("torque"), &json!(1)));
    assert!(shown[1]["time_ns"].as_u64() > Some(1 << 60));
    assert_eq!(before, dump(&region), "looking on leaves a trace");
}

#[test]
fn watch_follows_what_comes_and_ends_with_the_region() {
    let place = Place::new();
    let region = region(&place);
    let mut load = region.latest_writer::<f64>("load").expect("a role");
    let file = fs::File::create(place.path("out")).expect("a file");
    let mut watch = crate::common::strait(&["watch", &place.name, "load", "--changes", "--json"]);
    let watch = crate::common::Running::of(watch.stdout(file).spawn().expect("the tool"));
    let values = || -> Vec<f64> {
        let text = fs::read_to_string(place.path("out")).expect("a file");
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["value"].as_f64()).collect()
    };
    for value in [1.0, 2.0] {
        assert!(eventually(|| {
            load.publish(&value);
            values().last() == Some(&value)
        }));
    }
    place.region().remove().expect("it is there");
    watch.end(LONG).ok();
    assert_eq!(values(), [1.0, 2.0], "one line a change");
}

#[test]
fn watch_prints_what_a_copy_holds_and_ends() {
    let place = Place::new();
    let region = region(&place);
    region
        .typed_producer::<Torque>("torque")
        .expect("a role")
        .try_send_batch((1..6).map(torque))
        .expect("space");
    let copy = place.path("copy");
    fs::write(&copy, dump(&region)).expect("a file");
    let shown = lines(&run(&["watch", &copy, "torque", "--json"]).ok());
    assert_eq!(
        shown.iter().map(|line| line["value"]["axis"].as_u64()).collect::<Vec<_>>(),
        (1..6).map(Some).collect::<Vec<_>>()
    );
    // Of each channel the newest, if that is all there is time for.
    let shown = lines(&run(&["watch", &copy, "torque", "--json", "--every", "60000"]).ok());
    assert_eq!(shown.last().map(|line| line["value"]["axis"].clone()), Some(json!(5)));
}

#[test]
fn send_gives_one_message_to_a_free_role() {
    let place = Place::new();
    let region = region(&place);
    let name = &*place.name;
    let mut torques = region.typed_consumer::<Torque>("torque").expect("a role");
    run(&["send", name, "torque", "axis=2 newton_metres=0.5 state=moving"]).ok();
    assert_eq!(torques.try_recv(), Ok(Torque { axis: 2, newton_metres: 0.5, state: 1 }));
    run(&["send", name, "load", "-2.5"]).ok();
    assert_eq!(region.latest_reader::<f64>("load").expect("a reader").read().value(), Some(-2.5));
    run(&["send", name, "log", "--tag", "5", "0x0aff"]).ok();
    let mut bytes = [0; 8];
    let frame = region.consumer("log").expect("a role").try_recv(&mut bytes).expect("a frame");
    assert_eq!((frame.tag, frame.len, &bytes[..2]), (5, 2, &[10, 255][..]));
    run(&["send", name, "secret", "0x01000000"]).ok();
    let _lane = region.typed_lane_producer::<u16>("lanes", 0).expect("a role");
    run(&["send", name, "lanes", "300"]).ok();
    let mut lanes: strait::TypedLanesConsumer<u16, _, 2> =
        region.typed_lanes_consumer("lanes").expect("a role");
    let got = lanes.try_recv().expect("it was sent");
    assert_eq!((got.lane, got.message), (1, 300));
    // A living sender keeps its role, and nothing is sent beside it.
    let _sender = region.typed_producer::<Torque>("torque").expect("it was given back");
    let line = run(&["send", name, "torque", "axis=2 newton_metres=0.5 state=0"]).refused(1);
    assert!(line.contains("alive") && line.contains(&std::process::id().to_string()), "{line}");
    assert!(torques.try_recv().is_err());
    for (channel, value, part) in [
        ("torque", "axis=2", "newton_metres, state not given"),
        ("torque", "axis=x newton_metres=1 state=0", "no whole number"),
        ("torque", "axis=2 newton_metres=1e39 state=0", "too large"),
        ("torque", "0x00", "give 12"),
        ("secret", "word=1", "0x"),
        ("lock", "1", "mutex"),
        ("none", "1", "none"),
    ] {
        let line = run(&["send", name, channel, value]).refused(1);
        assert!(line.contains(part) && line.contains(channel), "{line}");
    }
    run(&["send", name, "torque"]).refused(2);
    run(&["send", name, "torque", "1", "--file", "x"]).refused(2);
}

#[test]
fn send_gives_one_message_to_each_consumer_of_several() {
    const FAN: Plan = Plan::new(&[Channel::slots::<u32>("fan", 4).consumers(2)]);
    let place = Place::new();
    let region = place.region().create(&FAN, &RegionOptions::new()).expect("a region");
    let done = run(&["send", &place.name, "fan", "3"]);
    assert!(done.stderr.contains("nobody receives it"), "{}", done.stderr);
    done.ok();
    let mut consumers = [0, 1].map(|n| region.fanout_consumer::<u32>("fan", n).expect("a role"));
    let done = run(&["send", &place.name, "fan", "4"]);
    assert_eq!(done.stderr, "");
    done.ok();
    for consumer in &mut consumers {
        assert_eq!(std::iter::from_fn(|| consumer.try_recv().ok()).last(), Some(4));
    }
    let _sender = region.fanout_producer::<u32>("fan").expect("it was given back");
    let line = run(&["send", &place.name, "fan", "5"]).refused(1);
    assert!(line.contains("alive"), "{line}");
}

/// FAULT 109. A region whose length others may change is copied, and nothing that comes later is seen: that is told.
#[test]
fn fault_109_what_cannot_be_followed_is_not_passed_over() {
    let place = Place::new();
    let open = RegionOptions::new().mode(0o666);
    let region = place.region().create(&PLAN, &open).expect("a region");
    region.latest_writer::<f64>("load").expect("a role").publish(&0.5);
    let done = run(&["watch", &place.name]);
    assert!(done.stderr.contains("only what is there now is shown"), "{}", done.stderr);
    assert_eq!(done.stdout, "load #1  0.5\n");
}

#[test]
fn a_wrong_wish_is_refused_in_a_line() {
    let place = Place::new();
    let _region = region(&place);
    let name = &*place.name;
    for (channel, part) in [
        ("torques", "there are: torque, log, load, secret, lanes"),
        ("torque.angle", "there are: axis, newton_metres, state"),
        ("secret.word", "does not describe"),
        ("none", "there are: torque, log, load, secret, lanes\n"),
        ("lock", "is of kind mutex, which has no messages"),
    ] {
        let line = run(&["watch", name, channel]).refused(1);
        assert!(line.contains(part), "{line}");
    }
    run(&["watch", &format!("{name}-other")]).refused(1);
    run(&["watch", name, "--every", "0"]).refused(2);
}

#[cfg(feature = "record")]
mod record {
    use std::thread;
    use std::time::Duration;

    use crate::common::start;
    use mcap::read::{Options, RawMessageStream};

    use super::*;

    /// The messages of a recording, as topic and data, up to where it is whole.
    fn messages(path: &str) -> Vec<(String, Vec<u8>)> {
        let bytes = fs::read(path).unwrap_or_default();
        let Ok(mut stream) = RawMessageStream::new_with_options(&bytes, Options::IgnoreEndMagic.into())
        else {
            return Vec::new();
        };
        let mut all = Vec::new();
        while let Some(Ok(message)) = stream.next() {
            let topic = stream.get_channel(message.header.channel_id).expect("its channel").topic.clone();
            all.push((topic, message.data.to_vec()));
        }
        all
    }

    fn of_topic(path: &str, topic: &str) -> Vec<Vec<u8>> {
        messages(path).into_iter().filter(|(found, _)| found == topic).map(|(_, data)| data).collect()
    }

    #[test]
    fn a_recorder_that_is_killed_leaves_what_it_saw() {
        let place = Place::new();
        let region = region(&place);
        let (name, out) = (&*place.name, place.path("run.mcap"));
        let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
        let mut rx = region.typed_consumer::<Torque>("torque").expect("a role");
        let mut log = region.producer("log").expect("a role");
        let recorder = start(&["record", name, "-o", &out, "--raw"]);
        assert!(eventually(|| fs::metadata(&out).is_ok_and(|file| file.len() > 1000)), "no topics");
        log.try_send(3, b"hello").expect("space");
        let mut sent = 0;
        let topic = format!("/{name}/torque");
        assert!(eventually(|| {
            for _ in 0..8 {
                torques.try_send(&torque(sent)).expect("space");
                rx.try_recv().expect("it was sent");
                sent += 1;
            }
            thread::sleep(Duration::from_millis(20));
            of_topic(&out, &topic).len() > 20
        }));
        recorder.kill();
        // On a loaded machine it may have missed some; what it saw is right, and in order.
        let seen: Vec<Torque> = of_topic(&out, &topic)
            .iter()
            .map(|data| {
                let value: Value = serde_json::from_slice(data).expect("JSON");
                let one = torque(value["axis"].as_u64().expect("a number") as u32);
                let whole =
                    json!({ "axis": one.axis, "newton_metres": one.newton_metres, "state": one.state });
                assert_eq!(value, whole);
                one
            })
            .collect();
        assert!(seen.is_sorted_by_key(|one| one.axis));
        let raw = of_topic(&out, &format!("{topic}/raw"));
        assert!(raw.len() == seen.len());
        for (bytes, one) in raw.iter().zip(&seen) {
            let state = one.state.to_le_bytes();
            assert_eq!(*bytes, [one.axis.to_le_bytes(), one.newton_metres.to_le_bytes(), state].concat());
        }
        assert_eq!(of_topic(&out, &format!("/{name}/log")), [b"hello"]);
        // The next one does not overwrite it.
        let line = run(&["record", name, "-o", &out]).refused(1);
        assert!(line.contains("is there already"), "{line}");
    }

    #[test]
    fn a_recorder_says_what_it_missed_and_ends_with_the_region() {
        let place = Place::new();
        let region = region(&place);
        let (name, out) = (&*place.name, place.path("run.mcap"));
        let recorder = start(&["record", name, "-o", &out]);
        assert!(eventually(|| fs::metadata(&out).is_ok_and(|file| file.len() > 1000)), "no topics");
        let mut load = region.latest_writer::<f64>("load").expect("a role");
        (0..10_000).for_each(|n| load.publish(&f64::from(n)));
        place.region().remove().expect("it is there");
        let told = recorder.end(LONG).ok();
        let summary =
            mcap::Summary::read(&fs::read(&out).expect("a file")).expect("whole").expect("a summary");
        assert!(summary.stats.is_some_and(|stats| stats.message_count > 0));
        let seen = of_topic(&out, &format!("/{name}/load"));
        let last: Value = serde_json::from_slice(seen.last().expect("the newest")).expect("JSON");
        assert_eq!(last, json!({ "value": 9999.0 }));
        let missed = of_topic(&out, &format!("/{name}/missed")).last().map_or(0, |data| {
            let missed: Value = serde_json::from_slice(data).expect("JSON");
            assert_eq!(missed["topic"], format!("/{name}/load"));
            missed["missed"].as_u64().expect("a number")
        });
        assert!(told.contains(&format!("missed {missed}")), "{told}");
        // Before the first that it saw, nothing counts as missed.
        assert!(missed + seen.len() as u64 <= 10_000);
    }

    #[test]
    fn a_recorder_ends_when_its_time_is_up() {
        let place = Place::new();
        let _region = region(&place);
        let out = place.path("run.mcap");
        let told = run(&["record", &place.name, "-o", &out, "--seconds", "0.1"]).ok();
        assert!(told.contains("recorded 0 messages of 6 channels"), "{told}");
        assert!(mcap::Summary::read(&fs::read(&out).expect("a file")).expect("whole").is_some());
    }

    #[test]
    fn two_regions_are_not_one_topic() {
        let place = Place::new();
        let region = region(&place);
        let copy = place.path(&place.name);
        fs::write(&copy, dump(&region)).expect("a file");
        let out = place.path("run.mcap");
        let line = run(&["record", &place.name, &copy, "-o", &out]).refused(1);
        assert!(line.contains("one topic"), "{line}");
        assert!(!fs::exists(&out).expect("a folder"));
    }

    #[test]
    fn chosen_fields_are_drawn() {
        let place = Place::new();
        let region = region(&place);
        let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
        torques.try_send_batch((1..6).map(torque)).expect("space");
        region.latest_writer::<f64>("load").expect("a role").publish(&0.5);
        let (copy, out, svg) = (place.path("copy"), place.path("run.mcap"), place.path("run.svg"));
        fs::write(&copy, dump(&region)).expect("a file");
        let args = ["record", &copy, "-o", &out, "--plot", &svg, "--field"];
        run(&[&args[..], &["torque.newton_metres", "--field", "load"]].concat()).ok();
        let drawing = fs::read_to_string(&svg).expect("a drawing");
        assert!(drawing.contains(">torque.newton_metres, Nm<") && drawing.contains(">load<"), "{drawing}");
        assert_eq!(drawing.matches("<polyline").count(), 2, "{drawing}");
        fs::remove_file(&out).expect("a recording");
        run(&["record", &copy, "-o", &out, "--plot", &svg]).ok();
        fs::remove_file(&out).expect("a recording");
        let drawing = fs::read_to_string(&svg).expect("a drawing");
        let count = |part: &str| drawing.matches(part).count();
        assert_eq!(
            (count("<polyline"), count("nothing came"), count("class=\"name\"")),
            (4, 2, 6),
            "{drawing}"
        );
        // A wrong wish leaves no recording behind.
        for (field, part) in
            [("torque.angle", "torque.axis, torque.newton_metres"), ("log", "no field 'log'")]
        {
            let line = run(&[&args[..], &[field]].concat()).refused(1);
            assert!(line.contains(part), "{line}");
            assert!(fs::metadata(&out).is_err(), "an empty recording stays");
        }
        run(&["record", &copy, "-o", "-", "--plot", "-"]).refused(2);
        run(&["record", &copy, "-o", &out, "--field", "load"]).refused(2);
    }

    #[test]
    fn a_copy_is_recorded_as_it_is() {
        let place = Place::new();
        let region = region(&place);
        region
            .typed_producer::<Torque>("torque")
            .expect("a role")
            .try_send_batch((1..6).map(torque))
            .expect("space");
        let (copy, out) = (place.path("copy"), place.path("run.mcap"));
        fs::write(&copy, dump(&region)).expect("a file");
        let told = run(&["record", &copy, "-o", &out]).ok();
        assert!(told.contains("recorded 5 messages of 6 channels, missed 0"), "{told}");
        assert_eq!(of_topic(&out, "/copy/torque").len(), 5);
    }
}
