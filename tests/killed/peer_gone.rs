//! A wait that is to end with the other side ends when its process is killed.
#![cfg(any(target_os = "linux", windows))]

use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, linger, role, tell};
use strait::{Channel, Plan, RecvError, RegionOptions, SendError};

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u64>("to kid", 2).producer_may_block(),
    Channel::frames("from kid", 256, 64).consumer_may_block(),
]);

#[test]
fn child() {
    let Some((_, place)) = role() else { return };
    let region = place.open(&RegionOptions::new()).expect("the test made the region");
    let _rx = region.typed_consumer::<u64>("to kid").expect("the role");
    let mut tx = region.producer("from kid").expect("the role");
    tx.try_send(1, b"last words").expect("room");
    tell("there");
    linger();
}

#[test]
fn waits_end_when_the_other_process_is_killed() {
    let name = Name::new("peer-gone");
    let region = name.region().create(&PLAN, &RegionOptions::new()).expect("the name is free");
    let mut tx = region.typed_producer::<u64>("to kid").expect("the role");
    let mut rx = region.consumer("from kid").expect("the role");
    tx.end_with_peer(true);
    rx.end_with_peer(true);
    let mut kid = Kid::spawn("peer_gone::child", "victim", &name);
    assert_eq!(kid.hear(), "there");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        kid.kill();
    });
    let (started, mut buffer) = (Instant::now(), [0; 64]);
    assert_eq!(rx.recv_timeout(&mut buffer, 2 * PATIENCE).map(|got| got.tag), Ok(1));
    assert_eq!(rx.recv_timeout(&mut buffer, 2 * PATIENCE), Err(RecvError::PeerGone));
    killer.join().expect("it was killed");
    tx.try_send_batch([1, 2]).expect("room");
    assert_eq!(tx.send_timeout(&3, 2 * PATIENCE), Err(SendError::PeerGone));
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}
