//! Regions shown over a WebSocket: values, what a slow client misses, what is refused, and sending.
#![cfg(all(unix, feature = "serve"))]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{LONG, Place, Running, dump, eventually, run, strait};
use serde_json::{Value, json};
use strait::{Channel, Plan, Region, RegionOptions, describe};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

strait::message! {
    struct Torque {
        axis: u32,
        newton_metres: f32 [unit = "Nm"],
    }
}

const CHANNELS: &[Channel<'_>] = &[
    Channel::slots::<Torque>("torque", 64),
    Channel::frames("log", 4096, 64),
    Channel::latest::<f64>("load"),
    Channel::compact::<u16>("lanes", 8).producers(2),
    Channel::mutex::<u32>("lock"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).described(describe!(Torque));

fn region(place: &Place) -> Region {
    place.region().create(&PLAN, &RegionOptions::new()).expect("a region")
}

/// A server, and its address.
struct Server(Running, String);

impl Server {
    fn start(words: &[&str]) -> Self {
        let words = [&["serve", "--port", "0"], words].concat();
        let mut running = Running::of(strait(&words).spawn().expect("the tool"));
        let stdout = running.child().stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
        Self(running, address.to_owned())
    }

    /// The first line of the reply to a request with these fields, and all of it.
    fn ask(&self, target: &str, fields: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.1).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("a time-out");
        // A request that is too long is not read to its end.
        let _ = stream.write_all(format!("GET {target} HTTP/1.1\r\n{fields}\r\n").as_bytes());
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or(0), text)
    }
}

/// A client in the protocol of Foxglove.
struct Client {
    socket: WebSocket<TcpStream>,
    info: Value,
    /// Channels by their topics.
    channels: Vec<Value>,
    gone: Vec<u64>,
    states: Vec<Value>,
}

impl Client {
    fn connect(server: &Server, query: &str) -> Self {
        let mut request = format!("ws://{}/{query}", server.1).into_client_request().expect("a request");
        let protocols = HeaderValue::from_static("foxglove.websocket.v1");
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocols);
        let stream = TcpStream::connect(&server.1).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("a time-out");
        let (socket, reply) = tungstenite::client(request, stream).expect("a WebSocket");
        assert_eq!(reply.headers()["Sec-WebSocket-Protocol"], "foxglove.websocket.v1");
        let mut client =
            Self { socket, info: Value::Null, channels: Vec::new(), gone: Vec::new(), states: Vec::new() };
        while client.channels.is_empty() {
            assert!(client.next().is_none());
        }
        client
    }

    /// The next message of a subscription, if what comes next is one.
    fn next(&mut self) -> Option<(u32, Value)> {
        let text = match self.socket.read().expect("it goes on") {
            Message::Binary(bytes) => {
                assert_eq!(bytes[0], 1);
                let id = u32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
                let time = u64::from_le_bytes(bytes[5..13].try_into().expect("eight bytes"));
                assert!(time > 1 << 60);
                return Some((id, serde_json::from_slice(&bytes[13..]).expect("JSON")));
            }
            Message::Text(text) => text,
            _ => return None,
        };
        let told: Value = serde_json::from_str(&text).expect("JSON");
        let all = |key: &str| told[key].as_array().cloned().unwrap_or_default();
        match told["op"].as_str() {
            Some("serverInfo") => self.info = told,
            Some("advertise") => self.channels.extend(all("channels")),
            Some("unadvertise") => self.gone.extend(all("channelIds").iter().filter_map(Value::as_u64)),
            Some("status") => self.states.push(told),
            _ => panic!("{told}"),
        }
        None
    }

    fn message(&mut self) -> (u32, Value) {
        loop {
            if let Some(message) = self.next() {
                return message;
            }
        }
    }

    fn state(&mut self) -> String {
        while self.states.is_empty() {
            self.next();
        }
        self.states.remove(0)["message"].as_str().expect("a text").to_owned()
    }

    fn tell(&mut self, object: &Value) {
        self.socket.send(Message::text(object.to_string())).expect("it reads");
    }

    fn channel(&self, topic: &str) -> &Value {
        let mut found = self.channels.iter().filter(|channel| channel["topic"] == topic);
        found.next_back().unwrap_or_else(|| panic!("{topic}: {:?}", self.channels))
    }

    fn subscribe(&mut self, id: u32, topic: &str) {
        let channel = self.channel(topic)["id"].clone();
        self.tell(&json!({ "op": "subscribe", "subscriptions": [{ "id": id, "channelId": channel }] }));
    }

    fn send(&mut self, id: u32, topic: &str, value: &str) {
        let channel = json!({ "id": id, "topic": topic, "encoding": "json", "schemaName": "" });
        self.tell(&json!({ "op": "advertise", "channels": [channel] }));
        let frame = [&[1], &id.to_le_bytes()[..], value.as_bytes()].concat();
        self.socket.send(Message::binary(frame)).expect("it reads");
    }
}

#[test]
fn a_client_sees_channels_and_values_and_leaves_no_trace() {
    let place = Place::new();
    let region = region(&place);
    let server = Server::start(&[&place.name]);
    let mut load = region.latest_writer::<f64>("load").expect("a role");
    load.publish(&1.5);
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    let mut log = region.producer("log").expect("a role");
    let before = dump(&region);
    let mut client = Client::connect(&server, "");
    assert_eq!((&client.info["name"], &client.info["capabilities"]), (&json!("strait"), &json!([])));
    let topic = |channel: &str| format!("/{}/{channel}", place.name);
    let schema: Value = {
        let torque = client.channel(&topic("torque"));
        assert_eq!((&torque["encoding"], &torque["schemaName"]), (&json!("json"), &json!("Torque")));
        serde_json::from_str(torque["schema"].as_str().expect("a text")).expect("JSON")
    };
    assert_eq!(schema["properties"]["newton_metres"]["x-unit"], "Nm");
    assert_eq!(client.channels.len(), 6, "two lanes, no lock, and what was missed");
    for (id, channel) in ["torque", "log", "load", "lanes/1"].iter().enumerate() {
        client.subscribe(id as u32, &topic(channel));
    }
    // A value that was there before.
    assert_eq!(client.message(), (2, json!({ "value": 1.5 })));
    assert_eq!(before, dump(&region), "looking on leaves a trace");
    torques.try_send(&Torque { axis: 2, newton_metres: 0.1 }).expect("space");
    assert_eq!(client.message(), (0, json!({ "axis": 2, "newton_metres": 0.1 })));
    log.try_send(7, &[1, 255]).expect("space");
    assert_eq!(client.message(), (1, json!({ "tag": 7, "bytes": "01ff" })));
    region.typed_lane_producer::<u16>("lanes", 1).expect("a role").try_send(&9).expect("space");
    assert_eq!(client.message(), (3, json!({ "value": 9 })));
    client.tell(&json!({ "op": "unsubscribe", "subscriptionIds": [2] }));
    // Commands are done in order: once this is refused, that is done.
    client.subscribe(9, &topic("torque"));
    assert!(client.state().contains("already"));
    load.publish(&2.5);
    torques.try_send(&Torque { axis: 3, newton_metres: 0.0 }).expect("space");
    assert_eq!(client.message().0, 0);
    // Nonsense is told, and ends nothing.
    client.tell(&json!({ "op": "subscribe", "subscriptions": [{ "id": 50, "channelId": 4000 }, 7] }));
    assert!(client.state().contains("no channel 4000"));
    client.socket.send(Message::text("{")).expect("it reads");
    assert!(client.state().contains("no JSON"));
    client.socket.send(Message::binary(vec![9])).expect("it reads");
    assert!(client.state().contains("binary"));
    // Without leave to send, nothing is sent.
    client.send(1, &topic("load"), r#"{"value":7}"#);
    assert!(client.state().contains("--allow-send"));
    assert!(client.state().contains("not advertised"));
    assert_eq!(region.latest_reader::<f64>("load").expect("a reader").read().value(), Some(2.5));
}

#[test]
fn a_server_that_is_killed_leaves_a_living_region() {
    let place = Place::new();
    let region = region(&place);
    let mut load = region.latest_writer::<f64>("load").expect("a role");
    for number in 0..3 {
        let server = Server::start(&["--allow-send", &place.name]);
        let mut client = Client::connect(&server, "");
        client.subscribe(1, &format!("/{}/load", place.name));
        load.publish(&f64::from(number));
        assert_eq!(client.message(), (1, json!({ "value": f64::from(number) })));
        let before = dump(&region);
        server.0.kill();
        assert_eq!(before, dump(&region));
        assert!(client.socket.read().is_err());
    }
    load.publish(&9.0);
    assert_eq!(region.latest_reader::<f64>("load").expect("a reader").read().value(), Some(9.0));
}

#[test]
fn a_slow_client_misses_messages_and_is_told_how_many() {
    let place = Place::new();
    let region = region(&place);
    let mut server = Server::start(&[&place.name]);
    let mut torques = region.typed_producer::<Torque>("torque").expect("a role");
    let mut sink = region.typed_consumer::<Torque>("torque").expect("a role");
    let mut client = Client::connect(&server, "");
    client.subscribe(1, &format!("/{}/torque", place.name));
    client.subscribe(2, &format!("/{}/missed", place.name));
    // Once this is refused, the subscriptions are made.
    client.subscribe(3, &format!("/{}/torque", place.name));
    assert!(client.state().contains("already"));
    // It reads nothing, and the sender goes on, until far more was sent than the system keeps for it.
    let (mut sent, start) = (0, Instant::now());
    while start.elapsed() < Duration::from_secs(3) {
        for _ in 0..32 {
            torques.try_send(&Torque { axis: sent, newton_metres: 0.0 }).expect("space");
            sink.try_recv().expect("it was sent");
            sent += 1;
        }
        thread::sleep(Duration::from_micros(20));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", server.0.pid())).unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok());
    assert!(kib.is_none_or(|kib| kib < 64 << 10), "the server keeps {kib:?} KiB");
    // Now it reads. What it has seen and what it has missed add up.
    torques.try_send(&Torque { axis: sent, newton_metres: 1.0 }).expect("space");
    let (mut axes, mut missed) = (Vec::new(), 0);
    while axes.len() as u64 + missed < u64::from(sent) + 1 {
        match client.message() {
            (1, value) => axes.push(value["axis"].as_u64().expect("a number")),
            (_, told) => missed = told["missed"].as_u64().expect("a number"),
        }
    }
    assert_eq!(axes.len() as u64 + missed, u64::from(sent) + 1);
    assert!(axes.is_sorted() && axes.last() == Some(&u64::from(sent)));
    if missed > 0 {
        assert!(client.state().contains("came too fast"));
    }
}

#[test]
fn a_client_that_wants_few_gets_the_newest() {
    let place = Place::new();
    let region = region(&place);
    let server = Server::start(&[&place.name]);
    let mut load = region.latest_writer::<f64>("load").expect("a role");
    let mut client = Client::connect(&server, "?most=10");
    client.subscribe(1, &format!("/{}/load", place.name));
    load.publish(&0.0);
    assert_eq!(client.message().0, 1);
    let start = Instant::now();
    for number in 1..=200 {
        load.publish(&f64::from(number));
        thread::sleep(Duration::from_millis(5));
    }
    let mut count = 1;
    while client.message().1 != json!({ "value": 200.0 }) {
        count += 1;
    }
    let most = 10.0 * start.elapsed().as_secs_f64() + 2.0;
    assert!(f64::from(count) <= most, "{count} messages");
}

#[test]
fn messages_are_sent_where_that_is_allowed() {
    let place = Place::new();
    let region = region(&place);
    let server = Server::start(&["--allow-send", &place.name]);
    let mut client = Client::connect(&server, "");
    assert_eq!(client.info["capabilities"], json!(["clientPublish"]));
    let topic = |channel: &str| format!("/{}/{channel}", place.name);
    let mut torques = region.typed_consumer::<Torque>("torque").expect("a role");
    client.send(1, &topic("torque"), r#"{"axis":4,"newton_metres":0.25}"#);
    assert!(eventually(|| torques.try_recv() == Ok(Torque { axis: 4, newton_metres: 0.25 })));
    client.send(2, &topic("log"), r#"{"tag":5,"bytes":"0aff"}"#);
    let (mut log, mut bytes) = (region.consumer("log").expect("a role"), [0; 64]);
    assert!(eventually(|| log.try_recv(&mut bytes).is_ok_and(|frame| (frame.tag, frame.len) == (5, 2))));
    client.send(3, &topic("lanes/1"), r#"{"value":7}"#);
    let mut lanes: strait::TypedLanesConsumer<u16, _, 2> =
        region.typed_lanes_consumer("lanes").expect("a role");
    assert!(eventually(|| lanes.try_recv().is_ok_and(|got| (got.lane, got.message) == (1, 7))));
    let _sender = region.typed_producer::<Torque>("torque").expect("it was given back");
    for (channel, value, part) in [
        ("torque", r#"{"axis":4,"newton_metres":0.25}"#, "alive"),
        ("torque", r#"{"axis":4}"#, "newton_metres not given"),
        ("log", r#"{"tag":5,"bytes":"0"}"#, "hexadecimal"),
        ("lock", r#"{"value":1}"#, "no such channel"),
    ] {
        client.send(4, &topic(channel), value);
        let told = client.state();
        assert!(told.contains(part) && told.contains(channel), "{told}");
    }
}

#[test]
fn regions_come_and_go() {
    let place = Place::new();
    let (one, other) = (region(&place), Place::new());
    let server = Server::start(&[&place.name, &other.name]);
    let mut client = Client::connect(&server, "");
    assert_eq!(client.channels.len(), 6);
    let _other = region(&other);
    while client.channels.len() < 12 {
        client.next();
    }
    drop(one);
    place.region().remove().expect("it is there");
    let new = region(&place);
    while client.gone.len() < 6 || client.channels.len() < 18 {
        client.next();
    }
    new.latest_writer::<f64>("load").expect("a role").publish(&3.0);
    client.subscribe(1, &format!("/{}/load", place.name));
    assert_eq!(client.message(), (1, json!({ "value": 3.0 })));
}

#[test]
fn pages_from_elsewhere_are_refused() {
    let place = Place::new();
    let _region = region(&place);
    let server = Server::start(&[&place.name]);
    let socket = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let known = "Sec-WebSocket-Protocol: foxglove.sdk.v1\r\n";
    let own = format!("Host: {}\r\n", server.1);
    for (target, fields, expected) in [
        ("/", own.clone(), 200),
        ("/page.js", own.clone(), 200),
        ("/elsewhere", own.clone(), 404),
        ("/", String::new(), 400),
        ("/", format!("{own}{own}"), 400),
        ("/", "Host: evil.example\r\n".into(), 403),
        ("/", format!("{own}{socket}"), 400),
        ("/", format!("{own}{socket}Sec-WebSocket-Protocol: chat\r\n"), 400),
        ("/", format!("{own}{socket}{known}Origin: https://evil.example\r\n"), 403),
        ("/", format!("Host: evil.example\r\nOrigin: http://evil.example\r\n{socket}{known}"), 403),
        ("/", format!("X: {}\r\n{own}", "x".repeat(20_000)), 0),
        ("/\r\n", String::new(), 400),
    ] {
        let (status, text) = server.ask(target, &fields);
        assert_eq!(status, expected, "{fields}: {text}");
    }
    let (_, page) = server.ask("/", &own);
    assert!(page.contains("Content-Security-Policy: default-src 'none'"), "{page}");
    let guarded = Server::start(&["--token", "0123456789abcdef", &place.name]);
    let own = format!("Host: {}\r\n", guarded.1);
    assert_eq!(guarded.ask("/", &own).0, 401);
    assert_eq!(guarded.ask("/?token=0123456789abcdef", &own).0, 200);
    let client = Client::connect(&guarded, "?token=0123456789abcdef");
    assert_eq!(client.channels.len(), 6);
}

#[test]
fn a_wrong_wish_is_refused_in_a_line() {
    let line = run(&["serve", "--listen", "0.0.0.0"]).refused(2);
    assert!(line.contains("--token"), "{line}");
    let line = run(&["serve", "--token", "short"]).refused(2);
    assert!(line.contains("16 or more"), "{line}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let line = run(&["serve", "--port", &port]).refused(1);
    assert!(line.contains(&port) && line.contains("in use; give another --port"), "{line}");
    let mut server = strait(&["serve", "--port", "0", "--json"]).spawn().expect("the tool");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let told: Value = serde_json::from_str(&line).expect("JSON");
    Running::of(server).kill();
    assert_eq!(told["page"], format!("http://127.0.0.1:{}/", told["port"]));
    assert_eq!(told["foxglove"], format!("ws://127.0.0.1:{}/", told["port"]));
}
