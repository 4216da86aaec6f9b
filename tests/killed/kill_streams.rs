//! Real processes at the ends of calls with several answers, killed at random points.
#![cfg(any(target_os = "linux", windows))]

mod several;

use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, role, tell};
use strait::call::{CallError, PartError, Ran, StreamClient, StreamServer, Streamed};
use strait::{Channel, Plan, Region, RegionOptions, SystemPort};

/// The parts of a request are this many, and each is the request and its own number.
const PARTS: u32 = 20;
/// Fewer than an answer has, so that both sides wait.
const PLAN: Plan =
    Plan::new(&[Channel::streams::<u32, [u32; 2]>("s", 2), Channel::parts::<[u32; 2]>("p", 8)]);
const ROUNDS: u32 = 12;

type Client = StreamClient<u32, [u32; 2], SystemPort>;
type Server = StreamServer<u32, [u32; 2], SystemPort>;

fn client(region: &Region) -> Client {
    region.stream_client("s", "p").expect("nobody alive has it")
}

fn server(region: &Region) -> Server {
    region.stream_server("s", "p").expect("nobody alive has it")
}

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.as_str() {
        "serve-for-ever" => {
            let mut server = server(&region);
            tell("ready");
            loop {
                serve(&mut server, PATIENCE);
            }
        }
        "call-for-ever" => {
            let mut client = client(&region);
            tell("ready");
            let mut request = 0;
            loop {
                assert_eq!(call(&mut client, request), None);
                request += 1;
            }
        }
        other => panic!("no such role: {other}"),
    }
}

/// Answers one request; returns whether that went to its end.
fn serve(server: &mut Server, timeout: Duration) -> bool {
    let Ok((request, mut parts)) = server.next_timeout(timeout) else { return false };
    for number in 0..PARTS {
        match parts.send_timeout(&[request, number], Duration::from_millis(200)) {
            Ok(()) => {}
            // Its client was killed, and perhaps has a successor.
            Err(PartError::TimedOut | PartError::Cancelled) => return false,
            Err(error) => panic!("{error}"),
        }
    }
    parts.end();
    true
}

/// Makes a call and reads it to its end; returns what is known of it if the server died.
fn call(client: &mut Client, request: u32) -> Option<Ran> {
    client.start(&request).expect("a place is free");
    for number in 0..=PARTS {
        match client.next_timeout(PATIENCE) {
            Ok(Streamed::Part(part)) => assert_eq!(part, [request, number]),
            Ok(Streamed::End { parts }) => {
                assert_eq!((parts, number), (PARTS, PARTS));
                return None;
            }
            Err(CallError::PeerDied { ran }) => {
                assert!(ran == Ran::Maybe || number == 0, "it has run, for there were parts");
                return Some(ran);
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("there were more parts than were sent");
}

/// A server is killed in each round, perhaps between two parts, and another goes on. Each call ends: with all its parts, or
/// with the server's death behind those that came.
#[test]
fn fault_118_servers_killed_at_random_leave_no_call_without_an_end() {
    let name = Name::new("stream-servers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut client = client(&region);
    let (mut request, mut whole, mut died) = (0, 0, 0);
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_streams::child", "serve-for-ever", &name);
        kid.hear();
        let started = Instant::now();
        std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(300 + u64::from(round) * 977 % 5000));
                kid.kill();
            });
            // Until a call has met the death.
            while !killer.is_finished() {
                request += 1;
                match call(&mut client, request) {
                    None => whole += 1,
                    Some(_) => {
                        died += 1;
                        break;
                    }
                }
                assert!(started.elapsed() < PATIENCE);
            }
        });
    }
    let mut heir = server(&region);
    // What the last one had taken is not run again.
    while serve(&mut heir, Duration::ZERO) {}
    println!("{whole} calls came whole, {died} met a death");
    request += 1;
    let serving = std::thread::spawn(move || assert!(serve(&mut heir, PATIENCE)));
    assert_eq!(call(&mut client, request), None);
    serving.join().unwrap();
    assert!(whole >= ROUNDS, "{whole} calls are too few to mean anything");
}

/// A client is killed in each round, and another goes on: it gets the parts of its own calls alone, and the server goes on.
#[test]
fn fault_117_clients_killed_at_random_leave_no_parts_to_their_successors() {
    let name = Name::new("stream-clients");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut server = server(&region);
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_streams::child", "call-for-ever", &name);
        kid.hear();
        let started = Instant::now();
        let mut whole = 0;
        while whole < 20 || started.elapsed() < Duration::from_micros(300 + u64::from(round) * 977 % 5000) {
            whole += u32::from(serve(&mut server, Duration::from_millis(50)));
            assert!(started.elapsed() < PATIENCE, "{whole} calls were served");
        }
        // Somewhere within an answer.
        if let Ok((request, mut parts)) = server.next_timeout(Duration::from_millis(50)) {
            let _ = (0..round % 8).try_for_each(|number| parts.send(&[request, number]));
            kid.kill();
        } else {
            kid.kill();
        }
    }
    let mut heir = client(&region);
    let serving = std::thread::spawn(move || while !serve(&mut server, PATIENCE) {});
    assert_eq!(call(&mut heir, 77), None);
    serving.join().unwrap();
}
