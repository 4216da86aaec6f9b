//! Two regions with a bridge at each, on one machine: what goes through, what is refused, and who may die.

mod common;

use std::thread;
use std::time::Duration;

use common::{Bridge, LONG, Other, Place, State, Torque, count, endpoint, until};
use strait::broadcast::BroadcastStart;
use strait::call::CallError;
use strait::{Channel, Plan};
use zenoh::Wait;

/// Two regions, and the words for a bridge at each.
struct Pair {
    near: Place,
    far: Place,
    endpoint: String,
}

impl Pair {
    fn new() -> Self {
        Self { near: Place::new("near"), far: Place::new("far"), endpoint: endpoint() }
    }

    fn near(&self, words: &str) -> Bridge {
        Bridge::start(&[], &self.near.name, &format!("--zenoh test --listen {} {words}", self.endpoint))
    }

    fn far(&self, words: &str) -> Bridge {
        Bridge::start(&[], &self.far.name, &format!("--zenoh test --connect {} {words}", self.endpoint))
    }

    /// A session without strait.
    fn session(&self) -> zenoh::Session {
        let mut config = zenoh::Config::default();
        for (key, value) in [
            ("scouting/multicast/enabled", "false".into()),
            ("listen/endpoints", "[]".into()),
            ("connect/endpoints", format!("[\"{}\"]", self.endpoint)),
        ] {
            config.insert_json5(key, &value).expect("a setting");
        }
        zenoh::open(config).wait().expect("a session")
    }
}

#[test]
fn every_kind_of_channel_goes_through() {
    let pair = Pair::new();
    let all = "torque,state,ticks,log,steps";
    let near = pair.near(&format!("--out {all} --in back"));
    let far = pair.far(&format!("--in {all} --out back"));

    let mut torque = pair.near.region.typed_producer::<Torque>("torque").expect("a role");
    let mut received = pair.far.region.typed_consumer::<Torque>("torque").expect("a role");
    // More than both queues hold: nothing is lost if nobody is cut off.
    let sender = thread::spawn(move || {
        for count in 0..3000 {
            torque.send_timeout(&Torque { count, twice: 2 * count }, LONG).expect("sent");
        }
        torque
    });
    for count in 0..3000 {
        let got = received.recv_timeout(LONG).expect("received");
        assert_eq!((got.count, got.twice), (count, 2 * count));
    }
    sender.join().expect("no panic");

    let mut state = pair.near.region.latest_writer::<State>("state").expect("a role");
    let mut shown = pair.far.region.latest_reader::<State>("state").expect("a reader");
    state.publish(&State { count: 9, square: 81 });
    until("the state", || shown.read().value().is_some_and(|state| state.square == 81));

    let mut ticks = pair.near.region.broadcast_writer::<u64>("ticks").expect("a role");
    let mut heard =
        pair.far.region.broadcast_reader::<u64>("ticks", BroadcastStart::Newest).expect("a reader");
    ticks.publish(&17);
    assert_eq!(heard.recv_timeout(LONG), Ok(17));

    let (_, mut one) = pair.near.region.free_lane_producer("log").expect("a lane");
    let (_, mut other) = pair.near.region.free_lane_producer("log").expect("a lane");
    let mut log = pair.far.region.lanes_consumer::<2>("log").expect("a role");
    one.try_send(1, b"one").expect("sent");
    other.try_send(2, b"the other").expect("sent");
    let mut buffer = [0; 256];
    let mut lines = Vec::new();
    until("both lines", || {
        if let Ok(from) = log.try_recv(&mut buffer) {
            lines.push((from.message.tag, buffer[..from.message.len].to_vec()));
        }
        lines.len() == 2
    });
    lines.sort();
    assert_eq!(lines, [(1, b"one".to_vec()), (2, b"the other".to_vec())]);

    let mut steps = pair.near.region.typed_producer::<u32>("steps").expect("a role");
    let mut stepped = pair.far.region.typed_consumer::<u32>("steps").expect("a role");
    steps.try_send(&5).expect("sent");
    until("the step", || stepped.try_recv() == Ok(5));

    let mut back = pair.far.region.latest_writer::<f64>("back").expect("a role");
    let mut came = pair.near.region.latest_reader::<f64>("back").expect("a reader");
    back.publish(&0.5);
    until("the way back", || came.read().value() == Some(0.5));

    let (near, far) = (near.end(), far.end());
    assert_eq!(
        (count(&near, "torque out", "sent"), count(&far, "torque in", "taken")),
        (3000, 3000),
        "{near}{far}"
    );
    for wrong in ["lost", "dropped", "refused", "garbage", "failed"] {
        assert!(!near.contains(wrong) && !far.contains(wrong), "{near}{far}");
    }
}

#[test]
fn a_late_joiner_gets_the_latest_value_and_a_queue_waits_for_it() {
    let pair = Pair::new();
    let _near = pair.near("--out torque,state");
    let mut state = pair.near.region.latest_writer::<State>("state").expect("a role");
    let mut torque = pair.near.region.typed_producer::<Torque>("torque").expect("a role");
    state.publish(&State { count: 3, square: 9 });
    // Nobody receives: the queue fills up, as one without a consumer does.
    let mut sent = 0;
    while torque.send_timeout(&Torque { count: sent, twice: 0 }, Duration::from_millis(50)).is_ok() {
        sent += 1;
        assert!(sent <= 256, "a queue without a receiver was emptied");
    }
    let _far = pair.far("--in torque,state");
    let mut shown = pair.far.region.latest_reader::<State>("state").expect("a reader");
    until("the state", || shown.read().value().is_some_and(|state| state.count == 3));
    let mut received = pair.far.region.typed_consumer::<Torque>("torque").expect("a role");
    for count in 0..sent {
        assert_eq!(received.recv_timeout(LONG).expect("received").count, count);
    }
}

#[test]
fn fault_123_a_full_queue_at_the_far_end_holds_the_near_one_back() {
    let pair = Pair::new();
    let near = pair.near("--out torque,state");
    let far = pair.far("--in torque,state");
    let mut torque = pair.near.region.typed_producer::<Torque>("torque").expect("a role");
    let mut sent = 0;
    // Two queues of 256, a window of 512, and room to spare.
    while torque.send_timeout(&Torque { count: sent, twice: 0 }, Duration::from_millis(1500)).is_ok() {
        sent += 1;
        assert!(sent < 4096, "nothing holds the sender back");
    }
    // Latest values still go through.
    let mut state = pair.near.region.latest_writer::<State>("state").expect("a role");
    let mut shown = pair.far.region.latest_reader::<State>("state").expect("a reader");
    state.publish(&State { count: 4, square: 16 });
    until("the state", || shown.read().value().is_some_and(|state| state.count == 4));
    let mut received = pair.far.region.typed_consumer::<Torque>("torque").expect("a role");
    for count in 0..sent {
        assert_eq!(received.recv_timeout(LONG).expect("received").count, count);
    }
    let (near, far) = (near.end(), far.end());
    assert!(!far.contains("lost") && !far.contains("dropped"), "{near}{far}");
}

#[test]
fn how_many_are_ahead_is_what_the_user_says() {
    let pair = Pair::new();
    let _near = pair.near("--out torque --ahead 64");
    let far = pair.far("--in torque");
    let mut torque = pair.near.region.typed_producer::<Torque>("torque").expect("a role");
    let mut sent = 0;
    while torque.send_timeout(&Torque { count: sent, twice: 0 }, Duration::from_millis(1500)).is_ok() {
        sent += 1;
    }
    // Two queues of 256, 64 ahead, and the one that found the far queue full.
    assert!(sent <= 256 + 64 + 1 + 256, "{sent}");
    let mut received = pair.far.region.typed_consumer::<Torque>("torque").expect("a role");
    for count in 0..sent {
        assert_eq!(received.recv_timeout(LONG).expect("received").count, count);
    }
    let far = far.end();
    assert!(!far.contains("lost") && !far.contains("dropped"), "{far}");
}

#[test]
fn fault_121_a_killed_bridge_leaves_the_regions_alive_and_a_successor_goes_on() {
    let pair = Pair::new();
    let (mut near, mut far) = (pair.near("--out torque"), pair.far("--in torque"));
    let mut torque = pair.near.region.typed_producer::<Torque>("torque").expect("a role");
    let mut received = pair.far.region.typed_consumer::<Torque>("torque").expect("a role");
    let sender = thread::spawn(move || {
        for count in 0..4000 {
            torque.send_timeout(&Torque { count, twice: 0 }, LONG).expect("sent");
            if count % 20 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let (mut next, mut missing, mut again) = (0, 0, 0);
    let mut take = |up_to: u64| {
        while next < up_to {
            let count = received.recv_timeout(LONG).expect("received").count;
            if count < next {
                again += 1;
                continue;
            }
            missing += count - next;
            next = count + 1;
        }
    };
    take(500);
    near.kill();
    near = pair.near("--out torque");
    take(1500);
    far.kill();
    far = pair.far("--in torque");
    take(4000);
    sender.join().expect("no panic");
    // A killed bridge takes with it what was under way: a window's worth each time, and no more.
    assert!(missing <= 2 * 600, "{missing} missing");
    // What the killed sending bridge had not released its successor sends again, and the far end leaves out what it
    // has; the killed far end remembers nothing.
    assert!(again <= 1, "{again} came again");
    drop((near, far));
}

#[test]
fn calls_go_both_ways_of_a_bridge_and_end_with_a_word() {
    let pair = Pair::new();
    let near = pair.near("--out square --patience 2");
    let far = pair.far("--in square --patience 1");
    let mut client = pair.near.region.call_client::<u64, u64>("square").expect("a role");
    let serve = |calls: u32| {
        let mut server = pair.far.region.call_server::<u64, u64>("square").expect("a role");
        for _ in 0..calls {
            let (request, reply) = server.next_timeout(LONG).expect("a request");
            if request == 13 { reply.refuse(131) } else { reply.answer(&(request * request)) }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| serve(3));
        // The bridges may still be on their way to each other.
        until("an answer", || client.call_timeout(&12, LONG) == Ok(144));
        assert_eq!(client.call_timeout(&13, LONG), Err(CallError::Refused { code: 131 }));
        assert_eq!(client.call_timeout(&5, LONG), Ok(25));
    });
    // Without a server: withdrawn in time, and known not to have run.
    assert_eq!(client.call_timeout(&6, LONG), Err(CallError::Refused { code: 0xff01 }));

    let (near, far) = (near.end(), far.end());
    assert!(count(&near, "square out", "taken") >= 2, "{near}{far}");
}

#[test]
fn fault_122_another_type_and_garbage_are_refused_counted_and_survived() {
    let pair = Pair::new();
    let other = Place::of("other", &Plan::new(&[Channel::slots::<Other>("torque", 16).consumer_may_block()]));
    let mut near = pair.near("--in torque,state,log,square --strict");
    let words = format!("--zenoh test --connect {} --out torque", pair.endpoint);
    let far = Bridge::start(&[], &other.name, &words);
    let mut sender = other.region.typed_producer::<Other>("torque").expect("a role");
    let mut received = pair.near.region.typed_consumer::<Torque>("torque").expect("a role");
    for index in 0..5 {
        sender.try_send(&Other { index, value: 0.0 }).expect("sent");
    }
    near.wait_for("torque: refused a message of type");
    drop(far);

    let session = pair.session();
    until("the session", || {
        session.get("test/@stats").wait().expect("asked").recv().is_ok_and(|reply| reply.result().is_ok())
    });
    let stamp = |hash: u64| {
        let mut stamp = [0xff; 56];
        stamp[..4].copy_from_slice(b"stb1");
        stamp[16..24].copy_from_slice(&hash.to_le_bytes());
        stamp
    };
    let hash = pair.near.region.channel("torque").expect("a channel").type_hash;
    let mut junk = 12345_u64;
    for round in 0..200_usize {
        for key in ["torque", "state", "log", "torque/@next", "torque/@taken"] {
            let bytes: Vec<u8> = (0..round * 7 % 300)
                .map(|_| {
                    junk = junk.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (junk >> 56) as u8
                })
                .collect();
            let put = session.put(format!("test/{key}"), bytes.clone());
            match round % 4 {
                0 => put.wait().expect("put"),
                1 => put.attachment(bytes).wait().expect("put"),
                2 => put.attachment(stamp(0).as_slice()).wait().expect("put"),
                _ => put.attachment(stamp(hash).as_slice()).wait().expect("put"),
            }
        }
        for key in ["test/torque/@next", "test/torque/@taken"] {
            session.put(key, stamp(hash).as_slice()).wait().expect("put");
        }
        session.delete("test/torque").wait().expect("deleted");
        let replies = session.get("test/square").payload([1_u8, 2, 3].as_slice()).wait().expect("asked");
        if round % 50 == 0 {
            let reply = replies.recv().expect("a reply");
            let error = reply.result().expect_err("an error").payload().to_bytes().into_owned();
            assert!(String::from_utf8_lossy(&error).starts_with("misunderstood:"));
        }
    }
    // The right type and the right length is a message, whoever sends it.
    let good = [7_u64.to_le_bytes(), 14_u64.to_le_bytes()].concat();
    let mut right = stamp(hash);
    right[24..32].copy_from_slice(&1_u64.to_le_bytes());
    until("the message", || {
        session.put("test/torque", good.clone()).attachment(right.as_slice()).wait().expect("put");
        received.try_recv().is_ok_and(|torque| torque.twice == 14)
    });
    session.close().wait().expect("closed");
    let said = near.end();
    assert!(count(&said, "torque in", "refused") >= 5, "{said}");
    assert!(count(&said, "torque in", "garbage") > 100, "{said}");
}

#[test]
fn types_and_counts_can_be_asked_for() {
    let pair = Pair::new();
    let _near = pair.near("--out torque,state,square");
    let session = pair.session();
    let ask = |key: &str| {
        let mut text = String::new();
        until(key, || {
            let replies = session.get(key).timeout(Duration::from_secs(5)).wait().expect("asked");
            let Ok(reply) = replies.recv() else { return false };
            text = reply.result().expect("a reply").payload().try_to_string().expect("text").into_owned();
            true
        });
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    let types = ask("test/@types");
    let hash = pair.near.region.channel("torque").expect("a channel").type_hash;
    assert_eq!(types["channels"][2]["channel"], "torque");
    assert_eq!(types["channels"][2]["type_hash"], format!("{hash:016x}"));
    assert!(types["types"].as_str().is_some_and(|text| text.contains("Torque")), "{types}");
    assert_eq!(ask("test/@stats")[0]["lost"], 0);
}

#[test]
fn an_observer_takes_no_role_and_a_taken_role_is_said() {
    let pair = Pair::new();
    let mut torque = pair.near.region.typed_producer::<Torque>("torque").expect("a role");
    let mut consumer = pair.near.region.typed_consumer::<Torque>("torque").expect("a role");
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_strait-bridge"))
        .args([&pair.near.name, "--zenoh", "test", "--listen", &pair.endpoint, "--out", "torque"])
        .output()
        .expect("run");
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(1) && text.contains("torque") && text.contains("--observe"),
        "{text}"
    );

    let near = pair.near("--out torque --observe");
    let far = pair.far("--in torque");
    let mut received = pair.far.region.typed_consumer::<Torque>("torque").expect("a role");
    let mut count = 0;
    until("a message", || {
        count += 1;
        let _ = torque.try_send(&Torque { count, twice: 2 * count });
        let _ = consumer.try_recv();
        received.try_recv().is_ok_and(|torque| torque.twice == 2 * torque.count)
    });
    drop((near, far));
}
