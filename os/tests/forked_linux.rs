//! What endpoints return in a forked child that inherited them. Numbers are those of the fault list.
#![cfg(target_os = "linux")]

mod common;

use std::fmt::Debug;
use std::time::Duration;

use common::{Helper, Name, hear, path_of, role_for_a_while, say};
use nix::unistd::{ForkResult, fork};
use strait_core::{BroadcastStart, Channel, Plan, Reading};
use strait_os::{Region, RegionFile, RegionOptions};

const QUEUES: Plan = Plan::new(&[
    Channel::frames("frames", 4096, 256),
    Channel::slots::<u64>("slots", 64),
    Channel::compact::<u64>("compact", 64),
    Channel::frames("bell-frames", 4096, 256).consumer_may_block().producer_may_block(),
    Channel::slots::<u64>("bell-slots", 64).consumer_may_block().producer_may_block(),
    Channel::compact::<u64>("bell-compact", 64).consumer_may_block().producer_may_block(),
    Channel::slots::<u64>("lanes", 16).producers(2).consumer_may_block(),
    Channel::slots::<u64>("fanout", 16).consumers(2).consumer_may_block(),
    Channel::calls::<u64, u64>("calls", 4),
    Channel::latest::<u64>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", 8).consumer_may_block(),
    Channel::broadcast_bytes("broadcast", 8, 8).consumer_may_block(),
    Channel::mutex::<u64>("mutex"),
    Channel::semaphore("semaphore", 2, 5),
    Channel::semaphore("all", 2, 1 << 30),
    Channel::permits("permits", 3),
])
.participants(8);

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(30);

/// In the child: what an operation returned, for the test to judge.
fn told<T: Debug, E: Debug>(what: &str, result: Result<T, E>) {
    let how = match result {
        Err(error) if format!("{error:?}").contains("Forked") => "told".to_owned(),
        result => format!("{result:?}"),
    };
    say(&format!("{what}: {how}"));
}

/// In the child: the first receive returns what was there at the fork, if anything was.
fn first<T: Debug, E: Debug>(was_there: bool, result: Result<T, E>) {
    if !was_there || result.is_err() {
        told("first", result);
    }
}

/// Runs `child` in a forked child of this helper, and waits for its end.
fn in_a_child(child: impl FnOnce()) {
    // SAFETY: the only other thread of this process waits for this one; the C library keeps its allocator usable in
    // the child.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Child => {
            child();
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("its end");
        }
    }
}

/// Lines of the helper up to "end", none of which may be anything but "told".
fn all_told(role: &str, least: usize) {
    let name = Name::new();
    let region = name.region();
    let _ours = region.create(&QUEUES, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start(role, path_of(&region));
    let lines: Vec<String> =
        std::iter::from_fn(|| Some(helper.hear()).filter(|line| line != "end")).collect();
    let other: Vec<_> = lines.iter().filter(|line| !line.ends_with(": told")).collect();
    assert!(other.is_empty(), "{other:#?}");
    assert!(lines.len() >= least, "{} lines", lines.len());
}

fn open(path: &str) -> Region {
    RegionFile::new(path).open(&RegionOptions::new()).expect("the region")
}

/// Receivers, with nothing there, something there, and something that was received before.
#[test]
fn fault_10_a_forked_child_is_told_when_it_receives() {
    all_told("receive", 30);
}

fn receive(path: &str) {
    let (ours, theirs) = (open(path), open(path));
    // Without a message, with one, and with one received that its consumer has not told of.
    for (before, received) in [(0, 0), (1, 0), (3, 1), (3, 3)] {
        for name in ["frames", "bell-frames"] {
            let (mut tx, mut rx) = (theirs.producer(name).unwrap(), ours.consumer(name).unwrap());
            let mut buffer = [0; 256];
            (0..before).for_each(|tag| tx.try_send(tag, b"sent before").unwrap());
            (0..received).for_each(|_| _ = rx.try_recv(&mut buffer).unwrap());
            let what = format!("{name} {before} {received}");
            in_a_child(|| {
                told(&format!("{what} peek"), rx.peek().map(drop));
                told(&format!("{what} again"), rx.try_recv(&mut buffer));
            });
            in_a_child(|| told(&format!("{what} batch"), rx.recv_batch(9, |_| ())));
            in_a_child(|| {
                first(before > received, rx.recv_timeout(&mut buffer, LONG));
                told(&format!("{what} wait"), rx.recv_timeout(&mut buffer, LONG));
            });
            // The parent's goes on.
            (received..before).for_each(|_| _ = rx.try_recv(&mut buffer).unwrap());
        }
        for name in ["slots", "compact", "bell-slots", "bell-compact"] {
            let mut tx = theirs.typed_producer::<u64>(name).unwrap();
            let mut rx = ours.typed_consumer::<u64>(name).unwrap();
            (0..before).for_each(|value| tx.try_send(&value.into()).unwrap());
            (0..received).for_each(|_| _ = rx.try_recv().unwrap());
            let what = format!("{name} {before} {received}");
            in_a_child(|| {
                first(before > received, rx.try_recv());
                told(&what, rx.try_recv());
                told(&format!("{what} again"), rx.try_recv());
                assert!(rx.fault().is_some());
            });
            in_a_child(|| told(&format!("{what} batch"), rx.recv_batch(9, |_| ())));
            in_a_child(|| {
                first(before > received, rx.recv_timeout(LONG));
                told(&format!("{what} wait"), rx.recv_timeout(LONG));
            });
            (received..before).for_each(|_| _ = rx.try_recv().unwrap());
        }
        let mut tx = theirs.typed_lane_producer::<u64>("lanes", 1).unwrap();
        let mut rx = ours.typed_lanes_consumer::<u64, 2>("lanes").unwrap();
        (0..before).for_each(|value| tx.try_send(&value.into()).unwrap());
        (0..received).for_each(|_| _ = rx.try_recv().unwrap());
        in_a_child(|| told("lanes", first_error(1, || rx.try_recv())));
        (received..before).for_each(|_| _ = rx.try_recv().unwrap());
        let mut rx = ours.fanout_consumer::<u64>("fanout", 0).unwrap();
        let mut tx = theirs.fanout_producer::<u64>("fanout").unwrap();
        (0..before).for_each(|value| tx.try_send(&value.into()).unwrap());
        (0..received).for_each(|_| _ = rx.try_recv().unwrap());
        in_a_child(|| {
            first(before > received, rx.try_recv());
            told("fanout", rx.try_recv());
        });
        (received..before).for_each(|_| _ = rx.try_recv().unwrap());
    }
}

/// Senders, fresh and with space that they know of.
#[test]
fn fault_10_a_forked_child_is_told_when_it_sends() {
    all_told("send", 15);
}

fn send(path: &str) {
    let ours = open(path);
    for before in [0, 1] {
        for name in ["frames", "bell-frames"] {
            let mut tx = ours.producer(name).unwrap();
            (0..before).for_each(|tag| tx.try_send(tag, b"sent before").unwrap());
            in_a_child(|| {
                told(name, first_error(4096, || tx.try_send(9, b"of the child")));
                told(name, tx.try_send(9, b"of the child"));
                // A grant looks at nothing but the space that is known, and its commit tells nobody anything.
                if name == "frames" {
                    told(name, tx.reserve(4).map(drop));
                }
            });
            in_a_child(|| {
                // Without sleepers nothing is looked at, as long as there is space that was known of before.
                let _ =
                    first_error(if name == "frames" { 4096 } else { 0 }, || tx.try_send(9, b"of the child"));
                told(name, tx.send_timeout(9, b"of the child", LONG));
            });
            tx.try_send(10, b"the parent's").unwrap();
        }
        for name in ["slots", "compact", "bell-slots", "bell-compact"] {
            let mut tx = ours.typed_producer::<u64>(name).unwrap();
            (0..before).for_each(|value| tx.try_send(&value.into()).unwrap());
            in_a_child(|| {
                let most = if name.starts_with("bell") { 0 } else { 64 };
                told(name, first_error(most, || tx.try_send(&9)));
                told(name, tx.try_send(&9));
                told(name, tx.try_send_batch([9, 9]));
                told(name, tx.send_timeout(&9, LONG));
            });
            if name.starts_with("bell") {
                in_a_child(|| told(name, tx.try_send_batch([9, 9])));
                in_a_child(|| told(name, tx.send_timeout(&9, SOON)));
            }
            tx.try_send(&10).unwrap();
        }
        let mut tx = ours.typed_lane_producer::<u64>("lanes", 0).unwrap();
        in_a_child(|| told("lanes", tx.try_send(&9)));
        let mut tx = ours.fanout_producer::<u64>("fanout").unwrap();
        in_a_child(|| told("fanout", tx.try_send(&9)));
        let mut tx = ours.latest_writer::<[u8]>("bytes").unwrap();
        in_a_child(|| told("bytes", tx.publish_from(0, b"of child")));
        tx.publish_from(0, b"parent's").unwrap();
        let mut tx = ours.broadcast_writer::<[u8]>("broadcast").unwrap();
        in_a_child(|| told("broadcast", tx.publish_from(0, b"of child")));
    }
}

/// The first error of at most so many calls and one more.
fn first_error<T: Debug, E: Debug>(most: usize, mut call: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    for _ in 0..most {
        call()?;
    }
    call()
}

/// Locks, counts, calls, and readers of values.
#[test]
fn fault_10_a_forked_child_is_told_when_it_locks_or_calls() {
    all_told("others", 15);
}

fn others(path: &str) {
    let (ours, theirs) = (open(path), open(path));
    let mut mutex = ours.mutex::<u64>("mutex").unwrap();
    in_a_child(|| {
        told("lock", mutex.try_lock().map(drop));
        told("lock wait", mutex.lock_timeout(LONG).map(drop));
        told("change", mutex.wait_for_change(0, LONG).map(drop));
    });
    {
        let mut guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
        guard.set(&7);
        in_a_child(|| assert!(guard.unlock().is_err()));
    }
    for name in ["semaphore", "all"] {
        let mut semaphore = ours.semaphore(name).unwrap();
        in_a_child(|| {
            told(name, semaphore.try_acquire());
            told(name, semaphore.acquire_timeout(LONG));
            told(name, semaphore.release(1));
        });
        in_a_child(|| told(name, semaphore.release(1)));
        assert_eq!(semaphore.count(), 2, "as it was");
    }
    let mut permits = ours.permits("permits").unwrap();
    in_a_child(|| {
        told("permits", permits.try_acquire().map(drop));
        told("permits wait", permits.acquire_timeout(LONG).map(drop));
    });
    let permit = permits.try_acquire().unwrap();
    in_a_child(|| assert!(permit.release().is_err()));
    let mut client = ours.call_client::<u64, u64>("calls").unwrap();
    let mut server = theirs.call_server::<u64, u64>("calls").unwrap();
    in_a_child(|| {
        told("call", client.try_call(&1));
        told("post", client.post(&1));
        told("call wait", client.call_timeout(&1, LONG));
    });
    in_a_child(|| told("serve", server.try_next().map(drop)));
    in_a_child(|| told("serve wait", server.next_timeout(LONG).map(drop)));
    let ticket = client.try_call(&1).unwrap();
    in_a_child(|| told("poll", client.poll(ticket)));
    in_a_child(|| told("serve one", server.try_next().map(drop)));
    let (_, reply) = server.try_next().unwrap();
    reply.answer(&2);
    in_a_child(|| told("poll an answer", client.poll(ticket)));
    assert_eq!(client.poll(ticket), Ok(Some(2)));
    let mut writer = theirs.broadcast_writer::<[u8]>("broadcast").unwrap();
    let mut reader = ours.broadcast_reader::<[u8]>("broadcast", BroadcastStart::Oldest).unwrap();
    in_a_child(|| told("broadcast", reader.try_recv_into(&mut [0; 8])));
    writer.publish_from(0, b"a value.").unwrap();
    reader.try_recv_into(&mut [0; 8]).unwrap();
    in_a_child(|| told("broadcast after", reader.recv_timeout_into(&mut [0; 8], LONG)));
    let mut writer = theirs.latest_writer::<u64>("latest").unwrap();
    let mut reader = ours.latest_reader::<u64>("latest").unwrap();
    writer.publish(&5);
    in_a_child(|| {
        let found = reader.read();
        assert!(matches!(found, Reading::Contended), "{found:?}");
    });
    in_a_child(|| {
        told("a new claim", ours.producer("frames").map(drop).map_err(|error| format!("Forked: {error}")))
    });
}

#[test]
fn helper() {
    let Some((role, path)) = role_for_a_while() else { return };
    match role.as_str() {
        "receive" => receive(&path),
        "send" => send(&path),
        "others" => others(&path),
        _ => panic!("{role}: no such role"),
    }
    say("end");
    hear();
}
