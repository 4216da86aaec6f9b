//! `strait top`: driven in a terminal of 80 x 24 characters, and asked for one look.
#![cfg(all(unix, feature = "top"))]
#![allow(missing_docs)]

mod common;
#[path = "common/terminal.rs"]
mod terminal;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{Place, dump, eventually, os, run, strait};
use serde_json::Value;
use strait::{Channel, Lock, Plan, Region, RegionOptions};
use terminal::{STARTING, Terminal};

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<u32>("torque", 64),
    Channel::frames("camera", 4096, 64),
    Channel::latest::<f64>("load").expected_every(Duration::from_millis(1)),
    Channel::compact::<u16>("commands", 8).producers(2),
    Channel::slots::<u32>("history", 4).consumers(2),
    Channel::calls::<u32, u32>("drive", 4),
    Channel::mutex::<u32>("gains"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS);

fn region(place: &Place) -> Region {
    place.region().create(&PLAN, &RegionOptions::new()).expect("a region")
}

/// The line of a channel on the screen.
fn line(screen: &str, channel: &str) -> Option<String> {
    screen.lines().find(|line| line.split(' ').next() == Some(channel)).map(String::from)
}

fn place_of(screen: &str, channel: &str) -> Option<usize> {
    screen.lines().position(|line| line.split(' ').next() == Some(channel))
}

/// The name of the variable that makes a test a process with a role and a lock.
const HOLDS: &str = "STRAIT_TEST_TOP_HOLDS";

#[test]
fn holder() {
    let Ok(name) = env::var(HOLDS) else { return };
    let region =
        strait::RegionName::new(&name).expect("a name").open(&RegionOptions::new()).expect("it is there");
    let _torque = region.typed_producer::<u32>("torque").expect("a role");
    let mut gains = region.mutex::<u32>("gains").expect("the mutex");
    let Ok(Lock::Held(_guard)) = gains.try_lock() else { panic!("it is free") };
    println!("\nholds");
    thread::sleep(common::LONG);
}

/// Starts the holder of a place's region, and waits until it holds.
fn hold(place: &Place) -> Child {
    let starting = STARTING.lock();
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "holder", "--nocapture"])
        .env(HOLDS, &place.name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a holder");
    drop(starting);
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "holds")), "it did not get there");
    child
}

#[test]
fn keys_sort_filter_pause_and_quit_and_the_terminal_is_given_back() {
    let place = Place::new();
    let region = region(&place);
    let mut camera = region.producer("camera").expect("a role");
    let mut viewer = region.consumer("camera").expect("a role");
    let mut top = Terminal::start(&["top", &place.name, "--every", "100"]);
    let screen = top.wait("all channels", |screen| {
        ["torque", "camera", "load", "commands[0]", "commands[1]", "history", "history>1", "drive", "gains"]
            .iter()
            .all(|name| line(screen, name).is_some())
    });
    assert!(
        screen.lines().all(|line| line.chars().count() <= 80) && screen.lines().count() <= 24,
        "{screen}"
    );
    assert!(top.is_in_raw_mode());
    // A rate is seen, and that it ends.
    let rate = |screen: &str| -> Option<String> {
        line(screen, "camera")?.split_whitespace().nth(1).map(String::from)
    };
    top.wait_while(
        "a rate",
        |screen| rate(screen).is_some_and(|rate| rate != "0"),
        || {
            camera.try_send(1, b"a picture").expect("space");
            let mut bytes = [0; 64];
            viewer.try_recv(&mut bytes).expect("it was sent");
        },
    );
    top.wait("no rate", |screen| rate(screen).as_deref() == Some("0"));
    assert!(region.typed_producer::<u32>("torque").expect("a role").try_send(&1).is_ok());
    top.wait("a message that waits", |screen| line(screen, "torque").is_some_and(|line| line.contains("2%")));
    // By name: the other way round, the last is first.
    top.press("s");
    top.wait("by name", |screen| {
        screen.contains("by name") && place_of(screen, "camera") < place_of(screen, "torque")
    });
    top.press("r");
    top.wait("reversed", |screen| place_of(screen, "torque") < place_of(screen, "camera"));
    top.press("/comm");
    top.wait("what is typed", |screen| screen.contains("filter: comm_"));
    top.press("\r");
    top.wait("the filter", |screen| screen.contains("2 of 10 channels") && line(screen, "torque").is_none());
    top.press("\x1b");
    top.wait("no filter", |screen| line(screen, "torque").is_some());
    top.press(" ");
    top.wait("a pause", |screen| screen.contains("PAUSED"));
    region.typed_producer::<u32>("torque").expect("a role").try_send(&1).expect("space");
    top.press("?");
    top.wait("help", |screen| screen.contains("this help"));
    top.press("?");
    let screen = top.wait("the channels", |screen| line(screen, "torque").is_some());
    assert!(line(&screen, "torque").is_some_and(|line| line.contains("2%")), "it does not look: {screen}");
    top.press("p");
    top.wait("it looks again", |screen| line(screen, "torque").is_some_and(|line| line.contains("3%")));
    top.press("\t");
    let own = std::process::id().to_string();
    top.wait("participants", |screen| {
        screen.contains(&own) && screen.contains("sends camera, receives camera")
    });
    top.press("q");
    assert_eq!(top.end(), (Some(0), None));
    top.assert_given_back();
}

#[test]
fn a_killed_process_is_shown_and_who_is_late() {
    let place = Place::new();
    let region = region(&place);
    let mut holder = hold(&place);
    region.latest_writer::<f64>("load").expect("a role").publish(&0.5);
    let mut top = Terminal::start(&["top", &place.name, "--every", "100"]);
    // The column has 13 characters.
    let held: String = format!("held pid {}", holder.id()).chars().take(13).collect();
    top.wait("the holder", |screen| {
        line(screen, "gains").is_some_and(|line| line.contains(&held)) && screen.contains("2 alive, 0 dead")
    });
    top.wait("who is late", |screen| line(screen, "load").is_some_and(|line| line.contains("late ")));
    holder.kill().expect("it is ours");
    holder.wait().expect("its end");
    let died = format!("(pid {}) has died", holder.id());
    top.wait("its death", |screen| {
        line(screen, "torque").is_some_and(|line| line.contains("producer dead"))
            && line(screen, "gains").is_some_and(|line| line.contains("holder dead"))
            && screen.contains("1 alive, 1 dead")
            && screen.contains(&died)
    });
    // What is wrong comes first.
    top.press("S");
    top.wait("by state", |screen| place_of(screen, "gains") < place_of(screen, "camera"));
    // The role is taken over, and that is said too.
    let _torque = region.typed_producer::<u32>("torque").expect("its owner is dead");
    top.wait("the takeover", |screen| line(screen, "torque").is_some_and(|line| !line.contains("dead")));
    top.press("\x03");
    assert_eq!(top.end(), (Some(0), None));
    top.assert_given_back();
}

/// FAULT 143. What is drawn is what was seen, though the process has ended since. And a long name leaves room for counts.
#[test]
fn fault_143_a_process_that_has_ended_since_is_in_no_other_namespace() {
    let mut place = Place::new();
    place.name.push_str("-of-an-arm-in-a-cell");
    let region = region(&place);
    let mut holder = hold(&place);
    let mut top = Terminal::start(&["top", &place.name, "--every", "60000"]);
    let pid = format!("{} alive", holder.id());
    let first = top.wait("the holder", |screen| screen.contains(&pid));
    assert!(first.contains("10 channels  2 alive, 0 dead"), "{first}");
    holder.kill().expect("it is ours");
    holder.wait().expect("its end");
    top.press("/torque");
    let after = top.wait("the filter", |screen| screen.contains("filter: torque_"));
    assert!(after.contains(&pid) && !after.contains("namespace"), "{after}");
    assert!(
        after.lines().next().is_some_and(|title| title.contains("of 10 channels  2 alive, 0 dead")),
        "{after}"
    );
    top.press("\x03");
    assert_eq!(top.end(), (Some(0), None));
    drop(region);
}

#[test]
fn calls_that_are_out_are_shown() {
    let place = Place::new();
    let region = region(&place);
    let mut client = region.call_client::<u32, u32>("drive").expect("a role");
    let _server = region.call_server::<u32, u32>("drive").expect("a role");
    client.try_call(&1).expect("a place");
    let mut top = Terminal::start(&["top", &place.name, "--every", "100"]);
    top.wait("the call", |screen| line(screen, "drive").is_some_and(|line| line.contains("1 call out")));
    top.press("/drive\r");
    let caller = format!("calls out: #0 of 1.1 (pid {}, alive) waiting", std::process::id());
    top.wait("its caller", |screen| screen.contains(&caller));
    top.press("q");
    assert_eq!(top.end(), (Some(0), None));
}

#[test]
fn a_region_that_goes_and_another_that_comes_are_said() {
    let place = Place::new();
    let first = region(&place);
    first.latest_writer::<f64>("load").expect("a role").publish(&0.5);
    let mut top = Terminal::start(&["top", &place.name, "--every", "100"]);
    top.wait("the region", |screen| line(screen, "load").is_some());
    place.region().remove().expect("it is there");
    top.wait("it is gone", |screen| screen.contains("(GONE)") && screen.contains("is gone"));
    let second =
        place.region().create(&Plan::new(&[Channel::frames("other", 256, 32)]), &RegionOptions::new());
    let second = second.expect("a region");
    top.wait("another one", |screen| line(screen, "other").is_some() && screen.contains("a new one"));
    // At once, without a gap.
    drop(second);
    place.region().remove().expect("it is there");
    let _third = region(&place);
    top.wait("the third", |screen| line(screen, "torque").is_some());
    top.press("q");
    assert_eq!(top.end(), (Some(0), None));
    drop(first);
}

#[test]
fn signals_give_the_terminal_back() {
    let place = Place::new();
    let _region = region(&place);
    for (signal, number) in [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)] {
        let mut top = Terminal::start(&["top", &place.name]);
        top.wait("the region", |screen| line(screen, "load").is_some());
        os::signal(top.pid(), signal);
        assert_eq!(top.end(), (None, Some(number)), "{signal}");
        top.assert_given_back();
    }
    let mut top = Terminal::start(&["top", &place.name]);
    top.wait("the region", |screen| line(screen, "load").is_some());
    for stop in ["signal", "key"] {
        if stop == "signal" {
            os::signal(top.pid(), "TSTP")
        } else {
            top.press("\x1a")
        }
        top.wait_until_stopped();
        top.assert_given_back();
        os::signal(top.pid(), "CONT");
        top.wait("it goes on", |screen| line(screen, "load").is_some());
        // It takes the terminal once more at the signal, and for a moment has it in neither mode.
        assert!(eventually(|| top.is_in_raw_mode()), "after a {stop}");
    }
    top.press("q");
    assert_eq!(top.end(), (Some(0), None));
    top.assert_given_back();
}

#[test]
fn it_ends_with_its_terminal() {
    let place = Place::new();
    let _region = region(&place);
    let mut top = Terminal::start(&["top", &place.name, "--every", "100"]);
    top.wait("the region", |screen| line(screen, "load").is_some());
    top.close();
    assert_ne!(top.end(), (Some(0), None));
}

#[test]
fn without_colours_everything_is_said() {
    let place = Place::new();
    let _region = region(&place);
    let mut holder = hold(&place);
    holder.kill().expect("it is ours");
    holder.wait().expect("its end");
    for (colour, value) in [(true, ""), (false, "1")] {
        let mut top = Terminal::start_with(&["top", &place.name], &[("NO_COLOR", value), ("LC_ALL", "C")]);
        top.wait("the dead", |screen| {
            line(screen, "torque").is_some_and(|line| line.contains("producer dead"))
        });
        assert_eq!(top.has_coloured(), colour);
        assert!(top.text().is_ascii(), "a terminal without UTF-8: {}", top.text());
        top.press("q");
        assert_eq!(top.end(), (Some(0), None));
    }
}

fn channel<'a>(look: &'a Value, name: &str) -> &'a Value {
    let channels = look["regions"][0]["channels"].as_array().expect("channels");
    channels.iter().find(|channel| channel["name"] == name).expect("it is there")
}

#[test]
fn one_look_is_for_scripts_and_leaves_no_trace() {
    let place = Place::new();
    let region = region(&place);
    let mut torques = region.typed_producer::<u32>("torque").expect("a role");
    torques.try_send_batch(0..16).expect("space");
    let mut log = region.producer("camera").expect("a role");
    log.try_send(1, &[7; 48]).expect("space");
    let before = dump(&region);
    let look = run(&["top", &place.name, "--json", "--every", "10"]).json();
    assert_eq!(before, dump(&region), "looking on leaves a trace");
    assert_eq!(look["regions"][0]["state"], "live");
    let torque = channel(&look, "torque");
    assert_eq!((&torque["lag"], &torque["fill"], &torque["rate"]), (&16.into(), &0.25.into(), &0.0.into()));
    assert_eq!((&torque["producer"]["state"], &torque["in_trouble"]), (&"alive".into(), &false.into()));
    assert_eq!(channel(&look, "camera")["used"], 64, "bytes of the ring, with the frame's header");
    assert_eq!(
        (&channel(&look, "gains")["lock"]["state"], &channel(&look, "gains")["lag"]),
        (&"free".into(), &Value::Null)
    );
    let text = run(&["top", &place.name, "--once", "--every", "10"]).ok();
    assert!(text.contains("torque") && text.contains("25%") && text.contains("1 alive"), "{text}");
    // A copy is looked at in the same way.
    let copy = place.path("copy");
    fs::write(&copy, &before).expect("a file");
    let look = run(&["top", &copy, "--json", "--every", "10"]).json();
    assert_eq!(
        (&look["regions"][0]["state"], &channel(&look, "torque")["lag"]),
        (&"copy".into(), &16.into())
    );
    // Without a name, all regions: this one is among them.
    let all = run(&["top", "--json", "--every", "10"]).json();
    let names = all["regions"].as_array().expect("regions").iter().map(|region| region["region"].as_str());
    assert!(names.flatten().any(|name| name == place.name));
    drop((torques, log));
}

#[test]
fn a_damaged_copy_is_an_error_or_sane() {
    let place = Place::new();
    let region = region(&place);
    let (bytes, copy) = (dump(&region), place.path("copy"));
    for at in (0..bytes.len().min(4096)).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at..].iter_mut().step_by(at + 5).for_each(|byte| *byte ^= 0x55);
        fs::write(&copy, &damaged).expect("a file");
        let done = run(&["top", &copy, "--json", "--every", "1"]);
        assert!(matches!(done.code, Some(0 | 1)), "byte {at}: {done:?}");
        assert!(done.stderr.lines().count() <= 1, "byte {at}: {done:?}");
    }
}

#[test]
fn a_wrong_wish_is_refused_in_a_line() {
    let place = Place::new();
    let _region = region(&place);
    let line = run(&["top", &place.name]).refused(1);
    assert!(line.contains("no terminal") && line.contains("--json"), "{line}");
    run(&["top", &format!("{}-other", place.name), "--once"]).refused(1);
    run(&["top", "--once", "--json"]).refused(2);
    run(&["top", "--every", "0"]).refused(2);
    let mut dumb = Terminal::spawn(strait(&["top", &place.name]).env("TERM", "dumb"));
    dumb.wait("a way out", |screen| screen.contains("TERM=dumb"));
    assert_eq!(dumb.end(), (Some(1), None));
}
